package kernel

import "fmt"

// A Tree computes the pixel root of a picture whose rows come from the top, some at a
// time, so that the picture need not be kept: memory holds TileSide rows and 32 bytes
// for each tile.
type Tree struct {
	w, h   int
	band   []byte // rows that are not hashed yet, less than TileSide
	leaves [][32]byte
}

// NewTree begins with a w×h picture. The error wraps [ErrSize].
func NewTree(w, h int) (*Tree, error) {
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	return &Tree{w: w, h: h, leaves: make([][32]byte, 0, tiles(w)*tiles(h))}, nil
}

// Write takes bytes of the rows, three a pixel. The error wraps [ErrSize] when there
// are more than the picture has.
func (t *Tree) Write(rows []byte) (int, error) {
	taken := 0
	for taken < len(rows) {
		ty := len(t.leaves) / tiles(t.w)
		if ty == tiles(t.h) {
			return taken, fmt.Errorf("%w: more rows than the %d of the picture", ErrSize, t.h)
		}
		th := min(TileSide, t.h-ty*TileSide)
		n := min(3*t.w*th-len(t.band), len(rows)-taken)
		t.band = append(t.band, rows[taken:taken+n]...)
		taken += n
		if len(t.band) < 3*t.w*th {
			break
		}
		for tx := range tiles(t.w) {
			tw := min(TileSide, t.w-tx*TileSide)
			tile := make([]byte, 0, 3*tw*th)
			for y := range th {
				from := 3 * (y*t.w + tx*TileSide)
				tile = append(tile, t.band[from:from+3*tw]...)
			}
			t.leaves = append(t.leaves, leafOf(t.w, t.h, tx, ty, tile))
		}
		t.band = t.band[:0]
	}
	return taken, nil
}

// Root is the pixel root. The error wraps [ErrSize] when rows are missing.
func (t *Tree) Root() ([32]byte, error) {
	if len(t.leaves) != cap(t.leaves) {
		return [32]byte{}, fmt.Errorf("%w: fewer rows than the %d of the picture", ErrSize, t.h)
	}
	return rootOver(t.w, t.h, append([][32]byte(nil), t.leaves...)), nil
}
