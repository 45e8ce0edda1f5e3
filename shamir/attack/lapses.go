package attack

import (
	"bytes"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// Requests that have lapsed, and requests that are to be answered twice: for another
// reader key, or by the committees of two epochs.

// approvalsOf are members' approvals as they are gossiped.
func (v *vault) approvalsOf(s quorum.Statement, of []*shamir.KeyShare) (out []quorum.Event) {
	for _, key := range of {
		out = append(out, quorum.Received{Approval: must[quorum.Approval](v.World)(quorum.Approve(key, s))})
	}
	return out
}

// counting gives a tally events at a height and tells what came of them.
func counting(t *quorum.Tally, height uint64, events ...quorum.Event) (certified, expired int, refused error) {
	certified, expired, _, refused = contradicted(t, height, events...)
	return certified, expired, refused
}

// contradicted is counting that also tells how many approvals were of another statement.
func contradicted(t *quorum.Tally, height uint64, events ...quorum.Event) (certified, expired, conflicts int, refused error) {
	for _, e := range events {
		for _, effect := range t.Step(height, e) {
			switch effect := effect.(type) {
			case quorum.Certified:
				certified++
			case quorum.Expired:
				expired++
			case quorum.Refused:
				refused = errors.Join(refused, effect.Err)
			case quorum.Conflict:
				conflicts++
			}
		}
	}
	return certified, expired, conflicts, refused
}

// again is the request as a reader has it approved a second time, for a table with
// another key of its own in it; the ledger holds the first.
func (v *vault) again(c *Chance) (quorum.Statement, seal.Reader, seal.ReaderSecret) {
	secret, key, err := seal.NewReader(c)
	v.must(err)
	reader := v.reader
	reader.Prekeys = slices.Clone(reader.Prekeys)
	reader.Prekeys[0].Key = key
	s := v.statement
	s.Prekeys = reader.Prekeys.Digest()
	return s, reader, secret
}

func lapses() []Attack {
	return []Attack{
		guarding("an aggregator holds approvals back until the request has lapsed", Aggregator, func(v *vault, c *Chance) Outcome {
			open, all := quorum.Open{Statement: v.statement}, v.approvalsOf(v.statement, v.shares)
			shuffle(c, all)
			late := expiry + uint64(c.IntN(2)*c.IntN(1000))
			few, last := all[:v.T()-1], all[v.T()-1]
			t := quorum.NewTally(v.Committee, 2)
			counting(t, 1, append([]quorum.Event{open}, few...)...)
			certified, expired, _ := counting(t, late, last)
			v.hold(certified == 0 && expired == 1, "a lapsed request is certified")
			certified, _, refused := counting(t, late, append([]quorum.Event{open}, few...)...)
			v.hold(certified == 0 && errors.Is(refused, quorum.ErrLapsed), "a lapsed request is opened again: %v", refused)

			t = quorum.NewTally(v.Committee, 2) // one block earlier it is in time
			counting(t, 1, append([]quorum.Event{open}, few...)...)
			certified, _, _ = counting(t, expiry-1, last)
			v.hold(certified == 1, "a request is not certified before it lapses")
			return RefusedBy("the members")
		}),
		guarding("approvals arrive before their request, which opens only after it has lapsed", Relay, func(v *vault, c *Chance) Outcome {
			t := quorum.NewTally(v.Committee, 2)
			certified, _, _ := counting(t, 1, v.approvalsOf(v.statement, v.shares)...)
			more, _, refused := counting(t, expiry, quorum.Open{Statement: v.statement})
			v.hold(certified+more == 0 && errors.Is(refused, quorum.ErrLapsed), "a lapsed request is certified: %v", refused)
			return RefusedBy("the members")
		}),
		certifying("t-1 members extend a request that has lapsed, and the honest approvals of before are added", func(v *vault, c *Chance) (quorum.Statement, []byte) {
			s := v.statement
			s.Expiry += 1 + uint64(c.IntN(1000))
			return s, v.combined(v.filled(v.approve(s, v.colluders(c))))
		}),
		certifying("t-1 members approve a request for a second reader key, and the honest approvals of the first are added", func(v *vault, c *Chance) (quorum.Statement, []byte) {
			s, _, _ := v.again(c)
			return s, v.combined(v.filled(v.approve(s, v.colluders(c))))
		}),
		guarding("a reader asks under its certificate for a second reader key", Reader, func(v *vault, c *Chance) Outcome {
			s, reader, secret := v.again(c)
			for _, key := range rest(v, v.shares) {
				_, err := v.ask(c, key, v.ct, v.cert, reader)
				v.hold(errors.Is(err, seal.ErrRelease), "member %d answers to a second reader key: %v", key.Index(), err)
			}
			_, err := quorum.Verify(v.Committee, s, v.cert.Signature())
			v.hold(errors.Is(err, quorum.ErrCertificate), "one certificate serves two tables of readers: %v", err)
			for _, with := range []seal.Reader{reader, v.reader} { // and the answers to the first do not serve it
				plain, _, err := seal.CombineRelease(secret, v.Committee, under(v.ct, v.cert), v.cert, with, v.answer)
				v.hold(err != nil && plain == nil, "answers to one reader key open with another")
			}
			return RefusedBy("the members")
		}),
		guarding("members approve a request for one reader key and then for another, in one tally", Holder, func(v *vault, c *Chance) Outcome {
			s, _, _ := v.again(c)
			var bad []*shamir.KeyShare
			for _, i := range v.bad {
				bad = append(bad, v.shares[i])
			}
			t := quorum.NewTally(v.Committee, 2)
			certified, _, conflicts, refused := contradicted(t, 1, append([]quorum.Event{quorum.Open{Statement: v.statement}}, v.approvalsOf(s, bad)...)...)
			v.hold(certified == 0 && conflicts == len(bad), "approvals of another statement: %d counted, %d of %d found: %v", certified, conflicts, len(bad), refused)
			certified, _, refused = counting(t, 1, append(v.approvalsOf(v.statement, rest(v, v.shares)), quorum.Open{Statement: s})...)
			v.hold(certified == 1 && errors.Is(refused, quorum.ErrStatement), "two statements of one request are open: %v", refused)
			certified, _, _ = counting(t, 1, append(v.approvalsOf(s, bad), v.approvalsOf(v.statement, bad)...)...)
			v.hold(certified == 0, "a request is certified twice")
			return RefusedBy("the members")
		}),
		guarding("one reader key serves two requests, and the answers to both are compared", Reader, func(v *vault, c *Chance) Outcome {
			s := v.request(v.ct, v.labels[0], v.reader.Prekeys, c)
			cert := v.certify(s, v.shares[:v.T()])
			var both [][]byte
			for _, key := range v.shares[:v.T()] {
				b := must[[]byte](v.World)(v.ask(c, key, v.ct, cert, v.reader))
				_, a1, b1 := v.blinded(v.answer[key.Index()-1])
				_, a2, b2 := v.blinded(b)
				v.hold(!a1.Equal(a2) && !b1.Equal(b2), "a member blinds two requests alike")
				both = append(both, replace(replace(b, shamir.Encode(a2.Sub(a2, a1)), 2), shamir.Encode(b2.Sub(b2, b1)), 34))
			}
			v.guess(c, v.readerKey(), both)
			return NoEffect
		}),
		guarding("an aggregator mixes the answers of two committees to one request", Aggregator, func(v *vault, c *Chance) Outcome {
			next := v.refreshed()
			s := v.statement
			s.Epoch = next.Epoch()
			after := *v
			after.committee, after.ledger = next, map[[32]byte]quorum.Statement{s.RID: s}
			cert := after.certify(s, next.shares[:next.T()])
			var theirs [][]byte
			for _, i := range c.Some(v.T()-1, v.N()) {
				theirs = append(theirs, must[[]byte](v.World)(after.ask(c, next.shares[i], v.ct, cert, v.reader)))
			}
			secret := v.secrets[v.reader.Member]
			mixed := append(slices.Clone(theirs), v.answer[:v.T()-1]...)
			plain, culprits, err := seal.CombineRelease(secret, v.Committee, under(v.ct, v.cert), v.cert, v.reader, mixed)
			v.hold(err != nil && plain == nil, "answers of two committees open")
			for _, at := range culprits {
				v.hold(at < len(theirs), "an answer of the right committee is refused")
			}
			plain, _, err = seal.CombineRelease(secret, next.Committee, under(v.ct, cert), cert, v.reader, mixed)
			v.hold(err != nil && plain == nil, "answers of two committees open")
			_, err = v.ask(c, v.shares[v.bad[0]], v.ct, cert, v.reader)
			v.hold(errors.Is(err, seal.ErrRelease), "a member of before answers to a certificate of now: %v", err)
			return RefusedBy("the reader")
		}),
		aiming("a reader key that is another reader's, negated or shifted by a known amount", func(v *vault, c *Chance) kyber.Point {
			other := v.reader.Prekeys[1].Key
			r := must[kyber.Point](v.World)(shamir.DecodePoint(ristretto, bytes.Clone(other[:])))
			if c.Percent(50) {
				return r.Neg(r)
			}
			return r.Add(r, c.Point(ristretto))
		}),
	}
}

// filled adds honest approvals of the statement that the ledger holds until there are
// as many as a certificate takes.
func (v *vault) filled(partials []quorum.Partial) []quorum.Partial {
	for _, p := range v.approvals() {
		if len(partials) < v.T() && !slices.ContainsFunc(partials, func(q quorum.Partial) bool { return q.Index == p.Index }) {
			partials = append(partials, p)
		}
	}
	return partials
}
