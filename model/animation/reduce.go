package animation

import (
	"cmp"
	"slices"
)

// colour is how often a colour occurs.
type colour struct {
	rgb [3]byte
	n   int
}

// kept is how many of the most frequent colours are kept as they are: the flat areas
// of a picture, which are most of it.
const kept = 64

// reduce finds a table of at most 256 colours, three bytes each, for a picture, and
// the number of each pixel's. A picture of no more colours keeps them all. Of others
// the most frequent ones stay, and the rest, of edges and shadows, is put together by
// median cut.
func reduce(rgb []byte) (table [768]byte, pixels []byte) {
	counts := map[[3]byte]int{}
	for i := 0; i < len(rgb); i += 3 {
		counts[[3]byte(rgb[i:])]++
	}
	all := make([]colour, 0, len(counts))
	for c, n := range counts {
		all = append(all, colour{c, n})
	}
	slices.SortFunc(all, func(a, b colour) int {
		return cmp.Or(b.n-a.n, slices.Compare(a.rgb[:], b.rgb[:]))
	})
	number := make(map[[3]byte]byte, len(all))
	exact := len(all)
	if exact > 256 {
		exact = kept
	}
	for i, c := range all[:exact] {
		copy(table[3*i:], c.rgb[:])
		number[c.rgb] = byte(i)
	}
	for i, box := range cut(all[exact:], 256-exact) {
		mean := box.mean()
		copy(table[3*(exact+i):], mean[:])
		for _, c := range box {
			number[c.rgb] = byte(exact + i)
		}
	}
	pixels = make([]byte, len(rgb)/3)
	for i := range pixels {
		pixels[i] = number[[3]byte(rgb[3*i:])]
	}
	return table, pixels
}

// box are colours that become one.
type box []colour

// cut divides colours into at most n boxes: always the one whose colours are the
// farthest apart, weighed by how many pixels have them, in the middle of its pixels.
func cut(all []colour, n int) []box {
	if len(all) == 0 {
		return nil
	}
	boxes := []box{all}
	for len(boxes) < n {
		worst, most, axis := -1, 0, 0
		for i, b := range boxes {
			if a, spread := b.spread(); spread*b.pixels() > most {
				worst, most, axis = i, spread*b.pixels(), a
			}
		}
		if worst < 0 { // every box holds one colour
			break
		}
		b := boxes[worst]
		slices.SortStableFunc(b, func(p, q colour) int { return int(p.rgb[axis]) - int(q.rgb[axis]) })
		half, at := 0, 0
		for total := b.pixels(); at < len(b)-1; at++ {
			if half += b[at].n; 2*half >= total {
				at++
				break
			}
		}
		at = max(1, min(at, len(b)-1))
		boxes[worst] = b[:at]
		boxes = append(boxes, b[at:])
	}
	return boxes
}

func (b box) pixels() (n int) {
	for _, c := range b {
		n += c.n
	}
	return n
}

// spread is the channel in which the colours are the farthest apart, and how far.
func (b box) spread() (axis, spread int) {
	for k := range 3 {
		low, high := 255, 0
		for _, c := range b {
			low, high = min(low, int(c.rgb[k])), max(high, int(c.rgb[k]))
		}
		if high-low > spread {
			axis, spread = k, high-low
		}
	}
	return axis, spread
}

func (b box) mean() (mean [3]byte) {
	n := b.pixels()
	for k := range mean {
		sum := n / 2
		for _, c := range b {
			sum += int(c.rgb[k]) * c.n
		}
		mean[k] = byte(sum / n)
	}
	return mean
}
