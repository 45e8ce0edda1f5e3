package dkg

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// Deadlines are the lengths of the phases in blocks, each at least 1. Commit,
// bundle and acknowledge end early once everybody has spoken; the dispute phase
// never does, since silence is its normal answer.
type Deadlines struct{ Commit, Bundle, Dispute, Acknowledge uint32 }

// Params fix a ceremony. Member i's deal key is DealKeys[i-1].
type Params struct {
	Epoch     uint64     // of the committee to be, from 1
	Session   [32]byte   // names the ceremony; never reused
	Threshold int        // shamir.Threshold(len(DealKeys)), or another t in 1..n
	DealKeys  [][32]byte // canonical ristretto255 points, all different
	Deadlines Deadlines
	// Previous is the committee that hands its keys over; its members are the
	// dealers then. Nil makes new keys, which the members deal to each other. To its
	// own epoch a committee deals a second sharing of its keys, for others than its
	// members; the first one stays.
	Previous *Committee
}

// dealers is how many may deal, and how many of them it takes.
func (p Params) dealers() (all, need int) {
	if p.Previous != nil {
		return p.Previous.N(), p.Previous.T()
	}
	return len(p.DealKeys), p.Threshold
}

// Session is the hash that names the ceremony of an epoch on a chain: for the
// first committee previous is zero, later the digest of the one in force.
// attempt counts from 0 and makes a repeated ceremony a new one.
func Session(chain [32]byte, epoch uint64, previous [32]byte, attempt uint64) [32]byte {
	return shamir.Hash("session", chain[:], shamir.Uint64(epoch), previous[:], shamir.Uint64(attempt))
}

// MinAcknowledgements is how many of n members must prove their share before a
// committee with threshold t is in force: t+⌊(n-t)/2⌋, so that half of the
// remaining members may be lost later.
func MinAcknowledgements(n, t int) int { return t + (n-t)/2 }

// maxHeight leaves room to add phases without overflow.
const maxHeight = 1 << 62

// validate decodes the deal keys.
func (p Params) validate() ([]kyber.Point, error) {
	n := len(p.DealKeys)
	if n < 1 || n > shamir.MaxMembers || p.Threshold < 1 || p.Threshold > n {
		return nil, fmt.Errorf("threshold %d of %d members: %w", p.Threshold, n, shamir.ErrSize)
	}
	if p.Previous != nil && p.Previous.Epoch() > p.Epoch {
		return nil, fmt.Errorf("committee of epoch %d hands over to epoch %d: %w", p.Previous.Epoch(), p.Epoch, shamir.ErrSize)
	}
	d := p.Deadlines
	if d.Commit == 0 || d.Bundle == 0 || d.Dispute == 0 || d.Acknowledge == 0 {
		return nil, fmt.Errorf("deadlines %+v: each phase lasts a block at least: %w", d, shamir.ErrSize)
	}
	seen := make(map[[32]byte]bool, n)
	keys := make([]kyber.Point, n)
	for i, b := range p.DealKeys {
		if seen[b] {
			return nil, fmt.Errorf("deal key of member %d is another member's: %w", i+1, shamir.ErrEncoding)
		}
		seen[b] = true
		k, err := shamir.DecodePoint(shamir.Ristretto255, b[:])
		if err != nil {
			return nil, fmt.Errorf("deal key of member %d: %w", i+1, err)
		}
		keys[i] = k
	}
	return keys, nil
}

func (p Params) write(w *wire.Writer) {
	w.U64(p.Epoch)
	w.Raw(p.Session[:])
	w.U16(uint16(p.Threshold))
	w.U16(uint16(len(p.DealKeys)))
	for _, k := range p.DealKeys {
		w.Raw(k[:])
	}
	for _, d := range []uint32{p.Deadlines.Commit, p.Deadlines.Bundle, p.Deadlines.Dispute, p.Deadlines.Acknowledge} {
		w.U32(d)
	}
}

func (p Params) writePrevious(w *wire.Writer) {
	w.Bool(p.Previous != nil)
	if p.Previous != nil {
		writeCommittee(w, p.Previous)
	}
}

func writeCommittee(w *wire.Writer, c *Committee) {
	b, err := c.MarshalBinary()
	if err != nil {
		panic(fmt.Sprintf("dkg: encode a committee: %v", err)) // it keeps its encoding
	}
	w.Block(b)
}

// readCommittee reads a committee of at most n members.
func readCommittee(r *wire.Reader, n int) *Committee {
	// n bounds the block, so a hostile length cannot allocate more.
	c, err := shamir.UnmarshalCommittee(r.Block(64 + (n+1)*(shamir.XSize+shamir.YSize)))
	if err != nil {
		r.Fail(err)
	}
	return c
}

func readParams(r *wire.Reader) Params {
	p := Params{Epoch: r.U64(), Session: r.Hash(), Threshold: int(r.U16())}
	n := int(r.U16())
	if n*32 > r.Len() {
		r.Fail(fmt.Errorf("%d deal keys in %d bytes: %w", n, r.Len(), wire.ErrMalformed))
		return p
	}
	for range n {
		p.DealKeys = append(p.DealKeys, r.Hash())
	}
	p.Deadlines = Deadlines{r.U32(), r.U32(), r.U32(), r.U32()}
	return p
}

// ceremonyID hashes everything that fixes a ceremony. Every proof and every
// secret of a Party is bound to it, so nothing carries over to another one.
func (p Params) ceremonyID(start uint64) [32]byte {
	w := wire.NewWriter(96 + 32*len(p.DealKeys))
	p.write(w)
	if p.Previous != nil {
		writeCommittee(w, p.Previous)
	}
	return shamir.Hash("ceremony", w.Bytes(), shamir.Uint64(start))
}
