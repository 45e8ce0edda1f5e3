package curation

import (
	"encoding/binary"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// ModelID names a model by what it is: hash("model", SHA-256 of the plain file).
// It stays the same when the model is sealed again.
func ModelID(plainHash Hash) Hash { return hash("model", plainHash[:]) }

// PolicyHash names the document under which members release the model's key: the
// charter of the network.
func PolicyHash(c Charter) Hash { return hash("policy", []byte(c.Name), []byte(c.Text)) }

// ModelLabel is the label under which a model's file key is sealed to X. It ties
// the ciphertext to one chain, model, key epoch and policy. The container is not
// in it, because its header carries the ciphertext; it is bound by the model id,
// which names the plain file, and by age's authentication under the file key.
func ModelLabel(chain, modelID Hash, keyEpoch uint64, policyHash Hash, x [32]byte) Hash {
	return shamir.Hash("label", chain[:], modelID[:], number(keyEpoch), policyHash[:], x[:])
}

// LayerLabel is the label under which the key of a layer around a model is sealed to
// X: seal.LayerLabel(ModelLabel(chain, modelID, keyEpoch, policyHash, x), baseLabel,
// baseU), where keyEpoch is the layer's own and the last two are label and U of what
// the layer is around. So label and U of the outermost layer, which certificates name,
// bind all that has to be opened.
func LayerLabel(chain, modelID Hash, keyEpoch uint64, policyHash Hash, x [32]byte, baseLabel, baseU Hash) Hash {
	return seal.LayerLabel(ModelLabel(chain, modelID, keyEpoch, policyHash, x), baseLabel, baseU)
}

// GuardianChain stands for the chain in all that ceremonies of guardians hash, so that
// nothing said there means anything in a ceremony of members.
func GuardianChain(chain Hash) Hash { return shamir.Hash("guardian", chain[:]) }

// OrderLabel is what the orders of a round are sealed under; its Hash is the
// label for seal.Encrypt.
func OrderLabel(chain Hash, round uint64) seal.PublicLabel {
	return seal.PublicLabel{Chain: chain, Purpose: "order", ID: round}
}

// RequestID is the name that the ledger gives a request. Nobody chooses it: it
// depends on the height and position at which the request enters a block.
func RequestID(body Hash, height uint64, index int) Hash {
	return shamir.Hash("rid", body[:], number(height), number(uint64(index)))
}

// Readers is the frozen table of possible readers, as certificates and released shares
// bind it.
func (o Opening) Readers() quorum.Prekeys {
	table := make(quorum.Prekeys, len(o.Prekeys))
	for i, k := range o.Prekeys {
		table[i] = quorum.Prekey{Member: k.Member, Key: k.R}
	}
	return table
}

// StatementFor is what the members certify, and what the ledger verifies their
// certificate against: one function for both.
func StatementFor(chain Hash, o Opening) quorum.Statement {
	return quorum.Statement{
		Chain: chain, Epoch: o.Epoch, RID: o.RID, Body: o.BodyHash,
		Model: o.ModelID, KeyEpoch: o.KeyEpoch, Label: o.Label, U: o.U,
		Prekeys: o.Readers().Digest(), Expiry: o.Expiry,
	}
}

// Draw returns the members in the order that the seed gives: a uniform
// permutation (Fisher and Yates, from the end) whose numbers are the first eight
// bytes of hash("draw", seed, 0), hash("draw", seed, 1), …, taken modulo the
// number of choices and drawn again when they would favour the smaller ones.
func Draw(seed Hash, members []uint32) []uint32 {
	order := slices.Clone(members)
	counter := uint64(0)
	below := func(n uint64) uint64 {
		unbiased := -(-n % n) // the largest multiple of n that fits; 0 means 2^64
		for {
			h := hash("draw", seed[:], number(counter))
			counter++
			if v := binary.BigEndian.Uint64(h[:8]); unbiased == 0 || v < unbiased {
				return v % n
			}
		}
	}
	for i := len(order) - 1; i > 0; i-- {
		j := below(uint64(i) + 1)
		order[i], order[j] = order[j], order[i]
	}
	return order
}

// turn is whose turn it is in block height when turns of the given length began
// with the block after since; the last turn lasts until the deadline.
func turn(since, height, length uint64, players int) (int, bool) {
	if since == 0 || height <= since || players == 0 {
		return 0, false
	}
	return int(min((height-since-1)/length, uint64(players-1))), true
}

// GeneratorAt is the member whose turn it is to generate in the given block, and
// false when the artwork is not waiting for its generator then. Members release
// shares to the one whose turn comes in the next block.
func (a Artwork) GeneratorAt(p Params, height uint64) (uint32, bool) {
	k, ok := turn(a.Approved, height, p.GenerateBlocks, len(a.Order))
	if !ok || a.Registered != 0 && height > a.Registered || height >= a.Expiry {
		return 0, false
	}
	return a.Order[k], true
}

// MayGenerate says whether the ledger would take the member's registration in the
// given block: a turn that has begun does not end before the deadline.
func (a Artwork) MayGenerate(p Params, member uint32, height uint64) bool {
	k, ok := turn(a.Approved, height, p.GenerateBlocks, len(a.Order))
	return ok && height < a.Expiry && slices.Contains(a.Order[:k+1], member)
}

// Auditors are the members who may audit, in the order of their turns: the seed's
// order without the generator.
func (a Artwork) Auditors() []uint32 {
	return slices.DeleteFunc(slices.Clone(a.Order), func(m uint32) bool { return m == a.Generator })
}

// AuditorAt is the member whose turn it is to audit in the given block, and false
// when the artwork is not waiting for its auditor then.
func (a Artwork) AuditorAt(p Params, height uint64) (uint32, bool) {
	auditors := a.Auditors()
	k, ok := turn(a.Registered, height, p.AuditBlocks, len(auditors))
	if !ok || a.Attested != 0 && height > a.Attested || height >= a.Expiry {
		return 0, false
	}
	return auditors[k], true
}

// MayAudit says whether the member may audit in the given block: from its turn on, until
// the artwork expires.
func (a Artwork) MayAudit(p Params, member uint32, height uint64) bool {
	auditors := a.Auditors()
	k, ok := turn(a.Registered, height, p.AuditBlocks, len(auditors))
	return ok && height < a.Expiry && slices.Contains(auditors[:k+1], member)
}
