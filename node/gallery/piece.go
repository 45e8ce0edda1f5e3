package gallery

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
)

// piece is one artwork with everything that the ledger knows of it.
type piece struct {
	curation.Artwork
	Prompt         string  // or what else it is called
	Origin         *origin // of one without a prompt; nil otherwise
	Picture, Blank string
	Later          bool // never: it is what the page is for
	Says           string
	Steps          []step
	RequestedBy    person
	GeneratedBy    string // member
	AuditedBy      string // member; empty when there was nobody to audit
	Drawn          []string
	Certified      string // the certificate in hex
	SeedSigned     string
	Statement      string
	Committee      *curation.Committee
	ModelName      string
	ModelCID       string
	Market         *market
	Backings       []backing
	Holders        []holder
	Deposit        curve.Amount
	Editions       editions
}

func (p piece) title() string { return p.Prompt }

// step is a moment of an artwork's life.
type step struct {
	Name   string
	Height uint64 // 0 while it is to come
	Note   string
	Bad    bool
}

type market struct {
	curation.Market
	Price curve.Amount
	Plot  plot
}

type backing struct {
	curation.Order
	Who person
	For string // title of the artwork; empty when the order could not be read
}

type holder struct {
	curation.Holding
	Who person
}

func (g *gallery) artwork(r *http.Request, v curation.View) (any, error) {
	a, ok := findArtwork(v, r.PathValue("id"))
	if !ok {
		return nil, absent("The ledger holds no artwork of that name.")
	}
	p := piece{Artwork: a, Prompt: g.shelf.Title(r.Context(), v, a), Origin: g.originOf(r.Context(), v, a), Says: says(v, a), Steps: stepsOf(v, a), RequestedBy: personOf(v, a.Requester), Deposit: a.Deposit,
		Certified: hex.EncodeToString(a.Certificate), SeedSigned: hex.EncodeToString(a.SeedSignature),
		Statement: hex.EncodeToString(curation.StatementFor(v.Chain(), a.Opening).Bytes())}
	p.Picture, p.Blank = g.pictureOf(v, a)
	p.Editions = g.editionsOf(r.Context(), v, a)
	if a.Generator != 0 {
		p.GeneratedBy = memberName(v, a.Generator)
	}
	if a.Auditor != 0 {
		p.AuditedBy = memberName(v, a.Auditor)
	}
	for _, m := range a.Order {
		p.Drawn = append(p.Drawn, memberName(v, m))
	}
	for _, c := range v.Committees() {
		if c.Epoch == a.Epoch {
			p.Committee = &c
		}
	}
	if m, ok := v.ModelAt(a.KeyEpoch); ok {
		p.ModelName, p.ModelCID = m.Name, m.ContainerCID
	}
	if m, ok := v.Market(a.RID); ok {
		shown := market{Market: m}
		shown.Price, _ = m.State().SpotPrice() // a market has a price
		shown.Plot = plotOf(m.State())
		p.Market = &shown
	}
	for _, o := range v.Backings(a.RID) {
		p.Backings = append(p.Backings, backing{o, personOf(v, o.Account), p.Prompt})
	}
	for _, h := range v.Holders(a.RID) {
		p.Holders = append(p.Holders, holder{h, personOf(v, h.Account)})
	}
	return p, nil
}

// findArtwork names an artwork by its rid, the first 8 or more digits of it, or its
// CID.
func findArtwork(v curation.View, id string) (found curation.Artwork, ok bool) {
	if rid, err := curation.ParseHash(id); err == nil {
		return v.Artwork(rid)
	}
	if a, ok := v.ArtworkByCID(id); ok {
		return a, true
	}
	if len(id) < 8 || strings.Trim(id, "0123456789abcdef") != "" {
		return found, false
	}
	if named := v.ArtworksNamed(id, 2); len(named) == 1 {
		return named[0], true
	}
	return found, false
}

// stepsOf is an artwork's life as far as it went, and what comes next.
func stepsOf(v curation.View, a curation.Artwork) []step {
	steps := []step{{Name: "Requested", Height: a.Requested, Note: "by " + personOf(v, a.Requester).Name}}
	add := func(name string, height uint64, note string) {
		steps = append(steps, step{Name: name, Height: height, Note: note})
	}
	if a.Approved != 0 || !a.Status.Ended() {
		add("Approved", a.Approved, "certificate and seed")
	}
	if a.Registered != 0 || !a.Status.Ended() {
		note := ""
		if a.Generator != 0 {
			note = "by " + memberName(v, a.Generator)
		}
		if a.TooLarge() {
			note += ", until its file was larger than members keep"
		}
		add("Made", a.Registered, note)
	}
	if a.Attested != 0 || !a.Status.Ended() {
		note := ""
		if a.Auditor != 0 {
			note = "by " + memberName(v, a.Auditor)
		}
		add("Checked", a.Attested, note)
	}
	if a.Status == curation.StatusDisputed {
		steps[len(steps)-1].Bad = true
	}
	note := ""
	if a.Round != 0 {
		note = fmt.Sprintf("round %d", a.Round)
	}
	switch a.Status {
	case curation.StatusPublished:
		add("Published", a.Settled, note)
	case curation.StatusDeclined:
		add("Declined", a.Ended, note)
	case curation.StatusDisputed:
		add("Disputed", a.Ended, "pixels differ")
		steps[len(steps)-1].Bad = true
	case curation.StatusExpired:
		why := "deadline passed"
		if a.TooLarge() && a.Attested != 0 {
			why = "too large to keep"
		}
		add("Expired", a.Ended, why)
		steps[len(steps)-1].Bad = true
	case curation.StatusDelivered:
		add("Delivered", a.Ended, "kept until block "+grouped(a.Kept))
	default:
		if a.Edition != nil {
			add("Delivered", 0, "")
			break
		}
		if a.Status != curation.StatusBacking {
			note = ""
		}
		add("Chosen", 0, note)
	}
	return steps
}
