package verify

import (
	"errors"
	"slices"
	"strings"
	"unicode"
)

// Outcome is what a verification comes to.
type Outcome string

// The outcomes. An artwork is never valid for want of a check.
const (
	Valid     Outcome = "valid"     // everything that must hold was checked and holds
	Invalid   Outcome = "invalid"   // something was checked and fails: Report.Failed
	Unchecked Outcome = "unchecked" // nothing fails, but something could not be checked: Report.Missing
)

// Report is the outcome of the verification of an artwork.
type Report struct {
	CID    string `json:"cid"` // of the files that were given
	Prompt string `json:"prompt"`
	Words  string `json:"words,omitempty"` // the title of a picture without a prompt, or of what it is an edition of
	Seed   string `json:"seed"`
	Findings
}

// Findings are the claims that were checked, and what they come to.
type Findings struct {
	Outcome Outcome  `json:"outcome"`
	Valid   bool     `json:"valid"`   // the outcome is Valid
	Failed  []string `json:"failed"`  // names of the claims that fail
	Missing []string `json:"missing"` // what the checks need that could not be made
	Claims  []Claim  `json:"claims"`
}

// Claim is one thing that was checked. Its texts hold only characters that print,
// so that no name in an artwork can write lines of its own into a report.
type Claim struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Proves string `json:"proves"` // what it shows when it holds
	Detail string `json:"detail"` // the values, or why it fails
}

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	Holds   Status = "holds"
	Fails   Status = "fails"
	Skipped Status = "skipped" // could not be checked with what was given
)

// skipped is why a check was not made. Where it needs something, no artwork is
// valid without.
type skipped struct{ why, needs string }

func (s *skipped) Error() string { return s.why }

// needs skips a check that has to be made.
func needs(what, why string) error { return &skipped{why, what} }

// passes over a check that may be left out.
func passes(why string) error { return &skipped{why: why} }

// claim records the outcome of one check.
func (r *Findings) claim(name, proves string, check func() (detail string, err error)) bool {
	detail, err := check()
	status := Holds
	var skip *skipped
	switch {
	case errors.As(err, &skip):
		status, detail = Skipped, skip.why
		if skip.needs != "" && !slices.Contains(r.Missing, skip.needs) {
			r.Missing = append(r.Missing, skip.needs)
		}
	case err != nil:
		status, detail = Fails, err.Error()
		r.Failed = append(r.Failed, name)
	}
	r.Claims = append(r.Claims, Claim{Name: name, Status: status, Proves: proves, Detail: printable(detail)})
	return status == Holds
}

func (r *Findings) holds(name string) bool {
	return slices.ContainsFunc(r.Claims, func(c Claim) bool { return c.Name == name && c.Status == Holds })
}

// conclude draws the outcome. Nothing is valid for which the essential claim does not
// hold, whatever else is missing.
func (r *Findings) conclude(essential string) {
	switch {
	case len(r.Failed) > 0:
		r.Outcome = Invalid
	case len(r.Missing) > 0 || !r.holds(essential):
		r.Outcome = Unchecked
	default:
		r.Outcome, r.Valid = Valid, true
	}
	// Lists, never null, for whoever reads the JSON.
	r.Failed, r.Missing, r.Claims = append([]string{}, r.Failed...), append([]string{}, r.Missing...), append([]Claim{}, r.Claims...)
}

// maxDetail bounds a detail, in characters.
const maxDetail = 500

func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	if r := []rune(s); len(r) > maxDetail {
		s = string(r[:maxDetail]) + "…"
	}
	return s
}
