package main

import (
	"fmt"
	"os"
	"strconv"

	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
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
		Short: "Print the next invitation: one string with all that a joiner needs",
		Long: `invite prints one invitation for each seat of the network, one call each. Whoever
has the string can take the seat, so send it as you would send a password. It says
where this home is reached: network.announce of its config.toml, or what it listens
on. --seat prints one again, with the addresses of now.`,
		Example: "  atelier member invite\n  atelier member invite --home ./ada --seat 2",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := config.Load(e.home, os.LookupEnv)
			if err != nil {
				return err
			}
			if _, err := founding.Read(home.Home(e.home)); err != nil {
				return err
			}
			secrets, err := keys.Load(e.home, passphrase())
			if err != nil {
				return err
			}
			text, seat, err := founding.InviteTo(home.Home(e.home), cfg, secrets, seat)
			if err != nil {
				return err
			}
			if err := e.warnLoopback(text, seat); err != nil {
				return err
			}
			if e.json {
				return e.print(struct {
					Invitation string `json:"invitation"`
					Seat       int    `json:"seat"`
				}{text, seat})
			}
			fmt.Fprintln(e.out, text)
			return nil
		},
	}
	option(c, &seat, "seat", "", between(2, curation.MaxMembers), "print the invitation of seat `N` again, from 2")
	return c
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
	fmt.Fprintf(e.err, `note: this invitation works on this machine only, because the home listens on loopback.
  For members elsewhere, set in %s, with an address of yours,
    [network]
    listen = ["/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001"]
    announce = ["/ip4/203.0.113.7/udp/4001/quic-v1", "/ip4/203.0.113.7/tcp/4001"]
  and print it again: %s --seat %d
`, home.Home(e.home).Config(), e.again("member invite"), seat)
	return nil
}

func memberJoin(e *env) *cobra.Command {
	var name string
	var places addresses
	c := &cobra.Command{
		Use:   "join INVITATION",
		Short: "Make a home that takes a seat in a network",
		Long: `join makes a home with fresh keys that will take the invitation's seat: the node
registers with the founder when it starts, and waits until all members have. Whoever
joins agrees to the terms whose hash is in the invitation.`,
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

func memberList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the members: who they are, what they hold, who is connected",
		Long: `list shows each member: whether this node is connected to it, whether it proved its
share of the key, and how many one-time keys it has left to read shares with.`,
		Example: "  atelier member list\n  atelier member list --home ./ada --json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			members, err := c.Members(cmd.Context())
			if err != nil {
				return err
			}
			n, err := c.Node(cmd.Context())
			if err != nil {
				return err
			}
			connected := map[uint32]string{n.Member: "this node"}
			if n.Observing {
				connected[n.Member] = "this node, observing"
				if n.Until > 0 {
					connected[n.Member] += fmt.Sprintf(" until height %d", n.Until)
				}
			}
			for _, p := range n.Peers {
				connected[p.Member] = "no"
				if p.Connected {
					connected[p.Member] = "yes"
				}
			}
			var rows [][]string
			for _, m := range members {
				proven := "no"
				if m.ShareProven {
					proven = "proven"
				}
				rows = append(rows, []string{strconv.Itoa(int(m.Index)), m.Name, connected[m.Index], proven, strconv.FormatUint(m.Prekeys, 10), m.Account.String()})
			}
			return e.table(members, "MEMBER NAME CONNECTED SHARE PREKEYS ACCOUNT", rows, "")
		},
	}
}
