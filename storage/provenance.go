package storage

import (
	"crypto/sha256"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// Statement is what the receipt's certificate certifies.
func (r Receipt) Statement() quorum.Statement {
	return quorum.Statement{
		Chain: r.Chain, Epoch: r.CommitteeEpoch, RID: r.RequestID, Body: sha256.Sum256(r.Body),
		Model: r.Model, KeyEpoch: r.KeyEpoch, Label: r.Label, U: r.U,
		Prekeys: r.Prekeys().Digest(), Expiry: r.ExpiryHeight,
	}
}

// CheckQuorum checks under a committee's key, offline, that its members approved
// this request for this model, and that the seed is the one they signed. It says
// nothing about prompt, generator and pixels, which the certificate binds through
// body, readers and model: package node/verify compares those. The error wraps
// the one of package quorum for a signature, and ErrReceipt for a seed that does
// not follow.
func (r Receipt) CheckQuorum(c *shamir.Committee) error {
	if _, err := quorum.Verify(c, r.Statement(), r.Certificate); err != nil {
		return fmt.Errorf("receipt: certificate: %w", err)
	}
	if err := quorum.VerifySeed(c, r.Chain, r.RequestID, r.SeedSignature); err != nil {
		return fmt.Errorf("receipt: seed signature: %w", err)
	}
	seed, err := quorum.Seed(r.SeedSignature, r.RequestID)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	if seed != r.Seed {
		return fmt.Errorf("receipt: the seed is not that of its signature: %w", ErrReceipt)
	}
	return nil
}
