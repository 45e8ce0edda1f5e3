package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/health"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// Succession is how the network is prepared for the loss of its key, and what has come
// of it: what a guardian, or somebody who looks, has to know.
type Succession struct {
	Chain        curation.Hash        `json:"chain"`
	Height       uint64               `json:"height"`
	X            Hex                  `json:"x,omitempty" doc:"The network's keys, which stay for ever; absent before the members have made them."`
	Y            Hex                  `json:"y,omitempty"`
	Policy       curation.DeathPolicy `json:"policy" enum:"mortal,guardian,will" doc:"mortal: a lost key is lost; guardian: guardians deal it to the members anew; will: after a long silence they publish it."`
	Means        string               `json:"means" doc:"The policy in words."`
	State        health.State         `json:"state" enum:"making keys,healthy,degraded,halted,lost" doc:"Of the network, as this node sees it."`
	Advice       string               `json:"advice" doc:"What the state means, and what to do next."`
	Guardians    []Guardian           `json:"guardians" doc:"By number; empty in a mortal network."`
	Threshold    int                  `json:"threshold" doc:"Guardians that act for all; as many shares of theirs are the key."`
	AnswerBlocks uint64               `json:"answer_blocks"`
	DelayBlocks  uint64               `json:"delay_blocks,omitempty"`
	SilentBlocks uint64               `json:"silent_blocks,omitempty"`
	Next         uint64               `json:"next" doc:"Number of the next sharing."`
	Sharing      *Sharing             `json:"sharing,omitempty" doc:"The guardians' sharing that counts."`
	Running      *Sharing             `json:"running,omitempty" doc:"The one that is under way."`
	Recovery     *RecoveryVote        `json:"recovery,omitempty" doc:"A recovery that is voted on, pending or under way."`
	Dealing      *GuardianDeal        `json:"dealing,omitempty" doc:"The ceremony in which guardians deal to the members, while it is under way."`
	Silent       uint64               `json:"silent,omitempty" doc:"Of a will: height after which guardians may publish the key, unless there is a sign of life."`
	Will         *Will                `json:"will,omitempty" doc:"Once a guardian has published its share."`
	Aborted      *AbortedSharing      `json:"aborted,omitempty" doc:"The last sharing that came to nothing, unless one went well since."`
}

// Guardian is an outsider who keeps a share of the key.
type Guardian struct {
	Number   uint32           `json:"number"`
	Name     string           `json:"name"`
	Account  curation.Address `json:"account"`
	Seat     uint32           `json:"seat" doc:"Index of its share in the sharing that counts; 0 without one."`
	Proven   bool             `json:"proven" doc:"It has proved that share."`
	Accepted bool             `json:"accepted" doc:"It has accepted the next sharing."`
}

// Sharing is a second sharing of the network's keys, among guardians.
type Sharing struct {
	Number     uint64   `json:"number"`
	Epoch      uint64   `json:"epoch" doc:"Of the committee that deals it."`
	Seats      []uint32 `json:"seats" doc:"Guardians by the indices of their shares."`
	Opened     uint64   `json:"opened" doc:"Height."`
	Height     uint64   `json:"height,omitempty" doc:"From which on it counts."`
	Proven     int      `json:"proven"`
	Phase      string   `json:"phase"`
	Deadline   uint64   `json:"deadline,omitempty" doc:"Last height of the phase."`
	Transcript Hex      `json:"transcript" doc:"As shamir/dkg encodes it."`
}

// AbortedSharing is a sharing that came to nothing.
type AbortedSharing struct {
	Number    uint64    `json:"number"`
	Height    uint64    `json:"height"`
	Members   []Culprit `json:"members" doc:"That failed to deal."`
	Guardians []Culprit `json:"guardians" doc:"That failed to acknowledge, by their numbers."`
}

// RecoveryVote is the guardians' vote to deal the key to the members anew.
type RecoveryVote struct {
	Votes      []uint32 `json:"votes" doc:"Guardians."`
	Opened     uint64   `json:"opened"`
	Until      uint64   `json:"until" doc:"Last height for votes."`
	Due        uint64   `json:"due,omitempty" doc:"Height from which on the members take the key from the guardians, unless they object."`
	Objections []uint32 `json:"objections" doc:"Members."`
}

// GuardianDeal is a ceremony in which guardians deal.
type GuardianDeal struct {
	Epoch      uint64   `json:"epoch"`
	Attempt    uint64   `json:"attempt"`
	Guardians  []uint32 `json:"guardians" doc:"By the indices under which they deal."`
	Phase      string   `json:"phase"`
	Deadline   uint64   `json:"deadline"`
	Transcript Hex      `json:"transcript"`
}

// Will is the guardians' publication of the opening key.
type Will struct {
	Guardians []uint32      `json:"guardians" doc:"That have published their share."`
	Height    uint64        `json:"height,omitempty" doc:"From which on the key is public."`
	Secret    curation.Hash `json:"secret" doc:"The key that opens, a scalar of ristretto255; zeros before."`
}

func (s *server) registerGuardians(api huma.API) {
	get(s, api, "succession", "/v1/succession", "What becomes of the network's key when it is lost, and where that stands",
		func(v curation.View, _ *none) (Succession, error) { return s.successionOf(v) })
}

func (s *server) successionOf(v curation.View) (Succession, error) {
	l := guardian.Read(v)
	e := l.Estate
	state := health.Of(v, s.reached()).State
	out := Succession{Chain: l.Chain, Height: l.Height, Policy: e.Rules.Death(), Means: e.Rules.Tells(), State: state, Advice: state.Advice(e),
		Guardians: []Guardian{}, Threshold: e.Rules.Threshold, AnswerBlocks: e.Rules.AnswerBlocks, DelayBlocks: e.Rules.DelayBlocks,
		SilentBlocks: e.Rules.SilentBlocks, Next: e.Next, Silent: e.Silent()}
	if l.X != (guardian.Network{}).X {
		out.X, out.Y = l.X[:], l.Y[:]
	}
	for _, g := range l.Standings() {
		out.Guardians = append(out.Guardians, Guardian{Number: g.Number, Name: g.Name, Account: g.Account, Seat: g.Seat, Proven: g.Proven, Accepted: g.Accepted})
	}
	var err error
	if out.Sharing, err = sharingOf(e.Sharing, l.Sharing); err != nil {
		return out, err
	}
	if out.Running, err = sharingOf(e.Running, l.Running); err != nil {
		return out, err
	}
	if r := e.Recovery; r != nil {
		out.Recovery = &RecoveryVote{Votes: list(r.Votes), Opened: r.Opened, Until: r.Until, Due: r.Due, Objections: list(r.Objections)}
	}
	if r := l.Recovery; r != nil {
		raw, err := r.Log.MarshalBinary()
		if err != nil {
			return out, err
		}
		out.Dealing = &GuardianDeal{Epoch: r.Epoch, Attempt: r.Attempt, Guardians: list(r.Guardians), Phase: r.Log.Phase().String(), Deadline: r.Log.Deadline(), Transcript: raw}
	}
	if w := e.Will; w != nil {
		out.Will = &Will{Guardians: list(w.Guardians), Height: w.Height, Secret: w.Secret}
	}
	if a := e.Aborted; a != nil {
		out.Aborted = &AbortedSharing{Number: a.Number, Height: a.Height, Members: each(a.Members, culpritOf), Guardians: each(a.Guardians, culpritOf)}
	}
	return out, nil
}

func sharingOf(s *curation.Sharing, log *dkg.Log) (*Sharing, error) {
	if s == nil || log == nil {
		return nil, nil
	}
	raw, err := log.MarshalBinary()
	return &Sharing{Number: s.Number, Epoch: s.Epoch, Seats: list(s.Seats), Opened: s.Opened, Height: s.Height, Proven: log.Acknowledged(),
		Phase: log.Phase().String(), Deadline: log.Deadline(), Transcript: raw}, err
}

// Ledger is the answer as a guardian reads it: the transcripts decode, and the proofs in
// them hold. That all of it belongs together, and to the guardian's network, is for
// guardian.Guardian to check.
func (s Succession) Ledger() (guardian.Ledger, error) {
	l := guardian.Ledger{Network: guardian.Network{Chain: s.Chain}, Height: s.Height, Estate: curation.Estate{Next: s.Next}}
	if len(s.X)+len(s.Y) > 0 {
		if len(s.X) != len(l.X) || len(s.Y) != len(l.Y) {
			return l, fmt.Errorf("the node tells of a key of %d and %d bytes, want %d and %d: ask another node", len(s.X), len(s.Y), len(l.X), len(l.Y))
		}
		copy(l.X[:], s.X)
		copy(l.Y[:], s.Y)
	}
	rules := &l.Estate.Rules
	if s.Policy != curation.Mortal {
		*rules = curation.Succession{Policy: curation.DeathPolicy(s.Policy), Threshold: s.Threshold, AnswerBlocks: s.AnswerBlocks, DelayBlocks: s.DelayBlocks, SilentBlocks: s.SilentBlocks}
	}
	for _, g := range s.Guardians {
		rules.Guardians = append(rules.Guardians, curation.Guardian{Name: g.Name, Account: g.Account})
		if g.Accepted {
			l.Estate.Accepted = append(l.Estate.Accepted, g.Number)
		}
	}
	var err error
	if l.Estate.Sharing, l.Sharing, err = s.Sharing.read(s.Threshold); err != nil {
		return l, err
	}
	if l.Estate.Running, l.Running, err = s.Running.read(s.Threshold); err != nil {
		return l, err
	}
	if r := s.Recovery; r != nil {
		l.Estate.Recovery = &curation.Recovery{Votes: r.Votes, Opened: r.Opened, Until: r.Until, Due: r.Due, Objections: r.Objections}
	}
	if d := s.Dealing; d != nil {
		log, err := transcript(d.Transcript)
		if err != nil {
			return l, err
		}
		l.Recovery = &guardian.Recovery{Epoch: d.Epoch, Attempt: d.Attempt, Guardians: d.Guardians, Log: log}
	}
	if w := s.Will; w != nil {
		l.Estate.Will = &curation.Will{Guardians: w.Guardians, Height: w.Height, Secret: w.Secret}
	}
	if s.Silent > s.SilentBlocks {
		l.Estate.Life = s.Silent - s.SilentBlocks
	}
	return l, nil
}

func (s *Sharing) read(threshold int) (*curation.Sharing, *dkg.Log, error) {
	if s == nil {
		return nil, nil, nil
	}
	log, err := transcript(s.Transcript)
	if err != nil {
		return nil, nil, err
	}
	if len(s.Seats) != log.N() {
		return nil, nil, fmt.Errorf("the node tells of %d seats in a sharing of %d: ask another node", len(s.Seats), log.N())
	}
	return &curation.Sharing{Number: s.Number, Epoch: s.Epoch, Seats: s.Seats, Threshold: threshold, Opened: s.Opened, Height: s.Height, Proven: s.Proven}, log, nil
}

func transcript(raw Hex) (*dkg.Log, error) {
	log, err := dkg.UnmarshalLog(raw)
	if err == nil {
		err = log.Audit()
	}
	if err != nil {
		return nil, fmt.Errorf("the node tells of a ceremony that does not hold: ask another node: %w", err)
	}
	return log, nil
}

// Succession says what becomes of the network's key when it is lost.
func (c *Client) Succession(ctx context.Context) (Succession, error) {
	return ask[Succession](ctx, c, "/v1/succession", nil)
}
