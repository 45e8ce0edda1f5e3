package secagg_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
)

var (
	chain  = shamir.Hash("test chain", []byte("secagg"))
	reader = secagg.ReaderKey(shamir.Hash("test reader", []byte("secagg")))
)

func params(n, length int) secagg.Params {
	return secagg.Params{
		Session: secagg.Session(chain, 1, [32]byte{1}), Members: n, Threshold: max(shamir.Threshold(n), secagg.MinMembers), Length: length, Norm: 1 << 24,
		Reader: reader.Commitment(), Deadlines: secagg.Deadlines{Advertise: 3, Share: 3, Dispute: 2, Input: 4, Confirm: 4, Unmask: 4, Result: 4},
	}
}

func seedOf(name string, index uint32) [32]byte {
	return shamir.Hash("test seed", []byte(name), shamir.Uint64(uint64(index)))
}

// inputOf is what a member gives: numbers around zero, within the norm.
func inputOf(name string, index uint32, length int) []uint32 {
	out := make([]uint32, length)
	for i := range out {
		h := shamir.Hash("test input", []byte(name), shamir.Uint64(uint64(index)), shamir.Uint64(uint64(i)))
		out[i] = uint32(int32(binary.BigEndian.Uint16(h[:])) - 1<<15)
	}
	return out
}

func plainSum(name string, indices []uint32, length int) []uint32 {
	sum := make([]uint32, length)
	for _, index := range indices {
		for i, x := range inputOf(name, index, length) {
			sum[i] += x
		}
	}
	return sum
}

// node is a member with what a real one has around its participant: a disk and a network.
// Adversaries change hooks.
type node struct {
	w     *world
	index uint32
	state []byte // on disk; nil before there is any
	file  []byte // likewise, the own one

	awake   func(secagg.Phase) bool // whether it takes part in the phase
	input   func(honest []uint32) []uint32
	message func(p *secagg.Participant, m secagg.Message) []secagg.Message // what it posts in place of m
	store   func(file []byte) []byte                                       // what it offers in place of its file
	result  func(secagg.Result) secagg.Result
}

// world runs a round in virtual time, one block per tick. A member that is awake reads its
// state from disk, steps, and forgets everything else.
type world struct {
	t       testing.TB
	name    string
	round   *secagg.Round
	nodes   []*node
	files   map[[32]byte][]byte // what the network holds, by hash
	refused map[uint32][]error
	height  uint64
	sums    map[uint32][]uint32

	crash      func() bool // after a step, before any of its effects
	lose       func() bool // a message on its way to the ledger
	injections []func()    // what adversaries do besides, at the end of each block
}

func newWorld(t testing.TB, name string, p secagg.Params) *world {
	r, err := secagg.NewRound(p, 1)
	require.NoError(t, err)
	w := &world{t: t, name: name, round: r, files: map[[32]byte][]byte{}, refused: map[uint32][]error{}, sums: map[uint32][]uint32{}}
	for i := range p.Members {
		w.nodes = append(w.nodes, &node{w: w, index: uint32(i + 1)})
	}
	return w
}

// participant is made anew from what is on disk.
func (n *node) participant() *secagg.Participant {
	if n.state != nil {
		p, err := secagg.UnmarshalParticipant(n.state)
		require.NoError(n.w.t, err)
		return p
	}
	p, err := secagg.NewParticipant(n.index, seedOf(n.w.name, n.index), reader)
	require.NoError(n.w.t, err)
	return p
}

func (n *node) step(r *secagg.Round) {
	w := n.w
	p := n.participant()
	if n.message != nil {
		p = secagg.Adopt(p, r)
	}
	var event secagg.Event
	for range 2 { // once more with the answer to what it wants
		out, err := p.Step(w.height, r, event)
		require.NoError(w.t, err, "%s", w.name)
		if w.crash != nil && w.crash() {
			return
		}
		if out.State != nil {
			n.state = out.State
		}
		if out.File != nil {
			n.file = out.File
			offered := out.File
			if n.store != nil {
				offered = n.store(offered)
			}
			if offered != nil {
				w.files[sha256.Sum256(offered)] = offered
			}
		}
		for _, m := range out.Post {
			posts := []secagg.Message{m}
			if n.message != nil {
				posts = n.message(p, m)
			}
			for _, m := range posts {
				if w.lose != nil && w.lose() {
					continue
				}
				if err := w.round.Apply(w.height, n.index, m); err != nil {
					w.refused[n.index] = append(w.refused[n.index], err)
				}
			}
		}
		event = secagg.Event{}
		switch {
		case out.WantInput:
			event.Input = inputOf(w.name, n.index, r.Params().Length)
			if n.input != nil {
				event.Input = n.input(event.Input)
			}
		case out.WantSum:
			sum, err := r.Sum(reader, func(member uint32) ([]byte, error) { return w.fetch(r, member) })
			require.NoError(w.t, err, "%s", w.name)
			w.sums[n.index] = sum
			found := r.Judge(reader, sum)
			if n.result != nil {
				found = n.result(found)
			}
			event.Sum = &found
		case out.WantFiles != nil:
			for i := range r.Params().Members {
				if file, err := w.fetch(r, uint32(i+1)); err == nil && r.CheckFile(uint32(i+1), file) == nil {
					event.Held = append(event.Held, uint32(i+1))
				}
			}
			if event.Held == nil {
				return
			}
		default:
			return
		}
	}
}

func (w *world) fetch(r *secagg.Round, member uint32) ([]byte, error) {
	h, _ := r.Input(member)
	if file, ok := w.files[h]; ok {
		return file, nil
	}
	return nil, fmt.Errorf("nobody has it")
}

// tick is one block: the ledger writes and reads its round in between.
func (w *world) tick() {
	w.height++
	for _, n := range w.nodes {
		if n.awake == nil || n.awake(w.round.Phase()) {
			n.step(w.round.Clone())
		}
	}
	for _, f := range w.injections {
		f()
	}
	w.round.EndBlock(w.height)
	w.round = reread(w.t, w.round)
}

func (w *world) run() {
	for w.round.Phase() < secagg.PhaseDone {
		require.Less(w.t, w.height, uint64(60), "%s: round hangs in phase %s", w.name, w.round.Phase())
		w.tick()
	}
	require.NoError(w.t, w.round.Audit(), w.name)
}

// until ticks to the first block of the phase.
func (w *world) until(p secagg.Phase) {
	for w.round.Phase() < p {
		w.tick()
	}
	require.Equal(w.t, p, w.round.Phase())
}

func reread(t testing.TB, r *secagg.Round) *secagg.Round {
	b, err := r.MarshalBinary()
	require.NoError(t, err)
	again, err := secagg.UnmarshalRound(b)
	require.NoError(t, err)
	b2, err := again.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, b, b2)
	require.Equal(t, r.ID(), again.ID())
	return again
}

// requireSum checks that the round ended with the sum of exactly these members' inputs.
func (w *world) requireSum(of ...uint32) {
	w.t.Helper()
	require.Equal(w.t, secagg.PhaseDone, w.round.Phase(), "%s: %v", w.name, w.refused)
	require.Equal(w.t, of, w.round.Survivors(), w.name)
	outcome, err := w.round.Outcome()
	require.NoError(w.t, err)
	want := plainSum(w.name, of, w.round.Params().Length)
	require.Equal(w.t, w.round.Judge(reader, want).Hash, outcome, w.name)
	for i, sum := range w.sums {
		require.Equal(w.t, want, sum, "%s: member %d", w.name, i)
	}
}

func indices(n int) (out []uint32) {
	for i := range n {
		out = append(out, uint32(i+1))
	}
	return out
}

// chance is what a property test draws from; its seed is in every failure's name.
func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eca66)) }
