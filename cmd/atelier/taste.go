package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// maxRounds bounds a file of rounds, in bytes: some hundred thousand artworks.
const maxRounds = 64 << 20

// readUpTo reads a file whole, if it holds no more bytes than the limit. It does not
// trust the size that a file says it has: a device or a pipe says none.
func readUpTo(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%s is larger than %s: name another file", path, bytesText(limit))
	}
	return raw, err
}

// loadPrior reads a version from a file; without one it is version 0.
func loadPrior(args []string) (*taste.Lexicon, *taste.Prior, error) {
	x, err := model.Lexicon()
	if err != nil || len(args) == 0 {
		return x, x.First(), err
	}
	raw, err := readUpTo(args[0], taste.MaxPrior)
	if err != nil {
		return nil, nil, err
	}
	p, err := x.UnmarshalPrior(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", args[0], err)
	}
	return x, p, nil
}

func tasteLearn(e *env) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "learn ROUNDS",
		Short: "Compute all versions of a taste from what rounds decided",
		Long: `learn needs no network. It reads ROUNDS, a JSON list of a ledger's settled rounds,
the oldest first, and computes the versions of the taste that they make: the same
bytes as every member finds. Each round is

  {"number": 1, "published": [ARTWORK, …], "declined": [ARTWORK, …]}

with the published ones in their rank, and each artwork

  {"artwork": ID, "prompt": TEXT, "seed": SEED, "prior": VERSION}

where ids have 64 hex digits. An artwork that was asked for without a prompt names
the version that it was drawn from; the others name none. --out keeps the file of
the last version.`,
		Example: "  atelier taste learn rounds.json --out taste.json",
		Args:    takes("ROUNDS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readUpTo(args[0], maxRounds)
			if err != nil {
				return err
			}
			var rounds []taste.RoundFacts
			if err := strictjson.Unmarshal(raw, &rounds); err != nil {
				return fmt.Errorf("%s is no list of rounds: %w", args[0], err)
			}
			x, _, err := loadPrior(nil)
			if err != nil {
				return err
			}
			type line struct {
				Version int64    `json:"version"`
				Round   uint64   `json:"round"`
				ID      taste.ID `json:"id"`
			}
			var last *taste.Prior
			lines, rows := []line{}, [][]string{}
			for p, err := range x.Replay(cmd.Context(), rounds) {
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				lines = append(lines, line{p.Version, p.Round, p.ID()})
				rows = append(rows, []string{strconv.FormatInt(p.Version, 10), strconv.FormatUint(p.Round, 10), p.ID().String()})
				last = p
			}
			if out != "" {
				raw, err := last.MarshalBinary()
				if err != nil {
					return err
				}
				if err := os.WriteFile(out, raw, 0o644); err != nil {
					return err
				}
			}
			return e.table(lines, "VERSION ROUND ID", rows, "")
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the last version to `FILE`")
	return c
}

func tasteShow(e *env) *cobra.Command {
	var words int
	c := &cobra.Command{
		Use:   "show [VERSION|FILE]",
		Short: "Show the network's taste: its versions, what it likes, what a round changed",
		Long: `show tells what the network's collectors like, as its members computed it from the
rounds: the version in force, what its round changed and which pictures did that,
and the versions before with the hashes of their files. VERSION is the number of
another one. A member that found another version than the others is named.

Of a FILE it needs no network, and tells which words that version likes most and
least, each with what it adds to a picture's appeal: of two pictures the one whose
appeal is larger by 1 is preferred in 73 of 100 cases, by 2 in 88. Parents are
published artworks from which new pictures descend.`,
		Example: "  atelier taste show\n  atelier taste show 3 --json | jq '.changed[0]'\n  atelier taste show taste.json --words 10",
		Args:    mayTake("VERSION|FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if number, ok := versionNumber(args); ok {
				return e.showNetworkTaste(cmd.Context(), number, words)
			}
			if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) {
				return usage("VERSION|FILE %q: want the number of a version, or a file of `atelier taste fetch`; there is no such file", args[0])
			}
			x, p, err := loadPrior(args)
			if err != nil {
				return err
			}
			return e.showTaste(x, p, words)
		},
	}
	option(c, &words, "words", "5", between(1, 1000), "`N` words of each kind, from the top and from the bottom")
	return c
}

func (e *env) showTaste(x *taste.Lexicon, p *taste.Prior, words int) error {
	type parent struct {
		Artwork  taste.ID `json:"artwork"`
		Round    uint64   `json:"round"`
		Standing int      `json:"standing"`
		Words    []string `json:"words"`
	}
	shown := struct {
		ID         taste.ID           `json:"id"`
		Version    int64              `json:"version"`
		Round      uint64             `json:"round"`
		Before     taste.ID           `json:"before"`
		Lexicon    taste.ID           `json:"lexicon"`
		Candidates int64              `json:"candidates"`
		Published  int64              `json:"published"`
		Words      []taste.WordAppeal `json:"words"` // all of them, the most liked first
		Parents    []parent           `json:"parents"`
	}{p.ID(), p.Version, p.Round, p.Before, p.Lexicon, p.Candidates, p.Published, x.Appeals(p), []parent{}}
	for _, q := range p.Parents {
		shown.Parents = append(shown.Parents, parent{q.Artwork, q.Round, q.Standing, latent.Explain(q.Latent)})
	}
	if e.json {
		return e.print(shown)
	}
	fmt.Fprintf(e.out, "version %d, after round %d: learned from %d artworks, %d of them published\nid %v\n", p.Version, p.Round, p.Candidates, p.Published, shown.ID)
	if p.Version == 0 {
		fmt.Fprintln(e.out, "it knows nothing yet: whatever is drawn from it explores")
		return nil
	}
	for _, kind := range []string{latent.Thing, latent.Colour, latent.Motif, latent.Paper} {
		of := slices.DeleteFunc(slices.Clone(shown.Words), func(w taste.WordAppeal) bool { return w.Kind != kind })
		mean := int64(0)
		for _, w := range of {
			mean += w.Appeal / int64(max(1, len(of)))
		}
		var likes, dislikes []string
		for i := range min(words, len(of)/2) {
			likes = append(likes, fmt.Sprintf("%s %+.1f", of[i].Word, float64(of[i].Appeal-mean)/taste.AppealOne))
			low := of[len(of)-1-i]
			dislikes = append(dislikes, fmt.Sprintf("%s %+.1f", low.Word, float64(low.Appeal-mean)/taste.AppealOne))
		}
		if len(likes) > 0 {
			fmt.Fprintf(e.out, "%-8s more of %s\n         less of %s\n", kind+"s", strings.Join(likes, ", "), strings.Join(dislikes, ", "))
		}
	}
	rows := [][]string{}
	for _, q := range shown.Parents {
		rows = append(rows, []string{q.Artwork.String()[:16], strconv.FormatUint(q.Round, 10), strings.Join(q.Words, " ")})
	}
	fmt.Fprintln(e.out)
	return e.table(nil, "PARENT ROUND WORDS", rows, "no parents: nothing was published yet")
}

func tasteDraw(e *env) *cobra.Command {
	var seed, out, weights string
	var size, workers int
	c := &cobra.Command{
		Use:   "draw [FILE]",
		Short: "Draw what a taste would draw for a seed",
		Long: `draw needs no network. It draws the picture that a version of a taste gives for a
seed, with the public genesis artist or one of your own, and tells its words. One in
five seeds explores: it draws anything, whatever the version likes. Without FILE it
draws from version 0, which always explores.`,
		Example: "  atelier taste draw taste.json --seed today --out today.png",
		Args:    mayTake("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out FILE is missing: where should the PNG go?")
			}
			x, p, err := loadPrior(args)
			if err != nil {
				return err
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			s := parseSeed(seed)
			l, origin := x.Draw(p, s)
			program, err := artist.FoldLatent(l, s)
			if errors.Is(err, latent.ErrLatent) {
				return fmt.Errorf("the artist in %s has other words than the genesis artist: name one that was tuned from it", weights)
			}
			if err != nil {
				return err
			}
			var root [32]byte
			if _, err := writeWhole(out, func(w io.Writer) (err error) {
				root, err = model.DrawPNG(cmd.Context(), w, program, size, size, model.RenderOptions{Workers: workers})
				return err
			}); err != nil {
				return err
			}
			how := "explored"
			if !origin.Explored {
				how = count(len(origin.Parents), "parent")
			}
			return e.say(struct {
				Version   int64         `json:"version"`
				Prior     taste.ID      `json:"prior"`
				Seed      string        `json:"seed"`
				Words     []string      `json:"words"`
				Explored  bool          `json:"explored"`
				Parents   []taste.ID    `json:"parents"`
				Latent    latent.Latent `json:"latent"`
				Size      int           `json:"size"`
				PixelRoot string        `json:"pixel_root"`
				File      string        `json:"file"`
			}{p.Version, p.ID(), hex.EncodeToString(s[:]), latent.Explain(l), origin.Explored, slices.Concat([]taste.ID{}, origin.Parents), l, size, curation.Hash(root).String(), out},
				"%s  %s  (%s)\n", out, strings.Join(latent.Explain(l), " "), how)
		},
	}
	f := c.Flags()
	f.StringVar(&seed, "seed", "atelier", "`SEED`: 64 hex digits, or any text")
	option(c, &size, "size", "1024", between(1, kernel.MaxSide), fmt.Sprintf("edge of the square picture in `PIXELS`, 1 to %d", kernel.MaxSide))
	option(c, &out, "out", "", pngFile, "write PNG to `FILE`")
	f.StringVar(&weights, "weights", "", "`DIR` of an artist tuned from the genesis artist (default: that one)")
	option(c, &workers, "workers", "0", between(0, 1024), "`N` goroutines, at most 1024; 0 means one per core")
	return c
}
