package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// noise is w×h pixels of test chance.
func noise(seed string, w, h int) []byte {
	s := &stream{seed: seed}
	rgb := make([]byte, 3*w*h)
	for i := range rgb {
		rgb[i] = byte(s.u32())
	}
	return rgb
}

func TestEveryTileOfAPictureProvesItself(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {32, 32}, {33, 1}, {64, 33}, {97, 70}, {160, 32}} {
		w, h := size[0], size[1]
		rgb := noise("proof", w, h)
		root, err := PixelRoot(w, h, rgb)
		require.NoError(t, err)
		for ty := range tiles(h) {
			for tx := range tiles(w) {
				proof, err := TileProof(w, h, rgb, tx, ty)
				require.NoError(t, err)
				tile := cut(nil, w, h, rgb, tx, ty)
				require.True(t, VerifyTile(root, w, h, tx, ty, tile, proof), "tile (%d, %d) of %d×%d", tx, ty, w, h)

				forged := append([]byte(nil), tile...)
				forged[len(forged)/2] ^= 1
				require.False(t, VerifyTile(root, w, h, tx, ty, forged, proof), "one changed bit")
				require.False(t, VerifyTile(root, w, h, tx, ty, tile[1:], proof), "a byte short")
				require.False(t, VerifyTile(root, w, h, tx, ty, tile, append(proof, root)), "a step too many")
				if len(proof) > 0 {
					require.False(t, VerifyTile(root, w, h, tx, ty, tile, proof[1:]), "a step too few")
					bent := append([][32]byte(nil), proof...)
					bent[len(bent)-1][0] ^= 1
					require.False(t, VerifyTile(root, w, h, tx, ty, tile, bent), "a bent step")
				}
			}
		}
		require.False(t, VerifyTile(root, w, h, -1, 0, nil, nil))
		require.False(t, VerifyTile(root, w, h, tiles(w), 0, nil, nil))
		require.False(t, VerifyTile(root, 0, h, 0, 0, nil, nil))
	}
}

func TestTheRootBindsGeometryAndPlace(t *testing.T) {
	rgb := noise("geometry", 64, 32)
	root := func(w, h int, rgb []byte) [32]byte {
		r, err := PixelRoot(w, h, rgb)
		require.NoError(t, err)
		return r
	}
	a := root(64, 32, rgb)
	require.NotEqual(t, a, root(32, 64, rgb), "the same bytes in another shape")

	swapped := make([]byte, len(rgb))
	for y := range 32 {
		copy(swapped[y*192:], rgb[y*192+96:y*192+192])
		copy(swapped[y*192+96:], rgb[y*192:y*192+96])
	}
	require.NotEqual(t, a, root(64, 32, swapped), "two tiles exchanged")

	tile := cut(nil, 64, 32, rgb, 0, 0)
	proof, err := TileProof(64, 32, rgb, 0, 0)
	require.NoError(t, err)
	require.False(t, VerifyTile(a, 64, 32, 1, 0, tile, proof), "a tile in another place")

	for _, bad := range []struct{ w, h int }{{0, 32}, {64, 31}, {MaxSide + 1, 1}, {-64, -32}} {
		_, err := PixelRoot(bad.w, bad.h, rgb)
		require.ErrorIs(t, err, ErrSize)
	}
}
