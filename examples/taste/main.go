// Command taste shows the whole of how a network learns what its collectors like:
// pictures drawn from a public prior by an artist whose weights nobody but the
// network has, collectors with a hidden taste who back them, the ledger's score, and
// the rule that makes the next version of the prior. It prints how much better the
// collectors like what they are shown after some rounds, and how varied it still is.
//
//	go run ./examples/taste
//	go run ./examples/taste --out sheets      # contact sheets and the last versions, too
//	go run ./examples/taste --json
//
// Likings are in standard deviations of pictures drawn without any taste.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
)

type options struct {
	Rounds   int `json:"rounds"`
	Pictures int `json:"pictures"` // in a round
	Publics  int `json:"publics"`  // hidden tastes, over which figures are means
	Tune     int `json:"tune"`     // steps by which the network's artist differs from the public one
	out      string
	side     int // pixels of a picture on a sheet
	json     bool
}

func main() {
	var o options
	flag.IntVar(&o.Rounds, "rounds", 12, "curation rounds")
	flag.IntVar(&o.Pictures, "pictures", 20, "pictures in a round")
	flag.IntVar(&o.Publics, "publics", 6, "hidden tastes to try, each with its own collectors")
	flag.IntVar(&o.Tune, "tune", 220, "steps of the secret fine-tune that makes the network's artist")
	flag.StringVar(&o.out, "out", "", "folder for contact sheets before and after, and the last versions of the priors")
	flag.IntVar(&o.side, "side", 160, "pixels of a picture on a sheet")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		log.Fatal(err)
	}
}

// A strategy is a way to choose what the network draws next.
type strategy struct {
	name  string
	prior func(x *taste.Lexicon, p taste.Prior) *taste.Prior // what of the version it draws from
	whale int                                                // accounts of one rich collector with the opposite taste
}

func whole(_ *taste.Lexicon, p taste.Prior) *taste.Prior { return &p }

var strategies = []strategy{
	{"random", func(x *taste.Lexicon, _ taste.Prior) *taste.Prior { return x.First() }, 0},
	{"breeding only", func(_ *taste.Lexicon, p taste.Prior) *taste.Prior {
		p.Words, p.Looks = nil, make([]int64, len(p.Looks))
		return &p
	}, 0},
	{"full rule", whole, 0},
	{"full, a whale", whole, 1},
	{"full, a whale with 20 accounts", whole, 20},
}

// A figure sums up a strategy over all publics.
type figure struct {
	Strategy  string    `json:"strategy"`
	Likes     []float64 `json:"likes"`     // by round
	Last      float64   `json:"last"`      // mean of the last quarter of the rounds
	Diversity float64   `json:"diversity"` // mean distance of two pictures of a round in OKLab, in the last quarter
	Things    float64   `json:"things"`    // different subjects of a round, in the last quarter
}

func run(ctx context.Context, w io.Writer, o options) error {
	if o.Rounds < 1 || o.Pictures < 7 || o.Pictures > taste.MaxCandidates || o.Publics < 1 || o.side < 1 || o.side > 1024 {
		return fmt.Errorf("want at least 1 round, 7 to %d pictures, 1 public and sheets of pictures of 1 to 1024 pixels", taste.MaxCandidates)
	}
	lexicon, err := model.Lexicon()
	if err != nil {
		return err
	}
	artist := model.Embedded()
	if o.Tune > 0 {
		if artist, err = model.FineTune(ctx, artist, model.FineTuneOptions{Seed: seed(7), Steps: o.Tune}); err != nil {
			return err
		}
	}
	net := network{lexicon: lexicon, artist: artist, rounds: o.Rounds, pictures: o.Pictures}
	if err := net.look(ctx); err != nil {
		return err
	}
	var figures []figure
	for _, s := range strategies {
		f := figure{Strategy: s.name, Likes: make([]float64, o.Rounds)}
		for k := range o.Publics {
			seen, last, err := net.live(ctx, s, uint64(k))
			if err != nil {
				return err
			}
			quarter := max(1, o.Rounds/4)
			for r, v := range seen {
				f.Likes[r] += v.likes / float64(o.Publics)
				if r >= o.Rounds-quarter {
					n := float64(quarter * o.Publics)
					f.Last, f.Diversity, f.Things = f.Last+v.likes/n, f.Diversity+v.diversity/n, f.Things+v.things/n
				}
			}
			if o.out != "" && s.name == "full rule" {
				if err := net.sheets(ctx, o, k, last); err != nil {
					return err
				}
			}
		}
		figures = append(figures, f)
	}
	if o.json {
		return json.NewEncoder(w).Encode(struct {
			options
			Figures []figure `json:"figures"`
		}{o, figures})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "strategy\tfirst round\tmiddle\tlast quarter\tdiversity\tsubjects of %d\t\n", o.Pictures)
	for _, f := range figures {
		fmt.Fprintf(t, "%s\t%+.2f\t%+.2f\t%+.2f\t%.3f\t%.1f\t\n", f.Strategy, f.Likes[0], f.Likes[o.Rounds/2], f.Last, f.Diversity, f.Things)
	}
	return t.Flush()
}

// seed makes a seed of numbers.
func seed(parts ...uint64) [32]byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, p)
	}
	return sha256.Sum256(b)
}

// A network is an artist and its curation, as far as taste goes.
type network struct {
	lexicon          *taste.Lexicon
	artist           *model.Artist
	rounds, pictures int
	latents          []latent.Latent // what is drawn without any taste
	plain            []glance
}

// look draws without any taste, so that publics can get used to that.
func (n *network) look(ctx context.Context) error {
	for i := range 300 {
		s := seed(1<<40, uint64(i))
		l, _ := n.lexicon.Draw(n.lexicon.First(), s)
		g, err := look(ctx, n.artist, l, s)
		if err != nil {
			return err
		}
		n.latents, n.plain = append(n.latents, l), append(n.plain, g)
	}
	return nil
}

// shown is what a round showed the public.
type shown struct{ likes, diversity, things float64 }

// live lets one public curate, and checks at the end that all versions can be
// computed again from what a ledger would show.
func (n *network) live(ctx context.Context, s strategy, number uint64) ([]shown, *taste.Prior, error) {
	people := newPublic(number)
	people.used(n.latents, n.plain)
	crowd := newCrowd(number, s.whale)
	prior, versions := n.lexicon.First(), map[taste.ID]*taste.Prior{}
	find := func(id taste.ID) (*taste.Prior, bool) { p, ok := versions[id]; return p, ok }
	var seen []shown
	var ledger []taste.RoundFacts
	for r := range n.rounds {
		from := s.prior(n.lexicon, *prior)
		versions[from.ID()], versions[prior.ID()] = from, prior
		var works []work
		for i := range n.pictures {
			w := work{facts: taste.Facts{Artwork: seed(number, uint64(r), uint64(i), 1), Seed: seed(number, uint64(r), uint64(i)), Prior: from.ID()}}
			w.latent, _ = n.lexicon.Draw(from, w.facts.Seed)
			var err error
			if w.glance, err = look(ctx, n.artist, w.latent, w.facts.Seed); err != nil {
				return nil, nil, err
			}
			w.likes = people.likes(w.latent, w.glance)
			works = append(works, w)
		}
		seen = append(seen, sumUp(works))
		facts, err := crowd.curate(uint64(r+1), works)
		if err != nil {
			return nil, nil, err
		}
		ledger = append(ledger, facts)
		round, err := n.lexicon.Read(facts, find)
		if err != nil {
			return nil, nil, err
		}
		if prior, err = n.lexicon.Update(prior, round); err != nil {
			return nil, nil, err
		}
	}
	if s.name == "full rule" {
		var again *taste.Prior
		for p, err := range n.lexicon.Replay(ctx, ledger) {
			if err != nil {
				return nil, nil, err
			}
			again = p
		}
		if again.ID() != prior.ID() {
			return nil, nil, errors.New("the versions cannot be computed again from the ledger")
		}
	}
	return seen, prior, nil
}

// sumUp measures a round.
func sumUp(works []work) (s shown) {
	n := float64(len(works))
	var things []string
	for i, a := range works {
		s.likes += a.likes / n
		for _, b := range works[:i] {
			s.diversity += a.glance.far(b.glance) * 2 / (n * (n - 1))
		}
		if t := a.latent.Things[0].Word; !slices.Contains(things, t) {
			things = append(things, t)
		}
	}
	s.things = float64(len(things))
	return s
}
