package member

import (
	"encoding/binary"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// HeartbeatSize is the length of an answer: u64 epoch, and the proof.
const HeartbeatSize = 8 + shamir.ProofSize

// Holder is what a member holds of the committee in force. It is immutable and safe for
// concurrent use: heartbeats need not wait for the machine.
type Holder struct {
	chain curation.Hash
	seat  *seat
}

// Holder is nil while the member holds no share of the committee in force.
func (m *Machine) Holder() *Holder {
	if m.now == nil {
		return nil
	}
	return &Holder{m.chain, m.now}
}

// Heartbeat proves to asker that the share is held, in answer to its nonce.
func (h *Holder) Heartbeat(asker curation.Address, nonce [32]byte) ([]byte, error) {
	proof, err := quorum.Heartbeat(h.seat.key, h.seat.committee, question(h.chain, asker, nonce))
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint64(nil, h.seat.key.Epoch()), proof[:]...), nil
}

// VerifyHeartbeat checks the answer of a member, by its number, to the nonce that
// asker has sent it. It holds for the committee that is in force on the asker's copy
// of the ledger: around a handover the two may differ for a moment.
func VerifyHeartbeat(l curation.View, asker curation.Address, member uint32, nonce [32]byte, answer []byte) error {
	if len(answer) != HeartbeatSize {
		return fmt.Errorf("heartbeat has %d bytes, want %d: %w", len(answer), HeartbeatSize, shamir.ErrEncoding)
	}
	epoch := binary.BigEndian.Uint64(answer)
	c, ok := l.Committee()
	if !ok || c.Epoch() != epoch {
		return fmt.Errorf("heartbeat of epoch %d: %w", epoch, ErrEpoch)
	}
	return quorum.VerifyHeartbeat(c, l.SeatsAt(epoch).Of(member), question(l.Chain(), asker, nonce), shamir.Proof(answer[8:]))
}

func question(chain curation.Hash, asker curation.Address, nonce [32]byte) quorum.Question {
	return quorum.Question{Chain: chain, Asker: asker, Nonce: nonce}
}
