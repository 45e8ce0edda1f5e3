package curation

import (
	"slices"
	"sync"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// maxTranscripts are those that are in use at a time: of the committee in force, the one
// before and the one to be, and of the guardians' sharings that count and that are under
// way, each as committed and as the block in progress has it.
const maxTranscripts = 5 * formsOfTranscript

const formsOfTranscript = 2

// transcripts remembers the ceremonies' transcripts that were read or written last.
// Decoding one of 128 members takes hundreds of milliseconds, which no transaction and
// no question may cost. Entries are told by the very bytes that the state holds, which
// never change once they are written; so what is remembered is never more than what
// decoding would give, and it may be forgotten at any time. It may be used
// concurrently.
type transcripts struct {
	mu      sync.Mutex
	last    []transcript // the latest one last
	decoded int          // how many had to be decoded
}

type transcript struct {
	key string
	raw []byte
	log *dkg.Log // never written to: readers get clones
}

// same says whether two values of the state are one and the same slice.
func same(a, b []byte) bool { return len(a) == len(b) && &a[0] == &b[0] }

// read returns the transcript under a key of the state; the log is the caller's own.
func (t *transcripts) read(r state.Reader, key []byte) (*dkg.Log, bool) {
	raw, ok := r.Get(key)
	if !ok {
		return nil, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, known := range t.last {
		if same(known.raw, raw) {
			t.last = append(slices.Delete(t.last, i, i+1), known)
			return known.log.Clone(), true
		}
	}
	log, err := dkg.UnmarshalLog(raw)
	if err != nil { // the state was agreed on
		panic(err)
	}
	t.decoded++
	t.keep(key, raw, log)
	return log.Clone(), true
}

// write sets the transcript under a key of the state.
func (t *transcripts) write(o *state.Overlay, key []byte, log *dkg.Log) {
	raw := must(log.MarshalBinary())
	o.Set(key, raw)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(key, raw, log.Clone())
}

// keep remembers a transcript in the place of the oldest of the same key, or of all.
func (t *transcripts) keep(key, raw []byte, log *dkg.Log) {
	forms, oldest := 0, 0
	for i := len(t.last) - 1; i >= 0; i-- {
		if t.last[i].key == string(key) {
			forms, oldest = forms+1, i
		}
	}
	if forms < formsOfTranscript {
		oldest = 0
	}
	if forms == formsOfTranscript || len(t.last) == maxTranscripts {
		t.last = slices.Delete(t.last, oldest, oldest+1)
	}
	t.last = append(t.last, transcript{string(key), raw, log})
}
