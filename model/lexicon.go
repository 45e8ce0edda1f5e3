package model

import (
	"sync"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
)

// Words is what the artist understands, without what it makes of it: the same
// for all artists tuned from one.
func (a *Artist) Words() *latent.Vocabulary { return a.vocabulary }

// Lexicon is the vocabulary of the embedded artist with how its words look there. It
// tells much of an artist's embedding, so there is none of any other: a network's own
// artist is sealed.
func Lexicon() (*taste.Lexicon, error) { return embeddedLexicon() }

var embeddedLexicon = sync.OnceValues(func() (*taste.Lexicon, error) { return Embedded().lexicon() })

func (a *Artist) lexicon() (*taste.Lexicon, error) {
	v := a.vocabulary
	looks := make([]taste.Look, v.Size())
	n := a.config.Latent
	signs := chance.New("looks")
	up := make([][]bool, taste.Looks-3)
	for k := range up {
		up[k] = make([]bool, n)
		for j := range n {
			up[k][j] = signs.Uint16()&1 == 1
		}
	}
	papers := map[int]bool{}
	for _, r := range v.Papers() {
		papers[r] = true
	}
	shapes, total := make([][]int64, v.Size()), int64(0)
	for row := range looks {
		z := make([]int64, n)
		a.add(z, row, 256)
		c := a.colours(z)[latent.Papers]
		if papers[row] {
			c = a.colours(z)[0]
		}
		colour := [3]int64{int64(c.L - kernel.LabOne/2), int64(c.A), int64(c.B)}
		for k, v := range colour {
			looks[row][k] = narrow(v * 256 >> 16) // half of white, or a strong colour, is 1 or 4
		}
		for k := range up {
			sum := int64(0)
			for j, v := range z {
				if up[k][j] {
					sum += v
				} else {
					sum -= v
				}
			}
			shapes[row] = append(shapes[row], sum)
			total += sum * sum
		}
	}
	// The rule of package taste is made for shapes of one size, whatever an artist's numbers are.
	size := max(1, root(total/int64(len(looks)*len(up))))
	for row, shape := range shapes {
		for k, sum := range shape {
			looks[row][3+k] = narrow(sum * shapeSize / size)
		}
	}
	return taste.NewLexicon(v, looks)
}

// shapeSize is the root mean square of a look's shapes.
const shapeSize = 26

// root is the integer square root of a number of at most 62 bits.
func root(n int64) (r int64) {
	for bit := int64(1) << 30; bit > 0; bit >>= 1 {
		if (r+bit)*(r+bit) <= n {
			r += bit
		}
	}
	return r
}

func narrow(v int64) int8 { return int8(max(-127, min(127, v))) }
