package curation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// studio is a crowd that makes pictures, ends key epochs and votes on artists, while its
// members come and go.
type studio struct {
	*crowd
	shares       map[uint64]map[uint32]*shamir.KeyShare // by epoch and member
	certificates map[Hash]Certify
	artists      int // a member seals another artist after about so many blocks
}

func newStudio(t *testing.T, seed string) *studio {
	p := testParams()
	p.RequestBlocks, p.GenerateBlocks, p.AuditBlocks, p.MotionBlocks, p.KeyEpochBlocks = 14, 2, 2, 25, 8
	s := &studio{crowd: crowdOf(readyWith(t, p), seed, 60), shares: map[uint64]map[uint32]*shamir.KeyShare{}, certificates: map[Hash]Certify{}, artists: 60}
	s.duties, s.asking, s.shares[firstEpoch] = s.work, 4, s.held
	return s
}

// opens says whether there is a way to open a key epoch: some rotators cheat.
func opens(keyEpoch uint64) bool { return keyEpoch%4 != 3 }

// work is what the machine of a member would send now, and sometimes what it should not.
func (s *studio) work(m Member) (all []Payload) {
	params, height := s.replicas[0].genesis.Params, s.height+1
	for _, a := range view(s.world, View.Working) {
		switch {
		case a.Status == StatusRequested:
			if p, ok := s.certified(a.Opening); ok && s.pick(3) == 0 {
				all = append(all, p)
			}
		case !opens(a.KeyEpoch):
		case a.Status == StatusApproved && a.MayGenerate(params, m.Index, height):
			all = append(all, Register{RID: a.RID, CID: folder(a.RID), PixelRoot: pixels(a.RID)})
		case a.Status == StatusRegistered && a.MayAudit(params, m.Index, height):
			all = append(all, Attest{RID: a.RID, PixelRoot: pixels(a.RID)})
		}
	}
	if !m.Seated() {
		return all
	}
	seats := view(s.world, func(v View) Seats { return v.SeatsAt(s.committee().Epoch()) })
	proposed, isProposed := view2(s.world, View.Proposed)
	r, due := view2(s.world, View.Rotation)
	switch {
	case isProposed && !slices.Contains(proposed.Stored, m.Index) && proposed.KeyEpoch%5 != 4 && s.pick(2) == 0:
		all = append(all, Stored{KeyEpoch: proposed.KeyEpoch})
	case due && !isProposed && r.MayRotate(params, seats, m.Index, height) && s.pick(2) == 0, s.pick(60) == 0:
		all = append(all, s.rotation())
	case s.pick(s.artists) == 0:
		e := view(s.world, View.NextKeyEpoch)
		all = append(all, s.sealFor(e, fmt.Sprint("artist ", e)))
	}
	for _, o := range view(s.world, View.Motions) {
		if o.Adopt != 0 && !slices.Contains(o.Votes, m.Index) && s.pick(16) == 0 {
			all = append(all, Adopt{KeyEpoch: o.Adopt})
		}
	}
	return all
}

// certified is the certificate of a request or a training, made once: any members' is the same.
func (s *studio) certified(o Opening) (Certify, bool) {
	if p, made := s.certificates[o.RID]; made {
		return p, true
	}
	committee, ok := view2(s.world, func(v View) (*shamir.Committee, bool) { return v.CommitteeAt(o.Epoch) })
	held := s.shares[o.Epoch]
	if !ok || len(held) < committee.T() {
		return Certify{}, false
	}
	var approvals, seeds []quorum.Partial
	for _, share := range held {
		p, err := quorum.SignApproval(share, StatementFor(s.chain, o))
		require.NoError(s.t, err)
		approvals, seeds = append(approvals, p), append(seeds, quorum.SignSeed(share, s.chain, o.RID))
	}
	cert, _, err := quorum.RecoverCertificate(committee, StatementFor(s.chain, o), approvals)
	require.NoError(s.t, err)
	seed, _, err := quorum.RecoverSeed(committee, s.chain, o.RID, seeds)
	require.NoError(s.t, err)
	s.certificates[o.RID] = Certify{RID: o.RID, Certificate: cert.Signature(), SeedSignature: seed}
	return s.certificates[o.RID], true
}

// Whoever rotates, cheats, votes, comes and goes: the invariants hold after every block,
// replicas that start again agree, and what members are told to keep opens what is asked
// for.
func TestKeyEpochsEndAtRandomWhileMembersComeAndGo(t *testing.T) {
	seen, most := map[string]int{}, 0
	for i := range 2 {
		s := newStudio(t, fmt.Sprint("a studio ", i))
		s.restless = i == 0
		for range 220 {
			s.step()
			s.shares[s.committee().Epoch()] = s.held
			for _, a := range view(s.world, View.Working) {
				layers := view(s.world, func(v View) []Model { return v.Layers(a.KeyEpoch) })
				require.NotEmpty(t, layers)
				require.Equal(t, layers[0].Layers, len(layers))
				require.True(t, slices.ContainsFunc(view(s.world, View.Keep), func(m Model) bool { return m.KeyEpoch == a.KeyEpoch }))
			}
			most = max(most, s.model().Layers)
		}
		for _, e := range s.events {
			seen[e.Kind]++
			if e.Kind == EventModelDiscarded {
				seen[e.Get("reason")]++
			}
		}
	}
	for _, kind := range []string{EventRotationDue, EventModelRotated, EventModelStored, EventModelCurrent, EventModelProven, EventModelNominated, EventModelAdopted,
		EventMemberSeated, EventMemberLeft, "too few members have stored it", "an approved request expired, because nobody made its picture", "too few members voted for it"} {
		require.NotZero(t, seen[kind], "never seen: %s", kind)
	}
	require.Greater(t, most, 2, "layers")
}
