package kernel

// painter renders tiles of one picture for one goroutine.
type painter struct {
	net   network
	shade *shader
	view  View
	w, h  int
	rows  [TileSide]samples // the centres
	// edges are pixels whose sub-samples fill row, 4 lanes each.
	edges  [batch / subsamples]edge
	row    samples
	queued int
}

// edge is a pixel that waits for its sub-samples.
type edge struct {
	at    int   // offset in the bytes of the picture
	slope int64 // of the lead over one pixel
}

// subsamples is the number of samples of a pixel on an edge. rotated is where
// they lie, in eighths of a pixel from its centre: each in a column and a row of
// its own, so that edges near the axes get as many shades as others.
const subsamples = 4

var rotated = [subsamples][2]int{{-1, -3}, {3, -1}, {-3, 1}, {1, 3}}

// Steps of the exponent per change of the lead over one pixel: the widest slope
// of a transition at a single sample and at one of several.
const (
	spanOne  = 6 * octave
	spanEach = 16 * octave
)

// tile renders tile (tx, ty) to dst, its top left pixel first, where a row of
// pixels takes stride bytes. All 32×32 centres are sampled, also where the tile
// overhangs the picture; then four more samples are taken of each pixel that an
// edge touches.
func (q *painter) tile(tx, ty int, dst []byte, stride int) {
	x0, y0 := tx*TileSide, ty*TileSide
	var across [batch]int32
	for x := range across {
		across[x] = q.placeX(8*(x0+x) + 4)
	}
	for y := range q.rows {
		row := &q.rows[y]
		row.x = across
		at := q.placeY(8*(y0+y) + 4)
		for x := range batch {
			row.y[x] = at
		}
		q.net.logits(row)
	}
	for y := range min(TileSide, q.h-y0) {
		for x := range min(TileSide, q.w-x0) {
			slope, border := q.slope(x, y)
			at, lead := y*stride+3*x, int64(q.rows[y].lead[x])
			if border || 3*lead < 2*slope {
				q.enqueue(8*(x0+x)+4, 8*(y0+y)+4, edge{at, slope}, dst)
				continue
			}
			q.put(dst[at:at+3], q.shade.light(&q.rows[y], x, slope, spanOne))
		}
	}
	q.flush(dst)
}

// slope is the greatest change of pixel (x, y)'s lead towards the neighbours
// left, right, above and below that lie in the tile, and whether one of them
// has another colour in front.
func (q *painter) slope(x, y int) (slope int64, border bool) {
	best, lead := q.rows[y].best[x], int64(q.rows[y].lead[x])
	look := func(x, y int) {
		there := int64(q.rows[y].lead[x])
		if q.rows[y].best[x] != best {
			border = true
			there = q.shade.signedLead(&q.rows[y].logits, x, int(best))
		}
		slope = max(slope, there-lead, lead-there)
	}
	if x > 0 {
		look(x-1, y)
	}
	if x < TileSide-1 {
		look(x+1, y)
	}
	if y > 0 {
		look(x, y-1)
	}
	if y < TileSide-1 {
		look(x, y+1)
	}
	return slope, border
}

// enqueue adds the sub-samples around (u, v), in eighths of a pixel.
func (q *painter) enqueue(u, v int, e edge, dst []byte) {
	for i, d := range rotated {
		lane := q.queued*subsamples + i
		q.row.x[lane], q.row.y[lane] = q.placeX(u+d[0]), q.placeY(v+d[1])
	}
	q.edges[q.queued] = e
	if q.queued++; q.queued == len(q.edges) {
		q.flush(dst)
	}
}

// flush computes the waiting sub-samples and writes the mean light of each
// pixel, rounded down.
func (q *painter) flush(dst []byte) {
	if q.queued == 0 {
		return
	}
	q.net.logits(&q.row)
	for n, e := range q.edges[:q.queued] {
		var sum light
		for i := n * subsamples; i < (n+1)*subsamples; i++ {
			one := q.shade.light(&q.row, i, e.slope, spanEach)
			for k := range sum {
				sum[k] += one[k]
			}
		}
		for k := range sum {
			sum[k] /= subsamples
		}
		q.put(dst[e.at:e.at+3], sum)
	}
	q.queued = 0
}

func (q *painter) put(pixel []byte, v light) {
	for k := range v {
		pixel[k] = q.shade.t.srgb[v[k]]
	}
}

func (q *painter) placeX(u int) int32 { return fold(place(u, q.w, min(q.w, q.h)), q.view.MirrorX) }
func (q *painter) placeY(u int) int32 { return fold(place(u, q.h, min(q.w, q.h)), q.view.MirrorY) }

func fold(v int32, mirror bool) int32 {
	if mirror && v < 0 {
		return -v
	}
	return v
}
