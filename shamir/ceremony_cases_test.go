package shamir_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// ceremonyCase is the log of one ceremony and what it comes to. Chain, attempt and
// previous are what the verifier knows beforehand.
type ceremonyCase struct {
	Name         string        `json:"name"`
	Chain        hexBytes      `json:"chain"`
	Attempt      uint64        `json:"attempt"`
	Previous     hexBytes      `json:"previous"` // committee that hands over; empty for new keys
	Log          hexBytes      `json:"log"`
	ID           hexBytes      `json:"id"`
	Outcome      string        `json:"outcome"` // the phase that it ended in
	Qualified    []uint32      `json:"qualified"`
	Acknowledged int           `json:"acknowledged"`
	Culprits     []culpritCase `json:"culprits"`
	Committee    hexBytes      `json:"committee"` // empty when it aborted before there was one
	Digest       hexBytes      `json:"digest"`
}

type culpritCase struct {
	Member uint32 `json:"member"`
	Reason string `json:"reason"`
}

// splicedCase is a ceremony with some of its fields and some bytes of its log put
// in place of its own; splices apply in their order.
type splicedCase struct {
	Name    string         `json:"name"`
	Of      string         `json:"of"`
	Set     map[string]any `json:"set,omitempty"`
	Splices []splice       `json:"splices,omitempty"`
	Fails   string         `json:"fails"`
}

// splice replaces drop bytes at a place.
type splice struct {
	At   int      `json:"at"`
	Drop int      `json:"drop"`
	Put  hexBytes `json:"put"`
}

func (c splicedCase) apply(log []byte) []byte {
	for _, s := range c.Splices {
		log = slices.Concat(log[:s.At], s.Put, log[s.At+s.Drop:])
	}
	return log
}

func ceremonyOf(t *testing.T, name string, attempt uint64, previous *shamir.Committee, n network) ceremonyCase {
	t.Helper()
	c := ceremonyCase{
		Name: name, Chain: chain[:], Attempt: attempt, ID: in32(n.log.ID()), Outcome: n.log.Phase().String(),
		Qualified: n.log.Qualified(), Acknowledged: n.log.Acknowledged(), Culprits: []culpritCase{},
	}
	var err error
	c.Log, err = n.log.MarshalBinary()
	require.NoError(t, err)
	for _, k := range n.log.Culprits() {
		c.Culprits = append(c.Culprits, culpritCase{k.Index, k.Reason.String()})
	}
	if previous != nil {
		c.Previous, err = previous.MarshalBinary()
		require.NoError(t, err)
	}
	if n.c != nil {
		c.Committee, err = n.c.MarshalBinary()
		require.NoError(t, err)
		c.Digest = in32(n.c.Digest())
	}
	return c
}

// silent makes some parties say nothing of one kind.
func silent(kind dkg.Kind, members ...uint32) says {
	return func(p *dkg.Party, m dkg.Message) []byte {
		if m.Kind == kind && slices.Contains(members, p.Speaks(kind)) {
			return nil
		}
		return m.Body
	}
}

// wrongDeal makes a dealer change one byte of its deal to a member, in its bundle, in
// the proof that signs it and in the hash of it that it posts before.
func wrongDeal(t *testing.T, dealer, to uint32, open func() (*dkg.Log, []*dkg.Party)) says {
	t.Helper()
	var id [32]byte
	var bundle []byte
	l, parties := open()
	hold(t, l, parties, func(p *dkg.Party, m dkg.Message) []byte {
		if m.Kind == dkg.KindBundle && p.Speaks(m.Kind) == dealer {
			id, bundle = l.ID(), slices.Clone(m.Body)
		}
		return m.Body
	})
	bundle[len(bundle)-80*(l.N()+1-int(to))] ^= 1
	seed, deals := shamirtest.Seed("vector", l.Params().Epoch, dealer), len(bundle)-80*l.N()
	e := shamir.HashScalar(shamir.Ristretto255, "dealer/e", seed[:], id[:], shamir.Uint64(uint64(dealer)), shamir.Uint64(0))
	ctx := shamir.Hash("bundle/e", id[:], shamir.Uint64(uint64(dealer)), bundle[:deals-3*shamir.ProofSize], bundle[deals:])
	proof, err := shamir.ProvePossession(nil, shamir.Ristretto255, ctx[:], e)
	require.NoError(t, err)
	copy(bundle[deals-shamir.ProofSize:], proof[:])
	commit := shamir.Hash("bundle commitment", id[:], shamir.Uint64(uint64(dealer)), bundle)
	return func(p *dkg.Party, m dkg.Message) []byte {
		switch {
		case m.Kind == dkg.KindCommit && p.Speaks(m.Kind) == dealer:
			return commit[:]
		case m.Kind == dkg.KindBundle && p.Speaks(m.Kind) == dealer:
			return bundle
		}
		return m.Body
	}
}

// forgedBundle is a bundle of secrets that the dealer chose, with proofs that hold
// and boxes that hold nothing.
func forgedBundle(t *testing.T, id [32]byte, dealer uint32, threshold, n int) []byte {
	t.Helper()
	rand := &hashStream{name: "forged"}
	secret := shamir.HashScalar(shamir.Ristretto255, "vector", []byte("x"))
	_, x, err := shamir.Split(rand, shamir.Ristretto255, secret, threshold, n)
	require.NoError(t, err)
	secretY := shamir.HashScalar(shamir.G2, "vector", []byte("y"))
	_, y, err := shamir.Split(rand, shamir.G2, secretY, threshold, n)
	require.NoError(t, err)
	eph := shamir.Encode(shamir.Ristretto255.Point().Mul(secret, nil))
	statement := slices.Concat(x.Bytes(), y.Bytes(), eph)
	body, boxes := slices.Clone(statement), make([]byte, 80*n)
	for _, q := range []string{"x", "y", "e"} {
		parts := [][]byte{id[:], shamir.Uint64(uint64(dealer)), statement}
		if q == "e" {
			parts = append(parts, boxes)
		}
		ctx := shamir.Hash("bundle/"+q, parts...)
		proof, err := shamir.ProvePossession(nil, shamir.Ristretto255, ctx[:], secret)
		if q == "y" {
			proof, err = shamir.ProvePossession(nil, shamir.G2, ctx[:], secretY)
		}
		require.NoError(t, err)
		body = append(body, proof[:]...)
	}
	return append(body, boxes...)
}

// layout says where things stand in the log of a ceremony in which everybody spoke
// and nobody lied.
type layout struct{ dealings, bundle, acks int }

func layoutOf(n, t, dealers, previous int) layout {
	l := layout{dealings: 1 + 8 + 32 + 2 + 2 + 32*n + 16 + 1 + 8 + 1 + 1 + 8, bundle: 224*t + 80*n + 224}
	if previous > 0 {
		l.dealings += 4 + previous
	}
	l.acks = l.dealings + dealers*(1+32+l.bundle)
	return l
}

// dealing is where that of a dealer begins: flags, commit, bundle.
func (l layout) dealing(dealer int) int { return l.dealings + (dealer-1)*(1+32+l.bundle) }

func TestCeremonyCases(t *testing.T) {
	first := founded(t)
	second := heir(t, first)
	open := func() (*dkg.Log, []*dkg.Party) { return founding(t, 1) }
	l, parties := open()
	disputed := hold(t, l, parties, wrongDeal(t, 2, 3, open))
	require.Equal(t, []uint32{1, 3, 4}, disputed.log.Qualified())
	l, parties = founding(t, 2)
	aborted := hold(t, l, parties, silent(dkg.KindBundle, 1, 4))
	open = func() (*dkg.Log, []*dkg.Party) { return handover(t, first, 1) }
	l, parties = open()
	lie := wrongDeal(t, 1, 4, open)
	hard := hold(t, l, parties, func(p *dkg.Party, m dkg.Message) []byte {
		if m.Kind == dkg.KindAck && p.Index() == 5 {
			return nil
		}
		return lie(p, m)
	})
	require.Equal(t, []uint32{2, 3, 4}, hard.log.Qualified())
	require.Equal(t, first.c.X(), hard.c.X())

	cases := []ceremonyCase{
		ceremonyOf(t, "four members make new keys", 0, nil, first),
		ceremonyOf(t, "four members make new keys, one deals a wrong share", 1, nil, disputed),
		ceremonyOf(t, "two of four withhold their bundles", 2, nil, aborted),
		ceremonyOf(t, "four members hand over to five", 0, first.c, second),
		ceremonyOf(t, "four members hand over to five, one deals a wrong share and one does not acknowledge", 1, first.c, hard),
	}
	golden(t, "testdata/ceremony.json", map[string]any{"ceremonies": cases, "refused": refusedCeremonies(t, cases, first, second)})
}

func refusedCeremonies(t *testing.T, cases []ceremonyCase, first, second network) (out []splicedCase) {
	made, passed := cases[0], cases[3]
	n4, n5 := layoutOf(4, 3, 4, 0), layoutOf(5, 4, 4, len(passed.Previous))
	require.EqualValues(t, 7, made.Log[n4.dealing(1)]+4, "commit and bundle")
	require.EqualValues(t, 1, made.Log[n4.acks])
	require.EqualValues(t, 1, passed.Log[n5.acks])
	add := func(fails, name string, of ceremonyCase, set map[string]any, splices ...splice) splicedCase {
		s := splicedCase{name, of.Name, set, splices, fails}
		out = append(out, s)
		return s
	}
	refuse := func(fails, name string, of ceremonyCase, splices ...splice) {
		s := add(fails, name, of, nil, splices...)
		if l, err := dkg.UnmarshalLog(s.apply(of.Log)); err == nil {
			require.Error(t, l.Audit(), name)
		}
	}
	at := func(place int, log hexBytes, v ...byte) splice { return splice{place, len(v), v} }
	flip := func(log hexBytes, place int) splice { return splice{place, 1, hexBytes{log[place] ^ 1}} }
	// bundle puts another bundle of a dealer in place, and the hash of it.
	bundle := func(of ceremonyCase, l layout, dealer int, change func(body []byte) []byte) splice {
		from := l.dealing(dealer) + 1
		body := change(slices.Clone(of.Log[from+32 : from+32+l.bundle]))
		h := shamir.Hash("bundle commitment", of.ID, shamir.Uint64(uint64(dealer)), body)
		return splice{from, 32 + l.bundle, append(h[:], body...)}
	}

	refuse("encoding", "a byte follows the log", made, splice{len(made.Log), 0, hexBytes{0}})
	refuse("encoding", "the last byte is missing", made, splice{len(made.Log) - 1, 1, nil})
	refuse("encoding", "the log is of version 1", made, at(0, made.Log, 1))
	refuse("encoding", "a flag of a dealing has no meaning", made, at(n4.dealing(1), made.Log, 8|3))
	refuse("encoding", "a boolean is 2", made, at(n4.acks, made.Log, 2))
	refuse("encoding", "the ceremony is active and ended in the dispute phase", made, at(n4.dealings-9, made.Log, 3))
	add("parameters", "the chain is another", made, map[string]any{"chain": in32(shamir.Hash("vector", []byte("other")))})
	add("parameters", "the attempt is another", made, map[string]any{"attempt": 1})
	add("parameters", "the committee that hands over is another", passed, map[string]any{"previous": cases[1].Committee})
	add("parameters", "the log hands over, where new keys are to be made", passed, map[string]any{"previous": hexBytes{}})
	refuse("parameters", "two members have one deal key", made, splice{45 + 32, 32, made.Log[45:77]})
	refuse("parameters", "a deal key is the identity", made, splice{45, 32, make(hexBytes, 32)})
	refuse("parameters", "the dispute phase lasts no block", made, splice{45 + 4*32 + 8, 4, make(hexBytes, 4)})
	refuse("parameters", "the epoch is not after that of the committee that hands over", passed,
		splice{1, 8, shamir.Uint64(1)}, splice{len(passed.Log) - len(passed.Committee) + 1, 8, shamir.Uint64(1)})
	refuse("commitments", "the hash that a dealer posted is another", made, flip(made.Log, n4.dealing(2)+1))
	refuse("commitments", "the ceremony opened at another height", made, splice{n4.dealings - 18, 8, shamir.Uint64(0)})
	refuse("bundles", "a proof of possession does not hold", made, bundle(made, n4, 2, func(b []byte) []byte {
		b[len(b)-4*80-1] ^= 1
		return b
	}))
	refuse("bundles", "a deal was changed after the ephemeral key was proved", made, bundle(made, n4, 2, func(b []byte) []byte {
		b[len(b)-1] ^= 1
		return b
	}))
	refuse("bundles", "a coefficient of X is the identity", made, bundle(made, n4, 2, func(b []byte) []byte {
		clear(b[32:64])
		return b
	}))
	refuse("bundles", "a coefficient of Y is compressed, and zeros follow", made, bundle(made, n4, 2, func(b []byte) []byte {
		y := made.Committee[45+32 : 45+128]
		return slices.Concat(b[:96], y, make([]byte, 96), b[96+192:])
	}))
	refuse("bundles", "a dealer posts the bundle of another as its own", made, bundle(made, n4, 2, func([]byte) []byte {
		from := n4.dealing(1) + 33
		return slices.Clone(made.Log[from : from+n4.bundle])
	}))
	refuse("bundles", "a dealer hands over another secret than its share", passed, bundle(passed, n5, 1, func([]byte) []byte {
		return forgedBundle(t, [32]byte(passed.ID), 1, 4, 5)
	}))
	refuse("disputes", "a good deal is disputed", made, falseDispute(t, first, made, n4, true)...)
	refuse("disputes", "a dispute reveals another key", made, falseDispute(t, first, made, n4, false)...)
	refuse("committee", "the committee recorded is another", made, splice{len(made.Log) - len(made.Committee), len(made.Committee), otherCommittee(t, first)})
	refuse("committee", "a dealing that counted is left out", made, splice{n4.dealing(4), 1 + 32 + n4.bundle, hexBytes{0}})
	refuse("acknowledgements", "an acknowledgement does not hold", made, flip(made.Log, n4.acks+1))
	refuse("acknowledgements", "two members acknowledge the same", made, splice{n4.acks + 1 + 129, 128, made.Log[n4.acks+1 : n4.acks+129]})
	refuse("dealers", "one dealer makes all of the keys", made, loneDealer(t, first, made, n4)...)
	refuse("acknowledgements", "the committee is in force with two acknowledgements of three", made, splice{n4.acks, 2 * 129, hexBytes{0, 0}})
	return out
}

// falseDispute is what member 3 would have to post to convict member 1, who is
// honest.
func falseDispute(t *testing.T, n network, made ceremonyCase, l layout, right bool) []splice {
	t.Helper()
	g := shamir.Ristretto255
	seed := shamirtest.Seed("vector", 1, 3)
	secret := shamir.HashScalar(g, "deal key", seed[:])
	body := made.Log[l.dealing(1)+33 : l.dealing(1)+33+l.bundle]
	eph, err := shamir.DecodePoint(g, body[224*3:224*3+32])
	require.NoError(t, err)
	ctx := shamir.Hash("dispute", made.ID, shamir.Uint64(3), shamir.Uint64(1), made.Log[l.dealing(1)+1:l.dealing(1)+33])
	key := g.Point().Mul(secret, eph)
	proof, err := shamir.ProveEqual(nil, g, ctx[:], g.Point().Base(), eph, g.Point().Mul(secret, nil), key, secret)
	require.NoError(t, err)
	if !right {
		key = g.Point().Mul(secret, key)
	}
	evidence := slices.Concat([]byte{0, 3, 0, 1}, shamir.Encode(key), proof[:])
	return []splice{{l.dealing(2), 0, evidence}, {l.dealing(1), 1, hexBytes{7}}}
}

// otherCommittee has the session and size of the network's and keys of one dealer.
func otherCommittee(t *testing.T, n network) hexBytes {
	t.Helper()
	rand := &hashStream{name: "other"}
	var commitments []*shamir.Commitment
	for _, g := range []shamir.Group{shamir.Ristretto255, shamir.G2} {
		secret, err := shamir.RandomScalar(g, rand)
		require.NoError(t, err)
		_, c, err := shamir.Split(rand, g, secret, 3, 4)
		require.NoError(t, err)
		commitments = append(commitments, c)
	}
	c, err := shamir.NewCommittee(1, n.c.Session(), 4, commitments[0], commitments[1])
	require.NoError(t, err)
	b, err := c.MarshalBinary()
	require.NoError(t, err)
	return b
}

// loneDealer leaves out all dealings but the first: its bundle makes the committee
// alone, and who dealt it knows the keys.
func loneDealer(t *testing.T, n network, made ceremonyCase, l layout) []splice {
	t.Helper()
	body := made.Log[l.dealing(1)+33 : l.dealing(1)+33+l.bundle]
	x, err := shamir.DecodeCommitment(shamir.Ristretto255, 3, body[:96])
	require.NoError(t, err)
	y, err := shamir.DecodeCommitment(shamir.G2, 3, body[96:672])
	require.NoError(t, err)
	c, err := shamir.NewCommittee(1, n.c.Session(), 4, x, y)
	require.NoError(t, err)
	b, err := c.MarshalBinary()
	require.NoError(t, err)
	phase := l.dealings - 10 // acknowledge, and nobody has yet
	tail := slices.Concat([]byte{0, 0, 0}, []byte{0, 0, 0, 0, 1}, binary.BigEndian.AppendUint32(nil, uint32(len(b))), b)
	require.True(t, bytes.Equal(made.Log[phase:phase+2], []byte{byte(dkg.PhaseActive), byte(dkg.PhaseAcknowledge)}))
	return []splice{{l.dealing(2), len(made.Log) - l.dealing(2), tail}, {phase, 2, hexBytes{byte(dkg.PhaseAcknowledge), 0}}}
}
