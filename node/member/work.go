package member

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

type jobKey struct {
	rid  curation.Hash
	role seal.Role
}

// job is what this member opens the artist for: a generation or an audit that the seed
// drew it for, or a training.
type job struct {
	models []curation.Model // the artist and the layers beneath, the outermost first

	committee *shamir.Committee
	cert      quorum.VerifiedCertificate
	layers    seal.Layers
	reader    seal.Reader
	secret    seal.ReaderSecret

	seats     curation.Seats    // of the committee that releases
	own       uint32            // our seat in it
	shares    map[uint32][]byte // verified, by seat
	lied      map[uint32]bool   // members whose shares are wrong: they are not asked again
	rendering bool              // all shares are there: it is drawn, or opened for a training
	dead      bool              // the sealed box opens to nothing: no picture will come of it
	done      *Rendered
}

// work starts, continues and ends this member's jobs.
func (m *Machine) work(l curation.View, open []curation.Artwork) {
	mine := map[jobKey]bool{}
	for _, a := range open {
		role := m.allowed(l, a)
		if role == 0 || m.seats[a.Epoch] == nil {
			continue
		}
		key := jobKey{a.RID, role}
		mine[key] = true
		j := m.jobs[key]
		if j == nil && m.drawn(l, a) != role {
			continue // our turn passed before we began
		}
		if j == nil {
			var err error
			if j, err = m.start(l, a.Opening, role); err != nil {
				m.do(Note{Text: "cannot start", RID: a.RID, Err: err})
				continue
			}
			m.jobs[key] = j
		}
		m.advance(l, key, j)
	}
	for key := range m.jobs {
		if !mine[key] && key.role != seal.Trainer {
			delete(m.jobs, key)
		}
	}
}

// allowed is the role in which the ledger would take this member's work: a turn that
// has begun does not end when the next one begins.
func (m *Machine) allowed(l curation.View, a curation.Artwork) seal.Role {
	switch {
	case a.Status == curation.StatusApproved && a.MayGenerate(l.Params(), m.me.Index, l.Height()+1):
		return seal.Generator
	case a.Status == curation.StatusRegistered && a.MayAudit(l.Params(), m.me.Index, l.Height()+1):
		return seal.Auditor
	}
	return 0
}

// drawn is the role that the seed draws this member for at this height, or 0.
func (m *Machine) drawn(l curation.View, a curation.Artwork) seal.Role {
	switch a.Status {
	case curation.StatusApproved:
		if i, ok := a.GeneratorAt(l.Params(), l.Height()+1); ok && i == m.me.Index {
			return seal.Generator
		}
	case curation.StatusRegistered:
		if i, ok := a.AuditorAt(l.Params(), l.Height()+1); ok && i == m.me.Index {
			return seal.Auditor
		}
	}
	return 0
}

func (m *Machine) start(l curation.View, a curation.Opening, role seal.Role) (*job, error) {
	seat := m.seats[a.Epoch]
	j := &job{committee: seat.committee, seats: l.SeatsAt(a.Epoch), own: seat.key.Index(), shares: map[uint32][]byte{}, lied: map[uint32]bool{}}
	var err error
	if j.cert, err = m.certificate(a); err != nil {
		return nil, err
	}
	if j.layers, err = m.layers(l, a); err != nil {
		return nil, err
	}
	j.models = l.Layers(a.KeyEpoch)
	table := a.Readers()
	r, ok := table.Lookup(m.me.Index)
	if !ok {
		return nil, fmt.Errorf("drawn without a prekey in the table")
	}
	if j.secret, err = m.reader(l, r); err != nil {
		return nil, err
	}
	j.reader = seal.Reader{Member: m.me.Index, Role: role, Prekeys: table}
	own, err := m.release(l, m.me.Index, a.RID, role)
	if err != nil {
		return nil, err
	}
	j.shares[j.own] = own.share
	return j, nil
}

// advance asks for the shares that are missing, renders when t are there, and
// tells the ledger when the picture is done.
func (m *Machine) advance(l curation.View, key jobKey, j *job) {
	switch {
	case j.done != nil:
		m.report(l, key, j)
	case j.rendering, j.dead:
	case len(j.shares) >= j.committee.T():
		m.combine(l, key, j)
	default:
		for i, number := range j.seats {
			name := fmt.Sprintf("ask/%v/%d/%d", key.rid, key.role, number)
			if p, ok := l.Member(number); ok && j.shares[uint32(i+1)] == nil && !j.lied[number] && m.again(name, l.Height()) {
				m.do(AskShare{RID: key.rid, Role: key.role, Member: number, From: p.Account})
			}
		}
	}
}

// collect takes a member's answer.
func (m *Machine) collect(l curation.View, e ShareArrived) {
	key := jobKey{e.RID, e.Role}
	j := m.jobs[key]
	if j == nil || j.rendering || j.done != nil || j.lied[e.Member] || j.shares[j.seats.Of(e.Member)] != nil {
		return
	}
	if e.Err != nil {
		m.do(Note{Text: "a member did not release", RID: e.RID, Err: fmt.Errorf("member %d: %w", e.Member, e.Err)})
		return
	}
	giver, _ := l.Member(e.Member)
	share, signature, ok := signed(e.Share)
	if !ok || !curation.VerifyRelease(giver.Account, j.cert.Context(), e.Role, m.me.Index, share, signature) {
		// It proves nothing, not even who sent it; an honest member's next answer is good.
		m.do(Note{Text: "a released share is not signed by its member", RID: e.RID, Err: fmt.Errorf("member %d: %w", e.Member, ErrUnsigned)})
		return
	}
	seat, err := seal.VerifyRelease(j.committee, j.layers, j.cert, j.reader, share)
	if err != nil || j.seats.At(seat) != e.Member {
		j.lied[e.Member] = true
		m.accuse(l, curation.Evidence{Member: e.Member, Share: &curation.SignedShare{
			RID: e.RID, Role: uint8(e.Role), Reader: m.me.Index, Share: share, Signature: signature}}, 0)
		return
	}
	j.shares[seat] = share
	m.advance(l, key, j)
}

func (m *Machine) combine(l curation.View, key jobKey, j *job) {
	if !m.again(fmt.Sprintf("render/%v/%d", key.rid, key.role), l.Height()) {
		return // it failed a moment ago
	}
	var shares [][]byte
	for i := uint32(1); i <= uint32(j.committee.N()); i++ {
		if s := j.shares[i]; s != nil {
			shares = append(shares, s)
		}
	}
	fileKeys, _, err := seal.CombineRelease(j.secret, j.committee, j.layers, j.cert, j.reader, shares)
	if err != nil {
		var layer *seal.LayerError
		if j.dead = errors.As(err, &layer); j.dead {
			cheat := j.models[len(j.models)-1-layer.Layer]
			err = fmt.Errorf("%s: %w", epochName(cheat), err)
			m.do(Misbehaved{Member: cheat.Sealer, What: "sealed a key under which nothing opens"})
		}
		m.do(Note{Text: "shares do not open the model", RID: key.rid, Err: err})
		own := j.shares[j.own]
		clear(j.shares)
		j.shares[j.own] = own
		return
	}
	j.rendering = true
	sealer, _ := l.Member(j.models[0].Sealer)
	unsealing := Unsealing{Sealer: sealer.Account}
	for i, model := range j.models {
		unsealing.Layers = append(unsealing.Layers, Layer{model, fileKeys[len(fileKeys)-1-i]})
	}
	if key.role == seal.Trainer {
		t, _ := l.TrainingOf(key.rid)
		m.do(OpenArtist{Number: t.Plan.Number, Unsealing: unsealing, Session: t.Session(m.chain)})
		return
	}
	a, _ := l.Artwork(key.rid)
	maker, _ := l.Member(a.Generator)
	render := Render{Role: key.role, Artwork: a, Unsealing: unsealing, Maker: maker.Account}
	if s, fresh, ok := m.sealing(l); ok && fresh && m.proposal == nil && j.models[0].ID == m.rotated(l) {
		render.Reseal = &s
	}
	m.do(render)
}

// rendered takes the picture, or the reason why there is none: then the job begins
// anew with the shares it has.
func (m *Machine) rendered(l curation.View, e Rendered) {
	key := jobKey{e.RID, e.Role}
	if e.Rotate != nil {
		m.proposes(l, *e.Rotate)
	}
	if a, known := l.Artwork(e.RID); known {
		drawn, _ := l.ModelAt(a.KeyEpoch)
		m.spare(l, containerOf(drawn))
	}
	j := m.jobs[key]
	if j == nil {
		return
	}
	j.rendering = false
	if e.Err != nil {
		m.do(Note{Text: "render failed", RID: e.RID, Err: e.Err})
		return
	}
	j.done = &e
	if key.role == seal.Generator && e.CID != "" {
		m.candidates[key.rid] = e.CID
	}
	m.report(l, key, j)
}

func (m *Machine) report(l curation.View, key jobKey, j *job) {
	if key.role == seal.Generator {
		m.submit(l.Height(), "register/"+key.rid.String(), curation.Register{RID: key.rid, CID: j.done.CID, PixelRoot: j.done.PixelRoot})
		return
	}
	m.submit(l.Height(), "attest/"+key.rid.String(), curation.Attest{RID: key.rid, PixelRoot: j.done.PixelRoot})
}
