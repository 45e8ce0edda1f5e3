package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func memberAdmit(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "admit NAME|ACCOUNT|MOTION", Short: "Vote to admit somebody who wants to join",
		Long: `admit adds the vote of this home's member to those for an applicant, who is named by
its name, its account, or the start of the vote's id (atelier member votes). It
stands for a vote when it joins with an invitation of a member (atelier member
invite), whose own vote is there already.

With as many votes as open the artist it is admitted. The members then hand the keys
over by themselves: that gives it a share and a vote, and from then on it counts.`,
		Example: "  atelier member admit Nora\n  atelier member admit 3fa94c1d8a20 --home ./ada",
		Args:    takes("NAME|ACCOUNT|MOTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := read("NAME|ACCOUNT|MOTION", args[0], person)
			if err != nil {
				return err
			}
			v, err := e.voter(cmd.Context())
			if err != nil {
				return err
			}
			m, err := v.nomination(name)
			if err != nil {
				return err
			}
			a, err := m.Applicant.Application()
			if err != nil {
				return err
			}
			return v.vote(cmd.Context(), m.Name, curation.Admit{Application: a})
		},
	}
}

func memberRemove(e *env) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "remove NAME|NUMBER", Short: "Vote to have a member leave",
		Long: `remove adds the vote of this home's member to those against another member, or
begins that vote. Who is removed keeps its account with all that is in it.

With as many votes as open the artist it takes effect: the members hand the keys
over by themselves, and with that its share is worth nothing and its vote is gone.
Until then it has both. Do it when a member is gone for good, or cannot be trusted.

Of two members, or three, nobody is removed without its own vote: all votes are
needed, and the keys cannot be handed over without the share of each. A member that
is gone for good leaves such a network without its key, unless it has a backup or
the network has guardians: have four members before you need it.`,
		Example: "  atelier member remove Bruno\n  atelier member remove 2 --yes --home ./ada",
		Args:    takes("NAME|NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := read("NAME|NUMBER", args[0], person)
			if err != nil {
				return err
			}
			v, err := e.voter(cmd.Context())
			if err != nil {
				return err
			}
			m, err := v.member(name)
			if err != nil {
				return err
			}
			needed := neededForItself(v.network, m.Index)
			if needed != "" {
				fmt.Fprintf(e.err, "%s\n", needed)
			}
			if err := e.confirm(yes, "vote to remove %s, member %d (%s)?", m.Name, m.Index, m.Account); err != nil {
				return err
			}
			return v.vote(cmd.Context(), m.Name, curation.Remove{Member: m.Index})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// neededForItself says when a member cannot be removed without its own vote; it is empty
// for one that can.
func neededForItself(n api.Network, member uint32) string {
	others, name := 0, ""
	for _, m := range n.Members {
		switch {
		case m.Index == member && m.Seat == 0:
			return "" // it has no vote
		case m.Index == member:
			name = m.Name
		case m.Seat != 0:
			others++
		}
	}
	if name == "" || n.Committee == nil || others >= n.Committee.Threshold {
		return ""
	}
	return fmt.Sprintf("note: %s are needed, %s's own among them: it cannot be removed against its will, because the keys cannot be handed over without its share", count(n.Committee.Threshold, "vote"), name)
}

// voter is the home's member in front of the network and the votes under way.
type voter struct {
	env     *env
	client  *api.Client
	network api.Network
	motions []api.Motion
}

func (e *env) voter(ctx context.Context) (*voter, error) {
	c, err := e.client()
	if err != nil {
		return nil, err
	}
	v := &voter{env: e, client: c}
	if v.network, err = c.Network(ctx); err == nil {
		v.motions, err = c.Motions(ctx)
	}
	return v, err
}

// nomination finds the applicant whose name, account or motion is given.
func (v *voter) nomination(text string) (found api.Motion, err error) {
	var fits []api.Motion
	for _, m := range v.motions {
		a := m.Applicant
		digits := len(text) >= 8 && strings.HasPrefix(m.ID.String(), strings.ToLower(text))
		if a != nil && (a.Name == text || a.Account.String() == text || digits) {
			fits = append(fits, m)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		return found, refused(curation.CodeOK, "%d applicants are named %q: give the account or the motion of one, as `%s` shows them", len(fits), text, v.env.again("member votes"))
	}
	if m, err := v.member(text); err == nil {
		return found, refused(curation.CodeOK, "%s is member %d already, and %s: see `%s`", m.Name, m.Index, m.Standing, v.env.again("member list"))
	}
	return found, refused(curation.CodeOK, "nobody named %q stands for a vote: see who does with `%s`; somebody new does so by joining with an invitation of `%s`",
		text, v.env.again("member votes"), v.env.again("member invite"))
}

// member finds one that has not left, by its name, number or account.
func (v *voter) member(text string) (found api.Member, err error) {
	var fits []api.Member
	number, err := strconv.ParseUint(text, 10, 32)
	for _, m := range v.network.Members {
		switch {
		case err == nil && uint64(m.Index) == number && m.Standing == curation.StandingLeft:
			return found, refused(curation.CodeOK, "member %d (%s) has left already: see `%s`", m.Index, m.Name, v.env.again("member list --all"))
		case m.Standing == curation.StandingLeft:
		case err == nil && uint64(m.Index) == number:
			return m, nil
		case m.Name == text || m.Account.String() == text:
			fits = append(fits, m)
		}
	}
	switch len(fits) {
	case 0:
		return found, refused(curation.CodeOK, "there is no member %q: see who there is with `%s`", text, v.env.again("member list"))
	case 1:
		return fits[0], nil
	}
	return found, refused(curation.CodeOK, "%d members are named %q: give the number of one, as `%s` shows it", len(fits), text, v.env.again("member list"))
}

// voted is what became of a vote.
type voted struct {
	Name      string `json:"name"`             // of whom it is about
	Member    uint32 `json:"member,omitempty"` // its number, when it has one
	Motion    string `json:"motion"`
	Votes     int    `json:"votes"`
	Threshold int    `json:"threshold"`
	Until     uint64 `json:"until,omitempty"` // last height for votes, while it is not decided
	Decided   bool   `json:"decided"`
	KeyEpoch  uint64 `json:"key_epoch,omitempty"` // of an artist
	Standing  string `json:"standing,omitempty"`  // that it came to
}

// vote puts a vote on the ledger and tells what it came to.
func (v *voter) vote(ctx context.Context, name string, p curation.Payload) error {
	key, err := v.env.signer()
	if err != nil {
		return err
	}
	r, err := v.env.submit(ctx, v.client, key, p)
	if err != nil {
		return v.env.inTheWay(err)
	}
	out, look := voted{Name: name}, "member list"
	if _, artist := p.(curation.Adopt); artist {
		look = "model show"
	}
	for _, event := range r.Events {
		switch at := event.Attributes; event.Kind {
		case curation.EventMotionVote:
			out.Motion = at["motion"]
			out.Votes, _ = strconv.Atoi(at["votes"])
			out.Threshold, _ = strconv.Atoi(at["threshold"])
		case curation.EventMemberAdmitted:
			out.decided(at["member"], curation.StandingJoining)
		case curation.EventMemberLeaving:
			out.decided(at["member"], curation.StandingLeaving)
		case curation.EventMemberLeft:
			out.decided(at["member"], curation.StandingLeft)
		case curation.EventModelAdopted:
			out.KeyEpoch, _ = strconv.ParseUint(at["key_epoch"], 10, 64)
			out.Standing, out.Decided = string(curation.ModelProposed), true
		case curation.EventModelCurrent:
			out.Standing = string(curation.ModelTrial)
		}
	}
	switch {
	case out.KeyEpoch != 0 && out.Standing == string(curation.ModelTrial):
		return v.env.say(out, "%s is adopted, and the network's artist: the next pictures show whether it opens\nlook: %s\n", name, v.env.again("model show"))
	case out.KeyEpoch != 0:
		return v.env.say(out, "%s is adopted: the members' nodes store it by themselves, and when enough have it is the network's artist\nlook: %s\n", name, v.env.again("model show"))
	case !out.Decided:
		m, err := v.client.Motion(ctx, out.Motion)
		var decided *api.Problem
		if errors.As(err, &decided) && decided.Code == api.CodeNotFound {
			return v.env.say(out, "%s: the vote was one of %d, and it is decided meanwhile\nlook: %s\n", name, out.Votes, v.env.again("%s", look))
		} else if err != nil {
			return err
		}
		out.Member, out.Until = m.Member, m.Until
		if m.Artist != nil {
			out.KeyEpoch = m.Artist.KeyEpoch
		}
		return v.env.say(out, "%s: %d of %s, until height %d\nnext: the others vote, as `%s` tells them\n", name, out.Votes, count(out.Threshold, "vote"), out.Until, v.env.again("member votes"))
	case out.Standing == string(curation.StandingJoining):
		return v.env.say(out, "%s is admitted as member %d: it gets a share and a vote with the next handover, which begins by itself\nlook: %s\n", name, out.Member, v.env.again("committee show"))
	case out.Standing == string(curation.StandingLeft):
		return v.env.say(out, "%s is removed before it had a share\n", name)
	}
	return v.env.say(out, "%s is removed: its share and its vote end with the next handover, which begins by itself\nlook: %s\n", name, v.env.again("committee show"))
}

func (o *voted) decided(member string, s curation.Standing) {
	number, _ := strconv.ParseUint(member, 10, 32)
	o.Member, o.Standing, o.Decided = uint32(number), string(s), true
}

// inTheWay says where to look when the ledger refuses something about members.
func (e *env) inTheWay(err error) error {
	var problem *api.Problem
	if errors.As(err, &problem) {
		if _, ledger := problem.Ledger(); ledger {
			return refused(curation.CodeOK, "%v; see where members and votes stand with `%s`", err, e.again("member list"))
		}
	}
	return err
}

// confirm asks before what cannot be taken back: at a terminal, or by --yes.
func (e *env) confirm(yes bool, question string, args ...any) error {
	question = fmt.Sprintf(question, args...)
	if yes {
		return nil
	}
	if f, ok := e.in.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return usage("%s Say so with --yes, or answer at a terminal", question)
	}
	return agreed(e.in, e.err, question)
}

// agreed reads the answer to a question.
func agreed(in io.Reader, out io.Writer, question string) error {
	fmt.Fprintf(out, "%s Type yes: ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}
