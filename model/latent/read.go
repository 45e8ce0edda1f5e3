package latent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/model/internal/chance"
)

// MaxPrompt is the longest prompt in bytes of UTF-8.
const MaxPrompt = 200

// ErrPrompt reports a prompt that is too long or not UTF-8.
var ErrPrompt = errors.New("unusable prompt")

// Whole is the weight of a word that speaks alone.
const Whole = 256

// A Reading is what a prompt says, row by row in the order in which an artist adds
// them, and the rows of the grounds it names, -1 where it leaves them to the seed.
type Reading struct {
	Rows         []Row
	Motif, Paper int
}

// A Row is a row of the vocabulary and its weight, [Whole] for all of it.
type Row struct {
	Row    int
	Weight int64
}

// Chance is the stream of everything that the seed decides for a prompt.
func Chance(prompt string, seed [32]byte) *chance.Stream {
	return chance.New("seed", seed[:], []byte(prompt))
}

// Weights of what else a prompt names beside its subject.
const (
	Aside     = Whole / 6 // another thing
	maxPhrase = 4         // words of a name that a prompt is searched for
)

// A mention is what some words of a prompt name: rows, -1 for none. At least one is
// there.
type mention struct{ thing, motif, paper int }

func (m mention) ground() bool { return m.motif >= 0 || m.paper >= 0 }

// Read takes a prompt apart. The longest names count first. One thing is the subject:
// of the first words side by side that name things the last, as in "fire horse" or
// "owl under a tree". What can be a ground, as night or sea, is one where something
// else is the subject; of several grounds the first gives the form and the last the
// colours. Dyes colour the subject, and further things lend it a little of theirs.
// A word that is only a part of names means one of these, by chance. An unknown word
// has a ground of its own, and where nothing to show is named a subject, which its hash
// picks, so it stays the same; where there is none either, chance finds something.
// Errors wrap [ErrPrompt].
func (v *Vocabulary) Read(prompt string, c *chance.Stream) (Reading, error) {
	if len(prompt) > MaxPrompt {
		return Reading{}, fmt.Errorf("%w: it has %d bytes, allowed are up to %d: shorten it", ErrPrompt, len(prompt), MaxPrompt)
	}
	if !utf8.ValidString(prompt) {
		return Reading{}, fmt.Errorf("%w: it is not UTF-8 text", ErrPrompt)
	}
	runs, dyes, unknown := v.mentions(prompt, c)
	r := Reading{Motif: -1, Paper: -1}
	run, at := subject(runs, func(m mention) bool { return m.thing >= 0 && !m.ground() })
	if run < 0 {
		run, at = subject(runs, func(m mention) bool { return m.thing >= 0 })
	}
	var things []int
	if run >= 0 {
		things = append(things, runs[run][at].thing)
	}
	only := -1 // a paper that nothing but a paper is named by
	for i, mentions := range runs {
		for j, m := range mentions {
			if i == run && j == at {
				continue
			}
			if !m.ground() {
				if len(things) < MaxThings && !slices.Contains(things, m.thing) {
					things = append(things, m.thing)
				}
				continue
			}
			r.add(m)
			if m.paper >= 0 && m.thing < 0 && m.motif < 0 {
				only = m.paper
			}
		}
	}
	if only >= 0 {
		r.Paper = only
	}
	if run >= 0 && r.Motif < 0 && r.Paper < 0 {
		r.add(runs[run][at])
	}
	for _, w := range unknown {
		h := chance.New("word", []byte(w))
		first, second := v.things[h.Below(len(v.things))], v.things[h.Below(len(v.things))]
		if len(things) == 0 {
			things = append(things, first)
			if second != first {
				things = append(things, second)
			}
		}
		if len(v.motifs) > 0 {
			if m := v.motifs[h.Below(len(v.motifs))]; r.Motif < 0 {
				r.Motif = m
			}
		}
		if len(v.papers) > 0 {
			if p := v.papers[h.Below(len(v.papers))]; r.Paper < 0 {
				r.Paper = p
			}
		}
	}
	if len(things) == 0 {
		things = append(things, v.things[c.Below(len(v.things))])
	}
	for i, row := range things {
		weight := int64(Whole)
		if i > 0 {
			weight = Aside
		}
		r.Rows = append(r.Rows, Row{row, weight})
	}
	for _, row := range dyes {
		r.Rows = append(r.Rows, Row{row, Whole / int64(len(dyes))})
	}
	return r, nil
}

// add takes a ground: its form where none is there, its colours in any case.
func (r *Reading) add(m mention) {
	if r.Motif < 0 {
		r.Motif = m.motif
	}
	if m.paper >= 0 {
		r.Paper = m.paper
	}
}

// subject finds the last suitable mention of the first run that has one, or -1.
func subject(runs [][]mention, suits func(mention) bool) (run, at int) {
	for i, mentions := range runs {
		for j := len(mentions) - 1; j >= 0; j-- {
			if suits(mentions[j]) {
				return i, j
			}
		}
	}
	return -1, -1
}

// mentions are what a prompt names, run by run, then its dyes and unknown words.
func (v *Vocabulary) mentions(prompt string, c *chance.Stream) (runs [][]mention, dyes []int, unknown []string) {
	for _, words := range Runs(prompt) {
		var run []mention
		for len(words) > 0 {
			n := min(maxPhrase, len(words))
			m, dye, ok := mention{}, -1, false
			for ; n > 0 && !ok; n-- {
				m, dye, ok = v.meaning(strings.Join(words[:n], " "))
			}
			n++
			if !ok {
				n = 1
				if rows := v.partly(words[0]); len(rows) > 0 {
					at := 0
					if len(rows) > 1 {
						at = c.Below(len(rows))
					}
					m, ok = mention{rows[at], -1, -1}, true
				}
			}
			switch {
			case dye >= 0:
				dyes = append(dyes, dye)
			case ok:
				run = append(run, m)
			default:
				unknown = append(unknown, words[0])
			}
			words = words[n:]
		}
		runs = append(runs, run)
	}
	return runs, dyes, unknown
}

// meaning is what a name means, or the singular that it seems to be the plural of.
func (v *Vocabulary) meaning(name string) (m mention, dye int, ok bool) {
	row := func(name string) int {
		if i, ok := v.index[name]; ok {
			return i
		}
		return -1
	}
	for _, n := range forms(name) {
		m = mention{-1, row(MotifPrefix + n), row(PaperPrefix + n)}
		if i := row(n); i >= 0 && kindOf(n) == "" {
			if IsDye(n) {
				return m, i, true
			}
			m.thing = i
		}
		if m.thing >= 0 || m.ground() {
			return m, -1, true
		}
	}
	return m, -1, false
}

// partly are the rows that have a word in one of their names.
func (v *Vocabulary) partly(word string) []int {
	for _, w := range forms(word) {
		if rows := v.parts[w]; len(rows) > 0 {
			return rows
		}
	}
	return nil
}

// forms are a name and what it may be the plural or the singular of.
func forms(name string) []string {
	all := []string{name}
	for _, ending := range [][2]string{{"s", ""}, {"es", ""}, {"ies", "y"}, {"", "s"}} {
		if stem, ok := strings.CutSuffix(name, ending[0]); ok {
			all = append(all, stem+ending[1])
		}
	}
	return all
}
