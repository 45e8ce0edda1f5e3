package dkg

import "github.com/atelier-dao/atelier/shamir"

// Memory keeps what logs have verified, so that those who try many courses of the same
// ceremony on clones verify a message once: whether it holds depends on ceremony,
// sender and bytes alone, and those or a hash of them are the key. It keeps nothing
// that was refused, judges no dispute, and grows as long as it is used. It is not safe
// for concurrent use. A log without one verifies everything itself.
type Memory struct {
	bundles    map[[32]byte]*bundle          // by commitHash, which the id of the ceremony is in
	parts      map[string]*shamir.Commitment // by group and bytes
	proofs     map[argued]bool
	acks       map[proven]bool
	committees map[string]*Committee // by the ceremony's id and commitHash of each dealer
}

// proven is an acknowledgement with its context, which fixes sender and committee.
type proven struct {
	ctx string
	ack ack
}

// argued is what a dealer says about both keys, with the proofs of these.
type argued struct {
	id     [32]byte
	dealer uint32
	said   string
}

// NewMemory is empty.
func NewMemory() *Memory {
	return &Memory{map[[32]byte]*bundle{}, map[string]*shamir.Commitment{}, map[argued]bool{}, map[proven]bool{}, map[string]*Committee{}}
}

// Remember has the log, and what is cloned from it from now on, use the memory.
func (l *Log) Remember(m *Memory) { l.memory = m }

// bundle is what check gives, by memory. The caller has compared the body's hash with
// what was committed.
func (m *Memory) bundle(h [32]byte, check func() (*bundle, error)) (*bundle, error) {
	if m == nil {
		return check()
	}
	if b := m.bundles[h]; b != nil {
		return b, nil
	}
	b, err := check()
	if err == nil {
		m.bundles[h] = b
	}
	return b, err
}

// commitment is what the bytes decode to.
func (m *Memory) commitment(g shamir.Group, t int, b []byte) (*shamir.Commitment, error) {
	if m == nil {
		return shamir.DecodeCommitment(g, t, b)
	}
	key := g.String() + string(b) // whose length fixes t
	if c := m.parts[key]; c != nil {
		return c, nil
	}
	c, err := shamir.DecodeCommitment(g, t, b)
	if err == nil {
		m.parts[key] = c
	}
	return c, err
}

// prove is what check says of the proofs of both keys, which say nothing of the deals:
// dealers who try other deals under the same commitments prove the same. said holds all
// that they are about, and they.
func (m *Memory) prove(id [32]byte, dealer uint32, said []byte, check func() error) error {
	if m == nil {
		return check()
	}
	key := argued{id, dealer, string(said)}
	if m.proofs[key] {
		return nil
	}
	err := check()
	if err == nil {
		m.proofs[key] = true
	}
	return err
}

func (m *Memory) ack(ctx []byte, a ack, check func() error) error {
	if m == nil {
		return check()
	}
	key := proven{string(ctx), a}
	if m.acks[key] {
		return nil
	}
	err := check()
	if err == nil {
		m.acks[key] = true
	}
	return err
}

// committee is what the commitments of the dealers combine to. The hash of a bundle
// names the ceremony too.
func (m *Memory) committee(l *Log, dealers []uint32, combine func() (*Committee, error)) (*Committee, error) {
	if m == nil {
		return combine()
	}
	key := append([]byte(nil), l.id[:]...)
	for _, dealer := range dealers {
		h := commitHash(l.id, dealer, l.dealings[dealer-1].body)
		key = append(key, h[:]...)
	}
	if c := m.committees[string(key)]; c != nil {
		return c, nil
	}
	c, err := combine()
	if err == nil {
		m.committees[string(key)] = c
	}
	return c, err
}
