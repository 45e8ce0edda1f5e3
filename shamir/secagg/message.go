package secagg

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

var (
	// ErrPhase reports a message that the current phase does not take.
	ErrPhase = errors.New("message does not belong to this phase")
	// ErrDuplicate reports a message that says again what its member has said.
	ErrDuplicate = errors.New("already said")
	// ErrEquivocation reports a message that says something else than its member has said
	// before. Both are signed, so whoever keeps them can show that the member lies.
	ErrEquivocation = errors.New("member has said something else before")
	// ErrMessage reports a malformed message or one whose proof does not hold.
	ErrMessage = errors.New("message refused")
	// ErrNoDispute reports a dispute about a box that is in order.
	ErrNoDispute = errors.New("the disputed box is in order")
	// ErrNotMember reports somebody who has no part in the round, or no longer.
	ErrNotMember = errors.New("no part in this round")
	// ErrNotReady reports a question that a later phase answers, or none.
	ErrNotReady = errors.New("round holds no such result")
)

// Kind tells what a message says.
type Kind uint8

// Kinds of messages.
const (
	KindKey     Kind = iota + 1 // the key for boxes, proved
	KindShares                  // commitments to two secrets, and their shares in boxes
	KindDispute                 // a box that was wrong, opened for everybody; or that no other box is
	KindInput                   // with whom the input is masked, and the hash of its file
	KindConfirm                 // whose masked inputs the member holds
	KindUnmask                  // one share of one secret of each member
	KindResult                  // what the member computed
)

func (k Kind) String() string {
	switch k {
	case KindKey:
		return "key"
	case KindShares:
		return "shares"
	case KindDispute:
		return "dispute"
	case KindInput:
		return "input"
	case KindConfirm:
		return "confirmation"
	case KindUnmask:
		return "unmasking"
	case KindResult:
		return "result"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Message is what a member posts to the ledger. Body has one canonical form per kind, at
// most MaxMessage(n, t) bytes.
type Message struct {
	Kind Kind
	Body []byte
}

// MaxMessage is the length of the longest body, the shares of n members with threshold t,
// in bytes: 64 for each share that it takes, 80 for each member, and 224.
func MaxMessage(n, t int) int { return bundleSize(n, t) }

// advert is a member's key for boxes, with a proof that the member knows its logarithm.
type advert struct {
	key   [32]byte
	proof shamir.Proof
}

func (a advert) bytes() []byte { return append(bytes.Clone(a.key[:]), a.proof[:]...) }

func parseAdvert(b []byte) (a advert, err error) {
	r := wire.NewReader(b)
	a.key = r.Hash()
	r.Copy(a.proof[:])
	if err := r.Done(); err != nil {
		return advert{}, fmt.Errorf("%w: %w", err, ErrMessage)
	}
	return a, nil
}

// verify checks the proof. Without it a member could give another's key as its own.
func (a advert) verify(id [32]byte, member uint32) (kyber.Point, error) {
	key, err := shamir.DecodePoint(group, a.key[:])
	if err != nil {
		return nil, fmt.Errorf("key: %w: %w", err, ErrMessage)
	}
	if err := shamir.VerifyPossession(group, advertContext(id, member), key, a.proof); err != nil {
		return nil, fmt.Errorf("key: %w: %w", err, ErrMessage)
	}
	return key, nil
}

func advertContext(id [32]byte, member uint32) []byte {
	h := shamir.Hash("secagg/key", id[:], shamir.Uint64(uint64(member)))
	return h[:]
}

// dispute claims that the dealer's box to the author is wrong. It reveals the
// Diffie-Hellman key of that one box, with a proof that it is the right key.
type dispute struct {
	dealer uint32
	key    [32]byte // r_j·E
	proof  shamir.Proof
}

const disputeSize = 2 + 32 + shamir.ProofSize

// content is the body of a dispute about nobody: its author has found no wrong box, or
// none but those that it has disputed, so nobody has to wait for it.
var content = []byte{0, 0}

func (d dispute) bytes() []byte {
	w := wire.NewWriter(disputeSize)
	w.U16(uint16(d.dealer))
	w.Raw(d.key[:])
	w.Raw(d.proof[:])
	return w.Bytes()
}

func parseDispute(b []byte) (d dispute, err error) {
	r := wire.NewReader(b)
	d.dealer = uint32(r.U16())
	d.key = r.Hash()
	r.Copy(d.proof[:])
	if err := r.Done(); err != nil {
		return dispute{}, fmt.Errorf("%w: %w", err, ErrMessage)
	}
	return d, nil
}

// members is a set of indices. Its form is a bit for each member, the first in the
// highest bit of the first byte.
type members []bool

func membersSize(n int) int { return (n + 7) / 8 }

func (m members) bytes() []byte {
	b := make([]byte, membersSize(len(m)))
	for i, in := range m {
		if in {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	return b
}

func parseMembers(b []byte, n int) (members, error) {
	if len(b) != membersSize(n) {
		return nil, fmt.Errorf("%d bytes, want %d: %w", len(b), membersSize(n), ErrMessage)
	}
	m := make(members, n)
	for i := range m {
		m[i] = b[i/8]&(0x80>>(i%8)) != 0
	}
	if !bytes.Equal(m.bytes(), b) {
		return nil, fmt.Errorf("bits for members that there are not: %w", ErrMessage)
	}
	return m, nil
}

func (m members) count() (n int) {
	for _, in := range m {
		if in {
			n++
		}
	}
	return n
}

func (m members) indices() (out []uint32) {
	for i, in := range m {
		if in {
			out = append(out, uint32(i+1))
		}
	}
	return out
}

// inputBytes is the form of an input: the members with whose secrets it is masked, and the
// hash of its file.
func inputBytes(with members, file [32]byte) []byte { return append(with.bytes(), file[:]...) }

func parseInput(b []byte, n int) (with members, file [32]byte, err error) {
	r := wire.NewReader(b)
	bits := r.Raw(membersSize(n))
	file = r.Hash()
	if err := r.Done(); err != nil {
		return nil, file, fmt.Errorf("%w: %w", err, ErrMessage)
	}
	with, err = parseMembers(bits, n)
	return with, file, err
}

// unmasking is one member's share of one secret of each member that shared; nil where it
// has none to give. Its form is a byte for each of them, 0 or 1, and the share after a 1.
type unmasking []kyber.Scalar

func (u unmasking) bytes(sharers members) []byte {
	w := wire.NewWriter(33 * len(u))
	for _, i := range sharers.indices() {
		s := u[i-1]
		if w.Bool(s != nil); s != nil {
			w.Raw(shamir.Encode(s))
		}
	}
	return w.Bytes()
}

func parseUnmasking(b []byte, sharers members) (unmasking, error) {
	u := make(unmasking, len(sharers))
	r := wire.NewReader(b)
	for _, i := range sharers.indices() {
		if !r.Bool() {
			continue
		}
		s, err := shamir.DecodeScalar(group, r.Raw(32))
		if err != nil {
			return nil, fmt.Errorf("share of member %d's secret: %w: %w", i, err, ErrMessage)
		}
		u[i-1] = s
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrMessage)
	}
	return u, nil
}

// Result is what a member found when it added up.
type Result struct {
	Spoilt bool     // the sum is longer than that of inputs within their norm: somebody lied
	Hash   [32]byte // of the sum, which says nothing to those without the reader key
}

const resultSize = 1 + 32

func (r Result) bytes() []byte {
	w := wire.NewWriter(resultSize)
	w.Bool(r.Spoilt)
	w.Raw(r.Hash[:])
	return w.Bytes()
}

func parseResult(b []byte) (out Result, err error) {
	r := wire.NewReader(b)
	out.Spoilt, out.Hash = r.Bool(), r.Hash()
	if err := r.Done(); err != nil {
		return Result{}, fmt.Errorf("%w: %w", err, ErrMessage)
	}
	return out, nil
}
