package curation

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// classOf is a classroom of n members, all of whom have joined and none has spoken. All but
// four are put into the state, without a share of the key: a ceremony of 128 takes minutes,
// and is package dkg's.
func classOf(t testing.TB, n uint32) *classroom {
	c := classroomOf(ready(t))
	c.blocks, c.joining = 60, 60
	tr := c.approvedTraining()
	c.patch(func(o *state.Overlay) {
		save(o, keyMembers, uint64(n))
		for i := uint32(5); i <= n; i++ {
			name := memberName(i)
			save(o, keyMember(i), Member{Index: i, Name: name, Account: addressOf(name), Validator: sha256.Sum256([]byte("validator " + name)),
				DealKey: sha256.Sum256([]byte("deal key " + name)), Power: 1, Standing: StandingActive})
			save(o, indexMember(addressOf(name)), uint64(i))
			tr.Prekeys = append(tr.Prekeys, ReaderKey{Member: i, R: Hash{byte(i)}})
			tr.Order = append(tr.Order, i)
		}
		save(o, keyTraining(1), tr)
	})
	var txs [][]byte
	for i := range n {
		txs = append(txs, c.sign(memberName(i+1), c.nonce(memberName(i+1)), c.joins(tr)))
	}
	require.Empty(t, c.executes(txs), "they find room in one block")
	require.Equal(t, TrainingSumming, c.training().Status)
	require.Len(t, c.training().Trainers, int(n))
	return c
}

// patch changes the state of the first machine, which goes on alone.
func (c *classroom) patch(change func(o *state.Overlay)) { c.replicas[0] = c.restarted(change) }

// restarted is a machine that starts on the first one's state, with a change.
func (c *classroom) restarted(change func(o *state.Overlay)) *Machine {
	store := state.New(state.DefaultBits, modules...)
	require.NoError(c.t, c.replicas[0].View(func(v View) error { return store.Load(v.Entries) }))
	o := state.NewOverlay(store)
	change(o)
	store.Apply(store.Stage(o.Changes()))
	m := NewMachine()
	require.NoError(c.t, m.adopt(store, c.height))
	return m
}

// executes has the first machine make a block of what there is room for, and returns what
// has to wait.
func (c *classroom) executes(txs [][]byte) (waiting [][]byte) {
	c.t.Helper()
	m := c.replicas[0]
	c.height++
	block := Block{Height: c.height, Txs: m.Prepare(c.height, txs, blockRoom)}
	require.True(c.t, m.Process(block))
	size, sent := int64(0), 0
	for _, tx := range block.Txs {
		require.LessOrEqual(c.t, len(tx), MaxTxBytes)
		size, sent = size+wireSize(len(tx)), sent+len(tx)
	}
	require.LessOrEqual(c.t, size, int64(blockRoom))
	outcome, err := m.Execute(block)
	require.NoError(c.t, err)
	for _, r := range outcome.Results {
		require.Equal(c.t, CodeOK, r.Code, r.Log)
		c.record(r.Events)
	}
	c.record(outcome.Events)
	require.LessOrEqual(c.t, partsWritten(outcome), sent+1024, "a block writes what is said in it, and a head")
	m.Commit()
	return slices.DeleteFunc(slices.Clone(txs), func(tx []byte) bool {
		return slices.ContainsFunc(block.Txs, func(in []byte) bool { return string(in) == string(tx) })
	})
}

// through goes on until the adding up is past a phase, or has ended. Of the trainers as
// many as are given speak, the first ones.
func (c *classroom) through(phase secagg.Phase, speaking int) {
	c.t.Helper()
	var waiting [][]byte
	for c.training().Status == TrainingSumming && c.sum().Phase() <= phase {
		if len(waiting) == 0 {
			for _, i := range c.training().Trainers[:speaking] {
				for k, p := range c.says(i) {
					tx := c.sign(memberName(i), c.nonce(memberName(i))+uint64(k), p)
					r := c.replicas[0].Check(tx)
					require.Equal(c.t, CodeOK, r.Code, r.Log)
					waiting = append(waiting, tx)
				}
			}
		}
		waiting = c.executes(waiting)
	}
	require.Empty(c.t, waiting)
}

// partsWritten is how many bytes a block writes of the messages of a sum.
func partsWritten(o Outcome) (n int) {
	for _, change := range o.Changes {
		if strings.HasPrefix(string(change.Key), "training/") && !strings.HasPrefix(string(change.Key), "training/record/") {
			n += len(change.Key) + len(change.Value)
		}
	}
	return n
}

// BenchmarkTrainingMessage is a block with the shares of one trainer, when all others but
// one have sent theirs: what it writes into the state, and how long it takes.
func BenchmarkTrainingMessage(b *testing.B) {
	for _, n := range []uint32{4, 32, 128} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			c := classOf(b, n)
			c.through(secagg.PhaseAdvertise, int(n))
			last := c.says(n - 1)
			c.gone[n-1], c.gone[n] = secagg.PhaseShare, secagg.PhaseShare
			var txs [][]byte
			for i := uint32(1); i < n-1; i++ {
				txs = append(txs, c.sign(memberName(i), c.nonce(memberName(i)), c.says(i)[0]))
			}
			for len(txs) > 0 {
				txs = c.executes(txs)
			}
			name := memberName(n - 1)
			block := Block{Height: c.height + 1, Txs: [][]byte{c.sign(name, c.nonce(name), last[0])}}
			written := 0
			for b.Loop() {
				outcome, err := c.replicas[0].Execute(block)
				require.NoError(b, err)
				require.Equal(b, CodeOK, outcome.Results[0].Code, outcome.Results[0].Log)
				written = partsWritten(outcome)
			}
			b.ReportMetric(float64(written), "B/message")
			b.ReportMetric(float64(len(block.Txs[0])), "B/tx")
		})
	}
}

// Members of a large committee train together: what they say fits into transactions,
// pools and blocks, and into phases as short as in the other tests; each message writes
// no more than itself; and a node that starts again between two phases has it all.
func TestALargeCommitteeTrains(t *testing.T) {
	if testing.Short() {
		t.Skip("opens some 30,000 boxes")
	}
	t.Parallel()
	const n = 128
	c := classOf(t, n)
	for phase := secagg.PhaseAdvertise; c.training().Status == TrainingSumming; phase++ {
		speaking := n
		if phase == secagg.PhaseDispute {
			speaking = 3 // they look into all boxes; that of the others would take a minute
		}
		began := c.height
		c.through(phase, speaking)
		t.Logf("%v: %d blocks", phase, c.height-began)
		m := c.restarted(func(*state.Overlay) {})
		require.NoError(t, m.trainingsAgree(m.store))
	}
	tr := c.training()
	require.Equal(t, TrainingSealing, tr.Status, tr.Reason)
	require.Len(t, tr.Counted, n)
	require.Empty(t, tr.Culprits)
	want := make([]uint32, artistLength)
	for i := uint32(1); i <= n; i++ {
		for k, x := range learned(1, i) {
			want[k] += x
		}
	}
	require.Equal(t, want, c.sums[tr.Sum])
}
