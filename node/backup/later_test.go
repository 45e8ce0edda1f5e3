package backup

import (
	"crypto/ed25519"
	"crypto/rand"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/node/verify"
)

// grown is a network that Ada founded alone and others join: a real ledger, driven
// block by block, with the machines of its members.
type grown struct {
	t      *testing.T
	ledger *ledger.Direct
	state  *curation.Machine
	people []*owner
}

type owner struct {
	home    home.Home
	secrets keys.Secrets
	machine *member.Machine
}

func newGrown(t *testing.T) (*grown, *owner) {
	t.Helper()
	h, _ := founded(t)
	document, err := h.ReadGenesis()
	require.NoError(t, err)
	g := &grown{t: t, state: curation.NewMachine()}
	g.ledger, err = ledger.NewDirect(ledger.DirectConfig{Genesis: document, Apps: []ledger.Application{g.state}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.ledger.Close()) })
	ada := g.arrive(h)
	g.until("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	return g, ada
}

func (g *grown) read(read func(curation.View)) {
	require.NoError(g.t, g.state.View(func(v curation.View) error { read(v); return nil }))
}

func (g *grown) arrive(h home.Home) *owner {
	g.t.Helper()
	secrets, err := keys.Load(string(h), "")
	require.NoError(g.t, err)
	p := &owner{home: h, secrets: secrets}
	g.read(func(v curation.View) {
		p.machine = member.New(v.Chain(), member.Secrets{Seeds: secrets.Seeds(), Prekeys: secrets.Prekeys, Identity: secrets.Identity}, nil, rand.Reader)
	})
	g.people = append(g.people, p)
	return p
}

func (g *grown) submit(p *owner, payload curation.Payload) {
	g.t.Helper()
	var tx []byte
	g.read(func(v curation.View) {
		var err error
		tx, err = curation.Sign(p.secrets.Identity, v.Chain(), curation.Body{Nonce: v.Account(p.secrets.Account()).Nonce, ValidUntil: v.Height() + 50, Payload: payload})
		require.NoError(g.t, err)
	})
	r, err := g.ledger.Submit(g.t.Context(), tx)
	require.NoError(g.t, err)
	require.Equal(g.t, curation.CodeOK, r.Result.Code, r.Result.Log)
}

// until lets the members work.
func (g *grown) until(what string, done func(curation.View) bool) {
	g.t.Helper()
	met := false
	for range 400 {
		if g.read(func(v curation.View) { met = done(v) }); met {
			return
		}
		for _, p := range g.people {
			var effects []member.Effect
			g.read(func(v curation.View) { effects = p.machine.Step(v, member.Committed{}) })
			for _, f := range effects {
				switch f := f.(type) {
				case member.KeepSeed:
					if p.secrets.Later == nil {
						p.secrets.Later = map[uint64][32]byte{}
					}
					p.secrets.Later[f.Epoch] = f.Seed
				case member.Submit:
					g.submit(p, f.Payload)
				}
			}
		}
		require.NoError(g.t, g.ledger.Step(1))
	}
	require.FailNow(g.t, "the network never came to "+what)
}

func (g *grown) becomes(p *owner, s curation.Standing) {
	g.t.Helper()
	g.until(string(s), func(v curation.View) bool {
		m, _ := v.MemberOf(p.secrets.Account())
		return m.Standing == s
	})
}

// standing is what the ledger says now.
func (g *grown) standing() (s Standing) {
	g.read(func(v curation.View) { s = StandingOf(v, "the ledger") })
	return s
}

// backup is one of the home as it stands.
func (g *grown) backup(p *owner) (*Backup, error) {
	g.t.Helper()
	cfg, err := config.Load(string(p.home), func(string) (string, bool) { return "", false })
	require.NoError(g.t, err)
	secrets := p.secrets
	secrets.Later = maps.Clone(secrets.Later)
	return Of(p.home, cfg, secrets, g.standing())
}

// newcomer is a home that has an invitation of Ada and has signed its application.
func (g *grown) newcomer(ada *owner, name string) (*owner, curation.Application) {
	g.t.Helper()
	cfg, err := config.Load(string(ada.home), func(string) (string, bool) { return "", false })
	require.NoError(g.t, err)
	invitation, _, err := founding.InviteToJoin(ada.home, cfg, ada.secrets, time.Unix(1_800_000_000, 0))
	require.NoError(g.t, err)
	h := home.Home(filepath.Join(g.t.TempDir(), name))
	_, err = founding.Join(h, config.Default(), "", name, invitation)
	require.NoError(g.t, err)
	p := g.arrive(h)
	_, err = ledger.ValidatorKey(h.Ledger())
	require.NoError(g.t, err)
	validator, err := ledger.ValidatorSecret(h.Ledger())
	require.NoError(g.t, err)
	var a curation.Application
	g.read(func(v curation.View) {
		a, err = curation.Apply(v.Chain(), curation.Hash{}, name, []string{"/ip4/192.0.2.9/udp/4001/quic-v1"}, p.secrets.Identity, validator)
	})
	require.NoError(g.t, err)
	return p, a
}

// welcomed writes into a home what a node has there once it is let in.
func (g *grown) welcomed(ada, p *owner, a curation.Application, admitted bool) {
	g.t.Helper()
	plan, err := founding.Read(p.home)
	require.NoError(g.t, err)
	founder, err := founding.Read(ada.home)
	require.NoError(g.t, err)
	plan.Document = founder.Document
	plan.Admission = &founding.Admission{Application: founding.EncodeApplication(a), Welcomed: true, Admitted: admitted}
	require.NoError(g.t, home.Save(p.home.Founding(), plan))
	document, err := ada.home.ReadGenesis()
	require.NoError(g.t, err)
	require.NoError(g.t, keys.WriteFile(p.home.Genesis(), document, 0o600))
}

// claims are what a report says of each of its claims.
func claims(r Report) map[string]verify.Claim {
	of := map[string]verify.Claim{}
	for _, c := range r.Claims {
		of[c.Name] = c
	}
	return of
}

// A member that joined later has no place in genesis: its number is 3, its seat 2.
func TestAMemberThatJoinedLaterComesBackFromItsBackup(t *testing.T) {
	g, ada := newGrown(t)
	alone, err := g.backup(ada)
	require.NoError(t, err)
	require.True(t, alone.Lone)

	other, application := g.newcomer(ada, "Mia")
	g.submit(ada, curation.Admit{Application: application})
	g.submit(other, curation.Leave{}) // it takes number 2 and goes
	nora, application := g.newcomer(ada, "Nora")
	_, err = g.backup(nora)
	require.Error(t, err, "it knows no network yet")
	g.welcomed(ada, nora, application, false)
	_, err = g.backup(nora)
	require.ErrorContains(t, err, "not among the members")
	g.welcomed(ada, nora, application, true)
	_, err = g.backup(nora)
	require.ErrorContains(t, err, "once its node has caught up", "its ledger does not know it yet")

	// Admitted, without a share.
	g.submit(ada, curation.Admit{Application: application})
	early, err := g.backup(nora)
	require.NoError(t, err)
	require.Equal(t, []any{uint32(3), "Nora", false}, []any{early.Index, early.Name, early.Lone})
	now := g.standing()
	r := early.Check(&now, "")
	require.Equal(t, verify.Unchecked, r.Outcome, "%+v", r.Claims)
	require.Contains(t, claims(r)["share"].Detail, "gets its first share with the next handover")
	require.NotContains(t, claims(r), "deal key", "genesis names none for it")
	require.NoError(t, early.Fits(Known{Chain: early.Chain, Epoch: 1, Standing: &now}))

	// With its share, it is kept and comes back whole.
	g.becomes(nora, curation.StandingActive)
	g.until("proofs", func(v curation.View) bool { return v.ShareProven(1) && v.ShareProven(3) })
	now = g.standing()
	require.Equal(t, curation.Seats{1, 3}, now.Seats)
	made, err := g.backup(nora)
	require.NoError(t, err)
	require.EqualValues(t, 2, made.Epoch)
	r = made.Check(&now, "")
	require.Equal(t, verify.Valid, r.Outcome, "%+v", r.Claims)
	require.Contains(t, claims(r)["share"].Detail, "share 2 of 2, epoch 2")
	require.Contains(t, claims(r)["account"].Detail, "member 3, Nora: z6Mk")
	require.Equal(t, verify.Unchecked, made.Check(nil, "no ledger is at hand").Outcome)
	sealed, err := made.seal(passphrase, cheap)
	require.NoError(t, err)
	back, err := Open(sealed, passphrase)
	require.NoError(t, err)
	require.Equal(t, []any{uint32(3), "Nora", false, uint64(2), made.Height}, []any{back.Index, back.Name, back.Lone, back.Epoch, back.Height})
	require.Equal(t, r.Claims, back.Check(&now, "").Claims)
	again := home.Home(filepath.Join(t.TempDir(), "again"))
	require.NoError(t, back.Restore(again, Restoring{}))
	restored, err := keys.Load(string(again), "")
	require.NoError(t, err)
	require.Equal(t, made.secrets.Seeds(), restored.Seeds())
	plan, err := founding.Read(again)
	require.NoError(t, err)
	require.True(t, plan.Admission.Admitted)
	first, err := g.backup(ada)
	require.NoError(t, err)
	require.False(t, first.Lone, "the network of one has grown")

	// What was made before the handover is stale.
	r = early.Check(&now, "")
	require.Equal(t, verify.Invalid, r.Outcome)
	require.Contains(t, claims(r)["epoch"].Detail, "make a new backup")
	require.ErrorIs(t, early.Fits(Known{Chain: early.Chain, Epoch: 2, Standing: &now}), ErrStale)
	require.ErrorIs(t, early.Fits(Known{Chain: early.Chain, Epoch: 2}), ErrStale)
	require.NoError(t, made.Fits(Known{Chain: early.Chain, Epoch: 2, Standing: &now}))

	// Who has left has nothing to restore.
	g.until("the pause after the handover", func(v curation.View) bool { return v.MayHandOver(0) == nil })
	g.submit(nora, curation.Leave{})
	g.becomes(nora, curation.StandingLeft)
	now = g.standing()
	r = made.Check(&now, "")
	require.Equal(t, verify.Invalid, r.Outcome)
	require.Contains(t, claims(r)["epoch"].Detail, "the member is left: was a member")
	require.ErrorContains(t, made.Fits(Known{Chain: made.Chain, Epoch: 3, Standing: &now}), "member 3 has left the network")
}

func TestABackupOfALaterMemberIsRefused(t *testing.T) {
	g, ada := newGrown(t)
	nora, application := g.newcomer(ada, "Nora")
	g.welcomed(ada, nora, application, true)
	g.submit(ada, curation.Admit{Application: application})
	b, err := g.backup(nora)
	require.NoError(t, err)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	forged, err := curation.Apply(b.Chain, curation.Hash{}, "Nora", application.Addresses, stranger, b.validator)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		spoil func(*stored)
		wrong string
	}{
		"nothing is wrong":               {func(*stored) {}, ""},
		"the number of a founder":        {func(s *stored) { s.Member = 1 }, "no ledger has told its number"},
		"no number":                      {func(s *stored) { s.Member = 0 }, "no ledger has told its number"},
		"no application":                 {func(s *stored) { s.Founding.Admission = nil }, "not among the members"},
		"an empty application":           {func(s *stored) { s.Founding.Admission = &founding.Admission{Admitted: true} }, "application"},
		"the application of somebody":    {func(s *stored) { s.Founding.Admission.Application = founding.EncodeApplication(forged) }, "by another identity"},
		"another name":                   {func(s *stored) { s.Name = "Otto" }, `"Otto"`},
		"an application that nobody did": {func(s *stored) { s.Identity[0] ^= 1 }, "by another identity"},
	} {
		t.Run(name, func(t *testing.T) {
			admission := *b.plan.Admission
			s := stored{Format: Format, Network: b.Network, Chain: b.Chain, Member: b.Index, Name: b.Name, Height: b.Height, Epoch: b.Epoch,
				Listen: b.Listen, Announce: b.Announce, Identity: b.secrets.Identity.Seed(), Seeds: map[uint64][]byte{1: b.secrets.Ceremony[:]},
				Prekeys: b.secrets.Prekeys[:], Validator: b.validator.Seed(), Genesis: b.document, Founding: b.plan}
			s.Founding.Admission = &admission
			c.spoil(&s)
			requireDecoded(t, s, c.wrong)
		})
	}
}
