package api_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/health"
)

// What a guardian reads through the interface is what the ledger holds.
func TestAGuardianReadsTheLedgerThroughANode(t *testing.T) {
	keeper := guardian.Guardian{Account: apitest.Address("Gerda"), Seeds: map[uint64][32]byte{}}
	s := apitest.Found(t, 4, func(g *curation.Genesis) {
		g.Succession = curation.Succession{Policy: curation.WillPolicy, Threshold: 1, AnswerBlocks: 20, SilentBlocks: 500,
			Guardians: []curation.Guardian{{Name: "Gerda", Account: keeper.Account}}}
		g.Balances = append(g.Balances, curation.GenesisBalance{Account: keeper.Account, Amount: curve.Credits(10)})
	})
	_, c := serve(t, s)
	_, wary := serve(t, s)
	wary.Only(curation.Hash{1})
	_, err := wary.SubmitPayload(t.Context(), apitest.Key("Gerda"), curation.Recover{})
	require.ErrorContains(t, err, "nothing is signed, ask another node")
	told, err := c.Succession(t.Context())
	require.NoError(t, err)
	require.Equal(t, []any{curation.WillPolicy, health.MakingKeys}, []any{told.Policy, told.State})
	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	for range 40 {
		told, err := c.Succession(t.Context())
		require.NoError(t, err)
		read, err := told.Ledger()
		require.NoError(t, err)
		var want guardian.Ledger
		s.Read(func(v curation.View) { want = guardian.Read(v) })
		require.Equal(t, want.Estate.Next, read.Estate.Next)
		require.Equal(t, want.Estate.Silent(), read.Estate.Silent())
		require.ElementsMatch(t, want.Estate.Accepted, read.Estate.Accepted)
		require.Equal(t, want.Next(keeper.Account), read.Next(keeper.Account))
		require.NoError(t, keeper.Check(read))
		require.Equal(t, want.Network, read.Network)
		for _, f := range []guardian.Effect{guardian.EraseSeed{}, guardian.Submit{Payload: curation.GuardianMessage{}}, guardian.Submit{Payload: curation.CeremonyMessage{}}} {
			require.NoError(t, want.Agrees(read, f))
		}
		if want.Estate.Sharing != nil {
			require.Equal(t, want.Estate.Sharing.Seats, read.Estate.Sharing.Seats)
			require.Equal(t, want.Sharing.ID(), read.Sharing.ID())
			share, err := keeper.Share(read)
			require.NoError(t, err)
			made, err := read.Sharing.Committee()
			require.NoError(t, err)
			require.NoError(t, share.VerifyAgainst(made))
			return
		}
		effects, err := keeper.Step(read, false, fixed{})
		require.NoError(t, err)
		for _, f := range effects {
			keeper.Done(f)
			if f, ok := f.(guardian.Submit); ok {
				require.False(t, f.Gives)
				s.Submit("Gerda", f.Payload)
			}
		}
		next := want.Height + 3
		s.Run("time", func(v curation.View) bool { return v.Height() >= next })
	}
	require.Fail(t, "the sharing never counted")
}

type fixed struct{}

func (fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}

// FuzzSuccession: what a node tells cannot harm a guardian.
func FuzzSuccession(f *testing.F) {
	f.Add([]byte(`{"policy":"mortal"}`))
	f.Add([]byte(`{"policy":"will","guardians":[{"number":1,"accepted":true}],"sharing":{"number":1,"seats":[1],"transcript":"02"},"silent":9,"silent_blocks":4}`))
	f.Add([]byte(`{"policy":"guardian","running":{"seats":[],"transcript":""},"dealing":{"transcript":"00"},"will":{"height":3}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s api.Succession
		if json.Unmarshal(b, &s) != nil {
			return
		}
		l, err := s.Ledger()
		if err != nil {
			return
		}
		g := guardian.Guardian{Account: apitest.Address("Gerda"), Seeds: map[uint64][32]byte{1: {1}}}
		for _, known := range l.Estate.Rules.Guardians {
			g.Account = known.Account
		}
		_, _ = g.Step(l, true, fixed{})
		_, _ = g.Publication(l)
		_ = l.Next(g.Account)
		for _, f := range []guardian.Effect{guardian.KeepNetwork{}, guardian.EraseSeed{}, guardian.Submit{Payload: curation.Publish{}},
			guardian.Submit{Payload: curation.CeremonyMessage{}}, guardian.Submit{Payload: curation.GuardianMessage{}}} {
			if err := l.Agrees(l, f); err != nil {
				t.Fatal(err)
			}
		}
	})
}
