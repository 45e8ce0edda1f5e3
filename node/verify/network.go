package verify

import "github.com/atelier-dao/atelier/curation"

// NetworkOf is what a verifier of a network's artworks trusts, as the ledger has it.
// It is false before the ceremony has ended.
func NetworkOf(v curation.View) (n Network, ok bool, err error) {
	c, active := v.Committee()
	if !active {
		return n, false, nil
	}
	n = Network{Name: v.Genesis().Charter.Name, Chain: v.Chain(), Artworks: map[string]Record{}}
	if n.Committee, err = c.MarshalBinary(); err != nil {
		return n, false, err
	}
	for _, m := range v.Members() {
		n.Members = append(n.Members, Member{Index: m.Index, Name: m.Name, Account: m.Account})
	}
	for _, m := range v.Models() {
		n.Models = append(n.Models, Model{ID: m.ID, KeyEpoch: m.KeyEpoch, Label: m.Label, U: m.U, ContainerCID: m.ContainerCID})
	}
	for _, a := range v.Artworks(curation.Filter{}) {
		if a.CID != "" {
			n.Artworks[a.CID] = Record{RID: a.RID, PixelRoot: a.PixelRoot, Generator: a.Generator, Auditor: a.Auditor,
				Requester: a.Requester, Requested: a.Requested, Status: string(a.Status)}
		}
	}
	return n, true, nil
}
