package p2p

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// JoiningConfig is what a newcomer brings. Zero waits take the default.
type JoiningConfig struct {
	Invitation Invitation
	Record     []byte // the member record, 1 to MaxRecord bytes

	// Check, if not nil, inspects the genesis document: that it contains the
	// charter agreed to and this member's record.
	Check func(document []byte) error

	MinWait time.Duration // after the first failure to reach the founder, default 500 ms
	MaxWait time.Duration // after many, default 10 s
	Poll    time.Duration // between questions for the genesis document, default 1 s
}

// JoiningEvent is what happens to a newcomer: one of JoinAnswered,
// GenesisAnswered and Tick.
type JoiningEvent interface{ joiningEvent() }

type (
	// JoinAnswered is the outcome of AskJoin.
	JoinAnswered struct {
		Response JoinResponse
		Err      error
	}
	// GenesisAnswered is the outcome of AskGenesis.
	GenesisAnswered struct {
		Document []byte
		Err      error
	}
)

func (JoinAnswered) joiningEvent()    {}
func (GenesisAnswered) joiningEvent() {}
func (Tick) joiningEvent()            {}

// JoiningEffect is what a newcomer does: one of AskJoin, AskGenesis, WakeAt,
// Waiting, Joined and JoinFailed.
type JoiningEffect interface{ joiningEffect() }

type (
	// AskJoin asks the founder for a seat; the answer comes as JoinAnswered.
	AskJoin struct{ Request JoinRequest }
	// AskGenesis asks for the document; the answer comes as GenesisAnswered.
	AskGenesis struct{ Request GenesisRequest }
	// Waiting reports progress. Seat is 0 until there is one; Err says what the
	// last question met, such as a founder out of reach or seats still empty.
	Waiting struct {
		Seat, Have, Want int
		Err              error
	}
	// Joined ends it well.
	Joined struct {
		Seat     int
		Document []byte
	}
	// JoinFailed ends it: asking again would not help.
	JoinFailed struct{ Err error }
)

func (AskJoin) joiningEffect()    {}
func (AskGenesis) joiningEffect() {}
func (WakeAt) joiningEffect()     {}
func (Waiting) joiningEffect()    {}
func (Joined) joiningEffect()     {}
func (JoinFailed) joiningEffect() {}

// Joining is the newcomer's side of a founding: it registers, waits until all
// seats are taken and fetches the genesis document. Questions that got no
// answer are asked again, however long the founder is away; a refusal ends it.
// It is pure.
type Joining struct {
	config   JoiningConfig
	state    joiningState
	seat     JoinResponse
	failures int
	asking   bool
}

type joiningState int

const (
	registering joiningState = iota
	fetching
	ended
)

// NewJoining prepares to join. The first Tick asks the founder.
func NewJoining(c JoiningConfig) *Joining {
	c.MinWait = cmp.Or(c.MinWait, 500*time.Millisecond)
	c.MaxWait = cmp.Or(c.MaxWait, 10*time.Second)
	c.Poll = cmp.Or(c.Poll, time.Second)
	return &Joining{config: c}
}

// Step takes in an event at a time, counted from any fixed start, and returns
// what to do, in order.
func (j *Joining) Step(now time.Duration, event JoiningEvent) []JoiningEffect {
	if j.state == ended {
		return nil
	}
	switch e := event.(type) {
	case Tick:
		if j.asking {
			return nil
		}
		return j.ask()
	case JoinAnswered:
		if j.state != registering || !j.asking {
			return nil
		}
		j.asking = false
		if e.Err != nil {
			return j.retryOrFail(now, e.Err)
		}
		if e.Response.Seat < 1 || e.Response.Have < e.Response.Seat || e.Response.Want < e.Response.Have || e.Response.Want > MaxSeats {
			return j.fail(fmt.Errorf("founder grants seat %d of %d with %d taken: %w", e.Response.Seat, e.Response.Want, e.Response.Have, ErrMalformed))
		}
		j.state, j.seat, j.failures = fetching, e.Response, 0
		return append([]JoiningEffect{j.waiting(nil)}, j.ask()...)
	case GenesisAnswered:
		if j.state != fetching || !j.asking {
			return nil
		}
		j.asking = false
		switch CodeOf(e.Err) {
		case CodeNotYet:
			j.failures = 0
			return []JoiningEffect{j.waiting(e.Err), WakeAt{now + j.config.Poll}}
		case CodeNotRegistered: // the founder lost its memory: register again
			j.state, j.failures = registering, j.failures+1
			return []JoiningEffect{j.waiting(e.Err), WakeAt{now + j.wait()}}
		}
		if e.Err != nil {
			return j.retryOrFail(now, e.Err)
		}
		if j.config.Check != nil {
			if err := j.config.Check(e.Document); err != nil {
				return j.fail(fmt.Errorf("genesis document: %w", err))
			}
		}
		j.state = ended
		return []JoiningEffect{Joined{Seat: int(j.seat.Seat), Document: e.Document}}
	}
	return nil
}

// ask puts the question of the present state.
func (j *Joining) ask() []JoiningEffect {
	j.asking = true
	i := j.config.Invitation
	if j.state == registering {
		return []JoiningEffect{AskJoin{JoinRequest{Token: i.Token, Charter: i.Hash, Record: j.config.Record}}}
	}
	return []JoiningEffect{AskGenesis{GenesisRequest{Charter: i.Hash}}}
}

// retryOrFail gives up on a refusal and tries again after anything else.
func (j *Joining) retryOrFail(now time.Duration, err error) []JoiningEffect {
	if reason, final := foundingErrors[CodeOf(err)]; final {
		return j.fail(fmt.Errorf("%w: %w", reason, err))
	}
	if code := CodeOf(err); code == CodeMalformed || code == CodeTooLarge || code == CodeRefused || errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge) {
		return j.fail(err)
	}
	j.failures++
	return []JoiningEffect{j.waiting(err), WakeAt{now + j.wait()}}
}

func (j *Joining) fail(err error) []JoiningEffect {
	j.state = ended
	return []JoiningEffect{JoinFailed{err}}
}

func (j *Joining) waiting(err error) JoiningEffect {
	return Waiting{Seat: int(j.seat.Seat), Have: int(j.seat.Have), Want: int(j.seat.Want), Err: err}
}

// wait doubles with each failure.
func (j *Joining) wait() time.Duration {
	if shift := j.failures - 1; shift < 32 && j.config.MinWait <= j.config.MaxWait>>shift {
		return j.config.MinWait << shift
	}
	return j.config.MaxWait
}
