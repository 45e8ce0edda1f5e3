package dkg

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

var (
	// ErrPhase reports a message that the current phase does not take.
	ErrPhase = errors.New("message does not belong to this phase")
	// ErrDuplicate reports a second message of a kind that is said once.
	ErrDuplicate = errors.New("already said")
	// ErrMessage reports a malformed message or one whose proof does not hold.
	ErrMessage = errors.New("message refused")
	// ErrNoDispute reports a dispute about a deal that is in order.
	ErrNoDispute = errors.New("the disputed deal is in order")
	// ErrNotMember reports an index outside 1..n, or a party whose deal key the
	// ceremony does not list.
	ErrNotMember = errors.New("not a member of this ceremony")
	// ErrNotReady reports a question that a later phase answers, or none.
	ErrNotReady = errors.New("ceremony holds no such result")
	// ErrShareLost reports a member whose own share is wrong or missing for good.
	ErrShareLost = errors.New("own share cannot be derived")
	// ErrForeignCommit reports a log that holds a commitment which the party's
	// seed does not make: the key store is not the one the ceremony began with.
	ErrForeignCommit = errors.New("log holds another commitment for this member")
)

// Kind tells what a message says.
type Kind uint8

// Kinds of messages.
const (
	KindCommit Kind = iota + 1
	KindBundle
	KindDispute
	KindAck
)

func (k Kind) String() string {
	switch k {
	case KindCommit:
		return "commit"
	case KindBundle:
		return "bundle"
	case KindDispute:
		return "dispute"
	case KindAck:
		return "acknowledgement"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Message is what a member posts to the log. Body has one canonical form per
// kind, at most MaxMessage(n, t) bytes.
type Message struct {
	Kind Kind
	Body []byte
}

// MaxMessage is the length of the longest body, a bundle, in bytes: 224 per
// coefficient, 80 per member and 224.
func MaxMessage(n, t int) int { return bundleSize(n, t) }

// dispute claims that dealer's deal to the author is wrong. It reveals the
// Diffie-Hellman key of that one deal, with a proof that it is the right key.
type dispute struct {
	dealer uint32
	key    [32]byte // d_j·E
	proof  shamir.Proof
}

const disputeSize = 2 + 32 + shamir.ProofSize

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
		return dispute{}, fmt.Errorf("dispute: %w: %w", err, ErrMessage)
	}
	return d, nil
}

// ack proves possession of the author's shares of x and y.
type ack struct{ x, y shamir.Proof }

const ackSize = 2 * shamir.ProofSize

func (a ack) bytes() []byte { return append(append([]byte(nil), a.x[:]...), a.y[:]...) }

func parseAck(b []byte) (a ack, err error) {
	r := wire.NewReader(b)
	r.Copy(a.x[:])
	r.Copy(a.y[:])
	if err := r.Done(); err != nil {
		return ack{}, fmt.Errorf("acknowledgement: %w: %w", err, ErrMessage)
	}
	return a, nil
}
