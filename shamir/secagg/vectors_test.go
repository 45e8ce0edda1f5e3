package secagg_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
)

// vector is one known answer: a sentence, bytes in hex, and what they are made from.
type vector struct {
	Name string         `json:"name"`
	Hex  string         `json:"hex"`
	From map[string]any `json:"from,omitempty"`
}

// TestVectors pins every form that is stored, hashed or signed, from fixed seeds: a round
// of four members with inputs of five numbers, in which member 4 leaves before its input.
func TestVectors(t *testing.T) {
	var out []vector
	add := func(name string, b []byte, from map[string]any) {
		out = append(out, vector{name, hex.EncodeToString(b), from})
	}
	w := newWorld(t, "vectors", params(4, 5))
	w.nodes[3].awake = gone(secagg.PhaseInput)
	for _, n := range w.nodes {
		n.message = func(_ *participant, m message) []message {
			add(fmt.Sprintf("%s of member %d", m.Kind, n.index), m.Body, nil)
			return []message{m}
		}
		seed := seedOf("vectors", n.index)
		add(fmt.Sprintf("seed of member %d", n.index), seed[:], nil)
	}
	p, id, session := w.round.Params(), w.round.ID(), w.round.Params().Session
	commitment := reader.Commitment()
	add("reader key", reader[:], nil)
	add("commitment to the reader key", commitment[:], nil)
	add("session", session[:], map[string]any{"chain": hex.EncodeToString(chain[:]), "number": 1, "subject": hex.EncodeToString([]byte{1}) + hex.EncodeToString(make([]byte, 31))})
	add("round", id[:], map[string]any{
		"members": p.Members, "threshold": p.Threshold, "length": p.Length, "norm": p.Norm, "start": 1, "deadlines": []uint32{3, 3, 2, 4, 4, 4, 4},
	})
	w.run()
	w.requireSum(1, 2, 3)
	for i := range uint32(3) {
		var input []byte
		for _, x := range inputOf("vectors", i+1, 5) {
			input = append(input, byte(x>>24), byte(x>>16), byte(x>>8), byte(x))
		}
		file, err := w.fetch(w.round, i+1)
		require.NoError(t, err)
		add(fmt.Sprintf("numbers of member %d", i+1), input, nil)
		add(fmt.Sprintf("input file of member %d", i+1), file, nil)
		add(fmt.Sprintf("state of member %d", i+1), w.nodes[i].state, nil)
	}
	var sum []byte
	for _, x := range w.sums[1] {
		sum = append(sum, byte(x>>24), byte(x>>16), byte(x>>8), byte(x))
	}
	outcome, err := w.round.Outcome()
	require.NoError(t, err)
	add("sum", sum, nil)
	add("outcome", outcome[:], nil)
	b, err := w.round.MarshalBinary()
	require.NoError(t, err)
	add("whole round", b, nil)

	got, err := json.MarshalIndent(out, "", " ")
	require.NoError(t, err)
	got = append(got, '\n')
	const file = "testdata/vectors.json"
	if *rewrite {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "a form has changed: nodes of two versions would not understand each other (or run with -rewrite)")
}

// transcript is a round with every message, as bytes after each block, and the messages.
func transcript(tb testing.TB) (rounds [][]byte, messages []message, states [][]byte, files [][]byte) {
	w := newWorld(tb, "fuzz", params(3, 2))
	for _, n := range w.nodes {
		n.message = func(_ *participant, m message) []message {
			messages = append(messages, m)
			return []message{m}
		}
	}
	b, err := w.round.MarshalBinary()
	require.NoError(tb, err)
	rounds = append(rounds, b)
	for w.round.Phase() < secagg.PhaseDone {
		if w.round.Phase() == secagg.PhaseDispute {
			messages = append(messages, secagg.Dispute(w.nodes[0].participant(), w.round, 2, nil))
		}
		w.tick()
		b, err := w.round.MarshalBinary()
		require.NoError(tb, err)
		rounds = append(rounds, b)
	}
	for _, n := range w.nodes {
		states, files = append(states, n.state), append(files, n.file)
	}
	return rounds, messages, states, files
}

func TestCutAndPaddedFormsAreRefused(t *testing.T) {
	rounds, messages, states, _ := transcript(t)
	for _, b := range rounds {
		for _, bad := range [][]byte{nil, b[:1], b[:len(b)/2], b[:len(b)-1], append(bytes.Clone(b), 0)} {
			_, err := secagg.UnmarshalRound(bad)
			require.ErrorIs(t, err, shamir.ErrEncoding)
		}
	}
	for _, b := range [][]byte{nil, states[0][1:], append(bytes.Clone(states[0]), 0), make([]byte, secagg.ParticipantSize)} {
		_, err := secagg.UnmarshalParticipant(b)
		require.ErrorIs(t, err, shamir.ErrEncoding)
	}
	for _, b := range rounds {
		for _, m := range messages {
			for _, bad := range [][]byte{nil, m.Body[1:], m.Body[:len(m.Body)-1], append(bytes.Clone(m.Body), 0)} {
				r, err := secagg.UnmarshalRound(b)
				require.NoError(t, err)
				require.Error(t, r.Apply(r.Deadline(), 1, message{Kind: m.Kind, Body: bad}), "%s", m.Kind)
			}
		}
	}
}

func FuzzUnmarshalRound(f *testing.F) {
	rounds, _, states, _ := transcript(f)
	for _, b := range rounds {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := secagg.UnmarshalRound(b)
		if err != nil {
			return
		}
		again, err := r.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, b, again, "read from a second form")
		// Whatever the round holds, going on with it does not panic.
		_ = r.Audit()
		_ = r.Culprits()
		_, _ = r.Outcome()
		if r.Params().Length <= 1<<10 {
			_, _ = r.Sum(reader, func(uint32) ([]byte, error) { return nil, nil })
			fresh, err := secagg.NewParticipant(1, seedOf("fuzz", 1), reader)
			require.NoError(t, err)
			used, err := secagg.UnmarshalParticipant(states[0])
			require.NoError(t, err)
			for _, p := range []*secagg.Participant{fresh, used} {
				_, _ = p.Step(r.Deadline(), r, secagg.Event{Input: make([]uint32, r.Params().Length), Held: indices(3), Sum: &secagg.Result{}})
			}
		}
		r.EndBlock(r.Deadline())
	})
}

func FuzzApply(f *testing.F) {
	rounds, messages, _, _ := transcript(f)
	for i := range rounds {
		for _, m := range messages {
			f.Add(uint8(i), uint8(m.Kind), uint32(1), m.Body)
		}
	}
	f.Fuzz(func(t *testing.T, which, kind uint8, from uint32, body []byte) {
		before := rounds[int(which)%len(rounds)]
		r, err := secagg.UnmarshalRound(before)
		require.NoError(t, err)
		err = r.Apply(r.Deadline(), from, message{Kind: secagg.Kind(kind), Body: body})
		after := reread(t, r)
		if err != nil {
			b, err := after.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, before, b, "an error changes nothing")
		}
	})
}

func FuzzUnmarshalParticipant(f *testing.F) {
	rounds, _, states, _ := transcript(f)
	for _, b := range states {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := secagg.UnmarshalParticipant(b)
		if err != nil {
			return
		}
		again, err := p.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, b, again)
		r, err := secagg.UnmarshalRound(rounds[len(rounds)/2])
		require.NoError(t, err)
		_, _ = p.Step(r.Deadline(), r, secagg.Event{Input: make([]uint32, 2)})
	})
}

func FuzzCheckFile(f *testing.F) {
	rounds, _, _, files := transcript(f)
	for _, b := range files {
		f.Add(b)
	}
	r, err := secagg.UnmarshalRound(rounds[len(rounds)-1])
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		good := 0
		for i := range uint32(3) {
			if r.CheckFile(i+1, b) == nil {
				require.Equal(t, files[i], b)
				good++
			}
		}
		require.LessOrEqual(t, good, 1)
	})
}
