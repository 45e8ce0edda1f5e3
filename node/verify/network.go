package verify

import "github.com/atelier-dao/atelier/curation"

// NetworkOf is what a verifier of a network's artworks trusts, as the ledger has it.
// It is false before the ceremony has ended.
func NetworkOf(v curation.View) (n Network, ok bool, err error) {
	c, active := v.Committee()
	if !active {
		return n, false, nil
	}
	n = Network{Name: v.Genesis().Charter.Name, Chain: v.Chain(), Decisions: map[string]string{}}
	if n.Committee, err = c.MarshalBinary(); err != nil {
		return n, false, err
	}
	for _, m := range v.Members() {
		n.Members = append(n.Members, Member{Index: m.Index, Name: m.Name, Account: m.Account})
	}
	for _, m := range v.Models() {
		n.Models = append(n.Models, Model{ID: m.ID, KeyEpoch: m.KeyEpoch, Label: m.Label, U: m.U, ContainerCID: m.ContainerCID})
	}
	for _, a := range v.Artworks(curation.Filter{Status: []curation.Status{curation.StatusPublished, curation.StatusDeclined, curation.StatusDisputed}}) {
		if a.CID != "" {
			n.Decisions[a.CID] = string(a.Status)
		}
	}
	return n, true, nil
}
