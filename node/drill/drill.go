// Package drill rehearses the loss of a network's key, under each of the policies that
// founders can choose. Everything in it is real but the distances: the ledger's state
// machine with a replica for each member, the members' machines, keys, shares,
// certificates, seeds, the sealed artist and its pictures, the guardians, who act
// through a node's interface on loopback, and the offline verifier. Blocks are made one
// after the other without consensus and without waiting for a clock, so that a silence
// of hundreds of blocks takes a second; a real network that loses a third of its
// members' nodes makes no blocks at all until some are back.
package drill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/health"
)

// Screen is where the drill shows what happens. Calls come one at a time.
type Screen interface {
	// Step begins a part: its number, name and what it means.
	Step(number int, name, meaning string)
	// Fact prints a line of the current part.
	Fact(format string, args ...any)
}

// Options of a drill.
type Options struct {
	Policy  curation.DeathPolicy
	Members int    // 4..16
	Size    uint64 // edge of the pictures in pixels; 0 means 128
}

// Report is what a drill did, for `atelier drill --json`. The field names are stable.
type Report struct {
	Policy    string    `json:"policy"`
	Means     string    `json:"means"` // the policy in words
	Network   string    `json:"network"`
	X         string    `json:"x"`
	Y         string    `json:"y"`
	States    []Seen    `json:"states"`
	Pictures  []Piece   `json:"pictures"`
	Editions  []Redrawn `json:"editions"`
	Layers    int       `json:"layers"`    // of the artist when the members lose their shares, itself included
	Refusal   string    `json:"refusal"`   // of a request after the loss
	Verified  string    `json:"verified"`  // what was published, after the loss
	Sold      string    `json:"sold"`      // after the loss
	Recovered bool      `json:"recovered"` // the members draw again, with the same key
	Public    bool      `json:"public"`    // anybody opens the artist
	Height    uint64    `json:"height"`    // of the ledger at the end
}

// Seen is the network's state at a moment.
type Seen struct {
	When   string       `json:"when"`
	State  health.State `json:"state"`
	Margin int          `json:"margin"`
	Advice string       `json:"advice"`
}

// Piece is a picture.
type Piece struct {
	Prompt    string `json:"prompt"`
	By        string `json:"by"` // the quorum, or anybody
	Epoch     uint64 `json:"epoch,omitempty"`
	PixelRoot string `json:"pixel_root"`
}

// run is one drill.
type run struct {
	Options
	*network
	screen Screen
	report Report
	first  curation.Artwork // published before the loss
}

// Run runs the drill and returns what it did, also when it failed half way.
func Run(ctx context.Context, o Options, screen Screen) (Report, error) {
	if o.Size == 0 {
		o.Size = 128
	}
	if o.Members < 4 || o.Members > len(memberNames) {
		return Report{}, fmt.Errorf("a drill has 4 to %d members, not %d", len(memberNames), o.Members)
	}
	r := &run{Options: o, screen: screen, report: Report{Policy: string(o.Policy)}}
	after := map[curation.DeathPolicy]func(context.Context) error{
		curation.Mortal: r.mortal, curation.GuardianPolicy: r.guardian, curation.WillPolicy: r.will}[o.Policy]
	if after == nil {
		return r.report, fmt.Errorf("no policy is called %q: want mortal, guardian or will", o.Policy)
	}
	dir, remove, err := tempDir()
	if err != nil {
		return Report{}, err
	}
	defer remove()
	r.network, err = found(o, dir)
	defer r.end()
	if err != nil {
		return r.report, err
	}
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{{"founding", r.found}, {"life", r.live}, {"loss", r.lose}, {"what is left", r.left}, {"succession", after}} {
		if err := part.do(ctx); err != nil {
			return r.report, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	r.report.Height = r.height()
	return r.report, nil
}

// see records and shows the network's state, as the interface tells it.
func (r *run) see(ctx context.Context, when string) error {
	net, err := r.client.Network(ctx)
	if err != nil {
		return err
	}
	s := net.Shares
	r.report.States = append(r.report.States, Seen{when, s.State, s.Margin, net.Advice})
	r.screen.Fact("%-34s %s, margin %d: %s", when, strings.ToUpper(string(s.State)), s.Margin, net.Advice)
	return nil
}

func (r *run) found(ctx context.Context) error {
	r.screen.Step(1, "Founding", "a network whose genesis says what becomes of its artist when the key is lost")
	if err := r.until(ctx, "the ceremony", func(v curation.View) bool {
		return v.Ceremony().Phase == curation.CeremonyActive && v.Ceremony().Acknowledged == r.Members
	}); err != nil {
		return err
	}
	if err := r.sealArtist(ctx); err != nil {
		return err
	}
	if err := r.until(ctx, "reader keys", func(v curation.View) bool {
		for _, m := range v.Members() {
			if m.Prekeys() == 0 {
				return false
			}
		}
		return true
	}); err != nil {
		return err
	}
	net, err := r.client.Network(ctx)
	if err != nil {
		return err
	}
	r.report.Means, r.report.Network = net.Succession, net.Chain.String()
	r.report.X, r.report.Y = net.Committee.X.String(), net.Committee.Y.String()
	r.screen.Fact("%s", net.Succession)
	r.screen.Fact("%d members hold the key X = %s…, any %d open the sealed artist", r.Members, r.report.X[:16], net.Committee.Threshold)
	if len(r.guardians) == 0 {
		return r.see(ctx, "when the keys are made")
	}
	if err := r.tendUntil(ctx, "the guardians' shares", func(v curation.View) bool {
		s := v.Estate().Sharing
		return s != nil && s.Proven == len(r.guardians)
	}); err != nil {
		return err
	}
	r.screen.Fact("the members dealt the same key to %s, who proved their shares", strings.Join(guardianNames, ", "))
	return r.see(ctx, "when the keys are made")
}

// tendUntil lets guardians do what is due between blocks, until done.
func (r *run) tendUntil(ctx context.Context, what string, done func(curation.View) bool) error {
	for range 500 {
		for _, k := range r.guardians {
			s, err := r.client.Succession(ctx)
			if err != nil {
				return err
			}
			l, err := s.Ledger()
			if err != nil {
				return err
			}
			effects, err := k.self.Step(l, false, rand.Reader)
			if err != nil {
				return err
			}
			for _, f := range effects {
				k.self.Done(f)
				if f, ok := f.(guardian.Submit); ok {
					if _, err := r.client.SubmitPayload(ctx, k.key, f.Payload); err != nil {
						return err
					}
				}
			}
		}
		next := r.height() + 4
		if err := r.until(ctx, what, func(v curation.View) bool { return done(v) || v.Height() >= next }); err != nil {
			return err
		}
		ok := false
		if err := r.View(func(v curation.View) error { ok = done(v); return nil }); err != nil || ok {
			return err
		}
	}
	return fmt.Errorf("%s did not happen", what)
}

func (r *run) live(ctx context.Context) (err error) {
	r.screen.Step(2, "Life", "a picture is asked for, drawn by the quorum, backed and published")
	a, err := r.draws(ctx, "red heart")
	if err != nil {
		return err
	}
	if r.first, err = r.publish(ctx, a.RID); err != nil {
		return err
	}
	r.screen.Fact("published; the collector holds its tokens")
	if err := r.editions(ctx); err != nil {
		return err
	}
	var m curation.Model
	if err := r.until(ctx, "the end of a key epoch", func(v curation.View) bool {
		m, _ = v.Model()
		return m.Layers > 1
	}); err != nil {
		return err
	}
	r.report.Layers = m.Layers
	r.screen.Fact("the key epoch ended: %s put a layer around the artist, under a new key", memberNames[m.Sealer-1])
	return nil
}

// draws has the quorum draw a picture.
func (r *run) draws(ctx context.Context, prompt string) (curation.Artwork, error) {
	a, err := r.create(ctx, prompt)
	if err != nil {
		return a, err
	}
	r.report.Pictures = append(r.report.Pictures, Piece{Prompt: prompt, By: "the quorum", Epoch: a.Epoch, PixelRoot: a.PixelRoot.String()})
	r.screen.Fact("%q drawn by the committee of epoch %d, pixels %s…", prompt, a.Epoch, a.PixelRoot.String()[:12])
	return a, nil
}

// lose takes away as many members as it takes, from the last one on, and then what
// they kept.
func (r *run) lose(ctx context.Context) error {
	r.screen.Step(3, "Loss", "members go away; then it turns out that their disks are gone, and their backups")
	net, err := r.client.Network(ctx)
	if err != nil {
		return err
	}
	gone := r.Members - net.Committee.Threshold + 1
	for i := range gone {
		r.members[r.Members-1-i].machine = nil
		if err := r.see(ctx, fmt.Sprintf("%d of %d members are away", i+1, r.Members)); err != nil {
			return err
		}
	}
	for _, p := range r.members[r.Members-gone:] {
		clear(p.secrets.Seeds)
		r.start(p)
	}
	if err := r.until(ctx, "the members' word", func(v curation.View) bool { return v.Network().Committee.Held() == r.Members-gone }); err != nil {
		return err
	}
	return r.see(ctx, fmt.Sprintf("%d are back, without their seeds", gone))
}

// left shows what people still have.
func (r *run) left(ctx context.Context) (err error) {
	r.screen.Step(4, "What is left", "the gallery, the proofs and the markets need no key")
	_, err = r.request(ctx, "blue bird")
	if r.report.Refusal, err = refusal(err); err != nil {
		return err
	}
	r.screen.Fact("a request is refused, and costs no deposit: %s", r.report.Refusal)
	if r.report.Verified, err = r.verifies(ctx, r.first); err != nil {
		return err
	}
	r.screen.Fact("%q verifies offline: %s", r.first.Prompt, r.report.Verified)
	if r.report.Sold, err = r.sell(ctx, r.first.RID); err != nil {
		return err
	}
	r.screen.Fact("its curve buys back %s", r.report.Sold)
	return nil
}

// refusal is the ledger's reason.
func refusal(err error) (string, error) {
	var p *api.Problem
	if errors.As(err, &p) {
		return strings.TrimPrefix(p.Detail, "refused by the ledger: "), nil
	}
	if err == nil {
		err = errors.New("the ledger took what it has to refuse")
	}
	return "", err
}
