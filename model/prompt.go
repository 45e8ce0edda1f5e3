package model

import (
	"slices"
	"strings"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/latent"
)

// MaxPrompt is the longest prompt in bytes of UTF-8.
const MaxPrompt = latent.MaxPrompt

// ErrPrompt reports a prompt that is too long or not UTF-8.
var ErrPrompt = latent.ErrPrompt

// zOne is 1.0 in a latent.
const zOne = 1 << 12

// reading is what a prompt says: a latent without ground and noise, and the
// embedding rows of the grounds it names, -1 where it leaves them to the seed.
type reading struct {
	z            []int64
	motif, paper int
}

// read turns a prompt into a latent: the sum of the rows of what it names.
func (a *Artist) read(prompt string, nothing *chance.Stream) (reading, error) {
	said, err := a.vocabulary.Read(prompt, nothing)
	if err != nil {
		return reading{}, err
	}
	r := reading{z: make([]int64, a.config.Latent), motif: said.Motif, paper: said.Paper}
	for _, row := range said.Rows {
		a.add(r.z, row.Row, row.Weight)
	}
	return r, nil
}

// add adds row i of the embedding, weighed by weight/256, to z.
func (a *Artist) add(z []int64, i int, weight int64) {
	n := a.config.Latent
	for j, v := range a.tensors["embed"][i*n : (i+1)*n] {
		z[j] += shift(int64(v)*weight, a.config.Exponents["embed"]+8, 12)
	}
}

// Vocabulary returns the names that have a latent of their own, then those of
// grounds and papers.
func (a *Artist) Vocabulary() (names, grounds []string) {
	v := a.vocabulary
	features := v.Features()
	for _, i := range v.Words() {
		names = append(names, latent.NamesOf(features[i])...)
	}
	for _, kind := range []struct {
		rows   []int
		prefix string
	}{{v.Motifs(), latent.MotifPrefix}, {v.Papers(), latent.PaperPrefix}} {
		for _, i := range kind.rows {
			for _, name := range latent.NamesOf(features[i]) {
				if ground := strings.TrimPrefix(name, kind.prefix); !slices.Contains(grounds, ground) {
					grounds = append(grounds, ground)
				}
			}
		}
	}
	return names, grounds
}
