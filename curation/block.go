package curation

// Address names an account by its ed25519 public key (RFC 8032, 32 bytes).
type Address [32]byte

// Block is what consensus agreed on and the machine executes: the height, from
// 1, and the transactions in their final order. It carries no clock: every
// deadline of the ledger is a height.
type Block struct {
	Height uint64
	Txs    [][]byte
}

// TxResult says what became of the transaction of the same index in the block.
// A refused transaction still pays its fee, or what the signer has of it, changes
// nothing else, and is remembered by its nonce.
type TxResult struct {
	Code   Code    // CodeOK, or the class of the refusal
	Log    string  // the refusal in words, empty when accepted
	Events []Event // empty when refused
}

// Code classifies a refused transaction, so that a client can say what to do next.
type Code uint32

// The classes of refusal. The numbers are part of the ledger's results and
// never change meaning.
const (
	CodeOK         Code = 0
	CodeMalformed  Code = 1  // bytes that do not decode, or decode to something impossible
	CodeSignature  Code = 2  // signature or genesis hash do not match
	CodeNonce      Code = 3  // nonce already used, or ahead of the account's
	CodeExpired    Code = 4  // valid_until_height has passed
	CodeFunds      Code = 5  // the balance does not cover amount and fee
	CodeNotMember  Code = 6  // only a member of the committee may send this kind
	CodeWrongPhase Code = 7  // the ceremony, request or round is not in the phase for this
	CodeUnknown    Code = 8  // refers to a record that the ledger does not hold
	CodeProof      Code = 9  // a cryptographic proof or certificate does not verify
	CodeLimit      Code = 10 // a limit of the ledger or of the sender's own order is passed
	CodeDuplicate  Code = 11 // the ledger already holds this
	CodeBusy       Code = 12 // too much waits for a block; never the outcome of one
)

// Event is one line of the audit log: a fact, with its attributes in a fixed
// order. Kind is "module.fact", for example "artwork.registered".
type Event struct {
	Kind       string
	Attributes []Attribute
}

// Attribute is a named value of an event. Binary values are lower-case hex,
// amounts are decimal base units, CIDs and addresses their text forms.
type Attribute struct{ Key, Value string }

// Get returns the value of the first attribute called key, or "".
func (e Event) Get(key string) string {
	for _, a := range e.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// Change is one write to the flat key-value state; a nil Value deletes the key.
type Change struct{ Key, Value []byte }

// Validator is a member's weight in consensus from two blocks on; power 0 removes it.
type Validator struct {
	PublicKey [32]byte // ed25519
	Power     int64
}

// Outcome is everything that executing a block produced. It is not visible to
// queries until the machine's Commit.
type Outcome struct {
	Results    []TxResult  // one per transaction of the block
	Events     []Event     // facts that follow from the height alone, such as a phase that ended
	Validators []Validator // changes of the validator set
	AppHash    [32]byte    // hash of the whole state after the block
	Changes    []Change    // sorted by key, one per key
}
