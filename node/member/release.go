package member

import (
	"errors"
	"fmt"

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
)

// answer decides about a share that another member asks for.
func (m *Machine) answer(l curation.View, e ReleaseAsked) {
	share, entry, err := m.release(l, e)
	if err != nil {
		m.do(Answer{Ticket: e.Ticket, Err: err})
		return
	}
	if entry != nil {
		m.do(Journal{Entry: *entry})
	}
	m.do(Answer{Ticket: e.Ticket, Share: share})
}

// release makes our share for a reader if, and only if, our own copy of the ledger
// says so: the request is certified under the committee's key, has not expired, is
// of our epoch, and this reader, with the prekey that the certificate binds, is the
// one whom the seed draws for the role at this height. The entry, when there is
// one, must be durable before the share leaves.
func (m *Machine) release(l curation.View, e ReleaseAsked) ([]byte, *Entry, error) {
	if len(m.seats) == 0 {
		return nil, nil, fmt.Errorf("no share here: %w", ErrNotYet)
	}
	p, ok := l.MemberOf(e.From)
	if !ok {
		return nil, nil, fmt.Errorf("%v is not a member: %w", e.From, ErrNotDrawn)
	}
	reader := p.Index
	a, ok := l.Artwork(e.RID)
	if !ok {
		return nil, nil, fmt.Errorf("request %v at height %d: %w", e.RID, l.Height(), ErrNotYet)
	}
	if err := m.turn(l, a, reader, e.Role); err != nil {
		return nil, nil, err
	}
	v, err := m.certificate(a)
	if err != nil {
		return nil, nil, err
	}
	if l.Height() >= v.Statement().Expiry {
		return nil, nil, fmt.Errorf("request %v expired at height %d, now %d: %w", e.RID, v.Statement().Expiry, l.Height(), ErrExpired)
	}
	table := a.Readers()
	r, ok := table.Lookup(reader)
	if !ok {
		return nil, nil, fmt.Errorf("member %d had no prekey: %w", reader, ErrNotDrawn)
	}
	key := releaseKey{e.RID, e.Role, reader}
	old, before := m.released[key]
	if before && old != r {
		return nil, nil, ErrReleased
	}
	ct, err := m.ciphertext(l, a)
	if err != nil {
		return nil, nil, err
	}
	s := m.seats[a.Epoch]
	share, err := seal.ReleaseShare(m.rand, s.key, s.committee, ct, v, seal.Reader{Member: reader, Role: e.Role, Prekeys: table})
	if err != nil {
		return nil, nil, err
	}
	if before {
		return share, nil, nil
	}
	m.released[key] = r
	return share, &Entry{Height: l.Height(), RID: e.RID, Role: e.Role, Member: reader, R: r, Context: v.Context()}, nil
}

// turn says whether it is the reader's turn in the role.
func (m *Machine) turn(l curation.View, a curation.Artwork, reader uint32, role seal.Role) error {
	if m.seats[a.Epoch] == nil {
		return fmt.Errorf("request of epoch %d: %w", a.Epoch, ErrEpoch)
	}
	var drawn uint32
	switch {
	case a.Status == curation.StatusRequested:
		return fmt.Errorf("request %v: %w: %w", a.RID, ErrNotApproved, ErrNotYet)
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
func (m *Machine) certificate(a curation.Artwork) (quorum.VerifiedCertificate, error) {
	if len(a.Certificate) != quorum.SignatureSize {
		return quorum.VerifiedCertificate{}, ErrNotApproved
	}
	return quorum.Verify(m.seats[a.Epoch].committee, curation.StatementFor(m.chain, a), quorum.Signature(a.Certificate))
}

func (m *Machine) ciphertext(l curation.View, a curation.Artwork) (*seal.Ciphertext, error) {
	model, ok := l.ModelAt(a.KeyEpoch)
	if !ok {
		return nil, fmt.Errorf("model %v: %w", a.ModelID, ErrNotYet)
	}
	return seal.ParseCiphertext(model.Ciphertext)
}
