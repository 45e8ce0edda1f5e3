package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
)

// A work is an artwork in a round.
type work struct {
	facts  taste.Facts
	latent latent.Latent
	glance glance
	likes  float64 // how much the public likes it
}

const (
	collectors  = 12
	ownMind     = 2.     // standard deviation of a collector's liking around the public's
	choices     = 3      // artworks that a collector backs
	riches      = 100    // times an ordinary purse
	identityCap = 50_000 // of a million: what one account counts for, as on the ledger
)

// A crowd is collectors who share a taste up to their own minds, with unlike purses,
// and perhaps one rich collector who likes the opposite and has several accounts.
type crowd struct {
	rng    *rand.Rand
	purses []float64
	whale  int // accounts
}

func newCrowd(number uint64, whale int) *crowd {
	c := &crowd{rng: rand.New(rand.NewPCG(number, 0x63726f7764)), whale: whale}
	for range collectors {
		c.purses = append(c.purses, 10*math.Exp(c.rng.NormFloat64()))
	}
	return c
}

// curate lets everybody back what they like, scores as the ledger does and publishes
// the four to six best.
func (c *crowd) curate(number uint64, works []work) (taste.RoundFacts, error) {
	costs := make([][]curve.Amount, len(works)) // by artwork: an amount for each account
	total := curve.Amount{}
	back := func(purse float64, likes func(i int) float64) {
		order, liked := make([]int, len(works)), make([]float64, len(works))
		for i := range works {
			order[i], liked[i] = i, likes(i)
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(liked[j], liked[i]) })
		for _, i := range order[:choices] {
			amount := curve.Credits(uint64(1 + purse/choices))
			costs[i] = append(costs[i], amount)
			total = total.Add(amount)
		}
	}
	for _, purse := range c.purses {
		back(purse, func(i int) float64 { return works[i].likes + ownMind*c.rng.NormFloat64() })
	}
	for range c.whale {
		back(10*riches/float64(c.whale), func(i int) float64 { return -works[i].likes })
	}
	most := curve.Ratio(identityCap).OfCeil(total)
	scores := make([]curve.Amount, len(works))
	order := make([]int, len(works))
	for i, list := range costs {
		for k := range list {
			list[k] = list[k].Min(most)
		}
		score, err := curve.Score(list)
		if err != nil {
			return taste.RoundFacts{}, err
		}
		scores[i], order[i] = score, i
	}
	slices.SortStableFunc(order, func(i, j int) int { return scores[j].Cmp(scores[i]) })
	r, published := taste.RoundFacts{Number: number}, 4+c.rng.IntN(3)
	for rank, i := range order {
		if rank < published && !scores[i].IsZero() {
			r.Published = append(r.Published, works[i].facts)
		} else {
			r.Declined = append(r.Declined, works[i].facts)
		}
	}
	return r, nil
}
