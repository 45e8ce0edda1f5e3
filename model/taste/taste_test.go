package taste

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/latent"
)

var rewrite = flag.Bool("rewrite", false, "write golden files anew")

// lexicon has forty things, all dyes, three motifs and six papers, with looks by chance.
func lexicon(t testing.TB) *Lexicon {
	var features []string
	for i := range 40 {
		features = append(features, fmt.Sprintf("thing%c%c", 'a'+i/26, 'a'+i%26))
	}
	features = append(features, latent.Dyes()...)
	for _, m := range []string{"plain", "halo", "wave"} {
		features = append(features, latent.MotifPrefix+m)
	}
	for _, p := range []string{"navy", "cream", "teal", "sand", "coral", "sage"} {
		features = append(features, latent.PaperPrefix+p)
	}
	v, err := latent.NewVocabulary(features, 8)
	require.NoError(t, err)
	c, looks := chance.New("test"), make([]Look, v.Size())
	for i := range looks {
		for k := range looks[i] {
			looks[i][k] = int8(c.Between(-60, 60))
		}
	}
	x, err := NewLexicon(v, looks)
	require.NoError(t, err)
	return x
}

func id(parts ...int) (out ID) {
	b := []byte{}
	for _, p := range parts {
		b = append(b, byte(p>>8), byte(p))
	}
	return ID(chance.New("test id", b).Key())
}

// likes is a public that likes blue things on light papers.
func likes(x *Lexicon, l latent.Latent) int {
	score := 0
	if len(l.Dyes) > 0 && (l.Dyes[0].Word == "blue" || l.Dyes[0].Word == "turquoise") {
		score += 4
	}
	if l.Paper == "cream" || l.Paper == "sand" {
		score += 2
	}
	if l.Motif == "halo" {
		score++
	}
	return score
}

// round draws twelve artworks and publishes the four that are liked most.
func round(x *Lexicon, p *Prior, number int) Round {
	var drawn []Candidate
	for i := range 12 {
		l, _ := x.Draw(p, id(number, i))
		drawn = append(drawn, Candidate{id(number, i, 1), l})
	}
	slices.SortStableFunc(drawn, func(a, b Candidate) int { return likes(x, b.Latent) - likes(x, a.Latent) })
	return Round{Number: uint64(number), Published: drawn[:4:4], Declined: drawn[4:]}
}

// learned is the prior after some rounds.
func learned(t testing.TB, x *Lexicon, rounds int) *Prior {
	p := x.First()
	for n := 1; n <= rounds; n++ {
		next, err := x.Update(p, round(x, p, n))
		require.NoError(t, err)
		p = next
	}
	return p
}

// The vectors hold on every machine: the lexicon's ID, those of the versions, and
// what each draws.
func TestVersionsHaveTheSameBytesEverywhere(t *testing.T) {
	type vector struct {
		Version ID       `json:"version"`
		Bytes   int      `json:"bytes"`
		Draw    []string `json:"draw"`
	}
	x := lexicon(t)
	got := struct {
		Lexicon  ID       `json:"lexicon"`
		Versions []vector `json:"versions"`
	}{Lexicon: x.ID()}
	p := x.First()
	for n := range 9 {
		if n > 0 {
			var err error
			p, err = x.Update(p, round(x, p, n))
			require.NoError(t, err)
		}
		raw, err := p.MarshalBinary()
		require.NoError(t, err)
		l, _ := x.Draw(p, id(77))
		got.Versions = append(got.Versions, vector{p.ID(), len(raw), latent.Explain(l)})
	}
	text, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/vectors.json", append(text, '\n'), 0o644))
	}
	want, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(text))
}

func TestDrawsMoveTowardsWhatIsLiked(t *testing.T) {
	x := lexicon(t)
	mean := func(p *Prior) (sum float64, things int) {
		shown := map[string]bool{}
		for i := range 400 {
			l, _ := x.Draw(p, id(900, i))
			sum += float64(likes(x, l)) / 400
			shown[l.Things[0].Word] = true
		}
		return sum, len(shown)
	}
	before, _ := mean(x.First())
	after, things := mean(learned(t, x, 8))
	require.Greater(t, after, before+2)
	require.Greater(t, things, 30, "what is not liked is still drawn now and then")
}

func TestAFifthOfTheDrawsExploresWhateverThePriorSays(t *testing.T) {
	x := lexicon(t)
	p := learned(t, x, 8)
	for i := range p.Parents { // a prior that knows one thing only
		p.Parents[i].Latent = p.Parents[0].Latent
	}
	explored, things := 0, map[string]bool{}
	for i := range 1000 {
		l, o := x.Draw(p, id(i))
		require.NoError(t, x.Vocabulary().Check(l))
		again, _ := x.Draw(p, id(i))
		require.Equal(t, l, again, "the seed decides")
		if o.Explored {
			explored++
			things[l.Things[0].Word] = true
			require.Empty(t, o.Parents)
		}
	}
	require.InDelta(t, 200, explored, 40)
	require.Len(t, things, 40)
	for i := range 50 {
		_, o := x.Draw(x.First(), id(i))
		require.True(t, o.Explored, "who knows nothing explores")
	}
}

func TestTheOrderOfTheDeclinedDoesNotMatter(t *testing.T) {
	x := lexicon(t)
	p := learned(t, x, 3)
	r := round(x, p, 4)
	a, err := x.Update(p, r)
	require.NoError(t, err)
	for i, j := 0, len(r.Declined)-1; i < j; i, j = i+1, j-1 {
		r.Declined[i], r.Declined[j] = r.Declined[j], r.Declined[i]
	}
	b, err := x.Update(p, r)
	require.NoError(t, err)
	require.Equal(t, a.ID(), b.ID())
	r.Published[0], r.Published[1] = r.Published[1], r.Published[0]
	c, err := x.Update(p, r)
	require.NoError(t, err)
	require.NotEqual(t, a.ID(), c.ID(), "the rank of the published decides their standing")
}

// A round that somebody bought moves no weight further than maxShift, and half of
// what it moved is gone after five further rounds in which nothing is declined.
func TestWhatOneRoundCanDo(t *testing.T) {
	x := lexicon(t)
	p := learned(t, x, 8)
	bought := Round{Number: 9}
	for i := range 200 {
		l, _ := x.Draw(x.First(), id(9, i))
		l.Things = []latent.Part{{Word: "thingaa", Weight: latent.Whole}}
		if i < 100 {
			l.Dyes = []latent.Part{{Word: "black", Weight: latent.Whole}}
			bought.Published = append(bought.Published, Candidate{id(9, i), l})
		} else {
			l.Dyes = []latent.Part{{Word: "blue", Weight: latent.Whole}}
			bought.Declined = append(bought.Declined, Candidate{id(9, i), l})
		}
	}
	q, err := x.Update(p, bought)
	require.NoError(t, err)
	before, after := x.weights(p), x.weights(q)
	for i := range before.rows {
		require.LessOrEqual(t, abs(after.rows[i]-before.rows[i]), maxShift+abs(before.rows[i])/8+1)
	}
	for i := range before.looks {
		require.LessOrEqual(t, abs(after.looks[i]-before.looks[i]), maxShift+abs(before.looks[i])/8+1)
	}
	black, ok := x.Vocabulary().Row("black")
	require.True(t, ok)
	require.Greater(t, after.rows[black], before.rows[black]+weightOne/8)
	bred := 0
	for _, parent := range q.Parents {
		if parent.Latent.Things[0].Word == "thingaa" {
			bred++
		}
	}
	require.Equal(t, MaxKin, bred, "a hundred of one kind take the places of MaxKin")

	moved := after.rows[black]
	for n := range 6 {
		l, _ := x.Draw(x.First(), id(10, n))
		q, err = x.Update(q, Round{Number: uint64(10 + n), Published: []Candidate{{id(10, n), l}}})
		require.NoError(t, err)
	}
	require.Less(t, x.weights(q).rows[black], moved/2)
}

// Collectors who like one subject alone still see others.
func TestPeopleTireOfOneSubject(t *testing.T) {
	x := lexicon(t)
	p := x.First()
	for n := 1; n <= 10; n++ {
		r := Round{Number: uint64(n)}
		for i := range 12 {
			l, _ := x.Draw(p, id(n, i))
			if i < 3 {
				l.Things = []latent.Part{{Word: "thingaa", Weight: latent.Whole}}
			}
			if c := (Candidate{id(n, i, 3), l}); l.Things[0].Word == "thingaa" {
				r.Published = append(r.Published, c)
			} else {
				r.Declined = append(r.Declined, c)
			}
		}
		next, err := x.Update(p, r)
		require.NoError(t, err)
		p = next
	}
	shown := func(p *Prior) (n int) {
		for i := range 300 {
			if l, _ := x.Draw(p, id(100, i)); l.Things[0].Word == "thingaa" {
				n++
			}
		}
		return n
	}
	rested := *p
	rested.Words = slices.Clone(p.Words)
	for i := range rested.Words {
		rested.Words[i].Shown = 0
	}
	require.Greater(t, shown(p), 300/40, "it is liked")
	require.Less(t, shown(p), shown(&rested)*4/5)
}

func abs(v int64) int64 { return max(v, -v) }

func TestRoundsThatAreRefused(t *testing.T) {
	x := lexicon(t)
	p := learned(t, x, 2)
	fresh := func() Round { return round(x, p, 3) }
	for name, spoil := range map[string]func(r *Round){
		"a round before":          func(r *Round) { r.Number = 2 },
		"no artworks":             func(r *Round) { r.Published, r.Declined = nil, nil },
		"too many artworks":       func(r *Round) { r.Declined = make([]Candidate, MaxCandidates+1) },
		"an artwork twice":        func(r *Round) { r.Declined[0].Artwork = r.Published[0].Artwork },
		"an artwork of before":    func(r *Round) { r.Declined[0].Artwork = p.Parents[0].Artwork },
		"a word that nobody has":  func(r *Round) { r.Declined[0].Latent.Paper = "gold" },
		"a latent without things": func(r *Round) { r.Published[0].Latent = latent.Latent{} },
	} {
		t.Run(name, func(t *testing.T) {
			r := fresh()
			spoil(&r)
			_, err := x.Update(p, r)
			require.ErrorIs(t, err, ErrRound)
		})
	}
	other := *p
	other.Lexicon = ID{1}
	_, err := x.Update(&other, fresh())
	require.ErrorIs(t, err, ErrRound)
}

func TestLogisticFollowsItsCurve(t *testing.T) {
	last := int64(-1)
	for x := int64(-12 * weightOne); x <= 12*weightOne; x += 37 {
		got := logistic(x)
		at := math.Max(-8, math.Min(8, float64(x)/weightOne))
		require.InDelta(t, logisticOne/(1+math.Exp(-at)), got, 30)
		require.Equal(t, int64(logisticOne), got+logistic(-x))
		require.GreaterOrEqual(t, got, last)
		last = got
	}
}

// facts are what a ledger would show of some rounds: prompts first, then draws.
func facts(t testing.TB, x *Lexicon, rounds int) (all []RoundFacts, priors []*Prior) {
	p := x.First()
	byID := map[ID]*Prior{p.ID(): p}
	priors = append(priors, p)
	for n := 1; n <= rounds; n++ {
		r := RoundFacts{Number: uint64(2 * n)}
		for i := range 10 {
			f := Facts{Artwork: id(n, i, 2), Seed: id(n, i)}
			switch {
			case i < 4:
				f.Prompt = []string{"blue thingab", "thingac on navy", "a yeti", "red and blue thingad halo"}[i]
			case i > 4: // drawn from this version or the one before
				f.Prior = priors[max(0, len(priors)-1-i%2)].ID()
			}
			if i%3 == 0 {
				r.Published = append(r.Published, f)
			} else {
				r.Declined = append(r.Declined, f)
			}
		}
		read, err := x.Read(r, func(id ID) (*Prior, bool) { p, ok := byID[id]; return p, ok })
		require.NoError(t, err)
		p, err = x.Update(p, read)
		require.NoError(t, err)
		byID[p.ID()], priors, all = p, append(priors, p), append(all, r)
	}
	return all, priors
}

// replayed are the versions of a replay that nobody stops.
func replayed(ctx context.Context, x *Lexicon, rounds []RoundFacts) (versions []*Prior, err error) {
	for p, err := range x.Replay(ctx, rounds) {
		if err != nil {
			return versions, err
		}
		versions = append(versions, p)
	}
	return versions, nil
}

func TestReplayKeepsOnlyVersionsThatLaterRoundsWereDrawnFrom(t *testing.T) {
	x := lexicon(t)
	all, _ := facts(t, x, 12)
	var seen []weak.Pointer[Prior]
	for p, err := range x.Replay(context.Background(), all) {
		require.NoError(t, err)
		seen = append(seen, weak.Make(p))
		p = nil
		runtime.GC()
		alive := 0
		for _, v := range seen {
			if v.Value() != nil {
				alive++
			}
		}
		require.LessOrEqual(t, alive, 3, "of %d versions: rounds are drawn from the one before and the one before that", len(seen))
	}
	require.Len(t, seen, 13)
}

func TestReplayEndsWhenNobodyListens(t *testing.T) {
	x := lexicon(t)
	all, want := facts(t, x, 3)
	for p, err := range x.Replay(context.Background(), all) {
		require.NoError(t, err)
		if p.Version == 1 {
			require.Equal(t, want[1], p)
			break
		}
	}
}

func TestReplayFindsEveryVersionAgain(t *testing.T) {
	x := lexicon(t)
	all, want := facts(t, x, 5)
	got, err := replayed(context.Background(), x, all)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for i, p := range got[1:] {
		require.Equal(t, got[i].ID(), p.Before)
	}
	all[2].Declined[0].Seed[0] ^= 1
	ended, end := context.WithCancel(context.Background())
	end()
	_, err = replayed(ended, x, all)
	require.ErrorIs(t, err, context.Canceled)
	other, err := replayed(context.Background(), x, all[:3])
	require.NoError(t, err)
	require.Equal(t, want[2].ID(), other[2].ID())
	require.NotEqual(t, want[3].ID(), other[3].ID(), "a changed seed changes the version")

	all, _ = facts(t, x, 2)
	all[1].Declined[0].Prior = ID{9}
	all[1].Declined[0].Prompt = ""
	_, err = replayed(context.Background(), x, all)
	require.ErrorIs(t, err, ErrRound)
	require.ErrorContains(t, err, "not at hand")
	all[1].Declined[0].Prompt = "owl"
	_, err = replayed(context.Background(), x, all)
	require.ErrorContains(t, err, "one of these is wrong")
}

func TestCompareSaysWhatMovedAndWhy(t *testing.T) {
	x := lexicon(t)
	p := x.First()
	r := round(x, p, 1)
	q, err := x.Update(p, r)
	require.NoError(t, err)
	c := x.Compare(p, q, r)
	require.Equal(t, p.ID(), c.Before)
	require.Equal(t, q.ID(), c.After)
	require.Len(t, c.Arrived, len(q.Parents))
	require.Empty(t, c.Departed)
	require.NotEmpty(t, c.Words)
	for i, w := range c.Words {
		require.Zero(t, w.Before)
		if i > 0 {
			require.LessOrEqual(t, abs(w.After), abs(c.Words[i-1].After))
		}
	}
	find := func(word string) WordChange {
		for _, w := range c.Words {
			if w.Word == word {
				return w
			}
		}
		require.Fail(t, "no word", word)
		return WordChange{}
	}
	best := r.Published[0].Latent.Things[0].Word
	require.Contains(t, find(best).Published, r.Published[0].Artwork)
	require.Positive(t, find(best).After)
	appeals := x.Appeals(q)
	require.Len(t, appeals, x.Vocabulary().Size())
	require.GreaterOrEqual(t, appeals[0].Appeal, appeals[len(appeals)-1].Appeal)
}

func TestPriorsThatAreRefused(t *testing.T) {
	x := lexicon(t)
	p := learned(t, x, 5)
	raw, err := p.MarshalBinary()
	require.NoError(t, err)
	again, err := x.UnmarshalPrior(raw)
	require.NoError(t, err)
	require.Equal(t, p, again)
	first, err := x.First().MarshalBinary()
	require.NoError(t, err)
	_, err = x.UnmarshalPrior(first)
	require.NoError(t, err)

	change := func(f func(p *Prior)) []byte {
		q, err := x.UnmarshalPrior(raw)
		require.NoError(t, err)
		f(q)
		raw, err := q.MarshalBinary()
		require.NoError(t, err)
		return raw
	}
	for name, raw := range map[string][]byte{
		"no bytes":                    nil,
		"larger than the limit":       make([]byte, MaxPrior+1),
		"a space more":                append([]byte(" "), raw...),
		"two priors":                  append(append([]byte{}, raw...), raw...),
		"a field that nobody reads":   []byte(strings.Replace(string(raw), `{"format"`, `{"note":1,"format"`, 1)),
		"another format":              change(func(p *Prior) { p.Format = "x" }),
		"another lexicon":             change(func(p *Prior) { p.Lexicon[0] ^= 1 }),
		"an absurd count":             change(func(p *Prior) { p.Candidates = maxCount + 1 }),
		"a negative version":          change(func(p *Prior) { p.Version = -1 }),
		"no version before":           change(func(p *Prior) { p.Before = ID{} }),
		"a round before its version":  change(func(p *Prior) { p.Round = 4 }),
		"more published than there":   change(func(p *Prior) { p.Published = p.Candidates + 1 }),
		"a look too few":              change(func(p *Prior) { p.Looks = p.Looks[1:] }),
		"a look past the bound":       change(func(p *Prior) { p.Looks[0] = maxWeight + 1 }),
		"an unknown word":             change(func(p *Prior) { p.Words[0].Word = "aaa" }),
		"nothing to say of a word":    change(func(p *Prior) { p.Words[0].Weight, p.Words[0].Shown = 0, 0 }),
		"words out of order":          change(func(p *Prior) { p.Words[0], p.Words[1] = p.Words[1], p.Words[0] }),
		"no list of words":            change(func(p *Prior) { p.Words = nil }),
		"parents out of order":        change(func(p *Prior) { p.Parents[0], p.Parents[1] = p.Parents[1], p.Parents[0] }),
		"a parent without standing":   change(func(p *Prior) { p.Parents[len(p.Parents)-1].Standing = 0 }),
		"a parent of a later round":   change(func(p *Prior) { p.Parents[0].Round = 6 }),
		"a parent that shows nothing": change(func(p *Prior) { p.Parents[0].Latent.Things = nil }),
		"a version 0 with knowledge":  []byte(strings.Replace(string(first), `"looks":[0`, `"looks":[1`, 1)),
		"short noise":                 []byte(strings.Replace(string(raw), `"noise":"`, `"noise":"A`, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := x.UnmarshalPrior(raw)
			require.ErrorIs(t, err, ErrPrior)
		})
	}
}

func TestTheLargestLexiconFitsItsFile(t *testing.T) {
	var features []string
	for i := range latent.MaxFeatures {
		var names []string
		for j := range latent.MaxFeature / (latent.MaxWord + len(latent.NameSeparator)) {
			names = append(names, fmt.Sprintf("%0*d", latent.MaxWord, 10*i+j))
		}
		features = append(features, strings.Join(names, latent.NameSeparator))
	}
	v, err := latent.NewVocabulary(features, latent.MaxNoise)
	require.NoError(t, err)
	looks := make([]Look, v.Size())
	for i := range looks {
		for k := range looks[i] {
			looks[i][k] = -127
		}
	}
	x, err := NewLexicon(v, looks)
	require.NoError(t, err)
	raw, err := x.MarshalBinary()
	require.NoError(t, err)
	_, err = UnmarshalLexicon(raw)
	require.NoError(t, err)
}

// The longest words, the most of everything: the file stays in its bound.
func TestTheLargestPriorFitsItsFile(t *testing.T) {
	var features []string
	for i := range 2000 {
		features = append(features, fmt.Sprintf("%0*d", latent.MaxWord, i))
	}
	long := func(prefix string) string {
		return prefix + strings.Repeat("m", latent.MaxWord-len(prefix))
	}
	features = append(features, append(latent.Dyes(), long(latent.MotifPrefix), long(latent.PaperPrefix))...)
	v, err := latent.NewVocabulary(features, latent.MaxNoise)
	require.NoError(t, err)
	x, err := NewLexicon(v, make([]Look, v.Size()))
	require.NoError(t, err)
	p := x.First()
	p.Version, p.Round, p.Before, p.Candidates, p.Published = maxCount, math.MaxUint64, ID{1}, maxCount, maxCount
	for k := range p.Looks {
		p.Looks[k] = -maxWeight
	}
	for i := range MaxWords {
		p.Words = append(p.Words, Word{features[i], -maxWeight, weightOne})
	}
	for i := range MaxParents {
		l := latent.Latent{Motif: long(latent.MotifPrefix)[len(latent.MotifPrefix):], Paper: long(latent.PaperPrefix)[len(latent.PaperPrefix):], Noise: make(latent.Noise, latent.MaxNoise)}
		for k := range latent.MaxThings {
			l.Things = append(l.Things, latent.Part{Word: features[k], Weight: latent.MaxWeight})
		}
		l.Dyes = []latent.Part{{Word: "orange", Weight: latent.MaxWeight}, {Word: "turquoise", Weight: latent.MaxWeight}}
		p.Parents = append(p.Parents, Parent{id(i), math.MaxUint64, standingOne - i, l})
	}
	raw, err := p.MarshalBinary()
	require.NoError(t, err)
	require.Less(t, len(raw), MaxPrior)
	_, err = x.UnmarshalPrior(raw)
	require.NoError(t, err)
}

func TestLexiconsThatAreRefused(t *testing.T) {
	x := lexicon(t)
	raw, err := x.MarshalBinary()
	require.NoError(t, err)
	again, err := UnmarshalLexicon(raw)
	require.NoError(t, err)
	require.Equal(t, x, again)
	for name, raw := range map[string][]byte{
		"no bytes":              nil,
		"larger than the limit": make([]byte, MaxLexicon+1),
		"another format":        []byte(strings.Replace(string(raw), lexiconFormat, "x", 1)),
		"a word twice":          []byte(strings.Replace(string(raw), "thingab", "thingaa", 1)),
		"a word with a quote":   []byte(strings.Replace(string(raw), "thingab", `thing\"b`, 1)),
		"a look too long":       []byte(strings.Replace(string(raw), `"look":[`, `"look":[1,`, 1)),
		"a look past the bound": []byte(strings.Replace(string(raw), `"look":[`, `"look":[1000`, 1)),
		"too much noise":        []byte(strings.Replace(string(raw), `"noise":8`, `"noise":1000`, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := UnmarshalLexicon(raw)
			require.ErrorIs(t, err, ErrLexicon)
		})
	}
	_, err = NewLexicon(x.Vocabulary(), nil)
	require.ErrorIs(t, err, ErrLexicon)
}

func FuzzUnmarshalPrior(f *testing.F) {
	x := lexicon(f)
	for _, n := range []int{0, 1, 3} {
		raw, err := learned(f, x, n).MarshalBinary()
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := x.UnmarshalPrior(data)
		if err != nil {
			require.ErrorIs(t, err, ErrPrior)
			return
		}
		again, err := p.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, string(data), string(again))
		l, _ := x.Draw(p, id(1))
		require.NoError(t, x.Vocabulary().Check(l))
		if p.Round < math.MaxUint64 {
			q, err := x.Update(p, Round{Number: p.Round + 1, Published: []Candidate{{id(5), l}}})
			require.NoError(t, err)
			require.Positive(t, q.Version)
		}
	})
}

func FuzzUnmarshalLexicon(f *testing.F) {
	raw, err := lexicon(f).MarshalBinary()
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(`{"format":"atelier-lexicon/1","noise":1,"features":[{"name":"a","look":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}]}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := UnmarshalLexicon(data)
		if err != nil {
			require.ErrorIs(t, err, ErrLexicon)
			return
		}
		again, err := x.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, string(data), string(again))
		l, _ := x.Draw(x.First(), id(1))
		require.NoError(t, x.Vocabulary().Check(l))
	})
}

func BenchmarkRule(b *testing.B) {
	x := lexicon(b)
	p := learned(b, x, 8)
	r := round(x, p, 9)
	b.Run("update", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Update(p, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("draw", func(b *testing.B) {
		for b.Loop() {
			x.Draw(p, id(1))
		}
	})
}
