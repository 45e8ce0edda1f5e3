package curation

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// application is that of a person whom the founders may have as their next member.
func (w *world) application(name string) Application {
	w.t.Helper()
	var life Hash // of an account that applies again
	copy(life[:], number(view(w, func(v View) uint64 { m, _ := v.MemberOf(addressOf(name)); return m.Since })))
	a, err := Apply(w.chain, life, name, []string{"/ip4/192.0.2.1/udp/4001/quic-v1"}, testKey(name), testKey("validator "+name))
	require.NoError(w.t, err)
	return a
}

// admitted has members vote until somebody is admitted, and returns its number.
func (w *world) admitted(name string, voters ...uint32) uint32 {
	w.t.Helper()
	for _, i := range voters {
		w.must(memberName(i), Admit{Application: w.application(name)})
	}
	m := view(w, func(v View) Member { m, _ := v.MemberOf(addressOf(name)); return m })
	require.Equal(w.t, StandingJoining, m.Standing)
	return m.Index
}

func (w *world) memberAt(i uint32) Member {
	return view(w, func(v View) Member { m, _ := v.Member(i); return m })
}

// passed are the events of a kind so far.
func (w *world) passed(kind string) (found []Event) {
	for _, e := range w.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

func TestAMemberJoinsWithSharePowerAndSeatInOneBlock(t *testing.T) {
	w := ready(t)
	before := w.committee()
	five := w.admitted("m5", 1, 2, 3)
	require.EqualValues(t, 5, five)
	require.Zero(t, w.memberAt(five).Power)
	w.wait(3)
	require.Equal(t, CodeWrongPhase, w.act("m5", w.consent(2, five)).Code, "it has no prekeys yet")
	w.must("m5", w.refill(five, 4))
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	var validators []Validator
	w.watch = func(o Outcome) {
		if len(o.Validators) > 0 {
			require.True(t, slices.ContainsFunc(o.Events, func(e Event) bool { return e.Kind == EventCeremonyActive }), "in the block of the handover")
			validators = append(validators, o.Validators...)
		}
	}
	require.True(t, w.handover(1, 2, 3, 4, five))
	require.Equal(t, []Validator{{PublicKey: w.application("m5").Validator, Power: 1}}, validators)
	require.Equal(t, 5, w.committee().N())
	require.Equal(t, shamir.Threshold(5), w.committee().T())
	require.Equal(t, before.X(), w.committee().X())
	m := w.memberAt(five)
	require.Equal(t, StandingActive, m.Standing)
	require.EqualValues(t, 5, m.Seat)
	require.Equal(t, Hash(dkg.DealKey(handoverSeed(2, five))), m.DealKey)
	w.reload()

	rid := w.requested("alice", "read by five")
	require.Len(t, w.artwork(rid).Prekeys, 5)

	// The third leaves: the shares are numbered anew, the members are not.
	validators = nil
	w.must("m1", w.certificateFor(rid, 1, 2, 3, 5))
	w.must("m3", Leave{})
	require.Equal(t, StandingLeaving, w.memberAt(3).Standing)
	require.Equal(t, CodeDuplicate, w.act("m3", Leave{}).Code)
	for _, i := range []uint32{1, 2, 3, 4, 5} {
		w.must(memberName(i), w.consent(3, i))
	}
	require.True(t, w.handover(1, 2, 3, 4, 5))
	require.Equal(t, []Validator{{PublicKey: w.memberAt(3).Validator, Power: 0}}, validators)
	require.Equal(t, Seats{1, 2, 4, 5}, view(w, func(v View) Seats { return v.SeatsAt(3) }))
	require.EqualValues(t, 4, w.memberAt(five).Seat)
	require.Equal(t, StandingDraining, w.memberAt(3).Standing, "a request of epoch 2 is under way")
	require.True(t, view(w, func(v View) bool { return v.ShareProven(five) }))
	require.False(t, view(w, func(v View) bool { return v.ShareProven(3) }))
	w.reload()

	// What was begun with the third is finished with it.
	a := w.artwork(rid)
	for w.height < a.Approved+uint64(slices.Index(a.Order, 3))*testParams().GenerateBlocks {
		w.block()
	}
	w.must("m3", Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	w.must(memberName(w.artwork(rid).Auditors()[0]), Attest{RID: rid, PixelRoot: pixels(rid)})
	require.Equal(t, StandingLeft, w.memberAt(3).Standing)
	r := w.act("m3", w.refill(3, 1))
	require.NotEqual(t, CodeOK, r.Code)
	require.Len(t, w.passed(EventMemberLeft), 1)

	// A round of the new committee is opened by its seats.
	require.Equal(t, []uint32{1, 2, 4, 5}, view(w, func(v View) []uint32 {
		var seated []uint32
		for _, m := range v.Members() {
			if m.Seated() {
				seated = append(seated, m.Index)
			}
		}
		return seated
	}))
}

func TestVotesOnMembersAreRefusedByReason(t *testing.T) {
	early := newWorld(t, 4, testParams())
	require.Equal(t, CodeWrongPhase, early.act("m1", Admit{Application: early.application("m5")}).Code)
	require.Equal(t, CodeWrongPhase, early.act("m1", Leave{}).Code)

	w := ready(t)
	forged := func(change func(*Application)) Admit {
		a := w.application("eve")
		change(&a)
		return Admit{Application: a}
	}
	joining := w.admitted("m5", 1, 2, 3)
	for _, c := range []struct {
		name   string
		sender string
		p      Payload
		code   Code
		says   string
	}{
		{"the vote of somebody else", "alice", forged(func(*Application) {}), CodeNotMember, "is not a member"},
		{"the vote of one who has no share yet", "m5", forged(func(*Application) {}), CodeNotMember, "only members with a share may do this"},
		{"an application for another network", "m1", Admit{Application: early.application("eve")}, CodeOK, ""}, // same genesis, same network
		{"a name that the candidate did not sign", "m2", forged(func(a *Application) { a.Name = "Mallory" }), CodeProof, "by its account"},
		{"an address that the candidate did not sign", "m2", forged(func(a *Application) { a.Addresses = []string{"/ip4/192.0.2.66/tcp/1"} }), CodeProof, "by its account"},
		{"a validator key that is another's", "m2", forged(func(a *Application) { a.Validator = w.memberAt(1).Validator }), CodeProof, "by its account"},
		{"a validator that did not sign", "m2", forged(func(a *Application) { a.ValidatorSignature = [64]byte{1} }), CodeProof, "by its validator key"},
		{"a member", "m2", Admit{Application: w.application("m5")}, CodeDuplicate, "m5 is member 5 already"},
		{"a second vote", "m1", forged(func(*Application) {}), CodeDuplicate, "has voted for this already"},
		{"the removal of nobody", "m1", Remove{Member: 9}, CodeUnknown, "there is no member 9"},
	} {
		r := w.act(c.sender, c.p)
		require.Equal(t, c.code, r.Code, "%s: %s", c.name, r.Log)
		require.Contains(t, r.Log, c.says, c.name)
	}
	motions := view(w, func(v View) []Motion { return v.Motions() })
	require.Len(t, motions, 1)
	require.Equal(t, []uint32{1}, motions[0].Votes)

	// One that joins and has no share yet just goes.
	w.must("m5", Leave{})
	require.Equal(t, StandingLeft, w.memberAt(joining).Standing)
	require.Equal(t, CodeDuplicate, w.act("m1", Remove{Member: joining}).Code)

	// A key of a member, signed by a candidate that has it, is refused all the same.
	a, err := Apply(w.chain, Hash{}, "twin", []string{"/ip4/192.0.2.1/tcp/1"}, testKey("twin"), testKey("m1"))
	require.NoError(t, err)
	r := w.act("m2", Admit{Application: a})
	require.Equal(t, CodeMalformed, r.Code)
	require.Contains(t, r.Log, "member 1 has the key")
}

func TestAMotionLapses(t *testing.T) {
	p := testParams()
	p.MotionBlocks = 5
	w := readyWith(t, p)
	w.must("m1", Admit{Application: w.application("eve")})
	w.must("m2", Admit{Application: w.application("eve")})
	until := view(w, func(v View) uint64 { return v.Motions()[0].Until })
	for w.height < until {
		require.Len(t, view(w, func(v View) []Motion { return v.Motions() }), 1)
		w.block()
	}
	require.Empty(t, view(w, func(v View) []Motion { return v.Motions() }))
	lapsed := w.passed(EventMotionLapsed)
	require.Len(t, lapsed, 1)
	require.Equal(t, "2", lapsed[0].Get("votes"))
	w.must("m3", Admit{Application: w.application("eve")})
	require.Equal(t, []uint32{3}, view(w, func(v View) []uint32 { return v.Motions()[0].Votes }), "it begins anew")
}

func TestMotionsEndWithWhatTheyAreAbout(t *testing.T) {
	w := ready(t)
	open := func() int { return view(w, func(v View) int { return len(v.Motions()) }) }
	moved, err := Apply(w.chain, Hash{}, "m5", []string{"/ip4/192.0.2.2/udp/4001/quic-v1"}, testKey("m5"), testKey("validator m5"))
	require.NoError(t, err)
	w.must("m4", Admit{Application: moved})
	w.must("m4", Remove{Member: 3})
	require.Equal(t, 2, open())
	other := view(w, func(v View) []Motion { return v.Motions() })
	slices.SortFunc(other, func(a, b Motion) int { return cmp.Compare(a.Remove, b.Remove) })
	settled := func() (all [][3]string) {
		for _, e := range w.passed(EventMotionSettled) {
			all = append(all, [3]string{e.Get("motion"), e.Get("votes"), e.Get("member")})
		}
		return all
	}
	require.Empty(t, settled())
	five := w.admitted("m5", 1, 2, 3)
	require.Equal(t, 1, open(), "the other application of the same account has nothing left to decide")
	want := [][3]string{{other[0].ID.String(), "1", "5"}}
	require.Equal(t, want, settled(), "the motion that passed is told of by its last vote")
	w.must("m3", Leave{})
	require.Zero(t, open())
	want = append(want, [3]string{other[1].ID.String(), "1", "3"})
	require.Equal(t, want, settled())
	w.must("m1", Remove{Member: five})
	against := view(w, func(v View) Hash { return v.Motions()[0].ID })
	w.must("m5", Leave{})
	require.Zero(t, open())
	require.Equal(t, append(want, [3]string{against.String(), "1", "5"}), settled())
}

func TestOneMemberCannotFillTheLedgerWithMotions(t *testing.T) {
	w := ready(t)
	for i := range MaxMotions {
		w.must("m1", Admit{Application: w.application(fmt.Sprintf("friend %d", i))})
	}
	r := w.act("m1", Admit{Application: w.application("one more")})
	require.Equal(t, CodeLimit, r.Code)
	w.must("m2", Admit{Application: w.application("one more")})
	w.must("m1", Admit{Application: w.application("one more")})
}

// Votes of members who have gone since do not count.
func TestVotesCountOfThoseWhoHaveAShareNow(t *testing.T) {
	p := testParams()
	p.MotionBlocks = 1000
	w := readyWith(t, p)
	w.must("m1", Admit{Application: w.application("m5")})
	w.must("m2", Admit{Application: w.application("m5")})
	w.must("m2", Leave{})
	for _, i := range []uint32{1, 2, 3, 4} {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4))
	for range voteLag {
		require.Equal(t, StandingDraining, w.memberAt(2).Standing, "consensus counts its vote for the next block yet")
		w.block()
	}
	require.Equal(t, StandingLeft, w.memberAt(2).Standing)
	w.must("m3", Admit{Application: w.application("m5")})
	require.Zero(t, view(w, func(v View) uint32 { m, _ := v.MemberOf(addressOf("m5")); return m.Index }), "three votes of which one has gone")
	w.must("m4", Admit{Application: w.application("m5")})
	require.EqualValues(t, 5, view(w, func(v View) uint32 { m, _ := v.MemberOf(addressOf("m5")); return m.Index }))
}

func TestWhoChangesItsMindDuringTheHandoverGoesWithTheNext(t *testing.T) {
	w := ready(t)
	five := w.admitted("m5", 1, 2, 3)
	w.must("m5", w.refill(five, 4))
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, view(w, func(v View) bool { return v.CeremonyEpoch() == 2 }))
	w.must("m5", Leave{})
	w.must("m4", Leave{})
	require.Equal(t, StandingLeaving, w.memberAt(five).Standing)
	require.Equal(t, CodeNotMember, w.act("m5", Admit{Application: w.application("eve")}).Code, "it has no share yet")
	require.True(t, w.handover(1, 2, 3, 4, five))
	for _, i := range []uint32{4, five} {
		require.Equal(t, StandingLeaving, w.memberAt(i).Standing)
		require.True(t, w.memberAt(i).Seated())
	}
	w.wait(3)
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(3, i))
	}
	require.True(t, w.handover(1, 2, 3, 4, five))
	require.Equal(t, Seats{1, 2, 3}, view(w, func(v View) Seats { return v.SeatsAt(3) }))
	w.wait(voteLag)
	require.Equal(t, StandingLeft, w.memberAt(five).Standing)
}

func TestWhoLeavesBeforeItsSeatAndTheHandoverFailsIsGone(t *testing.T) {
	w := ready(t)
	five := w.admitted("m5", 1, 2, 3)
	w.must("m5", w.refill(five, 4))
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	w.must("m5", Leave{})
	require.Equal(t, StandingLeaving, w.memberAt(five).Standing)
	require.False(t, w.handover(1, 2))
	require.Equal(t, StandingLeft, w.memberAt(five).Standing)
	w.wait(3)
	w.refreshed()
}

func TestAnApplicationAdmitsOnce(t *testing.T) {
	w := ready(t)
	old := w.application("m5")
	five := w.admitted("m5", 1, 2, 3)
	w.must("m5", Leave{})
	require.Equal(t, StandingLeft, w.memberAt(five).Standing)
	r := w.act("m1", Admit{Application: old})
	require.Equal(t, CodeDuplicate, r.Code)
	require.Contains(t, r.Log, "applies again")
	require.Equal(t, five, w.admitted("m5", 1, 2, 3), "a new one, and the number of before")
}

func TestOnlyMembersWithAShareSeal(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.ceremony()
	w.admitted("m5", 1, 2, 3)
	r := w.act("m5", w.sealFor(1, "dusk"))
	require.Equal(t, CodeNotMember, r.Code)
	require.Contains(t, r.Log, "only members with a share")
}

func TestTheLastMemberStays(t *testing.T) {
	w := newWorld(t, 2, testParams())
	w.ceremony()
	w.must("m1", Leave{})
	r := w.act("m2", Leave{})
	require.Equal(t, CodeLimit, r.Code)
	require.Contains(t, r.Log, "is the last one")
	require.Equal(t, CodeLimit, w.act("m2", Remove{Member: 2}).Code)
}
