package curation

import (
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// ErrState reports a state that is not the one that consensus agreed on.
var ErrState = errors.New("state does not match the agreed hash")

// Machine is the co-owned state machine: everything the ledger decides. It is a
// pure function of the genesis document and the blocks; see the package comment
// for its rules.
//
// The driver calls Genesis or Load once, before everything else. It serializes
// Prepare, Process, Execute and Commit among themselves. Check and View may run
// at the same time as any of them: they see the state as of the last Commit,
// which waits for the views in progress.
type Machine struct {
	mu        sync.RWMutex // guards the fields below; Execute writes only pending
	store     *state.Store
	height    uint64
	chain     Hash
	genesis   Genesis
	supply    Amount
	byAccount map[Address]uint32 // numbers of the members who have not left
	log       *dkg.Log           // of the current or last ceremony, decoded
	sum       *secagg.Round      // of the last training that came so far, decoded; nil before. Never written to
	committee *shamir.Committee  // in force; nil before the first ceremony ends

	transcripts transcripts // of the guardians' sharings, decoded

	committees sync.Map // epoch → *shamir.Committee: what was decoded of the records

	exec    sync.Mutex // serializes Execute and Commit, guards pending
	pending *pending   // what Execute has computed and Commit will apply

	verified  signatureCache
	waiting   admission
	overheard overheard
}

// pending is the outcome of a block on its way to Commit.
type pending struct {
	height    uint64
	staged    *state.Staged
	log       *dkg.Log
	sum       *secagg.Round
	committee *shamir.Committee
	regrouped bool // members came, went or changed
}

// NewMachine returns a machine without a state.
func NewMachine() *Machine { return &Machine{} }

// Genesis founds the ledger from the document, at height 0, and makes its state
// visible. The outcome holds the whole state and the whole validator set.
func (m *Machine) Genesis(doc []byte) (Outcome, error) {
	g, err := ParseGenesis(doc)
	if err != nil {
		return Outcome{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.store != nil {
		return Outcome{}, errors.New("the machine has a state already")
	}
	store := state.New(state.DefaultBits, modules...)
	o := state.NewOverlay(store)
	o.Set(keyGenesis, doc)
	save(o, keyTreasury, Treasury{})
	save(o, keyMembers, uint64(len(g.Members)))
	outcome, seats := Outcome{}, Seats{}
	for _, b := range g.Balances {
		save(o, keyAccount(b.Account), Account{Address: b.Account, Balance: b.Amount})
	}
	for _, member := range g.Members {
		save(o, keyMember(member.Index), Member{Index: member.Index, Name: member.Name, Account: member.Account,
			Validator: member.Validator, DealKey: member.DealKey, Power: member.Power, Standing: StandingActive, Seat: member.Index})
		save(o, indexMember(member.Account), uint64(member.Index))
		seats = append(seats, member.Index)
		outcome.Validators = append(outcome.Validators, Validator{PublicKey: member.Validator, Power: member.Power})
	}
	if _, err := openCeremony(o, CeremonyParams(GenesisHash(doc), g, 0), ceremonyState{Epoch: firstEpoch, Seats: seats}, 1); err != nil {
		return Outcome{}, fmt.Errorf("%w: %w", ErrGenesis, err)
	}
	changes := o.Changes()
	store.Apply(store.Stage(changes))
	outcome.AppHash = store.Hash()
	for _, c := range changes {
		outcome.Changes = append(outcome.Changes, Change(c))
	}
	return outcome, m.adopt(store, 0)
}

// Load rebuilds the state as of height from all its entries, in ascending order
// of keys, and fails with ErrState when it does not hash to appHash.
func (m *Machine) Load(height uint64, appHash [32]byte, entries iter.Seq2[[]byte, []byte]) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.store != nil {
		return errors.New("the machine has a state already")
	}
	store := state.New(state.DefaultBits, modules...)
	if err := store.Load(entries); err != nil {
		return err
	}
	if have := store.Hash(); have != appHash {
		return fmt.Errorf("%w: height %d hashes to %x, want %x", ErrState, height, have, appHash)
	}
	return m.adopt(store, height)
}

// adopt makes store the machine's state and decodes what is kept decoded.
func (m *Machine) adopt(store *state.Store, height uint64) error {
	doc, ok := store.Get(keyGenesis)
	if !ok {
		return fmt.Errorf("%w: it holds no genesis document", ErrState)
	}
	g, err := ParseGenesis(doc)
	if err != nil {
		return err
	}
	supply, err := g.Supply()
	if err != nil {
		return err
	}
	ceremony, ok := load[ceremonyState](store, keyCeremony)
	if !ok {
		return fmt.Errorf("%w: it holds no ceremony", ErrState)
	}
	log, err := ceremonyLog(store, ceremony.Epoch)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	var committee *shamir.Committee
	if record, ok := committeeInForce(store); ok {
		if committee, err = shamir.UnmarshalCommittee(record.Encoded); err != nil {
			return fmt.Errorf("%w: %w", ErrState, err)
		}
	}
	sum, err := trainingRound(store)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	m.store, m.height, m.chain, m.genesis, m.supply = store, height, GenesisHash(doc), g, supply
	m.log, m.sum, m.committee = log, sum, committee
	m.group()
	return nil
}

// group sets byAccount from the state.
func (m *Machine) group() {
	m.byAccount = map[Address]uint32{}
	for _, member := range records[Member](m.store, []byte("member/")) {
		if member.Standing != StandingLeft {
			m.byAccount[member.Account] = member.Index
		}
	}
}

// Execute computes what the block does to the state and to everybody in it. A
// bad transaction is a result, never an error. The block must be the next one;
// executing it again, or another one in its place, before Commit starts over.
func (m *Machine) Execute(block Block) (Outcome, error) {
	m.exec.Lock()
	defer m.exec.Unlock()
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.store == nil {
		return Outcome{}, errors.New("the machine has no state")
	}
	if block.Height != m.height+1 {
		return Outcome{}, fmt.Errorf("block %d does not follow %d", block.Height, m.height)
	}
	x := m.begin(block.Height)
	outcome := Outcome{Results: make([]TxResult, len(block.Txs))}
	for i, raw := range block.Txs {
		outcome.Results[i] = x.deliver(raw, i)
	}
	outcome.Events, outcome.Validators = x.endBlock(), x.validators
	changes := x.block.Changes()
	staged := m.store.Stage(changes)
	for _, c := range changes {
		outcome.Changes = append(outcome.Changes, Change(c))
	}
	outcome.AppHash = staged.Hash()
	m.pending = &pending{height: block.Height, staged: staged, log: x.log, sum: x.sum, committee: x.committee, regrouped: x.regrouped}
	return outcome, nil
}

// Commit makes the block executed last the state that everybody sees. Without
// one it does nothing.
func (m *Machine) Commit() {
	m.exec.Lock()
	defer m.exec.Unlock()
	if m.pending == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store.Apply(m.pending.staged)
	m.height, m.log, m.sum, m.committee = m.pending.height, m.pending.log, m.pending.sum, m.pending.committee
	if m.pending.regrouped {
		m.group()
	}
	m.pending = nil
	m.committees.Range(func(epoch, _ any) bool {
		if epoch.(uint64)+1 < m.committee.Epoch() { // its record is a summary now
			m.committees.Delete(epoch)
		}
		return true
	})
	m.dismiss()
	m.settleOverheard()
}

// begin prepares the execution of a block on the committed state. The caller
// holds mu.
func (m *Machine) begin(height uint64) *execution {
	block := state.NewOverlay(m.store)
	return &execution{machine: m, height: height, block: block, st: block, log: m.log, sum: m.sum, committee: m.committee,
		treasury: must2(load[Treasury](m.store, keyTreasury)), used: map[uint32]uint64{}, wrong: map[claim]bool{}}
}
