package attack

import (
	"bytes"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"go.dedis.ch/kyber/v3"
)

// guarding is an attack on a vault; after it the honest rest goes on, and t-1
// colluders open nothing.
func guarding(name string, role Role, run func(v *vault, c *Chance) Outcome) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		outcome := run(v, c)
		v.survives(c)
		return outcome
	}}
}

// certifying shows members a certificate that is none.
func certifying(name string, forge func(v *vault, c *Chance) (quorum.Statement, []byte)) Attack {
	return guarding(name, Aggregator, func(v *vault, c *Chance) Outcome {
		s, b := forge(v, c)
		if len(b) != quorum.SignatureSize {
			return v.unshaped(b)
		}
		cert, err := quorum.Verify(v.Committee, s, quorum.Signature(b))
		v.hold(err != nil, "a forged certificate verifies: %x of %x", b, s.Bytes())
		v.hold(errors.Is(err, quorum.ErrCertificate) || errors.Is(err, quorum.ErrEpoch), "an error that says nothing: %v", err)
		for _, key := range rest(v, v.shares)[:1] { // and whoever shows it gets nothing
			_, err := v.ask(c, key, v.ct, cert, v.reader)
			v.hold(err != nil, "a member releases for a forged certificate")
		}
		return RefusedBy("the members")
	})
}

// unshaped gives the wire's decoders what has not the length of a signature.
func (v *vault) unshaped(b []byte) Outcome {
	_, one := quorum.ParsePartial(append([]byte{0, 1}, b...))
	_, two := quorum.ParseApproval(append(make([]byte, quorum.ApprovalSize-quorum.SignatureSize), b...))
	v.hold(one != nil && two != nil, "a signature of %d bytes is taken", len(b))
	return RefusedBy("the members")
}

// changed is the statement with one field of another value.
func changed(v *vault, c *Chance) quorum.Statement {
	s := v.statement
	switch c.IntN(9) {
	case 0:
		s.Chain = [32]byte(c.Bytes(32))
	case 1:
		s.RID[c.IntN(32)] ^= 1
	case 2:
		s.Body[c.IntN(32)] ^= 1
	case 3:
		s.Model[c.IntN(32)] ^= 1
	case 4:
		s.KeyEpoch++
	case 5:
		s.Label = v.labels[1]
	case 6:
		s.U = v.wanted.U()
	case 7:
		s.Prekeys[c.IntN(32)] ^= 1
	default:
		s.Expiry += 1 + uint64(c.IntN(1000))
	}
	return s
}

// combined interpolates signatures as an aggregator does who checks nothing.
func (v *vault) combined(partials []quorum.Partial) []byte {
	var indices []uint32
	var points []kyber.Point
	for _, p := range partials {
		indices = append(indices, p.Index)
		points = append(points, must[kyber.Point](v.World)(shamir.DecodePoint(shamir.G1, p.Sig[:])))
	}
	return shamir.Encode(must[kyber.Point](v.World)(shamir.Interpolate(shamir.G1, indices, points)))
}

// approve are the partials of some members, who would sign anything.
func (v *vault) approve(s quorum.Statement, of []*shamir.KeyShare) (out []quorum.Partial) {
	for _, key := range of {
		out = append(out, must[quorum.Partial](v.World)(quorum.SignApproval(key, s)))
	}
	return out
}

func certifiers() []Attack {
	same := func(b func(v *vault, c *Chance) []byte) func(v *vault, c *Chance) (quorum.Statement, []byte) {
		return func(v *vault, c *Chance) (quorum.Statement, []byte) { return v.statement, b(v, c) }
	}
	return []Attack{
		certifying("a certificate that is the identity, not canonical, outside the subgroup, negated, or off by a point of order 3", same(func(v *vault, c *Chance) []byte {
			sig := v.cert.Signature()
			return badG1(c, sig[:])
		})),
		certifying("a certificate with trailing bytes, a byte short, or uncompressed", same(func(v *vault, c *Chance) []byte {
			sig := v.cert.Signature()
			return pick(c, [][]byte{append(slices.Clone(sig[:]), 0), sig[:47], append(slices.Clone(sig[:]), sig[:]...), nil})
		})),
		certifying("a certificate that is a random point, or the generator", same(func(v *vault, c *Chance) []byte {
			return pick(c, [][]byte{shamir.Encode(c.Point(shamir.G1)), shamir.Encode(shamir.G1.Point().Base())})
		})),
		certifying("a certificate of the request for a statement with one field changed: chain, request, body, model, key epoch, label, U, readers, expiry", func(v *vault, c *Chance) (quorum.Statement, []byte) {
			sig := v.cert.Signature()
			return changed(v, c), sig[:]
		}),
		certifying("a certificate of an earlier committee for a later one", func(v *vault, c *Chance) (quorum.Statement, []byte) {
			s, sig := v.statement, v.cert.Signature()
			s.Epoch += uint64(c.IntN(3)) - 1
			if s.Epoch == v.Epoch() {
				s.Epoch = 1 << 63
			}
			return s, sig[:]
		}),
		certifying("a certificate by t members of another network", same(func(v *vault, c *Chance) []byte {
			other := v.elsewhere()
			return v.combined(v.approve(v.statement, other.shares[:other.T()]))
		})),
		certifying("a certificate of t-1 approvals", same(func(v *vault, c *Chance) []byte {
			return v.combined(v.approve(v.statement, v.colluders(c)))
		})),
		certifying("a certificate of t-1 approvals and a made-up one", same(func(v *vault, c *Chance) []byte {
			got := v.approve(v.statement, v.colluders(c))
			for i := uint32(1); len(got) < v.T(); i++ {
				if !slices.ContainsFunc(got, func(p quorum.Partial) bool { return p.Index == i }) {
					got = append(got, quorum.Partial{Index: i, Sig: pick(c, []quorum.Signature{v.cert.Signature(), got[0].Sig, quorum.Signature(shamir.Encode(c.Point(shamir.G1)))})})
				}
			}
			return v.combined(got)
		})),
		certifying("a certificate that mixes approvals of two statements of one request", func(v *vault, c *Chance) (quorum.Statement, []byte) {
			// The colluders sign what the ledger does not hold; the honest what it holds.
			s := v.conflicting(c)
			mixed := v.filled(v.approve(s, v.colluders(c)))
			if c.Percent(50) {
				s = v.statement
			}
			return s, v.combined(mixed)
		}),
		certifying("a certificate made of the seed's signatures", same(func(v *vault, c *Chance) []byte {
			return v.combined(v.seedPartials()[:v.T()])
		})),
		certifying("a certificate by the same members' shares of the next epoch", same(func(v *vault, c *Chance) []byte {
			next, s := v.refreshed(), v.statement
			s.Epoch = 2
			return v.combined(v.approve(s, next.shares[:next.T()]))
		})),
		guarding("an aggregator omits approvals: t-1 are left", Aggregator, func(v *vault, c *Chance) Outcome {
			all := v.approvals()
			shuffle(c, all)
			return v.tooFew(all[:v.T()-1])
		}),
		guarding("an aggregator counts approvals twice", Aggregator, func(v *vault, c *Chance) Outcome {
			all := v.approvals()[:v.T()-1]
			all = append(all, all...)
			shuffle(c, all)
			return v.tooFew(all)
		}),
		guarding("a partial under a wrong index: another's, none's, zero, the largest", Aggregator, func(v *vault, c *Chance) Outcome {
			all := v.approvals()
			bad := v.bad[0]
			moved := all[bad]
			moved.Index = pick(c, []uint32{uint32(v.bad[0])%uint32(v.N()) + 1, 0, uint32(v.N() + 1), 1<<32 - 1})
			err := quorum.VerifyApproval(v.Committee, v.statement, moved)
			v.hold(moved.Index == uint32(bad+1) || err != nil, "a partial verifies under index %d", moved.Index)
			v.recovers(append([]quorum.Partial{moved}, rest(v, all)...), nil)
			return RefusedBy("the members")
		}),
		guarding("members send partials that do not verify: of another statement, the identity, random points", Holder, func(v *vault, c *Chance) Outcome {
			all, guilty := v.approvals(), []uint32(nil)
			other := v.approve(v.conflicting(c), v.shares)
			for _, i := range v.bad {
				sig := all[i].Sig
				all[i].Sig = pick(c, []quorum.Signature{other[i].Sig, quorum.Signature(badG1(c, sig[:])), quorum.Signature(shamir.Encode(c.Point(shamir.G1)))})
				guilty = append(guilty, uint32(i+1))
			}
			var first []quorum.Partial // the liars come first, so that they are looked at
			for _, i := range v.bad {
				first = append(first, all[i])
			}
			if _, named := v.recovers(append(first, rest(v, all)...), guilty); len(named) > 0 {
				return LeftOut
			}
			return NoEffect // what is no point was passed over, and the rest sufficed
		}),
		guarding("two members send partials whose errors cancel", Holder, func(v *vault, c *Chance) Outcome {
			all := v.approvals()[:v.T()]
			shift := v.cancelling(c, all)
			sig, _ := v.recovers(shift, nil)
			v.hold(sig == v.cert.Signature(), "there is a second certificate")
			return NoEffect
		}),
		{"a tally is sent wrong, conflicting, foreign and too many approvals", Holder, tallies},
		{"members approve two statements of one request, and each has its own tally", Holder, conflicts},
		guarding("a member signs for a new epoch with its old share", Holder, func(v *vault, c *Chance) Outcome {
			next, old := v.refreshed(), v.shares[v.bad[0]]
			s := v.statement
			s.Epoch = next.Epoch()
			_, err := quorum.SignApproval(old, s)
			v.hold(errors.Is(err, quorum.ErrEpoch), "an honest program signs for another epoch: %v", err)
			_, y := old.Secrets(access.Token{}) // and one that is not
			h := shamir.HashToG1(quorum.CertificateDST, s.Bytes())
			forged := quorum.Partial{Index: old.Index(), Sig: quorum.Signature(shamir.Encode(h.Mul(y, h)))}
			v.hold(quorum.VerifyApproval(next.Committee, s, forged) != nil, "an old share approves in a new epoch")
			return RefusedBy("the members")
		}),
		guarding("statements and approvals cut, lengthened and flipped on the wire", Relay, func(v *vault, c *Chance) Outcome {
			a := must[quorum.Approval](v.World)(quorum.Approve(v.shares[v.bad[0]], v.statement))
			for range 8 {
				if b := mangled(c, v.statement.Bytes()); !bytes.Equal(b, v.statement.Bytes()) {
					s, err := quorum.ParseStatement(b)
					v.hold(err != nil || bytes.Equal(s.Bytes(), b) && s != v.statement, "a statement has two forms")
				}
				if got, err := quorum.ParseApproval(mangled(c, a.Bytes())); err == nil {
					one := quorum.VerifyApproval(v.Committee, v.statement, quorum.Partial{Index: got.Member, Sig: got.Approve})
					two := quorum.VerifySeedPartial(v.Committee, v.chain, v.statement.RID, quorum.Partial{Index: got.Member, Sig: got.Seed})
					same := got.Member == a.Member && got.Approve == a.Approve && got.Seed == a.Seed
					v.hold(same || one != nil || two != nil, "a changed approval verifies")
				}
			}
			return RefusedBy("the members")
		}),
	}
}

// conflicting is another statement about the request.
func (v *vault) conflicting(c *Chance) quorum.Statement {
	s := v.statement
	s.Body = [32]byte(c.Bytes(32))
	return s
}

func (v *vault) tooFew(partials []quorum.Partial) Outcome {
	cert, culprits, err := quorum.RecoverCertificate(v.Committee, v.statement, partials)
	v.hold(errors.Is(err, shamir.ErrThreshold) && !cert.Valid(), "%d approvals of %d make a certificate", v.T()-1, v.T())
	v.hold(len(culprits) == 0, "honest members are named: %v", culprits)
	return RefusedBy("the members")
}

// recovers combines, and wants the one certificate and, unless nil, no culprits but
// these. The optimistic way names nobody when it succeeds at once.
func (v *vault) recovers(partials []quorum.Partial, guilty []uint32) (quorum.Signature, []uint32) {
	cert, culprits, err := quorum.RecoverCertificate(v.Committee, v.statement, partials)
	v.hold(err == nil, "t correct approvals do not make the certificate: %v", err)
	v.hold(err != nil || cert.Signature() == v.cert.Signature(), "there are two certificates of one statement")
	for _, m := range culprits {
		v.hold(guilty == nil || slices.Contains(guilty, m), "named are %v, guilty %v", culprits, guilty)
	}
	return cert.Signature(), culprits
}

// cancelling shifts two of t partials so that what they combine to is unchanged.
func (v *vault) cancelling(c *Chance, partials []quorum.Partial) []quorum.Partial {
	var indices []uint32
	for _, p := range partials {
		indices = append(indices, p.Index)
	}
	g := shamir.G1
	weights := must[[]kyber.Scalar](v.World)(shamir.Lagrange(g, indices))
	d := c.Scalar(g)
	for i, sign := range []int64{1, -1} {
		p := must[kyber.Point](v.World)(shamir.DecodePoint(g, partials[i].Sig[:]))
		by := g.Scalar().Div(g.Scalar().Mul(d, g.Scalar().SetInt64(sign)), weights[i])
		partials[i].Sig = quorum.Signature(shamir.Encode(p.Add(p, g.Point().Mul(by, nil))))
	}
	return partials
}

// tallies gives one member's tally what the adversary's members can send, each in
// its own name, before and among what the honest send.
func tallies(w *World, c *Chance) Outcome {
	v := w.vault(c)
	const open = 4
	tally := quorum.NewTally(v.Committee, open)
	var events []quorum.Event
	for i, key := range v.shares {
		good := must[quorum.Approval](w)(quorum.Approve(key, v.statement))
		if !slices.Contains(v.bad, i) {
			events = append(events, quorum.Received{Approval: good})
			continue
		}
		wrong := good
		switch c.IntN(4) {
		case 0:
			wrong.Approve = quorum.Signature(badG1(c, good.Approve[:]))
		case 1:
			wrong.Seed = quorum.Signature(badG1(c, good.Seed[:]))
		case 2:
			wrong.Approve, wrong.Seed = good.Seed, good.Approve
		default:
			wrong.Statement = v.conflicting(c)
		}
		events = append(events, quorum.Received{Approval: wrong}, quorum.Received{Approval: good})
		for range 3 * open { // requests that there are none of
			other := wrong
			other.Statement.RID = [32]byte(c.Bytes(32))
			events = append(events, quorum.Received{Approval: other})
		}
		wrong.Member = pick(c, []uint32{0, uint32(v.N() + 1), 1<<32 - 1})
		events = append(events, quorum.Received{Approval: wrong})
	}
	shuffle(c, events)
	early := c.IntN(len(events))
	events = slices.Insert(events, early, quorum.Event(quorum.Open{Statement: v.statement}))
	events = append(events, quorum.Open{Statement: v.conflicting(c)})
	certified, named := 0, map[uint32]bool{}
	for _, e := range events {
		for _, effect := range tally.Step(1, e) {
			switch effect := effect.(type) {
			case quorum.Certified:
				certified++
				w.hold(effect.Certificate.Signature() == v.cert.Signature(), "there are two certificates of one statement")
			case quorum.Culprit:
				named[effect.Member] = true
				w.hold(slices.Contains(v.bad, int(effect.Member)-1), "honest member %d is named", effect.Member)
			}
		}
	}
	w.hold(certified == 1, "certified %d times", certified)
	if len(named) > 0 {
		return LeftOut
	}
	return RefusedBy("the members")
}

// conflicts has two tallies count two statements of one request, as under a ledger
// that forked; bad members and one half of the honest approve each. At most one
// may become a certificate: two sets of t members share an honest one, who signs
// what its ledger holds and nothing else.
func conflicts(w *World, c *Chance) Outcome {
	v := w.vault(c)
	two := [2]quorum.Statement{v.statement, v.conflicting(c)}
	certified := 0
	var halves [2][]int
	for i := range v.shares {
		if !slices.Contains(v.bad, i) {
			side := c.IntN(2)
			halves[side] = append(halves[side], i)
		}
	}
	for side, s := range two {
		tally := quorum.NewTally(v.Committee, 1)
		tally.Step(1, quorum.Open{Statement: s})
		for _, i := range append(slices.Clone(halves[side]), v.bad...) {
			for _, e := range tally.Step(1, quorum.Received{Approval: must[quorum.Approval](w)(quorum.Approve(v.shares[i], s))}) {
				if _, ok := e.(quorum.Certified); ok {
					certified++
				}
			}
		}
	}
	w.hold(certified <= 1, "two conflicting statements are certified")
	return NoEffect
}
