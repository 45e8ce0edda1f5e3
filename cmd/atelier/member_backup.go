package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/backup"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

const backupVariable = "ATELIER_BACKUP_PASSPHRASE"

// minBackupPassphrase is the shortest passphrase that a person may choose: whoever
// has the file may guess for as long as it likes.
const minBackupPassphrase = 12

func memberBackup(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Keep this home's member in one encrypted file",
		Long: `backup writes all that makes the member into one new file: its identity, the seeds
of its share and of its one-time keys, its voting key, the network's founding
document, and where the home listens. It works while the node runs, and while it
does not. Other settings of config.toml, the ledger and pictures are not in it: the
settings have defaults, and the rest comes back from the other members.

The backup is static: one is enough, for months and years. It goes stale when the
members hand their keys over to a new committee; make a new one then. What tells is
` + "`atelier member verify-backup`" + `.

The file is an age file (age-encryption.org) under a passphrase: the one in
` + backupVariable + `, of 12 characters or more, or else a random one that is
printed here once. Whoever has both is this member, so keep them apart. In a network
of one member copy the ledger folder of the stopped home too: nobody else has it.`,
		Example: "  atelier member backup ada.backup\n  atelier member backup /media/stick/ada.backup --home ./ada",
		Args:    takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, made, err := newBackupPassphrase()
			if err != nil {
				return err
			}
			b, err := e.backupOf(cmd.Context())
			if err != nil {
				return err
			}
			if err := b.Write(args[0], secret); err != nil {
				return err
			}
			if e.json {
				return e.print(struct {
					File       string `json:"file"`
					Network    string `json:"network"`
					Member     uint32 `json:"member"`
					Name       string `json:"name"`
					Height     uint64 `json:"height"`
					Epoch      uint64 `json:"epoch"`
					Passphrase string `json:"passphrase,omitempty"`
				}{args[0], b.Network, b.Index, b.Name, b.Height, b.Epoch, made})
			}
			fmt.Fprintf(e.out, "%s: member %d, %s, of %s, at height %d, key epoch %d\n", args[0], b.Index, b.Name, b.Network, b.Height, b.Epoch)
			if made != "" {
				fmt.Fprintf(e.out, "passphrase: %s   (shown this once: write it down, apart from the file)\n", made)
			}
			fmt.Fprintf(e.out, "next: %s\n", e.again("member verify-backup %s", quoted(args[0])))
			return nil
		},
	}
}

// newBackupPassphrase is the one that was chosen; or a random one, given as made too.
func newBackupPassphrase() (secret, made string, err error) {
	if secret = os.Getenv(backupVariable); secret != "" {
		if len(secret) < minBackupPassphrase {
			return "", "", usage("%s has %d characters, want %d or more: whoever has the file may guess for as long as it likes", backupVariable, len(secret), minBackupPassphrase)
		}
		return secret, "", nil
	}
	var b [20]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", "", err
	}
	text := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	for len(text) > 4 {
		made, text = made+text[:4]+"-", text[4:]
	}
	made += text
	return made, made, nil
}

// backupPassphrase opens a backup: the variable's, or what a person types.
func (e *env) backupPassphrase() (string, error) {
	if secret := os.Getenv(backupVariable); secret != "" {
		return secret, nil
	}
	f, ok := e.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usage("the backup needs its passphrase: give it in %s, or type it at a terminal", backupVariable)
	}
	fmt.Fprint(e.err, "passphrase of the backup: ")
	secret, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(e.err)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	return string(secret), nil
}

// backupOf is the member of the home as it stands: by the word of its node, or from
// its files while none runs.
func (e *env) backupOf(ctx context.Context) (*backup.Backup, error) {
	h := home.Home(e.home)
	cfg, err := config.Load(e.home, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	secrets, err := keys.Load(e.home, passphrase())
	if err != nil {
		return nil, err
	}
	s, err := e.ownStanding(ctx, h)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, home.ErrNoGenesis) { // without a ledger it is not founded, or never ran
		return nil, err
	}
	return backup.Of(h, cfg, secrets, s)
}

// ownStanding is what the ledger of a home says: its node's while one runs.
func (e *env) ownStanding(ctx context.Context, h home.Home) (s backup.Standing, err error) {
	if address, err := h.ReadAPIAddress(); err == nil {
		s, err := standingOf(ctx, api.NewClient(address, ""))
		if !errors.Is(err, api.ErrUnreachable) {
			return s, err
		}
	}
	if _, err := os.Stat(string(h)); err != nil {
		return s, err
	}
	unlock, err := h.Lock()
	if err != nil {
		return s, err
	}
	s, err = backup.ReadStanding(h)
	return s, errors.Join(err, unlock())
}

// standingOf asks a node.
func standingOf(ctx context.Context, c *api.Client) (s backup.Standing, err error) {
	defer c.Close()
	t, err := c.Ceremony(ctx)
	if err != nil {
		return s, err
	}
	s = backup.Standing{Source: "the node at " + c.Address(), Chain: t.Chain, Height: t.Height, Seats: t.Seats}
	for _, m := range t.Members {
		s.Members = append(s.Members, curation.Member{Index: m.Index, Name: m.Name, Account: m.Account, Validator: m.Validator,
			Power: m.Power, Standing: m.Standing, Seat: m.Seat})
	}
	if s.Log, err = dkg.UnmarshalLog(t.Log); err == nil && len(t.Committee) > 0 {
		s.Committee, err = shamir.UnmarshalCommittee(t.Committee)
	}
	if err != nil {
		return s, fmt.Errorf("%s tells of a ceremony that cannot be read: %w", s.Source, err)
	}
	return s, nil
}

func memberVerifyBackup(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "verify-backup FILE", Short: "Check that a backup opens, and that its keys still are the member's",
		Long: `verify-backup opens a backup and checks its keys against what is in it too: the
founding document, or for a member that joined later its signed application. Whether
the seed still makes a share of the network's keys only a ledger can tell: that of
the node that --api names, or of the home, whether its node runs or not. Each line
says what was checked. Nothing of the keys is printed.

It ends with 0 when all of it holds, with 1 when something does not, among it a
backup that a later committee has made stale, and with 6 when nothing fails but no
ledger was there to check the share with.`,
		Example: "  atelier member verify-backup ada.backup\n  atelier member verify-backup ada.backup --api 127.0.0.1:8080 --json",
		Args:    takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, err := e.backupPassphrase()
			if err != nil {
				return err
			}
			b, err := backup.Read(args[0], secret)
			if err != nil {
				return err
			}
			s, missing := e.standing(cmd.Context())
			return e.showBackup(b.Check(s, missing))
		},
	}
}

// standing is what the node or the home at hand says, or why nothing does.
func (e *env) standing(ctx context.Context) (*backup.Standing, string) {
	var s backup.Standing
	var err error
	if e.api != "" {
		s, err = standingOf(ctx, api.NewClient(e.api, ""))
	} else {
		s, err = e.ownStanding(ctx, home.Home(e.home))
	}
	switch {
	case err == nil:
		return &s, ""
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, home.ErrNoGenesis):
		return nil, fmt.Sprintf("no ledger is at hand: %s has none; name a home that has with --home, or a node with --api", e.home)
	}
	return nil, "no ledger is at hand: " + sentence(err)
}

func (e *env) showBackup(r backup.Report) error {
	if e.json {
		if err := e.print(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.out, "member %d, %s, of %s; made at height %d, key epoch %d\n", r.Member, r.Name, r.Network, r.Height, r.Epoch)
		e.showClaims(r.Claims)
	}
	switch r.Outcome {
	case verify.Invalid:
		return &invalidError{"the backup is not one that restores this member: see what fails above"}
	case verify.Unchecked:
		return &uncheckedError{"the backup could not be checked whole: its share needs a ledger of this network, from a home that has it (--home DIR) or a node (--api HOST:PORT)"}
	}
	if !e.json {
		fmt.Fprintln(e.out, "valid")
	}
	return nil
}

func memberRestore(e *env) *cobra.Command {
	var network string
	var listen, announce []string
	c := &cobra.Command{
		Use: "restore FILE", Short: "Make a home again from a member's backup",
		Long: `restore makes a new home at --home from a backup. Be sure first that the lost node
runs nowhere: two nodes with one key sign against each other.

A restored member does not know what it has voted for last, and a vote cast twice
counts against it. So its node follows the ledger first without voting: until enough
members have said that they see no other node with its keys, it has caught up, and
` + strconv.Itoa(ledger.ObserveBlocks) + ` new blocks bear no vote of its key. ` + "`atelier node status`" + ` shows how far it is.
If another node runs with these keys it ends with an error instead. Its share serves
as soon as it has caught up. The ledger of a network of one is lost with its home,
unless its ledger folder was copied; put that into the new home.

When the network makes no blocks without this member, none come to wait for; then
` + "`atelier node start --unsafe-sign-now`" + ` lets it vote at the operator's risk.

A backup of another network, or of keys that a later committee has replaced, is
refused when --network or --api tells how the network stands.`,
		Example: "  atelier member restore ada.backup --home ./ada\n  atelier member restore ada.backup --home ./ada --network harbour.json",
		Args:    takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, err := e.backupPassphrase()
			if err != nil {
				return err
			}
			b, err := backup.Read(args[0], secret)
			if err != nil {
				return err
			}
			known, err := e.known(cmd.Context(), network)
			if err != nil {
				return err
			}
			o := backup.Restoring{Passphrase: passphrase(), Listen: listen, Announce: announce}
			for _, k := range known {
				if err := b.Fits(k); err != nil {
					return err
				}
				o.Height = max(o.Height, k.Height)
			}
			if err := b.Restore(home.Home(e.home), o); err != nil {
				return err
			}
			if len(known) == 0 {
				fmt.Fprintln(e.err, "note: how the network stands now was not checked: --network FILE or --api HOST:PORT tell it")
			}
			if b.Lone {
				fmt.Fprintf(e.err, "note: this network has one member: its ledger is not in the backup. If its folder was\n  copied, put it in place of %s/data before the start; else the ledger is lost.\n", home.Home(e.home).Ledger())
			}
			return e.say(struct {
				Home    string `json:"home"`
				Network string `json:"network"`
				Member  uint32 `json:"member"`
				Name    string `json:"name"`
				Height  uint64 `json:"height"`
				Epoch   uint64 `json:"epoch"`
			}{e.home, b.Network, b.Index, b.Name, b.Height, b.Epoch},
				"member %d, %s, of %s is restored in %s; it observes before it votes\nnext: atelier node start --home %s   (when no other node runs with these keys)\n",
				b.Index, b.Name, b.Network, e.home, quoted(e.home))
		},
	}
	c.Flags().StringVar(&network, "network", "", "the network must be that of the network `FILE`, as `atelier network export` writes it")
	options(c, &listen, "listen", "", multiaddr, "`MULTIADDR` to listen on, when not where it did (repeatable)")
	options(c, &announce, "announce", "", multiaddr, "`MULTIADDR` where others reach this home, when not where they did (repeatable)")
	return c
}

// known is what a network file and a node say about the network to return to.
func (e *env) known(ctx context.Context, file string) (all []backup.Known, err error) {
	if file != "" {
		n, err := readNetwork(file)
		if err != nil {
			return nil, err
		}
		c, err := shamir.UnmarshalCommittee(n.Committee)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, backup.Known{Source: file, Chain: n.Chain, Epoch: c.Epoch()})
	}
	if e.api != "" {
		s, err := standingOf(ctx, api.NewClient(e.api, ""))
		if err != nil {
			return nil, err
		}
		all = append(all, backup.Known{Source: s.Source, Chain: s.Chain, Epoch: s.Epoch(), Height: s.Height, Standing: &s})
	}
	return all, nil
}
