package attack

import (
	"fmt"
	"runtime/debug"
	"slices"
)

// Role is what the adversary is.
type Role string

// Roles.
const (
	Dealer     Role = "dealer"
	Holder     Role = "share-holder"
	Reader     Role = "reader"
	Voter      Role = "voter"
	Relay      Role = "relay"
	Aggregator Role = "aggregator"
	Rotator    Role = "rotator"
	Fate       Role = "fate" // no adversary: crashes
)

// Outcome is what became of an attack.
type Outcome string

// Outcomes. RefusedBy makes the others.
const (
	LeftOut  Outcome = "left out and named"
	Aborted  Outcome = "aborted, culprits named"
	NoEffect Outcome = "no effect"
)

// RefusedBy is the outcome of an attack whose every message somebody refused.
func RefusedBy(who string) Outcome { return Outcome("refused by " + who) }

// expects reports an outcome that an attack may not have: an attack that has no
// effect where somebody should have been named is no longer the attack that it was.
func (w *World) expects(got Outcome, want ...Outcome) Outcome {
	w.hold(len(want) == 0 || slices.Contains(want, got), "the outcome is %q, wanted is one of %q", got, want)
	return got
}

// Attack is one misdeed, scripted.
type Attack struct {
	Name string // a sentence
	Role Role
	// Run plays it. It reports what must not be through the world; the outcome
	// counts only if nothing was reported.
	Run func(w *World, c *Chance) Outcome
}

// Result is what one run of an attack came to. It is broken unless Broken is empty.
type Result struct {
	Attack  string   `json:"attack"`
	N       int      `json:"n"`
	Seed    uint64   `json:"seed"`
	Outcome Outcome  `json:"outcome,omitempty"`
	Broken  []string `json:"broken,omitempty"`
}

// Replay is the command that runs this and nothing else again.
func (r Result) Replay() string {
	return fmt.Sprintf("go run ./examples/custody-attacks -n %d -attack %q -seed %d", r.N, r.Attack, r.Seed)
}

// halt ends a run whose world is broken beyond going on.
type halt struct{}

// Against plays the attack in the world. A panic, wherever it comes from, is a broken
// run; the world must not be used after one.
func (a Attack) Against(w *World) (r Result) {
	r = Result{Attack: a.Name, N: w.n, Seed: w.seed}
	w.broken = nil
	defer func() {
		switch p := recover(); p.(type) {
		case nil, halt:
		default:
			w.report("panic: %v\n%s", p, debug.Stack())
		}
		if r.Broken = w.broken; len(r.Broken) > 0 {
			r.Outcome = ""
		}
	}()
	r.Outcome = a.Run(w, NewChance(a.Name, uint64(w.n), w.seed))
	return r
}

// Play runs one attack alone, in a world of its own.
func Play(a Attack, n int, seed uint64) Result { return a.Against(NewWorld(n, seed)) }

// All are the attacks, in the order of their stages.
func All() []Attack {
	return slices.Concat(dealers(), disputers(), holders(), relays(), transcripts(), handovers(), successions(), crashes(),
		certifiers(), lapses(), seeds(), releases(), readers(), layers(), openings(), ballots(), tallyings())
}

// Find returns the attack of that name.
func Find(name string) (Attack, error) {
	all := All()
	i := slices.IndexFunc(all, func(a Attack) bool { return a.Name == name })
	if i < 0 {
		return Attack{}, fmt.Errorf("no attack is called %q: list them with -list", name)
	}
	return all[i], nil
}
