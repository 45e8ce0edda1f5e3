package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/health"
)

func memberLeave(e *env) *cobra.Command {
	var patience time.Duration
	var yes, noWait bool
	c := &cobra.Command{
		Use: "leave", Short: "Leave the network, and say when the node may be stopped",
		Long: `leave takes this home's member out of the network. Nobody has to agree, and it
cannot be taken back: to come back, join again with another invitation. The account
stays with all that is in it.

The node has to run until the member has left:

  leaving   it still has share and vote; the members hand the keys over to a
            committee without it, which begins by itself
  draining  it has neither any more; what its last committee began needs it yet
  left      nothing needs it: the node may be stopped

The command waits and tells each of these. It can be stopped meanwhile; given again,
it goes on waiting. The last member cannot leave.`,
		Example: "  atelier member leave --home ./bruno\n  atelier member leave --yes --no-wait",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			m, ok := memberOf(n, accountOf(key))
			if !ok {
				return refused(curation.CodeNotMember, "%s is not the account of a member of %s", accountOf(key), n.Name)
			}
			since := m.Standing
			if m.Standing == curation.StandingJoining || m.Standing == curation.StandingActive {
				if err := e.confirm(yes, "%s, member %d, leaves %s for good?", m.Name, m.Index, n.Name); err != nil {
					return err
				}
				if _, err := e.submit(cmd.Context(), c, key, curation.Leave{}); err != nil {
					return e.inTheWay(err)
				}
				if n, err = c.Network(cmd.Context()); err != nil {
					return err
				}
				if m, _ = memberOf(n, m.Account); since == curation.StandingActive {
					since = curation.StandingLeaving // whatever came of it by now
				} else {
					since = m.Standing
				}
			}
			if noWait {
				return e.say(m, "%s, member %d, is %s: %s\nlook: %s\n", m.Name, m.Index, m.Standing, health.Means(m.Standing), e.again("member leave"))
			}
			return e.awaitLeft(cmd.Context(), c, m, since, patience)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&noWait, "no-wait", false, "return when the leaving stands on the ledger")
	option(c, &patience, "timeout", "1h", span, "how long to wait: `TIME` such as 90s or 10m")
	return c
}

func memberOf(n api.Network, account curation.Address) (api.Member, bool) {
	i := slices.IndexFunc(n.Members, func(m api.Member) bool { return m.Account == account })
	if i < 0 {
		return api.Member{}, false
	}
	return n.Members[i], true
}

// awaitLeft follows a member on its way out, from the standing that it had at first.
func (e *env) awaitLeft(ctx context.Context, c *api.Client, m api.Member, since curation.Standing, patience time.Duration) error {
	start, told := time.Now(), curation.Standing("")
	tell := func(standing curation.Standing) {
		if standing != told && !e.json {
			fmt.Fprintf(e.out, "  %-9s %6.1f s  %s\n", standing, time.Since(start).Seconds(), health.Means(standing))
		}
		told = standing
	}
	tell(since)
	_, err := until(ctx, c, patience, fmt.Sprintf("%s has not left", m.Name), func(n api.Network) (bool, error) {
		m, _ = memberOf(n, m.Account)
		tell(m.Standing)
		return m.Standing == curation.StandingLeft, nil
	})
	var late *quorumError
	switch {
	case errors.As(err, &late):
		late.next = fmt.Sprintf("It is %s, and its node has to run on: it goes on by itself; wait on with `%s`.", m.Standing, e.again("member leave"))
		return err
	case ctx.Err() != nil:
		fmt.Fprintf(e.err, "%s is %s: its node has to run on; wait on with `%s`\n", m.Name, m.Standing, e.again("member leave"))
		return err
	case err != nil:
		return err
	}
	return e.say(m, "%s has left; its node may be stopped\nnext: %s\n", m.Name, e.again("node stop"))
}
