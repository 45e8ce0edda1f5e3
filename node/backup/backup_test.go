package backup

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3/util/random"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

const (
	passphrase = "correct horse battery"
	cheap      = 4 // logarithm of scrypt's N: the tests open many files
)

// founded is a home of a network of one, with its secrets.
func founded(t testing.TB) (home.Home, keys.Secrets) {
	t.Helper()
	h := home.Home(filepath.Join(t.TempDir(), "ada"))
	terms := founding.Terms{Network: "harbour", Charter: curation.Charter{Name: "Harbour", Text: "ours"},
		Params: curation.DefaultParams(), Seats: 1, Grant: curve.Credits(10)}
	require.NoError(t, founding.Create(h, config.Default(), "", "Ada", terms))
	secrets, err := keys.Load(string(h), "")
	require.NoError(t, err)
	// What founding.Run writes for a network of one.
	validator, err := ledger.ValidatorKey(h.Ledger())
	require.NoError(t, err)
	cfg, err := config.Load(string(h), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	document := &founding.Document{Terms: terms, Members: []founding.Seat{{Account: curation.Address(secrets.Account()), Record: founding.Record{
		Name: "Ada", Validator: curation.Hash(validator), DealKey: dkg.DealKey(secrets.Ceremony), Addrs: cfg.Network.Listen}}}}
	genesis, err := document.Genesis()
	require.NoError(t, err)
	require.NoError(t, keys.WriteFile(h.Genesis(), genesis, 0o600))
	require.NoError(t, home.Save(h.Founding(), founding.Plan{Name: "Ada", Terms: &terms, Document: document}))
	return h, secrets
}

func backedUp(t testing.TB) (*Backup, home.Home) {
	t.Helper()
	h, secrets := founded(t)
	cfg, err := config.Load(string(h), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	b, err := Of(h, cfg, secrets, Standing{Height: 12})
	require.NoError(t, err)
	b.Epoch = 1
	return b, h
}

func TestABackupComesBackAsItWas(t *testing.T) {
	b, h := backedUp(t)
	sealed, err := b.seal(passphrase, cheap)
	require.NoError(t, err)
	got, err := Open(sealed, passphrase)
	require.NoError(t, err)
	require.True(t, b.secrets.Identity.Equal(got.secrets.Identity))
	require.True(t, b.validator.Equal(got.validator))
	require.Equal(t, b.secrets.Ceremony, got.secrets.Ceremony)
	require.Equal(t, b.secrets.Prekeys, got.secrets.Prekeys)
	require.Equal(t, b.document, got.document)
	require.Equal(t, []any{"harbour", "Ada", uint32(1), uint64(12), uint64(1)}, []any{got.Network, got.Name, got.Index, got.Height, got.Epoch})

	t.Run("and its home is the old one, without a record of votes", func(t *testing.T) {
		back := home.Home(filepath.Join(t.TempDir(), "deep", "back"))
		require.NoError(t, got.Restore(back, Restoring{Height: 40}))
		for _, same := range []func(home.Home) string{home.Home.Genesis, home.Home.Config} {
			want, err := os.ReadFile(same(h))
			require.NoError(t, err)
			have, err := os.ReadFile(same(back))
			require.NoError(t, err)
			require.Equal(t, string(want), string(have))
		}
		secrets, err := keys.Load(string(back), "")
		require.NoError(t, err)
		require.Equal(t, b.secrets.Account(), secrets.Account())
		key, err := ledger.ValidatorKey(back.Ledger())
		require.NoError(t, err)
		require.Equal(t, b.validator.Public(), key)
		observes, err := ledger.Restored(back.Ledger())
		require.NoError(t, err)
		require.True(t, observes)
		note, err := os.ReadFile(filepath.Join(back.Ledger(), "data", "restored.json"))
		require.NoError(t, err)
		require.Contains(t, string(note), `"above":40`)
		require.NoFileExists(t, back.Journal())
		info, err := os.Stat(string(back))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		require.ErrorContains(t, got.Restore(back, Restoring{}), "exists already")
	})
	t.Run("a restore that was cut short is told, and nothing is touched", func(t *testing.T) {
		dir := t.TempDir()
		half := filepath.Join(dir, "back.restoring")
		require.NoError(t, os.Mkdir(half, 0o700))
		require.ErrorContains(t, got.Restore(home.Home(filepath.Join(dir, "back")), Restoring{}), "remove it and try again")
		require.DirExists(t, half)
		require.NoDirExists(t, filepath.Join(dir, "back"))
	})
	t.Run("one that fails leaves nothing", func(t *testing.T) {
		dir := t.TempDir()
		require.Error(t, got.Restore(home.Home(filepath.Join(dir, "back")), Restoring{Listen: []string{"nowhere"}}))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	})
}

func TestABackupIsRefused(t *testing.T) {
	b, _ := backedUp(t)
	other, _ := backedUp(t)
	good := func() stored {
		return stored{Format: Format, Network: b.Network, Chain: b.Chain, Member: b.Index, Name: b.Name, Height: b.Height, Epoch: b.Epoch,
			Listen: b.Listen, Announce: b.Announce, Identity: b.secrets.Identity.Seed(), Seeds: map[uint64][]byte{1: b.secrets.Ceremony[:]},
			Prekeys: b.secrets.Prekeys[:], Validator: b.validator.Seed(), Genesis: b.document, Founding: b.plan}
	}
	for name, c := range map[string]struct {
		spoil func(*stored)
		wrong string
	}{
		"nothing is wrong":                     {func(*stored) {}, ""},
		"an older format":                      {func(s *stored) { s.Format = 1 }, ""},
		"a format before the first":            {func(s *stored) { s.Format = 0 }, "format 0"},
		"a newer format":                       {func(s *stored) { s.Format = Format + 1 }, "format 3"},
		"a short key":                          {func(s *stored) { s.Seeds[1] = s.Seeds[1][1:] }, "31 bytes"},
		"no validator key":                     {func(s *stored) { s.Validator = nil }, "0 bytes"},
		"the identity of somebody else":        {func(s *stored) { s.Identity = other.secrets.Identity.Seed() }, "not among the members"},
		"the genesis of another network":       {func(s *stored) { s.Genesis = other.document }, "two networks"},
		"the founding of another network":      {func(s *stored) { s.Founding = other.plan }, "two networks"},
		"no founding document":                 {func(s *stored) { s.Founding.Document = nil }, "before the network was founded"},
		"another chain beside the genesis":     {func(s *stored) { s.Chain = other.Chain; s.Chain[0] ^= 1 }, "it says member 1"},
		"another name beside the genesis":      {func(s *stored) { s.Name = "Bea" }, `"Bea"`},
		"nowhere to listen":                    {func(s *stored) { s.Listen = nil }, "must be reachable"},
		"an announced address that is not one": {func(s *stored) { s.Announce = []string{"home"} }, "want an address"},
		"a genesis that cannot be read":        {func(s *stored) { s.Genesis = []byte("{}") }, "two networks"},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			c.spoil(&s)
			requireDecoded(t, s, c.wrong)
		})
	}
	plain, err := json.Marshal(good())
	require.NoError(t, err)
	for name, bad := range map[string][]byte{
		"nothing":              nil,
		"cut short":            plain[:len(plain)-1],
		"something at the end": append(bytes.Clone(plain), '1'),
		"an unknown field":     bytes.Replace(plain, []byte(`"format":2`), []byte(`"format":2,"future":true`), 1),
		"a newer one":          []byte(`{"format":9,"future":true}`),
	} {
		_, err := decode(bad)
		require.ErrorIs(t, err, ErrBackup, name)
	}
	_, err = decode([]byte(`{"format":9,"future":true}`))
	require.ErrorContains(t, err, "use a newer one")
}

func TestAFileOpensWholeOrNotAtAll(t *testing.T) {
	b, _ := backedUp(t)
	sealed, err := b.seal(passphrase, cheap)
	require.NoError(t, err)
	_, err = Open(sealed, "wrong horse battery")
	require.ErrorIs(t, err, ErrPassphrase)
	for i := 0; i < len(sealed); i += 11 {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		_, err := Open(broken, passphrase)
		require.Error(t, err, "byte %d flipped", i)
		_, err = Open(sealed[:i], passphrase)
		require.ErrorIs(t, err, ErrBackup, "cut at %d", i)
	}
	t.Run("one that would take hours to open is refused at once", func(t *testing.T) {
		bomb := bytes.Replace(sealed, fmt.Appendf(nil, " %d\n", cheap), []byte(" 30\n"), 1)
		require.NotEqual(t, sealed, bomb)
		_, err := Open(bomb, passphrase)
		require.ErrorIs(t, err, ErrBackup)
	})
	t.Run("the plain age program opens it", func(t *testing.T) {
		id, err := age.NewScryptIdentity(passphrase)
		require.NoError(t, err)
		_, err = age.Decrypt(bytes.NewReader(sealed), id)
		require.NoError(t, err)
	})
}

func TestAFileIsNeverOverwrittenAndItsOwnersAlone(t *testing.T) {
	b, _ := backedUp(t)
	path := filepath.Join(t.TempDir(), "ada.backup")
	require.NoError(t, b.Write(path, passphrase))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.ErrorContains(t, b.Write(path, passphrase), "never overwrites")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	for _, secret := range [][]byte{b.secrets.Ceremony[:], b.validator.Seed(), []byte("harbour")} {
		require.False(t, bytes.Contains(before, secret))
	}
}

func TestABackupPrintsNothing(t *testing.T) {
	b, _ := backedUp(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		require.Equal(t, "backup(Ada, redacted)", fmt.Sprintf(verb, b), verb)
	}
	_, err := json.Marshal(b)
	require.Error(t, err)
}

// standingFor runs the whole ceremony of a network of one and gives what its ledger says.
func standingFor(t *testing.T, b *Backup) Standing {
	t.Helper()
	log, err := dkg.NewLog(curation.CeremonyParams(b.Chain, b.genesis, 0), 1)
	require.NoError(t, err)
	party, err := dkg.NewParty(1, b.secrets.Ceremony)
	require.NoError(t, err)
	for height := uint64(1); log.Phase() != dkg.PhaseActive; height++ {
		require.Less(t, height, uint64(1000))
		messages, err := party.Step(height, log)
		require.NoError(t, err)
		for _, m := range messages {
			require.NoError(t, log.Apply(height, 1, m))
		}
		log.EndBlock(height)
	}
	c, err := log.Committee()
	require.NoError(t, err)
	me := b.genesis.Members[0]
	return Standing{Source: "the test", Chain: b.Chain, Height: 50, Log: log, Committee: c, Seats: curation.Seats{1},
		Members: []curation.Member{{Index: 1, Name: me.Name, Account: me.Account, Validator: me.Validator, Power: 1, Seat: 1, Standing: curation.StandingActive}}}
}

func TestWhatIsCheckedOfABackupIsSaid(t *testing.T) {
	b, _ := backedUp(t)
	now := standingFor(t, b)
	for name, c := range map[string]struct {
		spoil    func(*Backup)
		standing func(Standing) *Standing
		outcome  verify.Outcome
		fails    string // names of the claims
		skips    string
	}{
		"all of it holds":                  {outcome: verify.Valid},
		"no ledger is at hand":             {standing: func(Standing) *Standing { return nil }, outcome: verify.Unchecked, skips: "share epoch"},
		"the ledger is another network's":  {standing: func(s Standing) *Standing { s.Chain[0] ^= 1; return &s }, outcome: verify.Unchecked, skips: "share epoch"},
		"the ceremony has not ended":       {standing: func(s Standing) *Standing { s.Committee = nil; return &s }, outcome: verify.Unchecked, skips: "share"},
		"it was made before the ceremony":  {spoil: func(b *Backup) { b.Epoch = 0 }, outcome: verify.Valid},
		"another ceremony seed":            {spoil: func(b *Backup) { b.secrets.Ceremony[0] ^= 1 }, outcome: verify.Invalid, fails: "deal key share"},
		"another voting key":               {spoil: func(b *Backup) { _, b.validator, _ = ed25519.GenerateKey(rand.Reader) }, outcome: verify.Invalid, fails: "validator"},
		"a later committee has taken over": {standing: later(t), outcome: verify.Invalid, fails: "epoch", skips: "share"},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt, standing := *b, &now
			if c.spoil != nil {
				c.spoil(&spoilt)
			}
			if c.standing != nil {
				standing = c.standing(now)
			}
			r := spoilt.Check(standing, "nothing is at hand")
			var fails, skips []string
			for _, claim := range r.Claims {
				switch claim.Status {
				case verify.Fails:
					fails = append(fails, claim.Name)
				case verify.Skipped:
					skips = append(skips, claim.Name)
				}
				require.NotEmpty(t, claim.Detail, claim.Name)
			}
			require.Equal(t, c.outcome, r.Outcome)
			require.Equal(t, c.fails, strings.Join(fails, " "))
			require.Equal(t, c.skips, strings.Join(skips, " "))
		})
	}
}

// later is a standing in which a committee of the next epoch is in force.
func later(t *testing.T) func(Standing) *Standing {
	return func(s Standing) *Standing {
		x, y := shamir.Ristretto255, shamir.G2
		_, px, err := shamir.Split(rand.Reader, x, x.Scalar().Pick(random.New()), 1, 1)
		require.NoError(t, err)
		_, py, err := shamir.Split(rand.Reader, y, y.Scalar().Pick(random.New()), 1, 1)
		require.NoError(t, err)
		s.Committee, err = shamir.NewCommittee(2, [32]byte{}, 1, px, py)
		require.NoError(t, err)
		return &s
	}
}

func TestABackupOfNoUseToTheNetworkIsRefused(t *testing.T) {
	b, _ := backedUp(t)
	require.NoError(t, b.Fits(Known{Chain: b.Chain, Epoch: 1}))
	require.NoError(t, b.Fits(Known{Chain: b.Chain}))
	require.ErrorIs(t, b.Fits(Known{Chain: curation.Hash{1}, Epoch: 1}), ErrOtherNetwork)
	require.ErrorIs(t, b.Fits(Known{Chain: b.Chain, Epoch: 2}), ErrStale)
	now := standingFor(t, b)
	require.NoError(t, b.Fits(Known{Chain: b.Chain, Epoch: 2, Standing: &now}), "its seat is kept under the deal key of then")
	require.ErrorIs(t, b.Fits(Known{Chain: b.Chain, Epoch: 2, Standing: later(t)(now)}), ErrStale)
	require.ErrorIs(t, b.Fits(Known{Chain: b.Chain, Epoch: 2, Standing: &Standing{Chain: b.Chain}}), ErrStale)

	b.secrets.Later = map[uint64][32]byte{2: {2}} // it was made while the handover to 2 went on
	require.NoError(t, b.Fits(Known{Chain: b.Chain, Epoch: 2}))
	require.ErrorIs(t, b.Fits(Known{Chain: b.Chain, Epoch: 3}), ErrStale)
	require.ErrorIs(t, b.Fits(Known{Chain: b.Chain, Epoch: 2, Standing: later(t)(now)}), ErrStale, "the ledger knows better")
}

// FuzzDecode feeds what an opened file may hold: an error or a backup, never a panic.
func FuzzDecode(f *testing.F) {
	b, _ := backedUp(f)
	plain, err := json.Marshal(stored{Format: Format, Network: b.Network, Chain: b.Chain, Member: b.Index, Name: b.Name, Listen: b.Listen,
		Identity: b.secrets.Identity.Seed(), Seeds: map[uint64][]byte{1: b.secrets.Ceremony[:]}, Prekeys: b.secrets.Prekeys[:], Validator: b.validator.Seed(),
		Genesis: b.document, Founding: b.plan})
	require.NoError(f, err)
	f.Add(plain)
	f.Add([]byte(`{"format":1,"identity":"","genesis":"e30=","founding":{"document":{"members":[{}]}}}`))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{"format":2,"member":2,"identity":"","genesis":"e30=","founding":{"document":{"members":[{}]},"admission":{"admitted":true,"application":{}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decode(data)
		if err != nil {
			require.ErrorIs(t, err, ErrBackup)
			return
		}
		require.NotZero(t, b.Index)
		require.NotEmpty(t, b.Check(nil, "nothing").Claims)
	})
}

// FuzzOpen feeds damaged files: an error, never a panic.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAA 15\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Open(data, passphrase)
		require.Error(t, err)
	})
}

// requireDecoded reads what is stored, or wants it refused for what is wrong with it.
func requireDecoded(t *testing.T, s stored, wrong string) {
	t.Helper()
	plain, err := json.Marshal(s)
	require.NoError(t, err)
	_, err = decode(plain)
	if wrong == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, ErrBackup)
	require.ErrorContains(t, err, wrong)
}
