package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
)

// guardianNamed reads NAME=ACCOUNT.
func guardianNamed(text string) (curation.Guardian, error) {
	name, account, ok := strings.Cut(text, "=")
	if !ok {
		return curation.Guardian{}, fmt.Errorf("want NAME=ACCOUNT, as `atelier account address --key FILE` prints the account")
	}
	name, err := person(name)
	if err != nil {
		return curation.Guardian{}, err
	}
	a, err := curation.ParseAddress(account)
	return curation.Guardian{Name: name, Account: a}, err
}

// successionFlags are those by which a new network says what becomes of its key.
type successionFlags struct {
	policy    curation.DeathPolicy
	guardians []curation.Guardian
	threshold int
	answer    uint64
	wait      uint64
}

func (s *successionFlags) options(c *cobra.Command) {
	option(c, &s.policy, "on-death", string(curation.Mortal), deathPolicy, "`POLICY` for the day on which too few shares of the key are left: mortal, guardian or will")
	options(c, &s.guardians, "guardian", "", guardianNamed, "`NAME=ACCOUNT` of a guardian, who keeps a share of the key and runs no node (repeatable)")
	option(c, &s.threshold, "guardians-needed", "", between(1, curation.MaxGuardians), "`N` guardians act for all (default: more than half)")
	option(c, &s.answer, "guardian-answer", strconv.Itoa(86_400), ordinal, "`BLOCKS` that guardians have for an answer")
	option(c, &s.wait, "death-wait", strconv.Itoa(604_800), ordinal, "`BLOCKS` in which members may object (guardian), or of silence (will)")
}

// succession is what the flags say.
func (s *successionFlags) succession() (curation.Succession, error) {
	if s.policy == curation.Mortal {
		if len(s.guardians) > 0 {
			return curation.Succession{}, usage("--guardian is for --on-death guardian or will: a mortal network has none")
		}
		return curation.Succession{}, nil
	}
	out := curation.Succession{Policy: s.policy, Guardians: s.guardians, Threshold: s.threshold, AnswerBlocks: s.answer}
	if out.Threshold == 0 {
		out.Threshold = len(s.guardians)/2 + 1
	}
	if s.policy == curation.GuardianPolicy {
		out.DelayBlocks = s.wait
	} else {
		out.SilentBlocks = s.wait
	}
	return out, nil
}
