package curation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// decoded is how many transcripts the first machine has decoded since do began.
func (w *world) decoded(do func()) int {
	before := w.replicas[0].transcripts.decoded
	do()
	return w.replicas[0].transcripts.decoded - before
}

func TestNoTransactionHasATranscriptDecoded(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	reports := func() {
		var txs [][]byte
		for i := range uint64(2) { // the second one is refused: it is lost already
			txs = append(txs, w.sign("m4", w.nonce("m4")+i, ShareReport{Epoch: 1}))
		}
		w.block(txs...)
	}
	require.Zero(t, w.decoded(reports), "a member's word about its share")
	require.Zero(t, w.decoded(func() { w.shared(1, 2, 3) }), "a sharing among guardians")
	require.Zero(t, w.decoded(w.refreshed), "a handover")
	require.Zero(t, w.decoded(func() {
		_ = w.replicas[0].View(func(v View) error {
			for i := uint32(1); i <= 4; i++ {
				v.ShareProven(i)
			}
			v.CeremonyLogAt(1)
			v.SharingLog(1)
			return nil
		})
	}), "questions")

	w.replicas[0].transcripts.last = nil
	require.Equal(t, 1, w.decoded(func() {
		_ = w.replicas[0].View(func(v View) error { v.CeremonyLogAt(1); v.CeremonyLogAt(1); return nil })
	}), "each one once, when none is remembered")
}

func TestTheTranscriptsInUseAreRememberedAndNoOthers(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.shared(1, 2, 3)
	for range 3 {
		w.refreshed()
		w.wait(int(w.replicas[0].genesis.Params.DKGRetryBlocks))
		require.LessOrEqual(t, len(w.replicas[0].transcripts.last), maxTranscripts)
	}
}

// Finding out that a proof is wrong costs every node time, so nobody has it done twice
// in a block.
func TestWhoSendsAWrongProofIsHeardAgainInTheNextBlock(t *testing.T) {
	w := ready(t)
	rid := w.requested("alice", "any")
	good := w.certificateFor(rid, 1, 2, 3)
	bad := good
	bad.Certificate = good.SeedSignature // a point of the group, and wrong
	codes := func(of ...string) (codes []Code) {
		var txs [][]byte
		next := map[string]uint64{}
		for _, said := range of { // who, and whether the right one
			name, right := strings.CutSuffix(said, "+")
			name, p := strings.TrimSuffix(name, "-"), bad
			if right {
				p = good
			}
			txs = append(txs, w.sign(name, w.nonce(name)+next[name], p))
			next[name]++
		}
		for _, r := range w.block(txs...).Results {
			codes = append(codes, r.Code)
		}
		return codes
	}
	require.Equal(t, []Code{CodeProof, CodeLimit, CodeLimit, CodeProof, CodeLimit}, codes("bob-", "bob-", "carol+", "m1-", "m1+"),
		"outsiders have as many accounts as they like: their certificates count as one account's")
	require.Equal(t, []Code{CodeProof, CodeProof, CodeOK}, codes("bob-", "m1-", "m2+"), "nobody keeps a member from bringing the right one")
}
