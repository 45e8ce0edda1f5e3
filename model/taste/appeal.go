package taste

import "github.com/atelier-dao/atelier/model/latent"

// Numbers that tell what a whole latent looks like, in this order: the looks of its
// things, the subject's colour and the square of its lightness, the ground's colour,
// and how the two differ in lightness and altogether.
const (
	subjectColour = Looks
	subjectSquare = subjectColour + 3
	groundColour  = subjectSquare + 1
	contrast      = groundColour + 3
	difference    = contrast + 1
	looks         = difference + 1
)

// features are what a latent is to the preference model, in units of 2⁻⁸: its rows
// with their weights, and how it looks.
type features struct {
	rows  []latent.Row
	looks [looks]int64
}

// features of a latent of this vocabulary. A ground that is left to the artist
// counts as having no colour and no contrast.
func (x *Lexicon) features(l latent.Latent) features {
	f := features{rows: x.vocabulary.Rows(l)}
	const unit = 256 / lookOne
	look := func(feature string) (Look, bool) {
		row, ok := x.vocabulary.Row(feature)
		if !ok {
			return Look{}, false
		}
		return x.looks[row], true
	}
	total := int64(0)
	for _, p := range l.Things {
		total += int64(p.Weight)
	}
	for _, p := range l.Things {
		of, _ := look(p.Word)
		for k, v := range of {
			f.looks[k] += int64(v) * unit * int64(p.Weight) / total
		}
	}
	subject := f.looks[subjectColour : subjectColour+3]
	copy(subject, f.looks[:3])
	if len(l.Dyes) > 0 {
		dye, _ := look(l.Dyes[0].Word)
		for k := range subject {
			subject[k] = int64(dye[k]) * unit
		}
	}
	f.looks[subjectSquare] = subject[0] * subject[0] >> 8
	paper, named := look(latent.PaperPrefix + l.Paper)
	if !named {
		return f
	}
	far := int64(0)
	for k := range subject {
		ground := int64(paper[k]) * unit
		f.looks[groundColour+k] = ground
		far += (subject[k] - ground) * (subject[k] - ground)
	}
	f.looks[contrast] = max(subject[0]-f.looks[groundColour], f.looks[groundColour]-subject[0])
	f.looks[difference] = min(far>>8, 8<<8)
	return f
}

// weights are those of a prior, by row and look, in units of 2⁻¹².
type weights struct {
	rows  []int64
	looks [looks]int64
	shown []int64 // shares of late artworks that showed it first, by row
}

func (x *Lexicon) weights(p *Prior) *weights {
	n := x.vocabulary.Size()
	w := &weights{rows: make([]int64, n), shown: make([]int64, n)}
	for _, v := range p.Words {
		row, _ := x.vocabulary.Row(v.Word)
		w.rows[row], w.shown[row] = v.Weight, v.Shown
	}
	copy(w.looks[:], p.Looks)
	return w
}

// appeal is how much the preference model likes a latent, in units of 2⁻¹²: of two,
// that whose appeal is larger by d is preferred with chance 1/(1+e⁻ᵈ).
func (w *weights) appeal(f features) int64 {
	sum := int64(0)
	for _, r := range f.rows {
		sum += w.rows[r.Row] * r.Weight
	}
	for k, v := range f.looks {
		sum += w.looks[k] * v
	}
	return sum >> 8
}

// Of a subject that more than one in enough of the late artworks showed people tire:
// each further hundredth takes tire hundredths off its appeal.
const (
	enough = 6
	tire   = 8
)

// fatigue is how tired people are of what a latent shows first, to be taken off its
// appeal. Without it a network could end in one subject that everybody likes.
func (w *weights) fatigue(f features) int64 {
	return max(0, w.shown[f.rows[0].Row]-weightOne/enough) * tire
}
