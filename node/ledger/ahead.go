package ledger

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cometbft/cometbft/types"
)

// Nearly all the time of a check goes into signatures, which do not depend on each
// other. So a check reads some entries ahead, and has all processors decode them and
// try the signatures under them, before it goes through them in their order. Who is in
// force so far ahead is a guess; where the validators change it is wrong, and the
// signatures are tried again when it is their turn.
const (
	aheadEntries = 256
	aheadBytes   = 4 << 20
)

// entry is one that was read ahead.
type entry struct {
	kind   byte
	raw    []byte
	err    error         // why there is none: io.EOF, ErrExport, or what reading failed with
	block  *types.Block  // of an entryBlock that is whole
	id     types.BlockID // of block
	commit *types.Commit // under the block before it
	broken error         // why its content is none
	// signers are the validators under whom all signatures of commit are good; nil when
	// that was not tried, or failed.
	signers *types.ValidatorSet
}

// some reads entries ahead. The last one may be why there are no more.
func (e *entries) some() (read []*entry) {
	size := 0
	for len(read) < aheadEntries && size < aheadBytes {
		kind, raw, err := e.next()
		read = append(read, &entry{kind: kind, raw: raw, err: err})
		if err != nil {
			break
		}
		size += len(raw)
	}
	return read
}

// decode reads the content.
func (n *entry) decode() {
	switch {
	case n.err != nil:
	case n.kind == entryBlock:
		if n.block, n.id, n.broken = decodeSigned(n.raw); n.broken == nil {
			n.commit = n.block.LastCommit
		}
	case n.kind == entryCommit:
		n.commit, n.broken = decodeCommit(n.raw)
	}
	n.raw = nil
	if n.broken != nil && !errors.Is(n.broken, ErrExport) {
		n.broken = malformedf("%v", n.broken)
	}
}

// ahead prepares entries for add.
func (x *checker) ahead(read []*entry) {
	parallel(len(read), func(i int) { read[i].decode() })
	set := x.now
	parallel(len(read), func(i int) {
		of, id := x.block, x.of
		if i > 0 {
			of, id = read[i-1].block, read[i-1].id
		}
		if c := read[i].commit; of != nil && c != nil && set.VerifyCommit(x.id, id, of.Height, c) == nil {
			read[i].signers = set
		}
	})
}

// parallel calls do for 0..n−1, on all processors, and returns when all calls have.
func parallel(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}
