package founding

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/p2p"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// founded is a home whose network of one runs.
func founded(t *testing.T) (home.Home, curation.Hash) {
	h := home.Home(t.TempDir())
	require.NoError(t, Create(h, config.Default(), "", "Ada", testTerms(1)))
	cfg, secrets, host := open(t, h)
	plan, err := Run(t.Context(), h, cfg, secrets, host, p2p.NewRoster(), func(Progress) {})
	require.NoError(t, err)
	require.NoError(t, host.Close())
	chain, err := plan.Chain()
	require.NoError(t, err)
	return h, chain
}

func TestInvitationsToANetworkThatRuns(t *testing.T) {
	h, chain := founded(t)
	cfg, secrets, _ := open(t, h)
	_, _, err := Invite(h, cfg, secrets)
	require.ErrorContains(t, err, "admitted by the members")

	all, err := ReadOutstanding(h, chain)
	require.NoError(t, err)
	require.Empty(t, all)
	text, until, err := InviteToJoin(h, cfg, secrets, noon)
	require.NoError(t, err)
	require.Equal(t, noon.Add(InvitationLasts), until)
	inv, err := p2p.ParseInvitation(text)
	require.NoError(t, err)
	require.Equal(t, p2p.ToJoin, inv.Kind)
	require.Equal(t, "test", inv.Network)
	require.Equal(t, [32]byte(chain), inv.Hash)
	second, _, err := InviteToJoin(h, cfg, secrets, noon)
	require.NoError(t, err)
	require.NotEqual(t, text, second, "each has a token of its own")

	all, err = ReadOutstanding(h, chain)
	require.NoError(t, err)
	require.Len(t, all, 2)
	o := all[0]
	if o.Token != inv.Token {
		o = all[1]
	}
	require.Equal(t, [16]byte(inv.Token), o.Token)
	require.Nil(t, o.Applicant)
	a, err := curation.Apply(chain, curation.Hash{}, "Eve", []string{"/ip4/192.0.2.5/tcp/1"}, keyOf("Eve"), keyOf("Eve's validator"))
	require.NoError(t, err)
	_, err = o.Claim(a)
	require.NoError(t, err)
	all, err = ReadOutstanding(h, chain)
	require.NoError(t, err)
	claimed := 0
	for _, o := range all {
		if o.Applicant != nil {
			claimed++
			require.Equal(t, a, *o.Applicant)
			require.NoError(t, o.Remove())
			require.NoError(t, o.Remove(), "twice is as good")
		}
	}
	require.Equal(t, 1, claimed)

	require.NoError(t, os.WriteFile(filepath.Join(h.Invitations(), "x.json"), []byte("{}"), 0o600))
	all, err = ReadOutstanding(h, chain)
	require.ErrorContains(t, err, "x.json is damaged, remove it")
	require.Len(t, all, 1, "the others are good")
	require.NoError(t, os.Remove(filepath.Join(h.Invitations(), "x.json")))

	for range MaxOutstanding - 1 {
		_, _, err = InviteToJoin(h, cfg, secrets, noon)
		require.NoError(t, err)
	}
	_, _, err = InviteToJoin(h, cfg, secrets, noon)
	require.ErrorContains(t, err, "the most that may be")
	_, _, err = InviteToJoin(h, cfg, secrets, noon.Add(InvitationLasts))
	require.NoError(t, err, "those have lapsed")
}

func TestInvitationsAreReadOnceAndOnChange(t *testing.T) {
	h, chain := founded(t)
	cfg, secrets, _ := open(t, h)
	_, _, err := InviteToJoin(h, cfg, secrets, noon)
	require.NoError(t, err)
	v := NewInvitations(h, chain)
	require.Empty(t, v.All())
	require.NoError(t, v.Look())
	require.Len(t, v.All(), 1)
	before := v.All()[0]

	// Other bytes, of which nothing tells: they are not read.
	info, err := os.Stat(before.path)
	require.NoError(t, err)
	good, err := os.ReadFile(before.path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(before.path, make([]byte, len(good)), 0o600))
	require.NoError(t, os.Chtimes(before.path, info.ModTime(), info.ModTime()))
	require.NoError(t, v.Look())
	require.Equal(t, before, v.All()[0])
	// A sign of change is enough, and what is wrong is read until it is good.
	require.NoError(t, os.Chtimes(before.path, noon, noon))
	require.ErrorContains(t, v.Look(), "is damaged, remove it")
	require.Empty(t, v.All())
	require.NoError(t, os.WriteFile(before.path, good, 0o600))
	require.NoError(t, os.Chtimes(before.path, noon, noon))
	require.NoError(t, v.Look())
	require.Equal(t, before, v.All()[0])

	a, err := curation.Apply(chain, curation.Hash{}, "Eve", []string{"/ip4/192.0.2.5/tcp/1"}, keyOf("Eve"), keyOf("Eve's validator"))
	require.NoError(t, err)
	_, err = before.Claim(a)
	require.NoError(t, err)
	require.NoError(t, v.Look())
	require.Equal(t, &a, v.All()[0].Applicant)
	_, _, err = InviteToJoin(h, cfg, secrets, noon)
	require.NoError(t, err)
	require.NoError(t, v.Look())
	require.Len(t, v.All(), 2)

	// Without its folder it knows what it knew.
	aside := h.Invitations() + ".aside"
	require.NoError(t, os.Rename(h.Invitations(), aside))
	require.NoError(t, os.WriteFile(h.Invitations(), nil, 0o600))
	require.Error(t, v.Look())
	require.Len(t, v.All(), 2)
	require.NoError(t, os.Remove(h.Invitations()))
	require.NoError(t, v.Look())
	require.Empty(t, v.All(), "there are none any more")
}

func TestAMemberNeedsNoInvitation(t *testing.T) {
	ada, _ := founded(t)
	cfg, secrets, _ := open(t, ada)
	text, _, err := InviteToJoin(ada, cfg, secrets, noon)
	require.NoError(t, err)
	before, err := Read(ada)
	require.NoError(t, err)
	_, err = Join(ada, config.Default(), "", "Ada", text)
	require.ErrorIs(t, err, ErrMember)
	require.ErrorContains(t, err, "the invitation is not used")
	after, err := Read(ada)
	require.NoError(t, err)
	require.Equal(t, before, after)
	// What enough others tell of it is enough to apply: the inviter's ledger decides.
	require.NoError(t, Depart(ada, Departure{Height: 7, Members: []uint32{2, 3}}))
	_, err = Join(ada, config.Default(), "", "Ada", text)
	require.NoError(t, err)
	after, err = Read(ada)
	require.NoError(t, err)
	require.Nil(t, after.Departed)
	require.Equal(t, &Admission{}, after.Admission)
	_, err = Join(ada, config.Default(), "", "Ada", text)
	require.NoError(t, err, "as often as its owner likes, until it is admitted")
}

// inviter answers applicants as its test says.
type inviter struct {
	mu       sync.Mutex // guards what follows
	welcome  []byte
	refusal  error
	standing p2p.StandingResponse
	unknown  bool
	unread   error
	applied  int
}

func (v *inviter) set(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

func (v *inviter) serve(t *testing.T, h *p2p.Host, chain curation.Hash) {
	applying := p2p.Handle(h, p2p.ApplyProtocol, func(_ context.Context, _ peer.ID, raw []byte) ([]byte, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		r, err := p2p.DecodeApply(raw)
		if err == nil {
			_, err = DecodeApplication(r.Application, chain)
		}
		if err != nil {
			return nil, p2p.Refuse(p2p.CodeBadRecord, "%v", err)
		}
		v.applied++
		return v.welcome, v.refusal
	}, nil)
	standing := p2p.HandleStanding(h, chain, func(peer.ID) (p2p.StandingResponse, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.unknown {
			return p2p.StandingResponse{}, p2p.Refuse(p2p.CodeNotRegistered, "who are you?")
		}
		return v.standing, v.unread
	}, nil)
	t.Cleanup(func() { _, _ = applying.Close(), standing.Close() })
}

// join starts a joiner's home until it is in or has failed. What it tells goes to told.
func join(ctx context.Context, t *testing.T, h home.Home, told chan<- Progress) <-chan error {
	cfg, secrets, host := open(t, h)
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, h, cfg, secrets, host, p2p.NewRoster(), func(p Progress) {
			select {
			case told <- p:
			case <-ctx.Done():
			}
		})
		_ = host.Close()
		ended <- err
	}()
	return ended
}

func TestANewcomerAsksAgainWhenItsInviterCannotTell(t *testing.T) {
	ada, chain := founded(t)
	cfg, secrets, host := open(t, ada)
	plan, err := Read(ada)
	require.NoError(t, err)
	text, _, err := InviteToJoin(ada, cfg, secrets, noon)
	require.NoError(t, err)
	eve := home.Home(t.TempDir())
	_, err = Join(eve, config.Default(), "", "Eve", text)
	require.NoError(t, err)
	welcome, err := Welcome{Document: *plan.Document}.Encode()
	require.NoError(t, err)
	notYet := p2p.Refuse(p2p.CodeNotYet, "an invitation cannot be read there at the moment")
	v := &inviter{welcome: welcome, refusal: notYet, unread: notYet}
	v.serve(t, host, chain)
	told := make(chan Progress)
	ended := join(t.Context(), t, eve, told)
	cannot := func() { // a machine that stands still may be told something else before
		t.Helper()
		for p := range told {
			if strings.Contains(p.Waiting, "cannot be read there at the moment") {
				return
			}
		}
	}
	cannot()
	v.set(func() { v.refusal = nil })
	require.Eventually(t, func() bool {
		select {
		case <-told:
		default:
		}
		p, err := Read(eve)
		return err == nil && p.Admission.Welcomed
	}, 3*time.Minute, time.Millisecond)
	cannot()
	v.set(func() { v.unread, v.standing = nil, p2p.StandingResponse{Member: 2} })
	go func() {
		for range told {
		}
	}()
	require.NoError(t, <-ended)
	close(told)
}

func TestANewcomerAppliesWaitsAndIsAdmitted(t *testing.T) {
	ada, chain := founded(t)
	cfg, secrets, host := open(t, ada)
	plan, err := Read(ada)
	require.NoError(t, err)
	text, _, err := InviteToJoin(ada, cfg, secrets, noon)
	require.NoError(t, err)
	eve := home.Home(t.TempDir())
	_, err = Join(eve, config.Default(), "", "Eve", text)
	require.NoError(t, err)
	_, _, err = InviteToJoin(eve, cfg, secrets, noon)
	require.ErrorContains(t, err, "waits to be admitted itself")

	// Its inviter is away.
	require.NoError(t, host.Close())
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan Progress)
	ended := join(ctx, t, eve, told)
	p := <-told
	require.True(t, p.Joining)
	require.Contains(t, p.Waiting, "does not answer at /ip4/127.0.0.1/")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	signed, err := Read(eve)
	require.NoError(t, err)
	require.NotEmpty(t, signed.Admission.Application)

	// It is there, and has one vote of two.
	known := Known{Height: 7, Members: []Reach{{Account: secrets.Account(), Addresses: cfg.Network.Listen}}}
	welcome, err := Welcome{Document: *plan.Document, Known: known}.Encode()
	require.NoError(t, err)
	v := &inviter{welcome: welcome, standing: p2p.StandingResponse{Height: 8, Votes: 1, Needed: 2, Until: 90}}
	_, _, host = open(t, ada)
	v.serve(t, host, chain)
	ctx, cancel = context.WithCancel(t.Context())
	ended = join(ctx, t, eve, told)
	for p = range told {
		if p.Waiting == "" {
			break
		}
	}
	require.Equal(t, Progress{Joining: true, Have: 1, Want: 2}, p)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)

	// A restart goes on where it was, with what it signed.
	half, err := Read(eve)
	require.NoError(t, err)
	require.Equal(t, Admission{Application: half.Admission.Application, Welcomed: true}, *half.Admission)
	require.JSONEq(t, string(signed.Admission.Application), string(half.Admission.Application))
	require.Equal(t, known, *half.Known)
	applied := v.applied
	v.set(func() { v.standing = p2p.StandingResponse{Height: 9, Member: 2} })
	require.NoError(t, <-join(t.Context(), t, eve, told))
	require.Equal(t, applied, v.applied)
	whole, err := Read(eve)
	require.NoError(t, err)
	require.True(t, whole.Admission.Admitted)
	require.EqualValues(t, 9, whole.Known.Height, "it goes by what it knows until its ledger tells that it is admitted")
	genesis, err := eve.ReadGenesis()
	require.NoError(t, err)
	require.Equal(t, chain, curation.GenesisHash(genesis))

	// From then on it needs nobody.
	require.NoError(t, host.Close())
	require.NoError(t, <-join(t.Context(), t, eve, told))
	require.NoError(t, Remember(eve, Known{Height: 12, Members: known.Members}))
	whole, err = Read(eve)
	require.NoError(t, err)
	require.EqualValues(t, 12, whole.Known.Height)
	require.True(t, whole.Admission.Admitted)
}

func TestWhatEndsAnApplication(t *testing.T) {
	ada, chain := founded(t)
	cfg, secrets, host := open(t, ada)
	plan, err := Read(ada)
	require.NoError(t, err)
	welcome, err := Welcome{Document: *plan.Document}.Encode()
	require.NoError(t, err)
	stranger := testDocument(t)
	other, err := Welcome{Document: stranger}.Encode()
	require.NoError(t, err)
	renamed := *plan.Document
	renamed.Terms.Network = "other"
	misnamed, err := Welcome{Document: renamed}.Encode()
	require.NoError(t, err)
	v := &inviter{}
	v.serve(t, host, chain)
	for _, c := range []struct {
		name string
		v    *inviter
		want string
	}{
		{"the invitation is not known", &inviter{refusal: p2p.Refuse(p2p.CodeWrongToken, "unknown")}, "does not know it, or no longer"},
		{"somebody else has used it", &inviter{refusal: p2p.Refuse(p2p.CodeTokenUsed, "used")}, "used by somebody else"},
		{"the founding document is of another network", &inviter{welcome: other}, "not that of the invitation"},
		{"the founding document has another name", &inviter{welcome: misnamed}, "the invitation is to test, the founding document of other"},
		{"the answer is no welcome", &inviter{welcome: []byte("{}")}, "cannot found a network with this"},
		{"it was a member, and its invitation lapses", &inviter{welcome: welcome, standing: p2p.StandingResponse{Member: 2, Left: true}}, "ask for another"},
		{"the invitation lapses meanwhile", &inviter{welcome: welcome, unknown: true}, "ask for another, and use it with `atelier member join` and this --home again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.set(func() {
				v.welcome, v.refusal, v.unknown, v.standing = c.v.welcome, c.v.refusal, c.v.unknown, c.v.standing
			})
			text, _, err := InviteToJoin(ada, cfg, secrets, noon)
			require.NoError(t, err)
			eve := home.Home(t.TempDir())
			_, err = Join(eve, config.Default(), "", "Eve", text)
			require.NoError(t, err)
			told := make(chan Progress, 100)
			require.ErrorContains(t, <-join(t.Context(), t, eve, told), c.want)

			// The same home applies again with another invitation, and no other.
			text, _, err = InviteToJoin(ada, cfg, secrets, noon)
			require.NoError(t, err)
			_, err = Join(eve, config.Default(), "", "Eve", text)
			require.NoError(t, err)
			elsewhere, err := p2p.ParseInvitation(text)
			require.NoError(t, err)
			elsewhere.Hash = [32]byte{1}
			text, err = elsewhere.Encode()
			require.NoError(t, err)
			_, err = Join(eve, config.Default(), "", "Eve", text)
			require.ErrorContains(t, err, "belongs to a network already")
			v.set(func() {
				v.welcome, v.refusal, v.unknown, v.standing = welcome, nil, false, p2p.StandingResponse{Member: 2}
			})
			require.NoError(t, <-join(t.Context(), t, eve, told))
		})
	}
}
