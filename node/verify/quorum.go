package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/storage"
)

// network makes the claims that need the keys and records of a network.
func (c *checker) network() {
	r := c.receipt
	n, l := c.o.Network, c.o.Ledger
	if l != nil && !c.claim("ledger", "the ledger holds by itself, from its founding on", func() (string, error) {
		if !l.Valid {
			return "", errors.New(l.Fault())
		}
		return fmt.Sprintf("up to height %d, and trusted for nothing but its genesis", l.Height), nil
	}) {
		return
	}
	var committee *shamir.Committee // in force; those before it had the same keys
	if !c.claim("network", "the artwork is of the network that you trust", func() (_ string, err error) {
		switch {
		case n == nil && l != nil:
			return "", needs(c.newer(), fmt.Sprintf("the ledger ends at height %d, before the members had made their keys", l.Height))
		case n == nil:
			return "", needs("a network file: --network FILE, or the --home of a member", "no network file was given")
		}
		if committee, err = shamir.UnmarshalCommittee(n.Committee); err != nil {
			c.stopped = fmt.Errorf("network file: committee: %w", err)
			return "", err
		}
		if r.Chain != n.Chain {
			return "", fmt.Errorf("it is of the network with genesis %v, yours is %v", curation.Hash(r.Chain), n.Chain)
		}
		if l != nil && !l.compared {
			return "", needs("--chain HASH, the genesis hash of the network that you trust, which a member tells you (`atelier network show`)",
				fmt.Sprintf("it is of the ledger's own network, %q, genesis %v, and nothing was given to compare that with", n.Name, n.Chain))
		}
		return fmt.Sprintf("%q, genesis %v", n.Name, n.Chain), nil
	}) {
		return
	}
	if r.Edition == nil {
		c.claim("request", "the certified request asks for exactly this prompt and model", c.request)
	} else {
		c.claim("request", "the certified request asks for exactly this edition, of this model", c.editionRequest)
		c.claim("edition", "it is of artworks of the network, with the prompts and seeds that the ledger has of them", c.edition)
	}
	c.claim("certificate", "the members' quorum approved this request for this model", func() (string, error) {
		if r.CommitteeEpoch == committee.Epoch() {
			_, err := quorum.Verify(committee, r.Statement(), r.Certificate)
			return fmt.Sprintf("%d of %d members under Y, epoch %d", committee.T(), committee.N(), committee.Epoch()), err
		}
		// The committees hand over the same Y, and members keep their numbers.
		return fmt.Sprintf("a quorum under Y, epoch %d", r.CommitteeEpoch), quorum.VerifyAnyEpoch(committee, r.Statement(), r.Certificate)
	})
	c.claim("seed", "the seed is the quorum's unique signature on the request: nobody chose it", func() (string, error) {
		if err := quorum.VerifySeed(committee, r.Chain, r.RequestID, r.SeedSignature); err != nil {
			return "", err
		}
		seed, err := quorum.Seed(r.SeedSignature, r.RequestID)
		if err == nil && seed != r.Seed {
			err = errors.New("the receipt's seed is not the one that the signature gives")
		}
		return fmt.Sprintf("%x", r.Seed), err
	})
	c.claim("generator", "the member that made the picture is a certified reader, whose turn the seed gives", c.generator)
	var artist string
	if c.claim("model", "the model is one that the network sealed", func() (string, error) {
		for _, m := range n.Models {
			if m.ID == r.Model && m.KeyEpoch == r.KeyEpoch && m.Label == r.Label && m.U == r.U && m.ContainerCID == r.ModelCID.String() {
				artist = m.Name
				in := ""
				if layers := n.layers(m); layers > 1 {
					in = fmt.Sprintf(" in %d layers", layers)
				}
				return fmt.Sprintf("%q, key epoch %d%s, container %s", m.Name, m.KeyEpoch, in, m.ContainerCID), nil
			}
		}
		return "", fmt.Errorf("the %s lists no such model", c.source())
	}) {
		c.claim("label", "title, author and description are those that the network gives its artworks", func() (string, error) { return c.label(n.Name, artist) })
	}
	if c.claim("registered", "the network's ledger holds this very folder for this request", c.record) {
		c.claim("audit", "another member vouches on the ledger for the same pixels", c.audit)
		if l != nil {
			c.claim("history", "request, certificate, draw, registration and audit stand in the ledger as the receipt has them", c.history)
		}
	}
}

// source is what tells about the network.
func (c *checker) source() string {
	if c.o.Ledger != nil {
		return "ledger"
	}
	return "network file"
}

// newer is what somebody needs whose source ends too early.
func (c *checker) newer() string {
	if c.o.Ledger != nil {
		return "a newer export of the ledger"
	}
	return "a newer network file"
}

// tooEarly skips a claim about something that the source does not know yet.
func (c *checker) tooEarly(what string) error {
	how := "atelier network export"
	if c.o.Ledger != nil {
		how = "atelier network export --ledger FILE"
	}
	return needs(c.newer(), fmt.Sprintf("the %s lists no %s: take a newer one from a member (%s)", c.source(), what, how))
}

// request checks that the certified body asks for the receipt's prompt and model.
func (c *checker) request() (string, error) {
	r := c.receipt
	body, err := curation.DecodeBody(r.Body)
	if err != nil {
		return "", err
	}
	q, ok := body.Payload.(curation.Request)
	if !ok {
		return "", fmt.Errorf("the certified body is a transaction of another kind, %s", body.Payload.Kind())
	}
	if q.Prompt != r.Prompt || q.ModelID != r.Model {
		return "", fmt.Errorf("the certified body asks for %q of model %v", q.Prompt, q.ModelID)
	}
	if q.Prompt == "" {
		return "without a prompt", nil
	}
	return fmt.Sprintf("%q", q.Prompt), nil
}

// editionRequest checks that the certified body asks for the receipt's edition.
func (c *checker) editionRequest() (string, error) {
	r, e := c.receipt, c.receipt.Edition
	body, err := curation.DecodeBody(r.Body)
	if err != nil {
		return "", err
	}
	q, ok := body.Payload.(curation.Edition)
	if !ok {
		return "", fmt.Errorf("the certified body is a transaction of another kind, %s", body.Payload.Kind())
	}
	var of []curation.Hash
	for _, w := range e.Works() {
		of = append(of, w.RequestID)
	}
	switch {
	case q.ModelID != r.Model:
		return "", fmt.Errorf("the certified body asks for one of model %v", q.ModelID)
	case !slices.Equal(q.Works(), of) || len(q.Of) != len(e.Of):
		return "", fmt.Errorf("the certified body asks for an edition of %v", q.Works())
	case q.Size != r.Width || q.Size != r.Height || q.Frames != e.Frames || q.Length != e.Length || q.Once != e.Once || !bytes.Equal(q.Changes, e.Changes):
		return "", errors.New("the certified body asks for another size, another length or other changes")
	}
	what := fmt.Sprintf("%d pixels of %v", q.Size, of[0])
	if e.Film() {
		what = fmt.Sprintf("a film of %d frames of %d pixels, from %v to %v", e.Frames, q.Size, of[0], of[1])
	}
	if q.Colours != nil {
		what += fmt.Sprintf(", in the colours of %v", *q.Colours)
	}
	return what, nil
}

// edition holds the artworks that the edition is of against the ledger.
func (c *checker) edition() (string, error) {
	var prompts []string
	for _, w := range c.receipt.Edition.Works() {
		k, known := c.o.Network.Artworks[w.RequestID]
		if !known {
			return "", c.tooEarly(fmt.Sprintf("artwork %x", w.RequestID[:6]))
		}
		if k.Prompt != w.Prompt || k.Seed != w.Seed {
			return "", fmt.Errorf("the ledger has another prompt or seed of artwork %x", w.RequestID[:6])
		}
		if err := c.drawnFrom(w.Taste, k.Prior); err != nil {
			return "", err
		}
		prompts = append(prompts, w.Prompt)
		if w.Taste != nil {
			prompts[len(prompts)-1] = w.Taste.Words
		}
	}
	if c.receipt.Prompt != c.receipt.Edition.Of[0].Prompt {
		return "", fmt.Errorf("the receipt says that it is of %q", c.receipt.Prompt)
	}
	return fmt.Sprintf("%q", prompts), nil
}

// readers are the members whom the certificate lets read the artist.
func (c *checker) readers() []uint32 {
	var readers []uint32
	for _, p := range c.receipt.Readers {
		readers = append(readers, p.Member)
	}
	return readers
}

// generator draws again. That the readers are members of the network the certificate
// says, so one whom the file does not list has joined since.
func (c *checker) generator() (string, error) {
	r := c.receipt
	order := curation.Draw(r.Seed, c.readers())
	turn := slices.Index(order, uint32(r.GeneratorIndex))
	if turn < 0 {
		return "", fmt.Errorf("member %d is not among the readers %v", r.GeneratorIndex, c.readers())
	}
	key, _ := r.Prekeys().Lookup(uint32(r.GeneratorIndex))
	if key != r.GeneratorPrekey {
		return "", errors.New("the generator's one-time key is not the certified one")
	}
	for _, m := range c.o.Network.Members {
		if m.Index == uint32(r.GeneratorIndex) {
			if m.Account != r.Generator {
				return "", fmt.Errorf("member %d is %v, the receipt says %v", m.Index, m.Account, curation.Address(r.Generator))
			}
			return fmt.Sprintf("member %d (%q), turn %d of the order %v", m.Index, m.Name, turn+1, order), nil
		}
	}
	return "", c.tooEarly(fmt.Sprintf("member %d, who may have joined since", r.GeneratorIndex))
}

// record holds the artwork against what the ledger says about its request.
func (c *checker) record() (string, error) {
	r := c.receipt
	k, known := c.o.Network.Artworks[r.RequestID]
	switch {
	case !known && c.o.Ledger != nil && c.o.Ledger.records[r.RequestID].Ended != 0:
		return "", fmt.Errorf("the ledger ended this request without a picture: %s", c.o.Ledger.records[r.RequestID].Reason)
	case !known:
		return "", c.tooEarly("picture for this request")
	case k.CID != c.CID:
		return "", fmt.Errorf("the ledger holds %s for this request, not this folder", k.CID)
	case k.PixelRoot != r.PixelRoot || uint64(k.Generator) != r.GeneratorIndex || k.Requester != r.Collector || k.Requested != r.RequestHeight:
		return "", errors.New("the ledger's record of it says otherwise than its receipt")
	}
	if err := c.drawnFrom(r.Taste, k.Prior); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s; requested by %v, made by member %d", k.Status, k.Requester, k.Generator), nil
}

// audit says who else has vouched for the pixels. Until somebody has, only the
// artist itself can show that they are its.
func (c *checker) audit() (string, error) {
	k := c.o.Network.Artworks[c.receipt.RequestID]
	missing := func(what, why string) error {
		if c.holds("rendering") {
			return passes(why + "; you have rendered it yourself")
		}
		return needs(what, why)
	}
	switch {
	case k.Status == curation.StatusDisputed:
		return "", errors.New("the auditor found another picture: the ledger lists it as disputed")
	case k.Auditor == 0 && len(c.receipt.Readers) == 1:
		return "", passes("one member alone could read the artist, so nobody else could render it")
	case k.Auditor == 0 && k.Status == curation.StatusExpired:
		return "", missing("the artist's weights, as no member vouches for the pixels", "its deadline passed before another member had rendered it")
	case k.Auditor == 0:
		return "", missing(c.newer()+", or the artist's weights", fmt.Sprintf("no other member had rendered it when the %s was written", c.source()))
	case k.Auditor == k.Generator || !slices.Contains(c.readers(), k.Auditor):
		return "", fmt.Errorf("member %d, who is said to have audited it, could not", k.Auditor)
	}
	return fmt.Sprintf("by member %d", k.Auditor), nil
}

// history holds the receipt against what the ledger recorded at each step.
func (c *checker) history() (string, error) {
	r := c.receipt
	a, known := c.o.Ledger.records[r.RequestID]
	if !known {
		return "", c.tooEarly("request of this id")
	}
	readers := make([]storage.Reader, len(a.Prekeys))
	for i, k := range a.Prekeys {
		readers[i] = storage.Reader{Member: k.Member, Key: k.R}
	}
	body := sha256.Sum256(r.Body)
	for _, step := range []struct {
		what string
		same bool
	}{
		{"its request", a.RID == curation.RequestID(body, a.Requested, a.Position) && a.BodyHash == body && a.Prompt == r.Prompt && a.Requester == r.Collector},
		{"the heights of its request and its deadline", a.Requested == r.RequestHeight && a.Expiry == r.ExpiryHeight},
		{"what it was drawn from", c.drawnFrom(r.Taste, a.Prior) == nil},
		{"its model", a.ModelID == r.Model && a.KeyEpoch == r.KeyEpoch && a.Label == r.Label && a.U == r.U},
		{"its committee", a.Epoch == r.CommitteeEpoch},
		{"the members that may read the artist for it", slices.Equal(readers, r.Readers)},
		{"its certificate", a.Approved != 0 && bytes.Equal(a.Certificate, r.Certificate[:])},
		{"its seed", bytes.Equal(a.SeedSignature, r.SeedSignature[:]) && a.Seed == r.Seed},
		{"its draw", slices.Equal(a.Order, curation.Draw(r.Seed, c.readers()))},
		{"its registration", a.Registered >= a.Approved && uint64(a.Generator) == r.GeneratorIndex && a.CID == c.CID && a.PixelRoot == r.PixelRoot},
		{"its audit", a.Attested == 0 || a.AuditedRoot == r.PixelRoot},
	} {
		if !step.same {
			return "", fmt.Errorf("the ledger has %s otherwise", step.what)
		}
	}
	audit := "not audited"
	if a.Attested != 0 {
		audit = fmt.Sprintf("audited at %d", a.Attested)
		if a.Auditor == 0 {
			audit = fmt.Sprintf("without an auditor since %d", a.Attested)
		}
	}
	return fmt.Sprintf("requested at height %d, approved at %d, registered at %d, %s", a.Requested, a.Approved, a.Registered, audit), nil
}
