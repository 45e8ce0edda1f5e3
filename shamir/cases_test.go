package shamir_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// The cases of testdata are whole: each names all that a verifier is given, and
// what it must come to. SPEC.md describes the files; examples/release-verifier
// judges them without this module.

// golden holds a file of testdata against what the code gives, or writes it.
func golden(t *testing.T, path string, got any) {
	t.Helper()
	b, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	b = append(b, '\n')
	if *rewrite {
		require.NoError(t, os.WriteFile(path, b, 0o644))
	}
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	want, have := bytes.Split(file, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(want), len(have)) {
		require.Equal(t, string(want[i]), string(have[i]), "%s, line %d; run with -rewrite if the change is meant", path, i+1)
	}
	require.Len(t, have, len(want), path)
}

// hexBytes are bytes in lower-case hex.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func in32(h [32]byte) hexBytes { return h[:] }

// network is a committee with everything secret about it, and how it came to be.
type network struct {
	log    *dkg.Log
	c      *shamir.Committee
	shares []*shamir.KeyShare
}

// chain is the genesis hash of all cases.
var chain = shamir.Hash("vector", []byte("chain"))

var phases = dkg.Deadlines{Commit: 10, Bundle: 10, Dispute: 2, Acknowledge: 10}

// founding opens a ceremony of four members who make new keys.
func founding(t *testing.T, attempt uint64) (*dkg.Log, []*dkg.Party) {
	t.Helper()
	params := dkg.Params{Epoch: 1, Session: dkg.Session(chain, 1, [32]byte{}, attempt), Threshold: shamir.Threshold(4), Deadlines: phases}
	var parties []*dkg.Party
	for i := uint32(1); i <= 4; i++ {
		p, err := dkg.NewParty(i, shamirtest.Seed("vector", 1, i))
		require.NoError(t, err)
		parties = append(parties, p)
		params.DealKeys = append(params.DealKeys, p.DealKey())
	}
	l, err := dkg.NewLog(params, 1)
	require.NoError(t, err)
	return l, parties
}

// handover opens a ceremony in which four members hand over to five: the first
// three stay, the fourth leaves, two join.
func handover(t *testing.T, from network, attempt uint64) (*dkg.Log, []*dkg.Party) {
	t.Helper()
	params := dkg.Params{Epoch: 2, Session: dkg.Session(chain, 2, from.c.Digest(), attempt), Threshold: shamir.Threshold(5), Deadlines: phases, Previous: from.c}
	var parties []*dkg.Party
	for i := uint32(1); i <= 5; i++ {
		var share *shamir.KeyShare
		if i <= 3 {
			share = from.shares[i-1]
		}
		p, err := dkg.NewHandoverParty(share, i, shamirtest.Seed("vector", 2, i))
		require.NoError(t, err)
		parties = append(parties, p)
		params.DealKeys = append(params.DealKeys, p.DealKey())
	}
	leaver, err := dkg.NewHandoverParty(from.shares[3], 0, shamirtest.Seed("vector", 1, 4))
	require.NoError(t, err)
	l, err := dkg.NewLog(params, 101)
	require.NoError(t, err)
	return l, append(parties, leaver)
}

// says is what a party posts in place of a message; nil is silence.
type says func(p *dkg.Party, m dkg.Message) []byte

// hold plays a ceremony block by block to its end, from the height it opened at.
func hold(t *testing.T, l *dkg.Log, parties []*dkg.Party, say says) network {
	t.Helper()
	height := l.Deadline() - uint64(l.Params().Deadlines.Commit) + 1
	for last := height + 50; l.Phase() < dkg.PhaseActive; height++ {
		require.Less(t, height, last)
		for _, p := range parties {
			messages, err := p.Step(height, l)
			if say != nil && errors.Is(err, dkg.ErrForeignCommit) { // one that lied goes on
				messages, err = []dkg.Message{{Kind: dkg.KindBundle}}, nil
			}
			require.NoError(t, err)
			for _, m := range messages {
				if say != nil {
					if m.Body = say(p, m); m.Body == nil {
						continue
					}
				}
				require.NoError(t, l.Apply(height, p.Speaks(m.Kind), m))
			}
		}
		l.EndBlock(height)
	}
	require.NoError(t, l.Audit())
	n := network{log: l}
	if l.Phase() == dkg.PhaseAborted {
		return n
	}
	var err error
	n.c, err = l.Committee()
	require.NoError(t, err)
	for _, p := range parties[:l.N()] {
		s, err := p.KeyShare(l)
		require.NoError(t, err)
		n.shares = append(n.shares, s)
	}
	return n
}

// founded is the network of vectors.json, and heir the one that it hands over to.
func founded(t *testing.T) network {
	l, parties := founding(t, 0)
	return hold(t, l, parties, nil)
}

func heir(t *testing.T, from network) network {
	l, parties := handover(t, from, 0)
	return hold(t, l, parties, nil)
}
