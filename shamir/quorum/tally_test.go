package quorum_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/tally.txt with what the tally answers")

// TestTally runs testdata/tally.txt. A block is comments, a line
// "tally members=N open=M", commands, "----", and what the tally answers. Commands:
//
//	open WORK [rid=R] [expiry=H]  the ledger holds a request for WORK
//	I approves WORK [rid=R]       member I's honest approval
//	I forges WORK [rid=R]         as above with a signature of nobody's
//	I forges the seed of WORK     as above, only the seed's
//	I repeats J on WORK           member I sends J's approval as its own
//	close [rid=R]
//	height H                      time passes
func TestTally(t *testing.T) {
	const path = "testdata/tally.txt"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []string
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		input, _, _ := strings.Cut(block, "\n----")
		out = append(out, input+"\n----\n"+strings.Join(replay(t, input), "\n"))
	}
	got := strings.Join(out, "\n\n") + "\n"
	if *rewrite {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	require.Equal(t, string(text), got)
}

type script struct {
	t      *testing.T
	m      made
	tally  *quorum.Tally
	height uint64
}

func replay(t *testing.T, input string) (answers []string) {
	s := &script{t: t, height: 1}
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		if strings.HasPrefix(line, "tally ") {
			var n, open int
			_, err := fmt.Sscanf(line, "tally members=%d open=%d", &n, &open)
			require.NoError(t, err, line)
			s.m = committee(t, "a", 1, n)
			s.tally = quorum.NewTally(s.m.committee, open)
			continue
		}
		effects := s.tally.Step(s.height, s.event(line))
		if len(effects) == 0 {
			answers = append(answers, "waiting")
		}
		for _, e := range effects {
			answers = append(answers, s.show(e))
		}
	}
	return answers
}

// options takes "key=value" words off the line.
func options(line string) (words []string, opts map[string]string) {
	opts = map[string]string{"rid": "r", "expiry": "100"}
	for _, w := range strings.Fields(line) {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
		} else {
			words = append(words, w)
		}
	}
	return words, opts
}

func (s *script) event(line string) quorum.Event {
	w, opts := options(line)
	number := func(i int) (v uint64) {
		_, err := fmt.Sscan(w[i], &v)
		require.NoError(s.t, err, line)
		return v
	}
	st := statement(1)
	st.RID = h(opts["rid"])
	_, err := fmt.Sscan(opts["expiry"], &st.Expiry)
	require.NoError(s.t, err)
	switch {
	case w[0] == "open":
		st.Body = h(w[1])
		return quorum.Open{Statement: st}
	case w[0] == "close":
		return quorum.Close{RID: st.RID}
	case w[0] == "height":
		s.height = number(1)
		return nil
	}
	member, work := number(0), w[len(w)-1]
	st.Body = h(work)
	honest := func(i uint64) quorum.Approval {
		a, err := quorum.Approve(s.m.shares[(i-1)%uint64(len(s.m.shares))], st)
		require.NoError(s.t, err)
		a.Member = uint32(i)
		return a
	}
	a := honest(member)
	forged := quorum.Signature(shamir.Encode(shamir.HashToG1("nobody", []byte(line))))
	switch {
	case w[1] == "approves":
	case w[1] == "forges" && w[2] == "the":
		a.Seed = forged
	case w[1] == "forges":
		a.Approve = forged
	case w[1] == "repeats":
		a = honest(number(2))
		a.Member = uint32(member)
	default:
		s.t.Fatalf("unknown command %q", line)
	}
	return quorum.Received{Approval: a}
}

func (s *script) show(e quorum.Effect) string {
	switch e := e.(type) {
	case quorum.Certified:
		st := e.Certificate.Statement()
		_, err := quorum.Verify(s.m.committee, st, e.Certificate.Signature())
		require.NoError(s.t, err)
		require.NoError(s.t, quorum.VerifySeed(s.m.committee, st.Chain, st.RID, e.Seed))
		return fmt.Sprintf("certified by %d", e.Approvals)
	case quorum.Culprit:
		return fmt.Sprintf("culprit: member %d", e.Member)
	case quorum.Conflict:
		a := e.Approval
		proof := "which does not verify"
		if quorum.VerifyApproval(s.m.committee, a.Statement, a.Partial()) == nil {
			proof = "which convicts it"
		}
		return fmt.Sprintf("conflict: member %d approves another statement, %s", a.Member, proof)
	case quorum.Expired:
		return "expired"
	case quorum.Refused:
		for _, known := range []error{quorum.ErrConflict, quorum.ErrStatement, quorum.ErrCulprit, quorum.ErrFull, quorum.ErrLapsed, shamir.ErrSize} {
			if errors.Is(e.Err, known) {
				if e.Member == 0 {
					return fmt.Sprintf("refused: %v", known)
				}
				return fmt.Sprintf("refused: member %d: %v", e.Member, known)
			}
		}
	}
	s.t.Fatalf("unknown effect %#v", e)
	return ""
}
