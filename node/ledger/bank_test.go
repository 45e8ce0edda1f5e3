package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"sync"

	"github.com/atelier-dao/atelier/curation"
)

// bank is a small application with accounts, sequential nonces and signatures,
// and, for the bare comparison, unsigned writes of a key. Its hash is the sum
// of the hashes of its entries, so it is kept up with few changes and checked
// against the whole state.
type bank struct {
	mu      sync.RWMutex // guards the fields below
	entries map[string][]byte
	sum     *big.Int
	height  uint64
	next    *bankBlock
	nonces  map[string]uint64 // of the pool
	// hooks of single tests, set before use
	refuse    func(tx []byte) bool // Prepare leaves it out
	onCheck   func()
	onExecute func(height uint64) error
}

type bankBlock struct {
	height  uint64
	writes  map[string][]byte
	sum     *big.Int
	results []curation.TxResult
	updates []curation.Validator
}

// bankGenesis is the genesis document of a bank.
type bankGenesis struct {
	Validators []string          `json:"validators"`
	Balances   map[string]uint64 `json:"balances"`
}

const (
	transferBytes = 1 + 32 + 8 + 32 + 8
	signedBytes   = transferBytes + ed25519.SignatureSize
)

// transfer signs a payment of one account to another.
func transfer(from ed25519.PrivateKey, nonce uint64, to []byte, amount uint64) []byte {
	tx := append([]byte{'t'}, from.Public().(ed25519.PublicKey)...)
	tx = binary.BigEndian.AppendUint64(tx, nonce)
	tx = append(tx, to[:32]...)
	tx = binary.BigEndian.AppendUint64(tx, amount)
	return append(tx, ed25519.Sign(from, tx)...)
}

// write is an unsigned write of a key.
func write(key, value string) []byte { return []byte("k" + key + "=" + value) }

// empower makes a key a validator of the given power.
func empower(key []byte, power byte) []byte { return append(append([]byte{'v'}, key...), power) }

func newBank() *bank {
	return &bank{entries: map[string][]byte{}, sum: new(big.Int), nonces: map[string]uint64{}}
}

var modulus = new(big.Int).Lsh(big.NewInt(1), 256)

func entryHash(key string, value []byte) *big.Int {
	b := binary.BigEndian.AppendUint64(nil, uint64(len(key)))
	b = append(append(b, key...), value...)
	h := sha256.Sum256(b)
	return new(big.Int).SetBytes(h[:])
}

func hashOf(sum *big.Int) (out [32]byte) {
	sum.FillBytes(out[:])
	return sha256.Sum256(out[:])
}

func (b *bank) Genesis(doc []byte) (curation.Outcome, error) {
	var g bankGenesis
	if err := json.Unmarshal(doc, &g); err != nil {
		return curation.Outcome{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var out curation.Outcome
	for _, v := range g.Validators {
		k, err := hex.DecodeString(v)
		if err != nil || len(k) != 32 {
			return curation.Outcome{}, fmt.Errorf("validator %q", v)
		}
		out.Validators = append(out.Validators, curation.Validator{PublicKey: [32]byte(k), Power: 1})
	}
	for account, balance := range g.Balances {
		k, err := hex.DecodeString(account)
		if err != nil || len(k) != 32 {
			return curation.Outcome{}, fmt.Errorf("account %q", account)
		}
		v := accountValue(balance, 0)
		b.entries["a"+string(k)] = v
		b.sum.Add(b.sum, entryHash("a"+string(k), v)).Mod(b.sum, modulus)
	}
	for _, k := range slices.Sorted(maps.Keys(b.entries)) {
		out.Changes = append(out.Changes, curation.Change{Key: []byte(k), Value: b.entries[k]})
	}
	out.AppHash = hashOf(b.sum)
	return out, nil
}

func (b *bank) Load(height uint64, appHash [32]byte, entries iter.Seq2[[]byte, []byte]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, v := range entries {
		b.entries[string(k)] = bytes.Clone(v)
		b.sum.Add(b.sum, entryHash(string(k), v)).Mod(b.sum, modulus)
	}
	b.height = height
	if got := hashOf(b.sum); got != appHash {
		return fmt.Errorf("state hashes to %x, want %x", got, appHash)
	}
	return nil
}

func accountValue(balance, nonce uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, balance), nonce)
}

func account(v []byte) (balance, nonce uint64) {
	if len(v) != 16 {
		return 0, 0
	}
	return binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])
}

func wellFormed(tx []byte) bool {
	switch {
	case len(tx) == signedBytes && tx[0] == 't':
		return ed25519.Verify(ed25519.PublicKey(tx[1:33]), tx[:transferBytes], tx[transferBytes:])
	case len(tx) == 34 && tx[0] == 'v':
		return true
	case len(tx) > 2 && tx[0] == 'k':
		return bytes.IndexByte(tx, '=') > 0
	}
	return false
}

func refused(code curation.Code, format string, args ...any) curation.TxResult {
	return curation.TxResult{Code: code, Log: fmt.Sprintf(format, args...)}
}

func (b *bank) Check(tx []byte) curation.TxResult {
	if b.onCheck != nil {
		b.onCheck()
	}
	if !wellFormed(tx) {
		return refused(curation.CodeMalformed, "malformed")
	}
	if tx[0] != 't' {
		return curation.TxResult{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	from := "a" + string(tx[1:33])
	_, next := account(b.entries[from])
	want := max(next, b.nonces[from]) // those between wait for a block, and may be offered again
	nonce := binary.BigEndian.Uint64(tx[33:])
	if nonce < next || nonce > want {
		return refused(curation.CodeNonce, "nonce %d, want %d", nonce, want)
	}
	b.nonces[from] = max(want, nonce+1)
	return curation.TxResult{}
}

func (b *bank) Prepare(_ uint64, txs [][]byte, _ int64) [][]byte {
	var out [][]byte
	for _, tx := range txs {
		if wellFormed(tx) && (b.refuse == nil || !b.refuse(tx)) {
			out = append(out, tx)
		}
	}
	slices.SortStableFunc(out, func(x, y []byte) int { // an account's in the order of its nonces
		if len(x) != signedBytes || len(y) != signedBytes {
			return len(x) - len(y)
		}
		return bytes.Compare(x[:41], y[:41])
	})
	return out
}

func (b *bank) Process(block curation.Block) bool {
	for _, tx := range block.Txs {
		if !wellFormed(tx) {
			return false
		}
	}
	return true
}

func (b *bank) Execute(block curation.Block) (curation.Outcome, error) {
	if b.onExecute != nil {
		if err := b.onExecute(block.Height); err != nil {
			return curation.Outcome{}, err
		}
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if block.Height != b.height+1 {
		return curation.Outcome{}, fmt.Errorf("block %d on height %d", block.Height, b.height)
	}
	n := &bankBlock{height: block.Height, writes: map[string][]byte{}, sum: new(big.Int).Set(b.sum)}
	for _, tx := range block.Txs {
		n.results = append(n.results, b.apply(n, tx))
	}
	b.next = n
	out := curation.Outcome{
		Results:    n.results,
		Validators: n.updates,
		Events:     []curation.Event{{Kind: "bank.block", Attributes: []curation.Attribute{{Key: "height", Value: fmt.Sprint(block.Height)}}}},
		AppHash:    hashOf(n.sum),
	}
	for _, k := range slices.Sorted(maps.Keys(n.writes)) {
		out.Changes = append(out.Changes, curation.Change{Key: []byte(k), Value: n.writes[k]})
	}
	return out, nil
}

func (b *bank) get(n *bankBlock, key string) []byte {
	if v, ok := n.writes[key]; ok {
		return v
	}
	return b.entries[key]
}

func (b *bank) put(n *bankBlock, key string, value []byte) {
	if old := b.get(n, key); old != nil {
		n.sum.Sub(n.sum, entryHash(key, old))
	}
	n.sum.Add(n.sum, entryHash(key, value)).Mod(n.sum, modulus)
	n.writes[key] = value
}

func (b *bank) apply(n *bankBlock, tx []byte) curation.TxResult {
	if len(tx) > 0 && tx[0] == 'k' {
		k, v, _ := bytes.Cut(tx, []byte{'='})
		b.put(n, string(k), bytes.Clone(v))
		return curation.TxResult{}
	}
	if len(tx) == 34 && tx[0] == 'v' {
		n.updates = append(n.updates, curation.Validator{PublicKey: [32]byte(tx[1:33]), Power: int64(tx[33])})
		return curation.TxResult{}
	}
	if !wellFormed(tx) {
		return refused(curation.CodeMalformed, "malformed")
	}
	from, to := "a"+string(tx[1:33]), "a"+string(tx[41:73])
	balance, nonce := account(b.get(n, from))
	amount := binary.BigEndian.Uint64(tx[73:])
	if got := binary.BigEndian.Uint64(tx[33:]); got != nonce {
		return refused(curation.CodeNonce, "nonce %d, want %d", got, nonce)
	}
	if amount > balance {
		b.put(n, from, accountValue(balance, nonce+1))
		return refused(curation.CodeFunds, "balance %d, amount %d", balance, amount)
	}
	b.put(n, from, accountValue(balance-amount, nonce+1))
	others, theirs := account(b.get(n, to))
	b.put(n, to, accountValue(others+amount, theirs))
	return curation.TxResult{Events: []curation.Event{{Kind: "bank.paid", Attributes: []curation.Attribute{{Key: "amount", Value: fmt.Sprint(amount)}}}}}
}

func (b *bank) Commit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.entries, b.next.writes)
	b.sum, b.height, b.next = b.next.sum, b.next.height, nil
}

func (b *bank) balance(k []byte) uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	balance, _ := account(b.entries["a"+string(k)])
	return balance
}
