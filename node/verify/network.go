package verify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Network is what a verifier trusts: the names and keys of one network. A node
// keeps it as network.json in its home, once the ceremony has ended.
type Network struct {
	Name      string        `json:"name"`
	Chain     curation.Hash `json:"chain"`     // genesis hash
	Committee []byte        `json:"committee"` // shamir.Committee in force
	Members   []Member      `json:"members"`
	Models    []Model       `json:"models"`
	Priors    []Prior       `json:"priors,omitempty"` // versions of the taste, oldest first
	// Artworks are the ledger's records of the registered ones, by request id: a
	// CID names two when a member registers another's folder as its own.
	Artworks map[curation.Hash]Record `json:"artworks"`
}

// Record is what the ledger holds about an artwork, in a Network file.
type Record struct {
	CID       string           `json:"cid"` // of the folder
	PixelRoot curation.Hash    `json:"pixel_root"`
	Generator uint32           `json:"generator"`
	Auditor   uint32           `json:"auditor"` // 0 while nobody has rendered it again
	Requester curation.Address `json:"requester"`
	Requested uint64           `json:"requested"` // height
	Status    curation.Status  `json:"status"`
	Prompt    string           `json:"prompt"` // with the seed, what an edition of it is drawn from
	Seed      curation.Hash    `json:"seed"`
	Prior     curation.Hash    `json:"prior,omitzero"` // the version of the taste that it was drawn from; zero with a prompt
}

// Prior is a version of the network's taste, in a Network file.
type Prior struct {
	Version uint64        `json:"version"`
	ID      curation.Hash `json:"id"` // SHA-256 of its file
	Lexicon curation.Hash `json:"lexicon"`
}

// Member is a co-owner in a Network file, or one who was or is about to be: whoever
// made a picture keeps number and name.
type Member struct {
	Index   uint32           `json:"index"`
	Name    string           `json:"name"`
	Account curation.Address `json:"account"`
}

// Model is an artist in a Network file, as it was sealed for one key epoch.
type Model struct {
	ID           curation.Hash `json:"id"`
	Name         string        `json:"name"`
	KeyEpoch     uint64        `json:"key_epoch"`
	Base         uint64        `json:"base,omitempty"` // key epoch of the container inside; 0 when it was sealed from scratch
	PolicyHash   curation.Hash `json:"policy_hash"`
	Label        curation.Hash `json:"label"`
	U            curation.Hash `json:"u"`
	ContainerCID string        `json:"container_cid"`
}

// NetworkOf is what a verifier of a network's artworks trusts, as the ledger has it.
// It is false before the ceremony has ended.
func NetworkOf(v curation.View) (n Network, ok bool, err error) {
	c, active := v.Committee()
	if !active {
		return n, false, nil
	}
	n = Network{Name: v.Genesis().Charter.Name, Chain: v.Chain(), Artworks: map[curation.Hash]Record{}}
	if n.Committee, err = c.MarshalBinary(); err != nil {
		return n, false, err
	}
	for _, m := range v.Members() {
		n.Members = append(n.Members, Member{Index: m.Index, Name: m.Name, Account: m.Account})
	}
	for _, m := range v.Models() {
		if m.Since != 0 { // requests are of what was current once
			n.Models = append(n.Models, Model{ID: m.ID, Name: m.Name, KeyEpoch: m.KeyEpoch, Base: m.Base, PolicyHash: m.PolicyHash,
				Label: m.Label, U: m.U, ContainerCID: m.ContainerCID})
		}
	}
	for _, p := range slices.Backward(v.Priors(0)) {
		n.Priors = append(n.Priors, Prior{Version: p.Version, ID: p.ID, Lexicon: p.Lexicon})
	}
	for _, a := range v.Artworks(curation.Filter{}) {
		if a.CID != "" {
			n.Artworks[a.RID] = Record{CID: a.CID, PixelRoot: a.PixelRoot, Generator: a.Generator, Auditor: a.Auditor,
				Requester: a.Requester, Requested: a.Requested, Status: a.Status, Prompt: a.Prompt, Seed: a.Seed, Prior: a.Prior}
		}
	}
	return n, true, nil
}

// maxNetwork bounds a network file: room for a hundred thousand artworks.
const maxNetwork = 64 << 20

// ParseNetwork reads a Network file strictly.
func ParseNetwork(b []byte) (Network, error) {
	n, err := parseNetwork(b)
	if err != nil {
		return Network{}, fmt.Errorf("not a network file of this version: %w; a member writes one with `atelier network export`", err)
	}
	return n, nil
}

func parseNetwork(b []byte) (n Network, err error) {
	if len(b) > maxNetwork {
		return n, fmt.Errorf("%d bytes are too many", len(b))
	}
	if err := strictjson.Unmarshal(b, &n); err != nil {
		return n, err
	}
	c, err := shamir.UnmarshalCommittee(n.Committee)
	if err != nil {
		return n, fmt.Errorf("committee: %w", err)
	}
	if err := n.checkModels(c.X()); err != nil {
		return n, err
	}
	return n, n.check()
}

// check refuses what NetworkOf would not have written.
func (n Network) check() error {
	seen := map[uint32]bool{}
	for _, m := range n.Members {
		if m.Index == 0 || seen[m.Index] {
			return fmt.Errorf("member %d is there twice or has no number", m.Index)
		}
		seen[m.Index] = true
	}
	for rid, k := range n.Artworks {
		if _, err := cid.Decode(k.CID); err != nil {
			return fmt.Errorf("artwork %v: %q is no CID", rid, k.CID)
		}
		if !slices.Contains(registered, k.Status) {
			return fmt.Errorf("artwork %v has the status %q, which this program does not know", rid, k.Status)
		}
	}
	return nil
}

// checkModels computes the labels of all key epochs anew: each is that of an artist under
// the network's key, around what lies inside it.
func (n Network) checkModels(x [32]byte) error {
	known := map[uint64]Model{}
	for _, m := range slices.SortedFunc(slices.Values(n.Models), func(a, b Model) int { return cmp.Compare(a.KeyEpoch, b.KeyEpoch) }) {
		if _, err := cid.Decode(m.ContainerCID); err != nil || m.Name == "" {
			return fmt.Errorf("model %v has no name or no container", m.ID)
		}
		label := curation.ModelLabel(n.Chain, m.ID, m.KeyEpoch, m.PolicyHash, x)
		base, ok := known[m.Base]
		switch {
		case known[m.KeyEpoch].KeyEpoch != 0 || m.KeyEpoch == 0:
			return fmt.Errorf("key epoch %d is there twice or has no number", m.KeyEpoch)
		case m.Base != 0 && (!ok || base.ID != m.ID):
			return fmt.Errorf("key epoch %d is a layer around key epoch %d, which is not there or another artist's", m.KeyEpoch, m.Base)
		case m.Base != 0:
			label = curation.LayerLabel(n.Chain, m.ID, m.KeyEpoch, m.PolicyHash, x, base.Label, base.U)
		}
		if m.Label != label {
			return fmt.Errorf("the label of key epoch %d is not that of what was sealed for it", m.KeyEpoch)
		}
		known[m.KeyEpoch] = m
	}
	return nil
}

// layers is how many keys had to be released to open the artist in a key epoch.
func (n Network) layers(m Model) (layers int) {
	for layers = 1; m.Base != 0 && layers < curation.MaxLayers; layers++ {
		i := slices.IndexFunc(n.Models, func(o Model) bool { return o.KeyEpoch == m.Base })
		if i < 0 {
			break
		}
		m = n.Models[i]
	}
	return layers
}

// registered are the states of an artwork that has a CID.
var registered = []curation.Status{
	curation.StatusRegistered, curation.StatusCandidate, curation.StatusBacking, curation.StatusPublished,
	curation.StatusDeclined, curation.StatusDisputed, curation.StatusExpired, curation.StatusDelivered,
}
