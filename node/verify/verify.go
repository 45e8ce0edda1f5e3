// Package verify checks an artwork offline: that the picture is the one of its
// receipt, that the network's quorum approved the request behind it, that the seed
// is the quorum's own, and that the seed drew its generator. It needs the artwork's
// folder and a Network file, which any member's home holds, and no network.
//
// Each claim says in one line what its check proves, so that a reader knows what
// was shown and what was not.
package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/storage"
)

// Network is what a verifier trusts: the names and keys of one network. A node
// keeps it as network.json in its home, once the ceremony has ended.
type Network struct {
	Name      string        `json:"name"`
	Chain     curation.Hash `json:"chain"`     // genesis hash
	Committee []byte        `json:"committee"` // shamir.Committee
	Members   []Member      `json:"members"`
	Models    []Model       `json:"models"`
	// Artworks are the ledger's records of the registered ones, by CID.
	Artworks map[string]Record `json:"artworks"`
}

// Record is what the ledger holds about an artwork, in a Network file.
type Record struct {
	RID       curation.Hash    `json:"rid"`
	PixelRoot curation.Hash    `json:"pixel_root"`
	Generator uint32           `json:"generator"`
	Auditor   uint32           `json:"auditor"` // 0 while nobody has rendered it again
	Requester curation.Address `json:"requester"`
	Requested uint64           `json:"requested"` // height
	Status    string           `json:"status"`
}

// Member is a co-owner in a Network file.
type Member struct {
	Index   uint32           `json:"index"`
	Name    string           `json:"name"`
	Account curation.Address `json:"account"`
}

// Model is a sealed model in a Network file.
type Model struct {
	ID           curation.Hash `json:"id"`
	KeyEpoch     uint64        `json:"key_epoch"`
	Label        curation.Hash `json:"label"`
	U            curation.Hash `json:"u"`
	ContainerCID string        `json:"container_cid"`
}

// ParseNetwork reads a Network file strictly.
func ParseNetwork(b []byte) (Network, error) {
	var n Network
	if len(b) > 16<<20 {
		return n, fmt.Errorf("network file of %d bytes is too large", len(b))
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&n); err != nil {
		return n, fmt.Errorf("not a network file: %w", err)
	}
	if _, err := shamir.UnmarshalCommittee(n.Committee); err != nil {
		return n, fmt.Errorf("not a network file: committee: %w", err)
	}
	return n, nil
}

// Claim is one thing that was checked.
type Claim struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Proves string `json:"proves"` // what it shows when it holds
	Detail string `json:"detail"` // the values, or why it fails
}

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	Holds   Status = "holds"
	Fails   Status = "fails"
	Skipped Status = "skipped" // could not be checked with what was given
)

// Report is the outcome of a verification.
type Report struct {
	CID    string  `json:"cid"`
	Prompt string  `json:"prompt"`
	Seed   string  `json:"seed"`
	Valid  bool    `json:"valid"` // no claim fails, and the ledger's record was there to check
	Claims []Claim `json:"claims"`
}

// Options say what to check against.
type Options struct {
	Network *Network      // nil: the quorum's claims cannot be checked
	CID     cid.Cid       // cid.Undef: the folder's own
	Artist  *model.Artist // nil: the picture is not rendered again
}

// checker gathers claims about one artwork.
type checker struct {
	o       Options
	files   map[string][]byte
	receipt storage.Receipt
	claims  []Claim
	root    cid.Cid // of the files

	registered bool // the ledger's record was there and agrees
}

func (c *checker) claim(name, proves string, check func() (detail string, err error)) bool {
	detail, err := check()
	status := Holds
	var skip *skipped
	switch {
	case errors.As(err, &skip):
		status, detail = Skipped, skip.why
	case err != nil:
		status, detail = Fails, err.Error()
	}
	c.claims = append(c.claims, Claim{Name: name, Status: status, Proves: proves, Detail: detail})
	return status == Holds
}

type skipped struct{ why string }

func (s *skipped) Error() string { return s.why }

// Artwork checks the files of one artwork's folder.
func Artwork(ctx context.Context, files []storage.File, o Options) (Report, error) {
	c := &checker{o: o, files: map[string][]byte{}}
	for _, f := range files {
		c.files[f.Name] = f.Data
	}
	var r Report
	c.claim("files", "the folder holds picture, metadata and receipt, and nothing else", func() (string, error) {
		for name := range c.files {
			if name != storage.ImageName && name != storage.MetadataName && name != storage.ReceiptName {
				return "", fmt.Errorf("%s is not part of an artwork", name)
			}
		}
		if len(files) != 3 {
			return "", fmt.Errorf("%d files", len(files))
		}
		return "3 files", nil
	})
	if !c.claim("receipt", "the folder carries one canonical record of how it came to be", func() (_ string, err error) {
		c.receipt, err = storage.DecodeReceipt(c.files[storage.ReceiptName])
		return "version 1, canonical dag-cbor", err
	}) {
		r.Claims = c.claims
		return r, nil
	}
	r.Prompt, r.Seed = c.receipt.Prompt, curation.Hash(c.receipt.Seed).String()
	own := slices.DeleteFunc(slices.Clone(files), func(f storage.File) bool {
		return f.Name != storage.ImageName && f.Name != storage.MetadataName && f.Name != storage.ReceiptName
	})
	root, err := storage.FolderCID(own)
	if err != nil {
		return r, err
	}
	r.CID = root.String()
	c.folder(root)
	c.picture(ctx)
	c.quorum()
	r.Claims = c.claims
	r.Valid = c.registered && !slices.ContainsFunc(c.claims, func(k Claim) bool { return k.Status == Fails })
	return r, nil
}

func (c *checker) folder(root cid.Cid) {
	c.root = root
	c.claim("content", "the files are exactly those that the CID names", func() (string, error) {
		if !c.o.CID.Defined() {
			return "", &skipped{"no CID given; the files hash to " + root.String()}
		}
		if !c.o.CID.Equals(root) {
			return "", fmt.Errorf("the files hash to %v", root)
		}
		return root.String(), nil
	})
	c.claim("metadata", "what galleries show names this picture and repeats its receipt", func() (string, error) {
		m, err := storage.DecodeMetadata(c.files[storage.MetadataName])
		if err != nil {
			return "", err
		}
		image, err := storage.FileCID(c.files[storage.ImageName])
		if err != nil {
			return "", err
		}
		if m.Image != "ipfs://"+image.String() {
			return "", fmt.Errorf("it names the picture %s, the picture is %v", m.Image, image)
		}
		return m.Name, repeats(m, c.receipt)
	})
}

// repeats says whether the metadata carries every attribute that follows from the
// receipt, as it follows.
func repeats(m storage.Metadata, r storage.Receipt) error {
	for _, want := range r.Attributes() {
		i := slices.IndexFunc(m.Attributes, func(a storage.Attribute) bool { return a.Trait == want.Trait })
		if i < 0 {
			return fmt.Errorf("it does not say %s", want.Trait)
		}
		a, err := json.Marshal(want.Value)
		if err != nil {
			return err
		}
		if b, err := json.Marshal(m.Attributes[i].Value); err != nil || !bytes.Equal(a, b) {
			return fmt.Errorf("it says %s is %s, the receipt says %s", want.Trait, b, a)
		}
	}
	return nil
}

func (c *checker) picture(ctx context.Context) {
	r := c.receipt
	c.claim("pixels", "the picture's pixels are those of its receipt", func() (string, error) {
		p, err := storage.DecodePNG(c.files[storage.ImageName], 0)
		if err != nil {
			return "", err
		}
		if uint64(p.Width) != r.Width || uint64(p.Height) != r.Height {
			return "", fmt.Errorf("%dx%d pixels, the receipt says %dx%d", p.Width, p.Height, r.Width, r.Height)
		}
		root, err := kernel.PixelRoot(p.Width, p.Height, p.RGB)
		if err != nil {
			return "", err
		}
		if root != r.PixelRoot {
			return "", fmt.Errorf("pixel root %x, the receipt says %x", root, r.PixelRoot)
		}
		if r.Kernel != kernel.Contract {
			return "", fmt.Errorf("contract %q, this program knows %q", r.Kernel, kernel.Contract)
		}
		return fmt.Sprintf("%dx%d, pixel root %x", p.Width, p.Height, root), nil
	})
	c.claim("rendering", "artist, prompt and seed give these pixels, to the bit", func() (string, error) {
		if c.o.Artist == nil {
			return "", &skipped{"the artist is sealed: the network's auditor rendered it again; give --weights if you may open it"}
		}
		p, err := c.o.Artist.Render(ctx, r.Prompt, r.Seed, int(r.Width), model.RenderOptions{})
		if err != nil {
			return "", err
		}
		if p.PixelRoot != r.PixelRoot {
			return "", fmt.Errorf("this artist renders pixel root %x", p.PixelRoot)
		}
		return "rendered again here", nil
	})
}

func (c *checker) quorum() {
	r := c.receipt
	var committee *shamir.Committee
	known := c.claim("network", "the artwork is of the network that you trust", func() (string, error) {
		n := c.o.Network
		if n == nil {
			return "", &skipped{"no network file: give --network FILE, or --home of a member"}
		}
		if r.Chain != n.Chain {
			return "", fmt.Errorf("it is of the network with genesis %v, yours is %v", curation.Hash(r.Chain), n.Chain)
		}
		var err error
		committee, err = shamir.UnmarshalCommittee(n.Committee)
		return fmt.Sprintf("%s, genesis %v", n.Name, n.Chain), err
	})
	if !known {
		return
	}
	c.claim("request", "the certified request asks for exactly this prompt and model", func() (string, error) { return c.request() })
	c.claim("certificate", "the members' quorum approved this request for this model", func() (string, error) {
		_, err := quorum.Verify(committee, r.Statement(), r.Certificate)
		return fmt.Sprintf("%d of %d members under Y, epoch %d", committee.T(), committee.N(), committee.Epoch()), err
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
	c.claim("generator", "the member that made the picture is one whom the seed drew, with its certified one-time key", func() (string, error) { return c.generator() })
	c.claim("model", "the model is one that the network sealed", func() (string, error) {
		for _, m := range c.o.Network.Models {
			if m.ID == r.Model && m.KeyEpoch == r.KeyEpoch && m.Label == r.Label && m.U == r.U && m.ContainerCID == r.ModelCID.String() {
				return fmt.Sprintf("key epoch %d, container %s", m.KeyEpoch, m.ContainerCID), nil
			}
		}
		return "", errors.New("the network file lists no such model")
	})
	c.registered = c.claim("registered", "the network's ledger holds this very folder for this request, and another member rendered it again", func() (string, error) { return c.record() })
}

// record holds the artwork against what the ledger says about it.
func (c *checker) record() (string, error) {
	r := c.receipt
	k, known := c.o.Network.Artworks[c.root.String()]
	switch {
	case !known:
		for cid, other := range c.o.Network.Artworks {
			if other.RID == r.RequestID {
				return "", fmt.Errorf("the ledger holds %s for this request, not this folder", cid)
			}
		}
		return "", &skipped{"the network file lists no such artwork: take a newer one from a member (atelier network export)"}
	case k.RID != r.RequestID || k.PixelRoot != r.PixelRoot || uint64(k.Generator) != r.GeneratorIndex || k.Requester != r.Collector || k.Requested != r.RequestHeight:
		return "", errors.New("the ledger's record of it says otherwise than its receipt")
	case k.Status == string(curation.StatusDisputed):
		return "", errors.New("its audit found another picture: the ledger lists it as disputed")
	case k.Auditor == 0:
		return fmt.Sprintf("%s; requested by %v; not rendered again by another member", k.Status, k.Requester), nil
	}
	return fmt.Sprintf("%s; requested by %v, made by member %d, rendered again by member %d", k.Status, k.Requester, k.Generator, k.Auditor), nil
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
		return "", fmt.Errorf("the certified body is a %s", body.Payload.Kind())
	}
	if q.Prompt != r.Prompt || q.ModelID != r.Model {
		return "", fmt.Errorf("the certified body asks for %q of model %v", q.Prompt, q.ModelID)
	}
	return fmt.Sprintf("%q", q.Prompt), nil
}

// generator draws again.
func (c *checker) generator() (string, error) {
	r := c.receipt
	var readers []uint32
	for _, p := range r.Readers {
		readers = append(readers, p.Member)
	}
	order := curation.Draw(r.Seed, readers)
	turn := slices.Index(order, uint32(r.GeneratorIndex))
	if turn < 0 {
		return "", fmt.Errorf("member %d was not among the readers %v", r.GeneratorIndex, readers)
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
			return fmt.Sprintf("member %d (%s), turn %d of the order %v", m.Index, m.Name, turn+1, order), nil
		}
	}
	return "", fmt.Errorf("the network has no member %d", r.GeneratorIndex)
}
