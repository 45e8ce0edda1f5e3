package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Domains of the pixel tree. A leaf, a node and a root can never be mistaken
// for one another.
const (
	leafDomain = "atelier/pixels/v1/leaf"
	nodeDomain = "atelier/pixels/v1/node"
	rootDomain = "atelier/pixels/v1/root"
)

// PixelRoot is the Merkle root of a picture. Leaves are the tiles from left to
// right and top to bottom, each the digest of its place, size and raw RGB bytes;
// a level pairs its neighbours, and a last odd one moves up as it is. The root
// binds width and height. The error is [ErrSize] where rgb does not hold w·h
// pixels.
func PixelRoot(w, h int, rgb []byte) ([32]byte, error) {
	level, err := leaves(w, h, rgb)
	if err != nil {
		return [32]byte{}, err
	}
	return rootOver(w, h, level), nil
}

// TileProof is the audit path of tile (tx, ty), from its leaf to the root, for
// [VerifyTile]. It is empty for a picture of one tile.
func TileProof(w, h int, rgb []byte, tx, ty int) ([][32]byte, error) {
	level, err := leaves(w, h, rgb)
	if err != nil {
		return nil, err
	}
	if _, _, err := tileSize(w, h, tx, ty); err != nil {
		return nil, err
	}
	var proof [][32]byte
	for at := ty*tiles(w) + tx; len(level) > 1; at /= 2 {
		if sibling := at ^ 1; sibling < len(level) {
			proof = append(proof, level[sibling])
		}
		level = parents(level)
	}
	return proof, nil
}

// VerifyTile reports whether tile, the RGB bytes of tile (tx, ty), belongs to
// the w×h picture with this root.
func VerifyTile(root [32]byte, w, h, tx, ty int, tile []byte, proof [][32]byte) bool {
	tw, th, err := tileSize(w, h, tx, ty)
	if err != nil || len(tile) != 3*tw*th {
		return false
	}
	sum := leafOf(w, h, tx, ty, tile)
	at, n := ty*tiles(w)+tx, tiles(w)*tiles(h)
	for ; n > 1; at, n = at/2, (n+1)/2 {
		if at^1 >= n {
			continue
		}
		if len(proof) == 0 {
			return false
		}
		if at%2 == 0 {
			sum = nodeOf(sum, proof[0])
		} else {
			sum = nodeOf(proof[0], sum)
		}
		proof = proof[1:]
	}
	return len(proof) == 0 && rootOf(w, h, sum) == root
}

func leaves(w, h int, rgb []byte) ([][32]byte, error) {
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	if len(rgb) != 3*w*h {
		return nil, fmt.Errorf("%w: %d bytes for %d×%d pixels", ErrSize, len(rgb), w, h)
	}
	var level [][32]byte
	tile := make([]byte, 0, 3*TileSide*TileSide)
	for ty := range tiles(h) {
		for tx := range tiles(w) {
			tile = cut(tile[:0], w, h, rgb, tx, ty)
			level = append(level, leafOf(w, h, tx, ty, tile))
		}
	}
	return level, nil
}

// cut appends the bytes of tile (tx, ty).
func cut(tile []byte, w, h int, rgb []byte, tx, ty int) []byte {
	x0, x1 := tx*TileSide, min((tx+1)*TileSide, w)
	for y := ty * TileSide; y < min((ty+1)*TileSide, h); y++ {
		tile = append(tile, rgb[3*(y*w+x0):3*(y*w+x1)]...)
	}
	return tile
}

func parents(level [][32]byte) [][32]byte {
	up := level[:0]
	for i := 0; i < len(level); i += 2 {
		if i+1 == len(level) {
			up = append(up, level[i])
		} else {
			up = append(up, nodeOf(level[i], level[i+1]))
		}
	}
	return up
}

func leafOf(w, h, tx, ty int, tile []byte) [32]byte {
	return digest(leafDomain, numbers(w, h, tx, ty), tile)
}

func nodeOf(a, b [32]byte) [32]byte { return digest(nodeDomain, a[:], b[:]) }

// rootOver is the root of a whole level, which it overwrites.
func rootOver(w, h int, level [][32]byte) [32]byte {
	for len(level) > 1 {
		level = parents(level)
	}
	return rootOf(w, h, level[0])
}

func rootOf(w, h int, top [32]byte) [32]byte {
	return digest(rootDomain, []byte(Contract), numbers(w, h, TileSide), top[:])
}

// numbers writes each as 64 bits, the highest first.
func numbers(vs ...int) []byte {
	var b []byte
	for _, v := range vs {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// digest is SHA-256 of the tag and the fields, each after its length as 64 bits.
func digest(tag string, fields ...[]byte) (sum [32]byte) {
	h := sha256.New()
	h.Write(numbers(len(tag)))
	h.Write([]byte(tag))
	for _, f := range fields {
		h.Write(numbers(len(f)))
		h.Write(f)
	}
	h.Sum(sum[:0])
	return sum
}
