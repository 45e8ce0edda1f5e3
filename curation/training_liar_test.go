package curation

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// badBox is what a member that deals member 1 a wrong box posts instead of its shares: one
// bit of the box is another, and the proof over all boxes is made again.
func (c *classroom) badBox(member uint32, keys [][]byte) TrainingMessage {
	p, round := c.says(member)[0].(TrainingMessage), c.sum()
	id, threshold := round.ID(), round.Params().Threshold
	var points [][]byte
	for _, k := range keys {
		points = append(points, k[:32])
	}
	advertised := shamir.Hash("secagg/keys", id[:], []byte{0xf0}, slices.Concat(points...))
	statement, boxes := p.Body[:64*threshold+32], p.Body[64*threshold+32+3*shamir.ProofSize:]
	boxes[0] ^= 1
	seed := sha256.Sum256([]byte("masks of 1/" + string(rune('0'+member))))
	e := shamir.HashScalar(shamir.Ristretto255, "secagg/secret", seed[:], id[:], shamir.Uint64(uint64(member)), []byte("e"), shamir.Uint64(0))
	context := shamir.Hash("secagg/bundle/e", advertised[:], shamir.Uint64(uint64(member)), statement, boxes)
	proof, err := shamir.ProvePossession(nil, shamir.Ristretto255, context[:], e)
	require.NoError(c.t, err)
	copy(p.Body[len(p.Body)-len(boxes)-shamir.ProofSize:], proof[:])
	return p
}

// Who deals somebody a wrong box is shown to have done so, and named; the others go on.
func TestWhoDealsAWrongBoxIsNamed(t *testing.T) {
	c := classroomOf(ready(t))
	c.begun(1, 2, 3, 4)
	var keys [][]byte
	for i := uint32(1); i <= 4; i++ {
		keys = append(keys, c.says(i)[0].(TrainingMessage).Body)
	}
	c.until(secagg.PhaseShare)
	c.must("m2", c.badBox(2, keys))
	c.gone[2] = secagg.PhaseShare // it says nothing else
	c.until(secagg.PhaseDispute)
	dispute := c.says(1)[0].(TrainingMessage)
	require.Equal(t, CodeProof, c.act("m3", dispute).Code, "of another member's box")
	c.must("m1", dispute)
	tr := c.until(secagg.PhaseDone)
	require.Equal(t, TrainingSealing, tr.Status)
	require.Equal(t, []uint32{1, 3, 4}, tr.Counted)
	require.Equal(t, []Culprit{{Member: 2, Reason: "shared wrongly"}}, tr.Culprits)
	require.Equal(t, "2", c.passed(EventTrainingMissed)[0].Get("member"))
	require.NoError(t, c.sum().Audit(), "whoever reads the ledger can check it")
	require.Empty(t, c.convictions(), "a lie here costs no place in the network")
}

// What each says of the sum must be one: a liar about it is named, and two of four are
// enough to end the training.
func TestWhoFindsAnotherSumIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		liars  []uint32
		status TrainingStatus
		reason string
	}{
		"one liar":   {[]uint32{1}, TrainingSealing, ""},
		"two liars":  {[]uint32{1, 2}, TrainingFailed, secagg.ErrDisagreement.Error()},
		"all say so": {[]uint32{1, 2, 3, 4}, TrainingFailed, secagg.ErrSpoilt.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			room := classroomOf(ready(t))
			room.begun(1, 2, 3, 4)
			room.until(secagg.PhaseResult)
			var txs [][]byte
			for i := uint32(1); i <= 4; i++ {
				p := room.says(i)[0].(TrainingMessage)
				if slices.Contains(c.liars, i) {
					p.Body[0] = 1 // spoilt
				}
				txs = append(txs, room.sign(memberName(i), room.nonce(memberName(i)), p))
			}
			room.block(txs...)
			room.wait(6)
			tr := room.training()
			require.Equal(t, c.status, tr.Status)
			require.Equal(t, c.reason, tr.Reason)
			if c.status == TrainingSealing {
				require.Equal(t, []Culprit{{Member: 1, Reason: "found another sum"}}, tr.Culprits)
			}
		})
	}
}

// A flood of messages finds the member's own room, and no other's.
func TestATrainersFloodCostsOnlyItself(t *testing.T) {
	c := classroomOf(ready(t))
	c.begun(1, 2, 3, 4)
	var flood [][]byte
	for i := range uint64(30) {
		flood = append(flood, c.sign("m1", c.nonce("m1")+i, TrainingMessage{Number: 1, Message: uint8(secagg.KindKey), Body: bytes.Repeat([]byte{byte(i)}, MaxTrainingMessage)}))
	}
	waiting := 0
	for _, tx := range flood {
		if c.replicas[0].Check(tx).Code == CodeOK {
			waiting++
		}
	}
	require.LessOrEqual(t, waiting, 8, "as many as a member's quota, and as many bytes as its room")
	good := c.sign("m2", c.nonce("m2"), c.says(2)[0])
	require.Equal(t, CodeOK, c.replicas[0].Check(good).Code)
	block := c.replicas[0].Prepare(c.height+1, append(slices.Clone(flood), good), 1<<20)
	require.Contains(t, block, good)
	require.True(t, c.replicas[0].Process(Block{Height: c.height + 1, Txs: block}))
	results := c.block(block...).Results
	codes := map[Code]int{}
	for _, r := range results {
		codes[r.Code]++
	}
	require.Equal(t, map[Code]int{CodeOK: 1, CodeProof: 1, CodeLimit: len(block) - 2}, codes, "one is looked at")
}

func TestTheAddingUpIsReadBesideBlocks(t *testing.T) {
	c := classroomOf(ready(t))
	c.begun(1, 2, 3, 4)
	m := c.replicas[0]
	tx := c.sign("m3", c.nonce("m3"), c.says(3)[0])
	stop := beside(m, tx, func(v View) {
		if round, ok := v.TrainingRound(1); ok {
			round.Culprits()
			_, _ = round.Outcome()
			_ = round.Audit()
		}
		v.RunningTraining()
	})
	tr := c.until(secagg.PhaseDone)
	stop()
	require.Equal(t, TrainingSealing, tr.Status)
}

// A chain with a training in it replays from its genesis, and a state in the middle of one
// that says something else of it is no state.
func TestATrainingReplaysFromTheGenesis(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.refill(i, 2))
	}
	c := classroomOf(w)
	c.begun(1, 2, 3, 4)
	c.until(secagg.PhaseConfirm)
	m := NewMachine()
	_, err := m.Genesis(w.doc)
	require.NoError(t, err)
	for _, block := range w.blocks {
		_, err := m.Execute(block)
		require.NoError(t, err)
		m.Commit()
	}
	require.NoError(t, m.Invariants())
	require.NoError(t, m.View(func(v View) error {
		require.Equal(t, view(w, View.AppHash), v.AppHash())
		round, ok := v.TrainingRound(1)
		require.True(t, ok)
		require.Equal(t, secagg.PhaseConfirm, round.Phase())
		return nil
	}))
}

func TestTrainedNamesSayWhichTraining(t *testing.T) {
	for _, c := range []struct{ old, want string }{
		{"Harbour", "Harbour, training 7"},
		{"Harbour, training 6", "Harbour, training 7"},
		{"Harbour, training day", "Harbour, training day, training 7"},
		{", training 1", ", training 1, training 7"},
	} {
		require.Equal(t, c.want, TrainedName(c.old, 7))
	}
	long := TrainedName(string(bytes.Repeat([]byte("é"), 32)), 1<<63)
	require.LessOrEqual(t, len(long), MaxName)
	require.NoError(t, ValidateName(long))
}
