package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
)

func memberInvite(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "invite",
		Short: "Print the next invitation: one string with all that a joiner needs",
		Long: `invite prints one invitation for each seat of the network, one call each. Whoever
has the string can take the seat, so send it as you would send a password.`,
		Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			text, seat, err := node.Invite(home.Home(e.home), passphrase())
			if err != nil {
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
}

func memberJoin(e *env) *cobra.Command {
	var name string
	var listen []string
	c := &cobra.Command{
		Use:     "join INVITATION",
		Short:   "Make a home that takes a seat in a network",
		Example: "  atelier member join atelier1… --member-name Bruno --home ./bruno",
		Args:    takes("INVITATION"),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := newConfig(listen)
			if err != nil {
				return err
			}
			inv, err := founding.Join(home.Home(e.home), cfg, passphrase(), name, args[0])
			if err != nil {
				return err
			}
			return e.say(struct {
				Network string `json:"network"`
				Home    string `json:"home"`
			}{inv.Network, e.home}, "%s joins network %q with %s\nnext: atelier node start --home %s\n", name, inv.Network, e.home, e.home)
		},
	}
	c.Flags().StringVar(&name, "member-name", "member", "`NAME` of this member")
	c.Flags().StringArrayVar(&listen, "listen", nil, "`MULTIADDR` to listen on (repeatable; default: loopback, TCP and QUIC)")
	return c
}

func memberList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the members: who they are, what they hold, who is connected",
		Args: takes(),
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
