package secagg

import (
	"fmt"
	"math"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

// Deadlines are the lengths of the phases in blocks, each at least 1. All end early once
// nothing more can come, or need come.
type Deadlines struct{ Advertise, Share, Dispute, Input, Confirm, Unmask, Result uint32 }

func (d Deadlines) list() []uint32 {
	return []uint32{d.Advertise, d.Share, d.Dispute, d.Input, d.Confirm, d.Unmask, d.Result}
}

// of is the length of a phase that has one.
func (d Deadlines) of(p Phase) uint64 { return uint64(d.list()[p-PhaseAdvertise]) }

// MaxLength bounds the numbers of an input: 16 MiB of them.
const MaxLength = 1 << 22

// MinMembers is the smallest round: with two, the sum less the own input is the other's.
const MinMembers = 3

// Params fix a round.
type Params struct {
	Session   [32]byte // names the round, and the chain; never reused: see Session
	Members   int      // who may take part: indices 1 to Members, at least MinMembers
	Threshold int      // see MinThreshold; how many survivors, and how many shares, it takes
	Length    int      // numbers of an input, 1 to MaxLength
	// Norm bounds the Euclidean norm of an input read as signed numbers. Members·Norm is
	// below 2³¹. Each number x of an input has |x| ≤ Norm, so each number of the sum of up
	// to Members inputs has a magnitude below 2³¹: as an int32 it is the sum itself, and
	// not only the sum modulo 2³².
	Norm      uint32
	Reader    [32]byte // the commitment to the key of those who may read the sum: ReaderKey.Commitment
	Deadlines Deadlines
}

// Session is the hash that names a round of a chain. subject says what is summed, such as
// the ID of the model that is trained. number counts the rounds of the chain, so no two
// have one name.
func Session(chain [32]byte, number uint64, subject [32]byte) [32]byte {
	return shamir.Hash("secagg/session", chain[:], shamir.Uint64(number), subject[:])
}

// MinThreshold is the least threshold among n members: more than half, so that no two
// disjoint groups can each open what belongs to the other kind, and at least three, so
// that a survivor sees the sum of two others. shamir.Threshold is what a network with a
// ledger takes: then the shares of both kinds of one member's secrets cannot come
// together even if a third of the members lie and the rest were shown two ledgers.
func MinThreshold(n int) int { return max(MinMembers, n/2+1) }

// maxHeight leaves room to add phases without overflow.
const maxHeight = 1 << 62

func (p Params) validate() error {
	switch {
	case p.Members < MinMembers || p.Members > shamir.MaxMembers:
		return fmt.Errorf("round of %d members, want %d to %d: %w", p.Members, MinMembers, shamir.MaxMembers, shamir.ErrSize)
	case p.Threshold < MinThreshold(p.Members) || p.Threshold > p.Members:
		return fmt.Errorf("threshold %d of %d members, want at least %d: %w", p.Threshold, p.Members, MinThreshold(p.Members), shamir.ErrSize)
	case p.Length < 1 || p.Length > MaxLength:
		return fmt.Errorf("inputs of %d numbers, want 1 to %d: %w", p.Length, MaxLength, shamir.ErrSize)
	case p.Norm < 1 || uint64(p.Norm)*uint64(p.Members) > math.MaxInt32:
		return fmt.Errorf("norm %d of %d members, want less than 2³¹ together: %w", p.Norm, p.Members, shamir.ErrSize)
	}
	for _, d := range p.Deadlines.list() {
		if d == 0 {
			return fmt.Errorf("deadlines %+v: each phase lasts a block at least: %w", p.Deadlines, shamir.ErrSize)
		}
	}
	return nil
}

const paramsSize = 32 + 2 + 2 + 4 + 4 + 32 + 7*4

func (p Params) write(w *wire.Writer) {
	w.Raw(p.Session[:])
	w.U16(uint16(p.Members))
	w.U16(uint16(p.Threshold))
	w.U32(uint32(p.Length))
	w.U32(p.Norm)
	w.Raw(p.Reader[:])
	for _, d := range p.Deadlines.list() {
		w.U32(d)
	}
}

func readParams(r *wire.Reader) Params {
	return Params{
		Session: r.Hash(), Members: int(r.U16()), Threshold: int(r.U16()), Length: int(r.U32()), Norm: r.U32(), Reader: r.Hash(),
		Deadlines: Deadlines{r.U32(), r.U32(), r.U32(), r.U32(), r.U32(), r.U32(), r.U32()},
	}
}

// roundID hashes everything that fixes a round. Every proof, box and mask is bound to it,
// so nothing carries over to another round or chain.
func (p Params) roundID(start uint64) [32]byte {
	w := wire.NewWriter(paramsSize)
	p.write(w)
	return shamir.Hash("secagg/round", w.Bytes(), shamir.Uint64(start))
}
