package oracle

import (
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// world is a committee with its shares, a sealed file key and a certified request.
type world struct {
	committee *shamir.Committee
	shares    []*shamir.KeyShare
	ct        *seal.Ciphertext
	statement quorum.Statement
	partials  []quorum.Partial
	cert      quorum.VerifiedCertificate
	secret    seal.ReaderSecret
	reader    seal.Reader
}

var fileKey = []byte("thirty-two bytes of a file's key")

func newWorld(n int) (*world, error) {
	w := &world{}
	var err error
	if w.committee, w.shares, err = shamirtest.Dealt("oracle", 1, n); err != nil {
		return nil, err
	}
	if w.ct, err = seal.Encrypt(seeded("encrypt"), w.committee.X(), h("label"), fileKey); err != nil {
		return nil, err
	}
	secret, key, err := seal.NewReader(seeded("reader"))
	if err != nil {
		return nil, err
	}
	w.secret = secret
	w.reader = seal.Reader{Member: 1, Role: seal.Generator, Prekeys: quorum.Prekeys{{Member: 1, Key: key}}}
	w.statement = quorum.Statement{
		Chain: h("chain"), Epoch: 1, RID: h("rid"), Body: h("body"), Model: h("model"), KeyEpoch: 1,
		Label: h("label"), U: w.ct.U(), Prekeys: w.reader.Prekeys.Digest(), Expiry: 100,
	}
	for _, k := range w.shares[:w.committee.T()] {
		p, err := quorum.SignApproval(k, w.statement)
		if err != nil {
			return nil, err
		}
		w.partials = append(w.partials, p)
	}
	w.cert, _, err = quorum.RecoverCertificate(w.committee, w.statement, w.partials)
	return w, err
}

func (w *world) release(k *shamir.KeyShare) ([]byte, error) {
	return seal.ReleaseShare(seeded("release", k.Index()), k, w.committee, seal.NewLayers(h("label"), w.ct), w.cert, w.reader)
}

func (w *world) releases() (out [][]byte, err error) {
	for _, k := range w.shares[:w.committee.T()] {
		b, err := w.release(k)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
