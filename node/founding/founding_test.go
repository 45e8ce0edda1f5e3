package founding

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

func testTerms(seats int) Terms {
	return Terms{Network: "test", Seats: seats, Params: curation.DefaultParams(), Grant: curve.Credits(10),
		Charter: curation.Charter{Name: "Test", Text: "We make pictures."}}
}

// open loads a home and starts its host, open to everybody.
func open(t *testing.T, h home.Home) (config.Config, keys.Secrets, *p2p.Host) {
	cfg, err := config.Load(string(h), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	s, err := keys.Load(string(h), "")
	require.NoError(t, err)
	key, err := crypto.UnmarshalEd25519PrivateKey(s.Identity)
	require.NoError(t, err)
	c := p2p.Default()
	c.Key, c.Listen, c.Network = key, cfg.Network.Listen, "test"
	host, err := p2p.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = host.Close() })
	return cfg, s, host
}

func TestThreeHomesFoundOneNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	homes := []home.Home{home.Home(t.TempDir()), home.Home(t.TempDir()), home.Home(t.TempDir())}
	require.NoError(t, Create(homes[0], config.Default(), "", "Ada", testTerms(3)))
	cfg, secrets, host := open(t, homes[0])
	for i, name := range []string{"Bruno", "Chiara"} {
		text, seat, err := Invite(homes[0], cfg, secrets)
		require.NoError(t, err)
		require.Equal(t, i+2, seat)
		_, err = Join(homes[i+1], config.Default(), "", name, text)
		require.NoError(t, err)
	}
	_, _, err := Invite(homes[0], cfg, secrets)
	require.ErrorContains(t, err, "given out", "a fourth invitation to three seats")
	require.ErrorContains(t, err, "the last for seat 3")

	plans := make([]Plan, 3)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		plans[0], err = Run(ctx, homes[0], cfg, secrets, host, p2p.NewRoster(), func(Progress) {})
		return err
	})
	for i := range 2 {
		c, s, h := open(t, homes[i+1])
		g.Go(func() (err error) {
			plans[i+1], err = Run(ctx, homes[i+1], c, s, h, p2p.NewRoster(), func(Progress) {})
			return err
		})
	}
	require.NoError(t, g.Wait())
	first, err := homes[0].ReadGenesis()
	require.NoError(t, err)
	for i, h := range homes {
		doc, err := h.ReadGenesis()
		require.NoError(t, err)
		require.Equal(t, string(first), string(doc), "home %d", i)
		peers, err := plans[i].Document.Peers()
		require.NoError(t, err)
		require.Len(t, peers, 3)
	}
	genesis, err := curation.ParseGenesis(first)
	require.NoError(t, err)
	require.Equal(t, "Ada", genesis.Members[0].Name)

	// A founded home starts again without anybody's help, and notices a genesis
	// that somebody else put into it.
	_, err = Run(t.Context(), homes[0], cfg, secrets, host, p2p.NewRoster(), func(Progress) {})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(homes[0].Genesis(), []byte("{}"), 0o600))
	_, err = Run(t.Context(), homes[0], cfg, secrets, host, p2p.NewRoster(), func(Progress) {})
	require.ErrorContains(t, err, "not the genesis that the members agreed on")
}

func TestWhatCannotFoundANetwork(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Terms)
		err    string
	}{
		{"no seats", func(t *Terms) { t.Seats = 0 }, "want 1 to 128"},
		{"more seats than the ceremony was measured for", func(t *Terms) { t.Seats = 129 }, "want 1 to 128"},
		{"a network name with capitals", func(t *Terms) { t.Network = "Test" }, "network"},
		{"a charter without a name", func(t *Terms) { t.Charter.Name = "" }, "charter"},
		{"the same further account twice", func(t *Terms) {
			b := curation.GenesisBalance{Account: curation.Address{1}, Amount: curve.Credits(1)}
			t.Balances = append(t.Balances, b, b)
		}, "two balances"},
		{"more credits than can exist", func(t *Terms) {
			t.Grant = curation.MaxSupply
			t.Balances = []curation.GenesisBalance{{Account: curation.Address{1}, Amount: curve.Credits(1)}}
		}, "balances exceed"},
		{"a rule out of its range", func(t *Terms) { t.Params.MaxPublished = 0 }, "max_published"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms := testTerms(1)
			c.change(&terms)
			h := home.Home(t.TempDir())
			err := Create(h, config.Default(), "", "Ada", terms)
			require.ErrorIs(t, err, ErrTerms)
			require.ErrorContains(t, err, c.err)
			_, err = Read(h)
			require.ErrorIs(t, err, ErrNoPlan, "nothing was left behind")
		})
	}
}

func TestAHomeBelongsToOneNetwork(t *testing.T) {
	h := home.Home(t.TempDir())
	require.NoError(t, Create(h, config.Default(), "", "Ada", testTerms(1)))
	require.ErrorContains(t, Create(h, config.Default(), "", "Ada", testTerms(1)), "belongs to a network already")
	_, err := Join(home.Home(t.TempDir()), config.Default(), "", "Bruno", "atelier1nonsense")
	require.ErrorIs(t, err, p2p.ErrInvitation)
}

func TestAnInvitationIsPrintedAgainWithTheFoundersNewAddress(t *testing.T) {
	h := home.Home(t.TempDir())
	require.NoError(t, Create(h, config.Default(), "", "Ada", testTerms(3)))
	cfg, secrets, _ := open(t, h)
	_, _, err := InviteTo(h, cfg, secrets, 2)
	require.ErrorContains(t, err, "seat 2 has no invitation yet")
	first, seat, err := Invite(h, cfg, secrets)
	require.NoError(t, err)
	require.Equal(t, 2, seat)

	cfg.Network.Announce = []string{"/ip4/203.0.113.7/udp/4001/quic-v1"}
	again, seat, err := InviteTo(h, cfg, secrets, 2)
	require.NoError(t, err)
	require.Equal(t, 2, seat)
	one, err := p2p.ParseInvitation(first)
	require.NoError(t, err)
	two, err := p2p.ParseInvitation(again)
	require.NoError(t, err)
	require.Equal(t, one.Token, two.Token)
	require.Equal(t, cfg.Network.Announce[0], two.Inviter.Addrs[0].String())

	_, seat, err = Invite(h, cfg, secrets)
	require.NoError(t, err)
	require.Equal(t, 3, seat, "printing again uses up none")
	for _, nobody := range []int{-1, 1, 4} {
		_, _, err = InviteTo(h, cfg, secrets, nobody)
		require.ErrorContains(t, err, "has no invitation yet")
	}
}

func TestANetworkOfOneInvitesNobody(t *testing.T) {
	h := home.Home(t.TempDir())
	require.NoError(t, Create(h, config.Default(), "", "Ada", testTerms(1)))
	cfg, secrets, _ := open(t, h)
	_, _, err := Invite(h, cfg, secrets)
	require.ErrorContains(t, err, "network of one member: found one of more with")
}

func TestWhatAJoinerIsToldWhileItWaits(t *testing.T) {
	notYet := func(text string) error { return &p2p.RemoteError{Code: p2p.CodeNotYet, Message: text} }
	for _, c := range []struct {
		name string
		w    p2p.Waiting
		want Progress
	}{
		{"seats are empty", p2p.Waiting{Have: 2, Want: 4, Err: notYet("2 of 4 members have joined")}, Progress{Have: 2, Want: 4}},
		{"another has come since", p2p.Waiting{Have: 2, Want: 4, Err: notYet("3 of 4 members have joined")}, Progress{Have: 3, Want: 4}},
		{"all are here, and the document is not", p2p.Waiting{Have: 2, Want: 2, Err: notYet("2 of 2 members have joined")},
			Progress{Have: 2, Want: 2, Waiting: "all members are here; the founder makes the founding document"}},
		{"a founder that says more than can be", p2p.Waiting{Have: 2, Want: 4, Err: notYet("9 of 9 members have joined")}, Progress{Have: 2, Want: 4}},
		{"a founder that says nothing", p2p.Waiting{Have: 2, Want: 4, Err: notYet("")}, Progress{Have: 2, Want: 4}},
		{"the founder is away", p2p.Waiting{Err: fmt.Errorf("call: %w: dial", p2p.ErrUnreachable)},
			Progress{Waiting: "the founder does not answer at /ip4/192.0.2.1/tcp/1 or /ip4/192.0.2.1/udp/1/quic-v1: is its node running, and can this machine reach it?"}},
		{"something else", p2p.Waiting{Err: errors.New("out of reach")}, Progress{Waiting: "out of reach"}},
		{"just registered", p2p.Waiting{Seat: 2, Have: 2, Want: 4}, Progress{Have: 2, Want: 4}},
	} {
		require.Equal(t, c.want, progressOf(c.w, []string{"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/udp/1/quic-v1"}), c.name)
	}
}

func TestListeningOnEveryAddressNeedsAnAnnouncedOne(t *testing.T) {
	cfg := config.Default()
	cfg.Network.Listen = []string{"/ip4/0.0.0.0/udp/4001/quic-v1"}
	_, err := reachable(cfg)
	require.ErrorContains(t, err, "network.announce")
	cfg.Network.Announce = []string{"/ip4/203.0.113.7/udp/4001/quic-v1"}
	got, err := reachable(cfg)
	require.NoError(t, err)
	require.Equal(t, cfg.Network.Announce, got)
}

func TestAHomeTakesPortsThatTheSystemLendsToNobody(t *testing.T) {
	for range 20 {
		listen, err := fixPorts(config.Default().Network.Listen)
		require.NoError(t, err)
		require.Len(t, listen, 2)
		for i, form := range []string{"/ip4/127.0.0.1/tcp/%d", "/ip4/127.0.0.1/udp/%d/quic-v1"} {
			var port int
			_, err := fmt.Sscanf(listen[i], form, &port)
			require.NoError(t, err, listen[i])
			require.GreaterOrEqual(t, port, 10000)
			require.Less(t, port, 32768)
		}
	}
	kept, err := fixPorts([]string{"/ip4/127.0.0.1/udp/4001/quic-v1"})
	require.NoError(t, err)
	require.Equal(t, []string{"/ip4/127.0.0.1/udp/4001/quic-v1"}, kept)
	_, err = fixPorts([]string{"/ip4/203.0.113.7/tcp/0"})
	require.ErrorContains(t, err, "choose an address of this machine with --listen")
}

// TestASeatNeedsARecordThatFoundsANetwork refuses a newcomer whose keys would make
// the genesis impossible, before it takes a seat.
func TestASeatNeedsARecordThatFoundsANetwork(t *testing.T) {
	d := testDocument(t)
	terms := testTerms(3)
	p := Plan{Terms: &terms}
	peers, err := d.Peers()
	require.NoError(t, err)
	own, err := d.Members[0].Record.Encode()
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		change func(*Record)
		err    string
	}{
		{"a record of its own", func(*Record) {}, ""},
		{"a deal key that is no point", func(r *Record) { r.DealKey = curation.Hash{0xff} }, "deal key"},
		{"another member's deal key", func(r *Record) { r.DealKey = d.Members[0].Record.DealKey }, "appears twice"},
		{"another member's validator", func(r *Record) { r.Validator = d.Members[0].Record.Validator }, "appears twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := d.Members[1].Record
			c.change(&record)
			b, err := record.Encode()
			require.NoError(t, err)
			err = p.check(peers[0].ID, own, peers[1].ID, b)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.err)
		})
	}
}

func testDocument(t testing.TB) Document {
	d := Document{Terms: testTerms(2)}
	for _, name := range []string{"Ada", "Bruno"} {
		seed := sha256.Sum256([]byte(name))
		s, err := keys.New(slowReader{seed[:]})
		require.NoError(t, err)
		d.Members = append(d.Members, Seat{Account: s.Account(), Record: Record{Name: name, Validator: sha256.Sum256(seed[:]), DealKey: dkg.DealKey(seed), Addrs: []string{"/ip4/127.0.0.1/tcp/1"}}})
	}
	return d
}

// slowReader repeats its bytes.
type slowReader struct{ b []byte }

func (r slowReader) Read(p []byte) (int, error) { return copy(p, r.b), nil }

func TestTheGenesisFollowsFromTheDocument(t *testing.T) {
	d := testDocument(t)
	b, err := d.Encode()
	require.NoError(t, err)
	again, err := DecodeDocument(b)
	require.NoError(t, err)
	first, err := d.Genesis()
	require.NoError(t, err)
	second, err := again.Genesis()
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
	slices.Reverse(d.Members)
	other, err := d.Genesis()
	require.NoError(t, err)
	require.NotEqual(t, string(first), string(other), "the order of the seats matters")
}

// FuzzDocument feeds what a founder might send: a genesis or an error.
func FuzzDocument(f *testing.F) {
	b, err := testDocument(f).Encode()
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"terms":{},"members":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := DecodeDocument(b)
		if err != nil {
			return
		}
		_, err = d.Genesis()
		require.NoError(t, err)
	})
}

// FuzzRecord feeds what a joiner might send.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"name":"x","validator":"00","deal_key":"00","addrs":["/ip4/127.0.0.1/tcp/1"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := DecodeRecord(b); err == nil {
			_, err := r.Encode()
			require.NoError(t, err)
		}
	})
}
