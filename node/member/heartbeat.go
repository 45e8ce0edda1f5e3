package member

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// HeartbeatAsked asks whether this member holds its share of the committee in force.
// From is the account that the secured connection proves; Ticket comes back in the
// answer.
type HeartbeatAsked struct {
	Ticket uint64
	From   curation.Address
	Nonce  [32]byte
}

func (HeartbeatAsked) event() {}

// HeartbeatSize is the length of an answer: u64 epoch, and the proof.
const HeartbeatSize = 8 + shamir.ProofSize

// ErrNoShare answers for a member that holds no share of the committee in force.
var ErrNoShare = errors.New("this member holds no share of the committee in force")

// beat answers a heartbeat.
func (m *Machine) beat(e HeartbeatAsked) {
	if m.now == nil {
		m.do(Answer{Ticket: e.Ticket, Err: ErrNoShare})
		return
	}
	proof, err := quorum.Heartbeat(m.now.key, m.now.committee, question(m.chain, e.From, e.Nonce))
	if err != nil {
		m.do(Answer{Ticket: e.Ticket, Err: err})
		return
	}
	m.do(Answer{Ticket: e.Ticket, Share: append(binary.BigEndian.AppendUint64(nil, m.now.key.Epoch()), proof[:]...)})
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
