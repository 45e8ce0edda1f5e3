package guardian

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

var me = curation.Address{1}

func ledgerOf(change func(*curation.Estate)) Ledger {
	e := curation.Estate{Next: 1, Rules: curation.Succession{Policy: curation.GuardianPolicy, Threshold: 2, AnswerBlocks: 9, DelayBlocks: 9,
		Guardians: []curation.Guardian{{Name: "Gerda", Account: me}, {Name: "Hakan", Account: curation.Address{2}}}}}
	if change != nil {
		change(&e)
	}
	return Ledger{Height: 40, Estate: e}
}

func TestAGuardianIsToldWhatItWaitsFor(t *testing.T) {
	sharing := &curation.Sharing{Number: 1, Seats: curation.Seats{1, 2}}
	for says, change := range map[string]func(*curation.Estate){
		"accept a share of the key":        nil,
		"1 of 2 guardians have accepted":   func(e *curation.Estate) { e.Accepted = []uint32{1} },
		"nothing: keep the key file":       func(e *curation.Estate) { e.Sharing = sharing },
		"1 of 2 guardians have voted":      func(e *curation.Estate) { e.Recovery = &curation.Recovery{Votes: []uint32{2}} },
		"the recovery is due at height 50": func(e *curation.Estate) { e.Recovery = &curation.Recovery{Votes: []uint32{2, 1}, Due: 50} },
		"nothing: the key is public":       func(e *curation.Estate) { e.Will = &curation.Will{Height: 3} },
	} {
		require.Contains(t, ledgerOf(change).Next(me), says)
	}
}

func TestAGuardianKeepsASeedBeforeItShowsItsKey(t *testing.T) {
	g := Guardian{Account: me}
	effects, err := g.Step(ledgerOf(nil), false, rand.Reader)
	require.NoError(t, err)
	require.Len(t, effects, 2)
	kept, submitted := effects[0].(KeepSeed), effects[1].(Submit)
	require.Empty(t, g.Seeds, "nothing has happened yet")
	g.Done(kept)
	require.Equal(t, map[uint64][32]byte{1: kept.Seed}, g.Seeds)
	require.False(t, submitted.Gives)
	again, err := g.Step(ledgerOf(nil), false, rand.Reader)
	require.NoError(t, err)
	require.Equal(t, []Effect{submitted}, again, "the same after a crash, with the seed of before")
	none, err := g.Step(ledgerOf(func(e *curation.Estate) { e.Accepted = []uint32{1} }), true, rand.Reader)
	require.NoError(t, err)
	require.Empty(t, none, "nobody accepts twice")
	_, err = (&Guardian{Account: curation.Address{9}}).Step(ledgerOf(nil), false, rand.Reader)
	require.ErrorContains(t, err, "is not among the guardians")
}

func TestAShareIsPublishedToExecuteAWillOnly(t *testing.T) {
	g := Guardian{Account: me}
	_, err := g.Publication(ledgerOf(nil))
	require.ErrorIs(t, err, ErrAlive)
	will := func(life uint64) Ledger {
		return ledgerOf(func(e *curation.Estate) {
			e.Rules.Policy, e.Rules.DelayBlocks, e.Rules.SilentBlocks, e.Life = curation.WillPolicy, 0, 20, life
		})
	}
	_, err = g.Publication(will(20))
	require.ErrorIs(t, err, ErrAlive, "height 40 is the last of the silence")
	_, err = g.Publication(will(0))
	require.ErrorIs(t, err, ErrAlive, "there was no life yet")
	_, err = g.Publication(will(19))
	require.ErrorIs(t, err, ErrNoShare)

	publishes := Submit{Payload: curation.Publish{}, Gives: true}
	require.NoError(t, will(19).Agrees(will(19), publishes))
	require.ErrorContains(t, will(19).Agrees(will(25), publishes), "not over", "another node has seen a sign of life")
	behind := will(19)
	behind.Height = 39
	require.ErrorContains(t, will(19).Agrees(behind, publishes), "not over")
	require.NoError(t, will(19).Agrees(will(25), KeepNetwork{}), "which matters to nothing else")
	other := will(19)
	other.Chain = curation.Hash{1}
	require.ErrorContains(t, will(19).Agrees(other, publishes), "another network")
}

func TestAShareIsEntrustedByWhoHasOne(t *testing.T) {
	_, err := (&Guardian{Account: me}).Entrust(ledgerOf(nil))
	require.ErrorIs(t, err, ErrNoShare)
	_, err = ledgerOf(nil).Combine([]Entrusted{{}})
	require.ErrorIs(t, err, ErrEntrusted)
	e := Entrusted{Chain: curation.Hash{1}, Sharing: 2, Guardian: 3, Share: curation.Hash{4}}
	b, err := e.Encode()
	require.NoError(t, err)
	got, err := DecodeEntrusted(b)
	require.NoError(t, err)
	require.Equal(t, e, got)
	for _, bad := range []string{"", "{}", "null", string(b) + "{}", string(b[:len(b)-1]) + `,"more":1}`} {
		_, err := DecodeEntrusted([]byte(bad))
		require.ErrorIs(t, err, ErrEntrusted, bad)
	}
}

// FuzzEntrusted reads shares that somebody sent: what decodes encodes again, and makes no
// key of a network that has none.
func FuzzEntrusted(f *testing.F) {
	b, err := Entrusted{Chain: curation.Hash{1}, Sharing: 2, Guardian: 3, Share: curation.Hash{4}}.Encode()
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := DecodeEntrusted(b)
		if err != nil {
			return
		}
		again, err := e.Encode()
		require.NoError(t, err)
		same, err := DecodeEntrusted(again)
		require.NoError(t, err)
		require.Equal(t, e, same)
		_, err = ledgerOf(nil).Combine([]Entrusted{e})
		require.ErrorIs(t, err, ErrEntrusted)
	})
}
