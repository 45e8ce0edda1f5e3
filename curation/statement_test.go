package curation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDrawIsAUniformPermutation(t *testing.T) {
	members := []uint32{2, 3, 5, 7}
	counts := map[string]int{}
	const draws = 24 * 400
	for i := range draws {
		order := Draw(Hash(hash("test", number(uint64(i)))), members)
		require.ElementsMatch(t, members, order)
		counts[fmt.Sprint(order)]++
	}
	require.Len(t, counts, 24)
	for order, n := range counts { // expectation 400, deviation 20: five of them
		require.InDelta(t, 400, n, 100, order)
	}
	require.Equal(t, []uint32{2, 3, 5, 7}, members, "the argument stays as it was")
	require.Empty(t, Draw(Hash{}, nil))
	require.Equal(t, []uint32{9}, Draw(Hash{1}, []uint32{9}))
}

func TestTurnsPassAndStayOpen(t *testing.T) {
	p := testParams() // turns of four blocks
	a := Artwork{Opening: Opening{Approved: 100, Order: []uint32{3, 1, 2}, Expiry: 130}}
	for _, c := range []struct {
		height uint64
		turn   uint32
		ok     bool
		may    []uint32
	}{
		{99, 0, false, nil},
		{100, 0, false, nil},
		{101, 3, true, []uint32{3}},
		{104, 3, true, []uint32{3}},
		{105, 1, true, []uint32{3, 1}},
		{109, 2, true, []uint32{3, 1, 2}},
		{129, 2, true, []uint32{3, 1, 2}},
		{130, 0, false, nil},
	} {
		member, ok := a.GeneratorAt(p, c.height)
		require.Equal(t, c.ok, ok, "height %d", c.height)
		require.Equal(t, c.turn, member, "height %d", c.height)
		for _, m := range []uint32{1, 2, 3, 4} {
			require.Equal(t, slices.Contains(c.may, m), a.MayGenerate(p, m, c.height), "member %d at %d", m, c.height)
		}
	}
	a.Registered, a.Generator = 110, 1
	require.Equal(t, []uint32{3, 2}, a.Auditors())
	_, ok := a.GeneratorAt(p, 111)
	require.False(t, ok, "it is generated")
	for height, want := range map[uint64]uint32{111: 3, 114: 3, 115: 2, 129: 2} {
		member, ok := a.AuditorAt(p, height)
		require.True(t, ok)
		require.Equal(t, want, member, "height %d", height)
	}
	require.False(t, a.MayAudit(p, 1, 120), "the generator")
	require.False(t, a.MayAudit(p, 2, 114), "not yet")
	require.True(t, a.MayAudit(p, 2, 115))
	require.False(t, a.MayAudit(p, 2, 130), "expired")
}

func TestAStatementBindsEverythingAboutARequest(t *testing.T) {
	w := ready(t)
	rid := w.requested("alice", "one")
	a := w.artwork(rid)
	s := StatementFor(w.chain, a.Opening)
	require.Equal(t, s, StatementFor(w.chain, w.artwork(rid).Opening))
	for name, change := range map[string]func(*Artwork){
		"epoch":     func(a *Artwork) { a.Epoch++ },
		"rid":       func(a *Artwork) { a.RID[0]++ },
		"body":      func(a *Artwork) { a.BodyHash[0]++ },
		"model":     func(a *Artwork) { a.ModelID[0]++ },
		"key epoch": func(a *Artwork) { a.KeyEpoch++ },
		"label":     func(a *Artwork) { a.Label[0]++ },
		"U":         func(a *Artwork) { a.U[0]++ },
		"a reader":  func(a *Artwork) { a.Prekeys = a.Prekeys[1:] },
		"expiry":    func(a *Artwork) { a.Expiry++ },
	} {
		b := w.artwork(rid)
		change(&b)
		require.NotEqual(t, s.Digest(), StatementFor(w.chain, b.Opening).Digest(), name)
	}
	require.NotEqual(t, s.Digest(), StatementFor(Hash{1}, a.Opening).Digest(), "chain")
	require.Equal(t, RequestID(a.BodyHash, a.Requested, 0), a.RID)
	require.NoError(t, a.Readers().Validate())
}

func TestEveryStageOfARequestExpires(t *testing.T) {
	for _, stage := range []struct {
		name   string
		steps  int
		reason string
	}{
		{"uncertified", 0, "no certificate in time"},
		{"not generated", 1, "nobody generated it in time"},
		{"not audited", 2, "nobody audited it in time"},
	} {
		t.Run(stage.name, func(t *testing.T) {
			w := ready(t)
			rid := w.requested("alice", "one")
			if stage.steps > 0 {
				w.must("m1", w.certificateFor(rid, 1, 2, 3))
			}
			if stage.steps > 1 {
				w.must(memberName(w.artwork(rid).Order[0]), Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
			}
			a := w.artwork(rid)
			for w.height < a.Expiry-1 {
				w.block()
			}
			require.False(t, w.artwork(rid).Status.Ended(), "the last block that counts has not passed")
			certificate := w.certificateFor(rid, 1, 2, 3)
			auditor := memberName(append(a.Auditors(), 1)[0])
			late := [][]byte{
				w.sign("m2", w.nonce("m2"), certificate),
				w.sign("bob", w.nonce("bob"), Attest{RID: rid}),
			}
			if stage.steps == 2 {
				late = append(late, w.sign(auditor, view(w, func(v View) uint64 {
					n := v.Account(addressOf(auditor)).Nonce
					if auditor == "m2" {
						n++
					}
					return n
				}), Attest{RID: rid, PixelRoot: pixels(rid)}))
			}
			for _, r := range w.block(late...).Results {
				require.NotEqual(t, CodeOK, r.Code)
			}
			a = w.artwork(rid)
			require.Equal(t, StatusExpired, a.Status)
			require.Equal(t, stage.reason, a.Reason)
			require.True(t, view(w, func(v View) Account { return v.Account(addressOf("alice")) }).Locked.IsZero())
		})
	}
}
