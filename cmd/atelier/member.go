package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/p2p"
)

func memberInvite(e *env) *cobra.Command {
	var seat int
	c := &cobra.Command{
		Use:   "invite",
		Short: "Print an invitation: one string with all that a joiner needs",
		Long: `invite prints an invitation. Whoever has the string can use it, so send it as you
would send a password. It says where this home is reached: network.announce of its
config.toml, or what it listens on.

Before a network is founded its founder has one invitation for each seat, one call
each; --seat prints one again, with the addresses of now.

Once the network runs every member may invite, as often as it likes. Who uses such
an invitation applies to become a member: this home's node, which has to run then,
votes for it, and the others do with ` + "`atelier member admit`" + ` until a quorum has. Each
invitation serves one newcomer, and lapses after 7 days.`,
		Example: "  atelier member invite\n  atelier member invite --home ./ada --seat 2",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h := home.Home(e.home)
			cfg, err := config.Load(e.home, os.LookupEnv)
			if err != nil {
				return err
			}
			plan, err := founding.Read(h)
			if err != nil {
				return err
			}
			secrets, err := keys.Load(e.home, passphrase())
			if err != nil {
				return err
			}
			printed := struct {
				Invitation string     `json:"invitation"`
				Seat       int        `json:"seat,omitempty"`
				Until      *time.Time `json:"until,omitempty"`
			}{}
			switch {
			case !plan.Founded():
				printed.Invitation, printed.Seat, err = founding.InviteTo(h, cfg, secrets, seat)
			case seat != 0:
				err = errors.New("the network is founded, and every seat of its founding is taken: invite a further member without --seat")
			default:
				if err := e.mayInvite(cmd.Context(), h); err != nil {
					return err
				}
				var until time.Time
				printed.Invitation, until, err = founding.InviteToJoin(h, cfg, secrets, time.Now())
				printed.Until = &until
			}
			if err != nil {
				return err
			}
			if err := e.warnLoopback(printed.Invitation, printed.Seat); err != nil {
				return err
			}
			if e.json {
				return e.print(printed)
			}
			fmt.Fprintln(e.out, printed.Invitation)
			return nil
		},
	}
	option(c, &seat, "seat", "", between(2, curation.MaxMembers), "print the invitation of seat `N` again, from 2; before the network is founded")
	return c
}

// mayInvite refuses to invite to a running network for somebody who could not vote for
// whoever comes. Without a node nobody can come yet, which is told.
func (e *env) mayInvite(ctx context.Context, h home.Home) error {
	address, err := h.ReadAPIAddress()
	if err != nil {
		fmt.Fprintf(e.err, "note: who uses the invitation is let in by this home's node, which does not run: %s\n", e.again("node start"))
		return nil
	}
	c := api.NewClient(address, "")
	defer c.Close()
	n, err := c.Node(ctx)
	if err != nil {
		return err
	}
	if n.Standing != curation.StandingActive && n.Member != 0 {
		return refused(curation.CodeNotMember, "member %d (%s) is %s: an active member invites, because it votes for whoever comes", n.Member, n.Name, n.Standing)
	}
	return nil
}

// warnLoopback tells when an invitation is of no use on other machines.
func (e *env) warnLoopback(text string, seat int) error {
	inv, err := p2p.ParseInvitation(text)
	if err != nil {
		return err
	}
	for _, a := range inv.Inviter.Addrs {
		if !manet.IsIPLoopback(a) {
			return nil
		}
	}
	again := e.again("member invite")
	if seat != 0 {
		again += fmt.Sprintf(" --seat %d", seat)
	}
	fmt.Fprintf(e.err, `note: this invitation works on this machine only, because the home listens on loopback.
  For members elsewhere, set in %s, with an address of yours,
    [network]
    listen = ["/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001"]
    announce = ["/ip4/203.0.113.7/udp/4001/quic-v1", "/ip4/203.0.113.7/tcp/4001"]
  and print one again: %s
`, home.Home(e.home).Config(), again)
	return nil
}

func memberJoin(e *env) *cobra.Command {
	var name string
	var places addresses
	c := &cobra.Command{
		Use:   "join INVITATION",
		Short: "Make a home that joins a network",
		Long: `join makes a home with fresh keys for an invitation. If it is to a seat in a network
that is being founded, the node registers with the founder when it starts, and waits
until all members have. If it is to a network that runs, the node applies to whoever
invited when it starts, and waits until enough members have voted for it; then it
follows the ledger, and gets a share of the keys and a vote at the next handover,
which it asks for by itself. Whoever joins agrees to the terms whose hash is in the
invitation.

A home that was not admitted in time, or whose member has left, joins its network
again with another invitation: stop its node, and name it with --home.`,
		Example: "  atelier member join atelier1… --member-name Bruno --home ./bruno",
		Args:    takes("INVITATION"),
		RunE: func(_ *cobra.Command, args []string) error {
			inv, err := read("INVITATION", args[0], invitation)
			if err != nil {
				return err
			}
			if _, err := founding.Join(home.Home(e.home), places.config(), passphrase(), name, args[0]); err != nil {
				return err
			}
			return e.say(struct {
				Network string `json:"network"`
				Home    string `json:"home"`
			}{inv.Network, e.home}, "%s joins network %q in %s\nnext: atelier node start --home %s\n", name, inv.Network, e.home, quoted(e.home))
		},
	}
	option(c, &name, "member-name", "member", person, "`NAME` of this member")
	places.options(c)
	return c
}
