package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/p2p"
)

// host starts a libp2p host of its own.
func host(t *testing.T, key ed25519.PrivateKey, roster *p2p.Roster) *p2p.Host {
	k, err := libp2pKey(key)
	require.NoError(t, err)
	c := p2p.Default()
	c.Key, c.Network = k, "test"
	if roster != nil {
		c.Allow, c.Speaks = roster.Admits, roster.Speaks
	}
	h, err := p2p.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// doorOf is the door of the founder of a network of one, whose ledger is at its genesis.
// What it submits goes to the channel.
func doorOf(t *testing.T) (*door, <-chan curation.Payload) {
	h := home.Home(t.TempDir())
	terms := founding.Terms{Network: "test", Seats: 1, Params: curation.DefaultParams(), Grant: curve.Credits(10), Charter: curation.Charter{Name: "Test", Text: "test"}}
	require.NoError(t, founding.Create(h, config.Default(), "", "Ada", terms))
	cfg, err := config.Load(string(h), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	secrets, err := keys.Load(string(h), "")
	require.NoError(t, err)
	roster := p2p.NewRoster()
	ada := host(t, secrets.Identity, roster)
	plan, err := founding.Run(t.Context(), h, cfg, secrets, ada, roster, func(founding.Progress) {})
	require.NoError(t, err)
	genesis, err := h.ReadGenesis()
	require.NoError(t, err)
	n := &Node{home: h, cfg: cfg, secrets: secrets, log: slog.New(slog.DiscardHandler), host: ada, roster: roster, plan: plan,
		machine: curation.NewMachine(), chain: curation.GenesisHash(genesis)}
	_, err = n.machine.Genesis(genesis)
	require.NoError(t, err)
	roster.SetSpoken(spokenAtTheDoor...)
	roster.Replace([]peer.ID{ada.ID()})
	submitted := make(chan curation.Payload, 16)
	d, at := newDoor(n), time.Now()
	d.now = func() time.Time { return at } // however long the test takes, nobody stays too long
	d.submit = func(_ context.Context, p curation.Payload) error { submitted <- p; return nil }
	return d, submitted
}

func (d *door) invite(t *testing.T, now time.Time) p2p.Invitation {
	text, _, err := founding.InviteToJoin(d.n.home, d.n.cfg, d.n.secrets, now)
	require.NoError(t, err)
	inv, err := p2p.ParseInvitation(text)
	require.NoError(t, err)
	inv.Inviter = d.n.host.AddrInfo() // its ports are not those of the home
	return inv
}

// newcomer is somebody with an application.
type newcomer struct {
	*p2p.Host
	request p2p.ApplyRequest
}

func comer(t *testing.T, d *door, inv p2p.Invitation) newcomer {
	_, account, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, validator, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	a, err := curation.Apply(d.n.chain, curation.Hash{}, "Eve", []string{"/ip4/192.0.2.5/tcp/1"}, account, validator)
	require.NoError(t, err)
	c := newcomer{host(t, account, nil), p2p.ApplyRequest{Token: inv.Token, Genesis: inv.Hash, Application: founding.EncodeApplication(a)}}
	c.SeedAddrBook([]peer.AddrInfo{d.n.host.AddrInfo()})
	return c
}

// insist asks until there is an answer: a machine that stands still, and a door that has
// only just opened, give none. Who may not connect gets none either.
func (c newcomer) insist(t *testing.T, d *door, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil || p2p.CodeOf(err) != 0 || ctx.Err() != nil || !d.n.roster.Admits(c.ID()) {
			return err
		}
	}
}

func (c newcomer) apply(t *testing.T, d *door) error {
	var raw []byte
	err := c.insist(t, d, func(ctx context.Context) (err error) {
		raw, err = p2p.Apply(ctx, c, d.n.host.ID(), c.request)
		return err
	})
	if err == nil {
		w, err := founding.DecodeWelcome(raw, d.n.chain)
		require.NoError(t, err)
		require.Len(t, w.Known.Members, 1)
		require.Equal(t, curation.Address(d.n.secrets.Account()), w.Known.Members[0].Account)
		require.NotEmpty(t, w.Known.Members[0].Addresses)
	}
	return err
}

func (c newcomer) standing(t *testing.T, d *door) (s p2p.StandingResponse, err error) {
	err = c.insist(t, d, func(ctx context.Context) (err error) {
		s, err = p2p.AskStanding(ctx, c, d.n.host.ID(), d.n.chain)
		return err
	})
	return s, err
}

// opens runs the door until the test ends.
func (d *door) opens(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
}

// patience bounds every wait for something that must happen; nothing is timed by it.
const patience = 3 * time.Minute

func TestWhoIsInvitedComesInAndNobodyElse(t *testing.T) {
	d, submitted := doorOf(t)
	d.opens(t)
	early := comer(t, d, p2p.Invitation{})
	require.ErrorIs(t, early.apply(t, d), p2p.ErrUnreachable, "nobody is invited, so nobody may connect")

	inv := d.invite(t, time.Now())
	require.Eventually(t, func() bool { return d.n.roster.Admits(early.ID()) }, patience, time.Millisecond)
	require.False(t, d.n.roster.Has(early.ID()))
	require.ErrorIs(t, early.apply(t, d), p2p.ErrWrongCharter)
	early.request.Genesis = inv.Hash
	require.ErrorIs(t, early.apply(t, d), p2p.ErrWrongToken)
	_, err := early.standing(t, d)
	require.ErrorIs(t, err, p2p.ErrNotRegistered)

	eve := comer(t, d, inv)
	swapped := eve.request
	swapped.Application = early.request.Application
	eve.request, swapped = swapped, eve.request
	require.ErrorIs(t, eve.apply(t, d), p2p.ErrBadRecord, "the application of somebody else")
	eve.request = swapped
	require.NoError(t, eve.apply(t, d))
	require.NoError(t, eve.apply(t, d), "again the same")
	s, err := eve.standing(t, d)
	require.NoError(t, err)
	require.Equal(t, p2p.StandingResponse{Needed: 1}, s)
	vote := (<-submitted).(curation.Admit)
	require.Equal(t, "Eve", vote.Application.Name)

	// The invitation is used up: the door is shut, but for Eve.
	require.Eventually(t, func() bool { return !d.n.roster.Admits(early.ID()) && d.n.roster.Guest(eve.ID()) }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return d.n.host.Network().Connectedness(early.ID()) != network.Connected }, patience, time.Millisecond)
	second := d.invite(t, time.Now())
	late := comer(t, d, inv)
	require.Eventually(t, func() bool { return d.n.roster.Admits(late.ID()) }, patience, time.Millisecond)
	require.ErrorIs(t, late.apply(t, d), p2p.ErrTokenUsed)
	other := comer(t, d, inv)
	again := newcomer{eve.Host, other.request}
	require.ErrorIs(t, again.apply(t, d), p2p.ErrBadRecord)
	late.request.Token = second.Token
	require.NoError(t, late.apply(t, d), "another invitation is as good as new")
	account, err := accountOf(late.ID())
	require.NoError(t, err)
	require.Equal(t, account, (<-submitted).(curation.Admit).Application.Account, "one vote each")
}

func TestAGuestMaySpeakOfJoiningOnly(t *testing.T) {
	d, _ := doorOf(t)
	d.opens(t)
	served := make(chan peer.ID, 16)
	defer p2p.Handle(d.n.host, releaseProtocol, func(_ context.Context, from peer.ID, _ []byte) ([]byte, error) {
		served <- from
		return nil, nil
	}, nil).Close()
	eve := comer(t, d, d.invite(t, time.Now()))
	require.Eventually(t, func() bool { return d.n.roster.Admits(eve.ID()) }, patience, time.Millisecond)
	require.NoError(t, eve.apply(t, d))
	_, err := p2p.Call(t.Context(), eve, d.n.host.ID(), releaseProtocol, make([]byte, 33))
	require.Error(t, err)
	require.Empty(t, served)
	_, err = eve.standing(t, d)
	require.NoError(t, err, "it was in reach, and may ask how it stands")
}

func TestAFloodAtTheDoorIsRefusedAndAnHonestNewcomerServed(t *testing.T) {
	d, submitted := doorOf(t)
	d.opens(t)
	inv := d.invite(t, time.Now())
	flood := comer(t, d, p2p.Invitation{Token: p2p.Token{1}, Hash: d.n.chain})
	require.Eventually(t, func() bool { return d.n.roster.Admits(flood.ID()) }, patience, time.Millisecond)
	for name, ask := range map[string]struct {
		rate p2p.Rate
		send func() error
		told p2p.Code // as long as it is served
	}{
		"applying":      {p2p.ApplyProtocol.PeerRate, func() error { return flood.apply(t, d) }, p2p.CodeWrongToken},
		"how it stands": {p2p.StandingProtocol.PeerRate, func() error { _, err := flood.standing(t, d); return err }, p2p.CodeNotRegistered},
	} {
		refused, served := false, 0
		for i := 0; i < 100*ask.rate.Burst && !refused; i++ { // one after the other
			err := ask.send()
			switch p2p.CodeOf(err) {
			case p2p.CodeBusy: // or the last one has its answer, and is not over yet
				if refused = strings.Contains(err.Error(), "more requests of yours than one every "+ask.rate.Every.String()); refused {
					require.GreaterOrEqual(t, served, ask.rate.Burst, name)
				}
			default:
				require.Equal(t, ask.told, p2p.CodeOf(err), name)
				served++
			}
		}
		require.True(t, refused, name)
	}

	eve := comer(t, d, inv)
	require.NoError(t, eve.apply(t, d))
	_, err := eve.standing(t, d)
	require.NoError(t, err)
	require.Equal(t, "Eve", (<-submitted).(curation.Admit).Application.Name)
}

func TestAnInvitationLapses(t *testing.T) {
	d, _ := doorOf(t)
	inv := d.invite(t, time.Now().Add(-founding.InvitationLasts+time.Hour))
	require.NoError(t, d.look(t.Context()))
	eve := comer(t, d, inv)
	require.True(t, d.n.roster.Admits(eve.ID()))
	all, err := filepath.Glob(filepath.Join(d.n.home.Invitations(), "*.json"))
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, os.Remove(all[0]))
	d.invite(t, time.Now().Add(-founding.InvitationLasts-time.Hour))
	require.NoError(t, d.look(t.Context()))
	require.False(t, d.n.roster.Admits(eve.ID()))
	all, err = filepath.Glob(filepath.Join(d.n.home.Invitations(), "*.json"))
	require.NoError(t, err)
	require.Empty(t, all, "it is removed")

	// A damaged file does not shut the door for the others.
	d.invite(t, time.Now())
	require.NoError(t, os.WriteFile(filepath.Join(d.n.home.Invitations(), "x.json"), []byte("{"), 0o600))
	require.NoError(t, d.look(t.Context()))
	require.True(t, d.n.roster.Admits(eve.ID()))
}

func TestAStrangerWhoShowsNoTokenIsShownOut(t *testing.T) {
	d, _ := doorOf(t)
	d.invite(t, time.Now())
	require.NoError(t, d.look(t.Context()))
	var first newcomer
	for i := range maxStrangers + 1 {
		c := comer(t, d, p2p.Invitation{})
		require.Eventually(t, func() bool { return c.Connect(t.Context(), d.n.host.AddrInfo()) == nil }, patience, time.Millisecond)
		require.Eventually(t, func() bool { return d.n.host.Network().Connectedness(c.ID()) == network.Connected }, patience, time.Millisecond)
		if i == 0 {
			first = c
		}
	}
	connected := func() int { return len(d.n.host.Network().Peers()) }
	require.Equal(t, maxStrangers+1, connected())
	d.sweep(d.now())
	require.Eventually(t, func() bool { return connected() == maxStrangers }, patience, time.Millisecond)
	require.NotEqual(t, network.Connected, d.n.host.Network().Connectedness(first.ID()), "who came first goes first")
	d.sweep(time.Now().Add(strangerStays + time.Second))
	require.Eventually(t, func() bool { return connected() == 0 }, patience, time.Millisecond)
}

func TestWhoKnocksOftenIsOneStrangerWithFewConnections(t *testing.T) {
	d, _ := doorOf(t)
	d.invite(t, time.Now())
	require.NoError(t, d.look(t.Context()))
	_, same, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	knock := func(key ed25519.PrivateKey) peer.ID {
		h := host(t, key, nil)
		before := len(d.n.host.Network().Conns())
		require.Eventually(t, func() bool { return h.Connect(t.Context(), d.n.host.AddrInfo()) == nil }, patience, time.Millisecond)
		require.Eventually(t, func() bool { return len(d.n.host.Network().Conns()) > before }, patience, time.Millisecond)
		return h.ID()
	}
	var often peer.ID
	for range maxKnocks + 2 {
		often = knock(same)
	}
	for range maxStrangers - 1 {
		_, other, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		knock(other)
	}
	require.Greater(t, len(d.n.host.Network().ConnsToPeer(often)), maxKnocks)
	d.sweep(d.now())
	require.Eventually(t, func() bool { return len(d.n.host.Network().ConnsToPeer(often)) == maxKnocks }, patience, time.Millisecond)
	require.Len(t, d.n.host.Network().Peers(), maxStrangers, "as one of them it is not too many")

	_, last, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	knock(last)
	d.sweep(d.now())
	require.Eventually(t, func() bool { return len(d.n.host.Network().Peers()) == maxStrangers }, patience, time.Millisecond)
	require.Empty(t, d.n.host.Network().ConnsToPeer(often), "who came first goes first, by all doors")
}

func TestAMemberThatAppliesUsesNoInvitation(t *testing.T) {
	d, submitted := doorOf(t)
	inv := d.invite(t, time.Now())
	require.NoError(t, d.look(t.Context()))
	_, validator, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	a, err := curation.Apply(d.n.chain, curation.Hash{}, "Ada", []string{"/ip4/192.0.2.5/tcp/1"}, d.n.secrets.Identity, validator)
	require.NoError(t, err)
	r := p2p.ApplyRequest{Token: inv.Token, Genesis: inv.Hash, Application: founding.EncodeApplication(a)}
	raw, err := d.apply(t.Context(), d.n.host.ID(), r.Encode())
	require.NoError(t, err)
	_, err = founding.DecodeWelcome(raw, d.n.chain)
	require.NoError(t, err)
	require.NoError(t, d.look(t.Context()))
	require.Empty(t, submitted)
	eve := comer(t, d, inv)
	d.opens(t)
	require.NoError(t, eve.apply(t, d), "it is as good as new")
}

func TestAnInvitationThatCannotBeReadIsAskedForAgain(t *testing.T) {
	d, _ := doorOf(t)
	d.opens(t)
	eve := comer(t, d, d.invite(t, time.Now()))
	require.Eventually(t, func() bool { return d.n.roster.Admits(eve.ID()) }, patience, time.Millisecond)
	require.NoError(t, eve.apply(t, d))
	d.invite(t, time.Now()) // so that she may connect whatever happens to hers

	// Where her file was there is something else for a while.
	d.mu.Lock()
	all, err := filepath.Glob(filepath.Join(d.n.home.Invitations(), "*.json"))
	require.NoError(t, err)
	var file string
	for _, path := range all {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		if strings.Contains(string(b), "application") {
			file = path
		}
	}
	aside := file + ".aside"
	require.NoError(t, os.Rename(file, aside))
	require.NoError(t, os.Mkdir(file, 0o700))
	d.mu.Unlock()
	require.Eventually(t, func() bool {
		_, err := eve.standing(t, d)
		require.NotErrorIs(t, err, p2p.ErrNotRegistered)
		return p2p.CodeOf(err) == p2p.CodeNotYet
	}, patience, 100*time.Millisecond)
	late := comer(t, d, p2p.Invitation{Token: p2p.Token{1}, Hash: d.n.chain})
	require.Equal(t, p2p.CodeNotYet, p2p.CodeOf(late.apply(t, d)), "hers may be the one that cannot be read")

	d.mu.Lock()
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Rename(aside, file))
	d.mu.Unlock()
	require.Eventually(t, func() bool { _, err := eve.standing(t, d); return err == nil }, patience, 100*time.Millisecond)
	require.ErrorIs(t, late.apply(t, d), p2p.ErrWrongToken)
}
