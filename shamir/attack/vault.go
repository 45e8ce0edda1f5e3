package attack

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

var ristretto = shamir.Ristretto255

// vault is a committee with what it guards: a model that a request is approved
// for, and one that nobody may open; and with a ledger that says so. Honest members
// answer through ask and nowhere else.
type vault struct {
	*World
	*committee
	chain     [32]byte
	statement quorum.Statement // of the request that the ledger holds
	ledger    map[[32]byte]quorum.Statement
	ct        *seal.Ciphertext // the model of the request
	wanted    *seal.Ciphertext // another model
	labels    [2][32]byte
	keys      [2][]byte // what is sealed in both
	reader    seal.Reader
	secrets   map[uint32]seal.ReaderSecret
	bad       []int // members of the adversary, by place: as many as can be spared

	verified [32]byte // context of the certificate that ask verified last

	// Made once per world.
	cert     quorum.VerifiedCertificate
	answer   [][]byte         // of every member to the reader
	partials []quorum.Partial // of every member, of the statement
	seeds    []quorum.Partial // of every member, of the seed
	round    *batch
	ballots  *poll
	goesOn   bool // the honest rest was seen to certify and release
}

const expiry = 100

// vaultOf furnishes a committee.
func (w *World) vaultOf(of *committee, c *Chance) *vault {
	v := &vault{World: w, committee: of, chain: [32]byte(c.Bytes(32)), secrets: map[uint32]seal.ReaderSecret{}, ledger: map[[32]byte]quorum.Statement{}}
	for i, ct := range []**seal.Ciphertext{&v.ct, &v.wanted} {
		v.labels[i], v.keys[i] = [32]byte(c.Bytes(32)), c.Bytes(16)
		*ct = must[*seal.Ciphertext](w)(seal.Encrypt(c, of.X(), v.labels[i], v.keys[i]))
	}
	for _, place := range c.Some(min(3, of.N()), of.N()) {
		v.invite(uint32(place+1), c)
	}
	v.reader.Member, v.reader.Role = v.reader.Prekeys[0].Member, seal.Generator
	v.statement = v.request(v.ct, v.labels[0], v.reader.Prekeys, c)
	return v
}

// invite gives a member a reader key of the table.
func (v *vault) invite(member uint32, c *Chance) {
	secret, key, err := seal.NewReader(c)
	v.must(err)
	v.secrets[member] = secret
	v.reader.Prekeys = append(v.reader.Prekeys, quorum.Prekey{Member: member, Key: key})
}

// request puts a request on the ledger.
func (v *vault) request(ct *seal.Ciphertext, label [32]byte, table quorum.Prekeys, c *Chance) quorum.Statement {
	s := quorum.Statement{Chain: v.chain, Epoch: v.Epoch(), RID: [32]byte(c.Bytes(32)), Body: [32]byte(c.Bytes(32)), Model: [32]byte(c.Bytes(32)),
		KeyEpoch: 1, Label: label, U: ct.U(), Prekeys: table.Digest(), Expiry: expiry}
	v.ledger[s.RID] = s
	return s
}

// vault is the committee in force with what it guards; the adversary holds as many
// of its members as can be spared, at least one.
func (w *World) vault(c *Chance) *vault {
	if w.closed == nil {
		once := w.chance("vault")
		w.closed = w.vaultOf(w.inForce(), once)
		w.closed.cert = w.closed.certify(w.closed.statement, w.force.shares)
		w.closed.answer = w.closed.released(w.closed.cert, w.force.shares)
	}
	v := *w.closed
	v.ledger = map[[32]byte]quorum.Statement{v.statement.RID: v.statement}
	v.bad = w.held(w.few())
	return &v
}

// certify is what honest members do with a request that the ledger holds.
func (v *vault) certify(s quorum.Statement, of []*shamir.KeyShare) quorum.VerifiedCertificate {
	var partials []quorum.Partial
	for _, key := range of {
		if v.ledger[s.RID] == s {
			partials = append(partials, must[quorum.Partial](v.World)(quorum.SignApproval(key, s)))
		}
	}
	cert, culprits, err := quorum.RecoverCertificate(v.Committee, s, partials)
	v.must(err)
	v.hold(len(culprits) == 0, "honest members are named: %v", culprits)
	if v.combines {
		v.verified = cert.Context()
	}
	return cert
}

// ask asks an honest member for its share. A share without a certificate of what
// the ledger holds, for a reader whom it binds, breaks the run.
func (v *vault) ask(c *Chance, key *shamir.KeyShare, ct *seal.Ciphertext, cert quorum.VerifiedCertificate, reader seal.Reader) ([]byte, error) {
	share, err := seal.ReleaseShare(c, key, v.Committee, under(ct, cert), cert, reader)
	if err != nil {
		v.hold(share == nil, "a member that refuses says something")
		return nil, err
	}
	s := cert.Statement()
	if v.verified != cert.Context() { // once is enough
		_, err = quorum.Verify(v.Committee, s, cert.Signature())
		v.verified, v.combines = cert.Context(), err == nil
	}
	_, listed := reader.Prekeys.Lookup(reader.Member)
	v.hold(cert.Valid() && err == nil, "a share left member %d without a certificate", key.Index())
	v.hold(v.ledger[s.RID] == s, "a share left member %d for a request that the ledger does not hold", key.Index())
	v.hold(listed && reader.Prekeys.Digest() == s.Prekeys, "a share left member %d for a reader whom nobody approved", key.Index())
	v.hold(s.U == ct.U(), "a share left member %d for another ciphertext", key.Index())
	return share, nil
}

// released are the answers of honest members to the reader of the request.
func (v *vault) released(cert quorum.VerifiedCertificate, of []*shamir.KeyShare) (out [][]byte) {
	c := v.chance("answers")
	for _, key := range of {
		out = append(out, must[[]byte](v.World)(v.ask(c, key, v.ct, cert, v.reader)))
	}
	return out
}

// under is a ciphertext without layers, under the label that the certificate names.
func under(ct *seal.Ciphertext, cert quorum.VerifiedCertificate) seal.Layers {
	return seal.NewLayers(cert.Statement().Label, ct)
}

// opens checks that the shares give the reader the key, and returns the positions
// that are named.
func (v *vault) opens(cert quorum.VerifiedCertificate, shares [][]byte) []int {
	plain, culprits, err := seal.CombineRelease(v.secrets[v.reader.Member], v.Committee, under(v.ct, cert), cert, v.reader, shares)
	v.hold(err == nil, "the honest rest cannot release: %v", err)
	v.hold(err != nil || bytes.Equal(plain[0], v.keys[0]), "the shares open another key")
	return culprits
}

// rest are the honest members' shares of something that all have made.
func rest[T any](v *vault, all []T) (out []T) {
	for i, s := range all {
		if !slices.Contains(v.bad, i) {
			out = append(out, s)
		}
	}
	return out
}

// colluders are t-1 members' shares, the adversary's own among them.
func (v *vault) colluders(c *Chance) []*shamir.KeyShare {
	var out []*shamir.KeyShare
	for _, i := range v.bad {
		out = append(out, v.shares[i])
	}
	for _, i := range c.Some(v.N(), v.N()) {
		if len(out) < v.T()-1 && !slices.Contains(v.bad, i) {
			out = append(out, v.shares[i])
		}
	}
	return out
}

// blinded are the points of a released share.
func (v *vault) blinded(share []byte) (index uint32, e1, e2 kyber.Point) {
	point := must[kyber.Point](v.World)
	return uint32(share[0])<<8 | uint32(share[1]), point(shamir.DecodePoint(ristretto, share[2:34])), point(shamir.DecodePoint(ristretto, share[34:66]))
}

// guess does what t-1 colluders can with their shares and the answers that honest
// members gave to somebody whose secret they lack, under the reader key r. Every
// point that comes out is held against the keys of both models.
func (v *vault) guess(c *Chance, r kyber.Point, answers [][]byte) {
	group, stolen := ristretto, v.colluders(c)
	type blind struct {
		index  uint32
		e1, e2 kyber.Point
	}
	var answered []blind
	for _, b := range answers {
		i, e1, e2 := v.blinded(b)
		answered = append(answered, blind{i, e1, e2})
	}
	for _, ct := range []*seal.Ciphertext{v.ct, v.wanted} {
		u := must[kyber.Point](v.World)(shamir.DecodePoint(group, slices.Clone(ct.Bytes()[:32])))
		key := group.Point().Mul(v.x, u)
		parts := map[uint32]kyber.Point{}
		for _, s := range stolen {
			x, _ := s.Secrets(access.Token{})
			parts[s.Index()] = group.Point().Mul(x, u)
		}
		try := func(what string, p kyber.Point) {
			v.hold(!p.Equal(key), "t-1 shares and %s open a model", what)
			for _, move := range []kyber.Point{r, u} { // and what is public, added or taken away
				v.hold(!group.Point().Add(p, move).Equal(key) && !group.Point().Sub(p, move).Equal(key), "t-1 shares and %s open a model", what)
			}
		}
		try("nothing", v.interpolate(parts))
		for _, e := range answered {
			if parts[e.index] != nil {
				continue
			}
			public := must[kyber.Point](v.World)(v.XShare(e.index))
			sum, weight := v.completing(parts, e.index)
			for what, p := range map[string]kyber.Point{"a blinded share": e.e2, "a blinding": e.e1, "their difference": group.Point().Sub(e.e2, e.e1), "a public share": public, "U": u} {
				try(what, group.Point().Add(sum, group.Point().Mul(weight, p)))
			}
			break // one is like the others
		}
		if len(answered) >= v.T() {
			one, two := map[uint32]kyber.Point{}, map[uint32]kyber.Point{}
			for _, e := range answered[:v.T()] {
				one[e.index], two[e.index] = e.e1, e.e2
			}
			e1, e2 := v.interpolate(one), v.interpolate(two)
			for times := int64(-2); times <= 2; times++ {
				p := group.Point().Add(e2, group.Point().Mul(group.Scalar().SetInt64(times), e1))
				v.hold(!p.Equal(key) && !group.Point().Sub(p, r).Equal(key) && !group.Point().Add(p, r).Equal(key), "public arithmetic on blinded shares opens a model")
			}
		}
	}
}

// completing is what the parts add to an interpolation in which one more index takes
// part, and the weight of that one.
func (v *vault) completing(parts map[uint32]kyber.Point, index uint32) (kyber.Point, kyber.Scalar) {
	indices := append(slices.Sorted(maps.Keys(parts)), index)
	weights := must[[]kyber.Scalar](v.World)(shamir.Lagrange(ristretto, indices))
	var points []kyber.Point
	for _, i := range indices[:len(parts)] {
		points = append(points, parts[i])
	}
	return ristretto.MultiMul(weights[:len(parts)], points), weights[len(parts)]
}

func (v *vault) interpolate(at map[uint32]kyber.Point) kyber.Point {
	indices, points := slices.Sorted(maps.Keys(at)), make([]kyber.Point, 0, len(at))
	for _, i := range indices {
		points = append(points, at[i])
	}
	return must[kyber.Point](v.World)(shamir.Interpolate(ristretto, indices, points))
}

// survives checks, after an attack, that the honest rest certifies the request and
// releases to its reader all the same.
// As nothing of it changes, that is seen once, and now and then again.
func (v *vault) survives(c *Chance) {
	if v.closed.goesOn && c.IntN(16) > 0 {
		return
	}
	approvals, honest := v.approvals(), rest(v, v.shares)
	var partials []quorum.Partial
	for _, k := range honest {
		partials = append(partials, approvals[k.Index()-1])
	}
	shuffle(c, partials)
	cert, culprits, err := quorum.RecoverCertificate(v.Committee, v.statement, partials)
	v.hold(err == nil && len(culprits) == 0, "the honest rest cannot certify: %v", errors.Join(err))
	v.hold(err != nil || cert.Signature() == v.cert.Signature(), "there are two certificates of one statement")
	named := v.opens(v.cert, rest(v, v.answer))
	v.hold(len(named) == 0, "an honest share is named")
	v.closed.goesOn = err == nil
}

// approvals are all members' partials of the request's statement.
func (v *vault) approvals() []quorum.Partial {
	if v.closed.partials == nil {
		for _, key := range v.shares {
			v.closed.partials = append(v.closed.partials, must[quorum.Partial](v.World)(quorum.SignApproval(key, v.statement)))
		}
	}
	return slices.Clone(v.closed.partials)
}
