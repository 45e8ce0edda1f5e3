package curation

import (
	"fmt"

	"github.com/atelier-dao/atelier/curation/curve"
)

// OpenOrder is what a sealed order says once it is opened.
type OpenOrder struct {
	Account Address      // who sealed it; a copy sent by another account counts for nothing and costs MinEscrow
	RID     Hash         // the candidate to back
	Deposit curve.Amount // credits to spend, tribute included; at most the escrow
	MinOut  curve.Amount // the least tokens for which to back; below, the order is refunded
}

// wireOrder has one length for all orders: a sealed box must not tell amounts by
// its size.
type wireOrder struct {
	_       struct{} `cbor:",toarray"`
	Account Address
	RID     Hash
	Deposit [16]byte // big endian
	MinOut  [16]byte
}

// Bytes returns the plaintext that a collector seals: deterministic CBOR of
// [account, rid, deposit, minimum] with both amounts as 16 bytes, 103 bytes in
// all.
func (o OpenOrder) Bytes() []byte {
	return encode(wireOrder{Account: o.Account, RID: o.RID, Deposit: wide(o.Deposit), MinOut: wide(o.MinOut)})
}

// ParseOpenOrder reads what Bytes wrote and refuses everything else, and a
// deposit of nothing.
func ParseOpenOrder(data []byte) (OpenOrder, error) {
	var w wireOrder
	if err := decode(data, &w); err != nil {
		return OpenOrder{}, err
	}
	deposit, err := narrow(w.Deposit)
	if err != nil {
		return OpenOrder{}, fmt.Errorf("deposit: %w", err)
	}
	minOut, err := narrow(w.MinOut)
	if err != nil {
		return OpenOrder{}, fmt.Errorf("minimum: %w", err)
	}
	if deposit.IsZero() {
		return OpenOrder{}, fmt.Errorf("order deposits nothing")
	}
	return OpenOrder{Account: w.Account, RID: w.RID, Deposit: deposit, MinOut: minOut}, nil
}

func wide(a curve.Amount) (b [16]byte) {
	digits := a.Bytes()
	copy(b[16-len(digits):], digits)
	return b
}

func narrow(b [16]byte) (curve.Amount, error) {
	i := 0
	for i < len(b) && b[i] == 0 {
		i++
	}
	return curve.AmountFromBytes(b[i:])
}
