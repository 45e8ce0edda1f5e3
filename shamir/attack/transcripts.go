package attack

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"go.dedis.ch/kyber/v3"
)

// A receiver that keeps no ledger, as guardians do, acts on a transcript that somebody
// shows it. These show it one that is not the ledger's, and wait for what it reveals.

// shown is what a receiver makes of a transcript: it audits it, and says what it has to
// say about it.
func (p *ceremony) shown(raw []byte, receiver *dkg.Party) (said []dkg.Message, audit error) {
	l := must[*dkg.Log](p.World)(dkg.UnmarshalLog(raw))
	audit = l.Audit()
	said, _ = receiver.Step(p.height, l) // also of a log that it did not audit
	return said, audit
}

// backInTime is the transcript as it stood when disputes began, with bundles changed and
// committed to anew.
func (p *ceremony) backInTime(change func(dealer uint32, body []byte) []byte) []byte {
	raw := must[[]byte](p.World)(p.log.MarshalBinary())
	at := 1 + 8 + 32 + 2 + 2 + 32*p.log.N() + 16
	if raw[at] == 1 {
		at += 4 + int(binary.BigEndian.Uint32(raw[at+1:]))
	}
	out := append(bytes.Clone(raw[:at+1+8]), byte(dkg.PhaseDispute), 0)
	out = binary.BigEndian.AppendUint64(out, p.height)
	for dealer := uint32(1); int(dealer) <= p.log.Dealers(); dealer++ {
		body := change(dealer, bytes.Clone(p.bundles[dealer]))
		out = slices.Concat(out, []byte{3}, commitTo(p.log.ID(), dealer, body).Body, body)
	}
	return append(out, make([]byte, p.log.N()+1)...)
}

// spoiling shows a receiver its transcript with its deals changed, so that it disputes
// them and so reveals the keys of the deals as they were. The thief knows the transcript.
func spoiling(w *World, c *Chance) Outcome {
	s := pick(c, []*stage{w.fresh(), w.handover()})
	p := w.stageOf(s, c)
	p.run(func(_ *ceremony, honest []post) []post { return honest })
	outcome := p.settle()
	var receivers []int
	for place, party := range p.parties {
		if party.Index() != 0 {
			receivers = append(receivers, place)
		}
	}
	place := pick(c, receivers)
	index, t, keys := p.parties[place].Index(), p.log.Params().Threshold, p.log.Params().DealKeys
	box := func(body []byte) []byte { return body[len(body)-(len(keys)-int(index)+1)*boxLen:][:boxLen] }
	opens := func(dealer uint32, key []byte) bool {
		from, to := ephAt(t)
		b := p.bundles[dealer]
		_, err := boxCipher(p.log.ID(), dealer, index, key, b[from:to], keys[index-1]).Open(nil, make([]byte, 12), box(b), nil)
		return err == nil
	}

	// The stakes: as it was, it is in order and nobody has anything to say; and the key
	// that a dispute would reveal opens the deal.
	said, err := p.shown(p.backInTime(func(_ uint32, b []byte) []byte { return b }), s.again(place))
	w.hold(err == nil && len(said) == 0, "the transcript as it was: %v, and the receiver says %d things", err, len(said))
	for dealer, b := range p.bundles {
		from, to := ephAt(t)
		e := must[kyber.Point](w)(shamir.DecodePoint(ristretto, b[from:to]))
		w.hold(opens(dealer, shamir.Encode(e.Mul(p.dealSecret(place), e))), "the key of deal %d to %d does not open it", dealer, index)
	}

	victims := map[uint32]bool{1 + uint32(c.IntN(p.log.Dealers())): true}
	for dealer := range p.log.Dealers() {
		victims[uint32(dealer+1)] = victims[uint32(dealer+1)] || c.Percent(50)
	}
	said, err = p.shown(p.backInTime(func(dealer uint32, b []byte) []byte {
		if victims[dealer] {
			box(b)[c.IntN(boxLen)] ^= 1 << c.IntN(8)
		}
		return b
	}), s.again(place))
	w.hold(err != nil, "an audit finds nothing wrong with deals that were changed")
	for _, m := range said {
		if m.Kind == dkg.KindDispute {
			dealer := uint32(binary.BigEndian.Uint16(m.Body))
			w.hold(!opens(dealer, m.Body[2:34]), "receiver %d is shown a changed transcript, and reveals the key of the deal of honest dealer %d", index, dealer)
		}
	}
	w.hold(len(said) == 0, "a receiver speaks of a transcript that nobody made")
	w.hold(outcome == NoEffect, "a calm ceremony: %s", outcome)
	return RefusedBy("the receiver")
}

func transcripts() []Attack {
	return []Attack{
		{"a node spoils deals in the transcript that it shows to a receiver, to have its dispute open the real ones", Relay, spoiling},
	}
}
