package quorum

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
)

// Question is what a member is asked when somebody wants to know whether it holds
// its share now: who asks, and 32 bytes that it has not asked with before.
type Question struct {
	Chain [32]byte // genesis hash
	Asker [32]byte // the asker's public key, so that an answer convinces nobody else
	Nonce [32]byte // random
}

// Heartbeat answers a question with a proof of possession of the member's share of X,
// the one that opens. A member that answers is there with its share, where one that
// only echoes may have lost it. Making it costs one multiplication on ristretto255.
func Heartbeat(share *shamir.KeyShare, c *shamir.Committee, q Question) (shamir.Proof, error) {
	if share.Epoch() != c.Epoch() {
		return shamir.Proof{}, fmt.Errorf("heartbeat with a share of epoch %d for committee %d: %w", share.Epoch(), c.Epoch(), ErrEpoch)
	}
	x, _ := share.Secrets(access.Token{})
	return shamir.ProvePossession(nil, shamir.Ristretto255, q.context(c, share.Index()), x)
}

// VerifyHeartbeat checks that the member in a seat of the committee has answered the
// question. Its error wraps shamir.ErrProof, shamir.ErrEncoding or shamir.ErrSize.
func VerifyHeartbeat(c *shamir.Committee, seat uint32, q Question, proof shamir.Proof) error {
	public, err := c.XShare(seat)
	if err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	return shamir.VerifyPossession(shamir.Ristretto255, q.context(c, seat), public, proof)
}

func (q Question) context(c *shamir.Committee, seat uint32) []byte {
	digest := c.Digest()
	h := shamir.Hash("heartbeat", q.Chain[:], digest[:], shamir.Uint64(uint64(seat)), q.Asker[:], q.Nonce[:])
	return h[:]
}
