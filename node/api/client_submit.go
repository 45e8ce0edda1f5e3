package api

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir/seal"
)

const (
	// validBlocks is how many blocks a transaction of a client may wait.
	validBlocks = 100
	// nonceTries is how often a transaction is signed again because others of its
	// account came first.
	nonceTries = 20
)

// signAgain are refusals after which the transaction has no effect any more, and the next
// one may be taken.
var signAgain = []string{CodeName(curation.CodeNonce), CodeName(curation.CodeExpired), CodeBusy}

// Submit sends a signed transaction and waits until it stands in a block. When the
// ledger refuses it, in front of a block or in one, the error is a *Problem with
// the class; in the second case there is a receipt too.
func (c *Client) Submit(ctx context.Context, tx []byte) (Receipt, error) {
	var r Receipt
	if err := c.post(ctx, "/v1/transactions", map[string][]byte{"tx": tx}, &r); err != nil {
		return Receipt{}, err
	}
	for code, name := range codeNames {
		if name == r.Code && code != curation.CodeOK {
			return r, refusal(curation.TxResult{Code: code, Log: r.Log})
		}
	}
	return r, nil
}

// SubmitPayload signs a payload with an account's key, at the account's next nonce,
// and submits it. When another transaction of the account comes first, or too many
// wait, or its time is over before the node looks at it, it waits for a block and signs
// again: a node refuses so only what stands in no block and never will. That is the node's
// word; one that lies could have the payload take effect as often as it is signed. The
// network is the one that the node tells of, unless Only has named one.
func (c *Client) SubmitPayload(ctx context.Context, key ed25519.PrivateKey, p curation.Payload) (Receipt, error) {
	n, err := c.Network(ctx)
	if err != nil {
		return Receipt{}, err
	}
	if c.only != (curation.Hash{}) && n.Chain != c.only {
		return Receipt{}, fmt.Errorf("the node tells of network %v, and this is for network %v: nothing is signed, ask another node", n.Chain, c.only)
	}
	account := curation.AddressOf(key.Public().(ed25519.PublicKey))
	for try := 1; ; try++ {
		a, err := c.Account(ctx, account)
		if err != nil {
			return Receipt{}, err
		}
		tx, err := curation.Sign(key, n.Chain, curation.Body{Nonce: a.Nonce, ValidUntil: n.Height + validBlocks, Payload: p})
		if err != nil {
			return Receipt{}, err
		}
		r, err := c.Submit(ctx, tx)
		var refused *Problem
		if !errors.As(err, &refused) || !slices.Contains(signAgain, refused.Code) || try == nonceTries {
			return r, err
		}
		// The account's other transaction is in a block, or will be with the next one;
		// and a block makes room.
		if n, err = c.after(ctx, n.Height); err != nil {
			return Receipt{}, err
		}
	}
}

// after waits for a block above the given height and returns the network then.
func (c *Client) after(ctx context.Context, height uint64) (Network, error) {
	for h, err := range c.Events(ctx, height+1) {
		if err != nil {
			return Network{}, err
		}
		if h.Block != nil {
			break
		}
	}
	return c.Network(ctx)
}

// SealOrder encrypts an order to the network's committee for a round, so that
// nobody reads it before the round's backing phase is over. escrow is what the
// ledger locks and shows; it is at least the order's deposit.
func (n Network) SealOrder(rand io.Reader, round uint64, o curation.OpenOrder, escrow curve.Amount) (curation.SealedOrder, error) {
	if n.Committee == nil {
		return curation.SealedOrder{}, problem(409, CodeName(curation.CodeWrongPhase), "the network has no keys yet, its ceremony is in phase %s: wait until it is active", n.Ceremony.Phase)
	}
	if escrow.Less(o.Deposit) {
		return curation.SealedOrder{}, fmt.Errorf("escrow of %s is less than the deposit of %s: it has to hold it", escrow.InCredits(), o.Deposit.InCredits())
	}
	x, err := n.Committee.Key()
	if err != nil {
		return curation.SealedOrder{}, err
	}
	box, err := seal.Encrypt(rand, x, curation.OrderLabel(n.Chain, round).Hash(), o.Bytes())
	if err != nil {
		return curation.SealedOrder{}, err
	}
	return curation.SealedOrder{Round: round, Escrow: escrow, Box: box.Bytes()}, nil
}
