package member

import (
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

var (
	// ErrNotYet refuses a reader whose request has not come as far on our copy of
	// the ledger. Asking again a block later may succeed.
	ErrNotYet = errors.New("not yet on this member's ledger")
	// ErrNotApproved refuses a request without a certificate.
	ErrNotApproved = errors.New("request is not approved")
	// ErrNotDrawn refuses a reader that the seed did not draw for this turn.
	ErrNotDrawn = errors.New("not the drawn reader")
	// ErrExpired refuses a request whose expiry height has passed.
	ErrExpired = errors.New("request has expired")
	// ErrEpoch refuses a request of a committee of which this member holds no share.
	ErrEpoch = errors.New("request belongs to another committee epoch")
	// ErrReleased refuses a second reader key for what was released already.
	ErrReleased = errors.New("already released under another reader key")
	// ErrAnswered refuses a reader that has had its answer often enough. It was the same
	// every time.
	ErrAnswered = errors.New("answered often enough")
	// ErrBusy refuses a member that asks too much. Its text says when to ask again.
	ErrBusy = errors.New("asked too often")
	// ErrUnsigned reports an answer without the signature of the member that gave it.
	ErrUnsigned = errors.New("the answer has no good signature")
)

// A reader asks each member once in RetryBlocks for each of its jobs until it has what
// it needs. The limits leave room for answers that are lost and for a ledger behind
// ours, and keep a member that asks without end from using up the others.
const (
	MaxAnswers = 32  // of one request, role and reader
	MaxAsks    = 512 // of one member in AskSpan blocks
	AskSpan    = RetryBlocks
)

type releaseKey struct {
	rid    curation.Hash
	role   seal.Role
	member uint32 // the reader
}

// release is what was released to one reader of a request in one role.
type release struct {
	r         [32]byte // the reader's key
	share     []byte   // nil when an earlier run released it
	signature [64]byte
	answers   int // of this run
}

// signed takes an answer apart into share and signature.
func signed(answer []byte) (share []byte, signature [64]byte, ok bool) {
	if len(answer) < len(signature) {
		return nil, signature, false
	}
	return answer[len(signature):], [64]byte(answer), true
}

// answer decides about a share that another member asks for. What was answered once
// is repeated to the byte: a reader that asks again learns nothing new.
func (m *Machine) answer(l curation.View, e ReleaseAsked) {
	r, err := m.answerTo(l, e)
	if err != nil {
		m.do(Answer{Ticket: e.Ticket, Err: err})
		return
	}
	m.do(Answer{Ticket: e.Ticket, Share: append(slices.Clone(r.signature[:]), r.share...)})
}

func (m *Machine) answerTo(l curation.View, e ReleaseAsked) (*release, error) {
	if len(m.seats) == 0 {
		return nil, fmt.Errorf("no share here: %w", ErrNotYet)
	}
	p, ok := l.MemberOf(e.From)
	if !ok {
		return nil, fmt.Errorf("%v is not a member: %w", e.From, ErrNotDrawn)
	}
	if l.Height() >= m.asksFrom+AskSpan {
		clear(m.asks)
		m.asksFrom = l.Height()
	}
	if m.asks[p.Index]++; m.asks[p.Index] > MaxAsks {
		return nil, fmt.Errorf("member %d asked %d times since height %d: ask again from height %d on: %w", p.Index, MaxAsks, m.asksFrom, m.asksFrom+AskSpan, ErrBusy)
	}
	r, err := m.release(l, p.Index, e.RID, e.Role)
	if err != nil {
		return nil, err
	}
	if r.answers++; r.answers > MaxAnswers {
		return nil, fmt.Errorf("member %d had %d answers as %v of %v: %w", p.Index, MaxAnswers, e.Role, e.RID, ErrAnswered)
	}
	return r, nil
}

// release makes our share for a reader if, and only if, our own copy of the ledger
// says so: the request is certified under the committee's key, has not expired, is
// of our epoch, and this reader, with the prekey that the certificate binds, is the
// one whom the seed draws for the role at this height. The first time it asks for an
// entry in the journal, which must be durable before the share leaves. It checks the
// share before it signs it, because whoever has a wrong one with our signature has
// evidence against us.
func (m *Machine) release(l curation.View, reader uint32, rid curation.Hash, role seal.Role) (*release, error) {
	a, waits, ok := openingOf(l, rid)
	switch {
	case !ok:
		return nil, fmt.Errorf("request %v at height %d: %w", rid, l.Height(), ErrNotYet)
	case m.seats[a.Epoch] == nil:
		return nil, fmt.Errorf("request of epoch %d: %w", a.Epoch, ErrEpoch)
	case waits:
		return nil, fmt.Errorf("request %v: %w: %w", rid, ErrNotApproved, ErrNotYet)
	}
	if err := turn(l, rid, reader, role); err != nil {
		return nil, err
	}
	if l.Height() >= a.Expiry {
		return nil, fmt.Errorf("request %v expired at height %d, now %d: %w", rid, a.Expiry, l.Height(), ErrExpired)
	}
	table := a.Readers()
	r, ok := table.Lookup(reader)
	if !ok {
		return nil, fmt.Errorf("member %d had no prekey: %w", reader, ErrNotDrawn)
	}
	key := releaseKey{rid, role, reader}
	before := m.released[key]
	switch {
	case before != nil && before.r != r:
		return nil, ErrReleased
	case before != nil && before.share != nil:
		return before, nil
	}
	cert, err := m.certificate(a)
	if err != nil {
		return nil, err
	}
	of, err := m.layers(l, a)
	if err != nil {
		return nil, err
	}
	s, to := m.seats[a.Epoch], seal.Reader{Member: reader, Role: role, Prekeys: table}
	share, err := seal.ReleaseShare(m.rand, s.key, s.committee, of, cert, to)
	if err != nil {
		return nil, err
	}
	if _, err := seal.VerifyRelease(s.committee, of, cert, to, share); err != nil {
		return nil, fmt.Errorf("our own share came out wrong, which is a fault of this machine: %w", err)
	}
	if before == nil {
		before = &release{r: r}
		m.released[key] = before
		m.do(Journal{Entry: Entry{Height: l.Height(), RID: rid, Role: role, Member: reader, R: r, Context: cert.Context()}})
	}
	before.share, before.signature = share, curation.SignRelease(m.secrets.Identity, cert.Context(), role, reader, share)
	return before, nil
}

// turn says whether it is the reader's turn in the role.
func turn(l curation.View, rid curation.Hash, reader uint32, role seal.Role) error {
	if t, ok := l.TrainingOf(rid); ok {
		if role == seal.Trainer && t.MayOpen(reader, l.Height()+1) {
			return nil
		}
		return fmt.Errorf("member %d as %v of training %d (%s): %w", reader, role, t.Plan.Number, t.Status, ErrNotDrawn)
	}
	a, _ := l.Artwork(rid)
	var drawn uint32
	switch {
	case a.Status == curation.StatusExpired:
		return fmt.Errorf("request %v: %w", a.RID, ErrExpired)
	case role == seal.Generator && a.Status == curation.StatusApproved:
		drawn, _ = a.GeneratorAt(l.Params(), l.Height()+1)
	case role == seal.Auditor && a.Status == curation.StatusRegistered:
		drawn, _ = a.AuditorAt(l.Params(), l.Height()+1)
	case role == seal.Auditor && a.Status == curation.StatusApproved:
		return fmt.Errorf("request %v is not registered: %w", a.RID, ErrNotYet)
	}
	if drawn == 0 || drawn != reader {
		return fmt.Errorf("member %d as %v of %v (status %s): %w", reader, role, a.RID, a.Status, ErrNotDrawn)
	}
	return nil
}

// certificate verifies what the ledger holds for a request under our own reading
// of its statement.
func (m *Machine) certificate(a curation.Opening) (quorum.VerifiedCertificate, error) {
	if len(a.Certificate) != quorum.SignatureSize {
		return quorum.VerifiedCertificate{}, ErrNotApproved
	}
	return quorum.Verify(m.seats[a.Epoch].committee, curation.StatementFor(m.chain, a), quorum.Signature(a.Certificate))
}

// layers are the ciphertexts of all layers of an opening's model.
func (m *Machine) layers(l curation.View, a curation.Opening) (seal.Layers, error) {
	return curation.Ciphertexts(m.chain, m.seats[a.Epoch].committee.X(), l.Layers(a.KeyEpoch))
}
