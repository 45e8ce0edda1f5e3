package curation

import "fmt"

// ShareReport is the signing member's word about its share of the committee in force:
// without a proof, that it is lost; with one, that it has been found again.
type ShareReport struct {
	_     struct{} `cbor:",toarray"`
	Epoch uint64
	Proof []byte // empty, or quorum.Heartbeat of ShareQuestion, 64 bytes
}

// Accept is the signing guardian's consent to the next sharing of the keys among the
// guardians, with its deal key for it.
type Accept struct {
	_       struct{} `cbor:",toarray"`
	Sharing uint64   // its number: that of the last one and one
	DealKey Hash     // ristretto255 point, never used before
	Proof   [64]byte // dkg.ProveDealKey under GuardianChain, the number and the guardian's
}

// GuardianMessage is one message of a sharing among the guardians: a dkg.Message of a
// member, which deals, or of a guardian, which disputes or acknowledges.
type GuardianMessage struct {
	_       struct{} `cbor:",toarray"`
	Sharing uint64
	Message uint8  // dkg.Kind
	Data    []byte // dkg.Message.Body, at most MaxCeremonyData
}

// Recover is the signing guardian's vote to deal the key to the members anew.
type Recover struct {
	_ struct{} `cbor:",toarray"`
}

// Object is the signing member's word against a recovery.
type Object struct {
	_ struct{} `cbor:",toarray"`
}

// Publish is the signing guardian's share of the opening key in clear:
// seal.PublishShare.
type Publish struct {
	_     struct{} `cbor:",toarray"`
	Share Hash     // scalar of ristretto255
}

func (ShareReport) Kind() Kind     { return KindShare }
func (Accept) Kind() Kind          { return KindAccept }
func (GuardianMessage) Kind() Kind { return KindDeal }
func (Recover) Kind() Kind         { return KindRecover }
func (Object) Kind() Kind          { return KindObject }
func (Publish) Kind() Kind         { return KindPublish }

// Validate accepts no proof and one of the right length.
func (s ShareReport) Validate() error {
	if len(s.Proof) != 0 && len(s.Proof) != 64 {
		return fmt.Errorf("proof of a share has %d bytes, want 64, or none for one that is lost", len(s.Proof))
	}
	return nil
}

// Validate accepts every key: whether it is a point is checked where it is stored.
func (Accept) Validate() error { return nil }

// Validate bounds the message.
func (m GuardianMessage) Validate() error { return sized("message", m.Data, MaxCeremonyData) }

// Validate accepts it.
func (Recover) Validate() error { return nil }

// Validate accepts it.
func (Object) Validate() error { return nil }

// Validate accepts every share: only the guardians' committee can judge it.
func (Publish) Validate() error { return nil }
