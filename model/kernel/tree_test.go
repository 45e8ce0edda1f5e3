package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATreeOfRowsHasThePictureRoot(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {32, 32}, {33, 31}, {70, 100}, {5, 97}} {
		w, h := size[0], size[1]
		rgb := make([]byte, 3*w*h)
		for i := range rgb {
			rgb[i] = byte(i * i >> 3)
		}
		want, err := PixelRoot(w, h, rgb)
		require.NoError(t, err)
		for _, piece := range []int{1, 3 * w, 7 * w, 3 * w * 40, len(rgb)} {
			tree, err := NewTree(w, h)
			require.NoError(t, err)
			for rest := rgb; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
				_, err := tree.Root()
				require.ErrorIs(t, err, ErrSize, "rows are missing")
				n, err := tree.Write(rest[:min(piece, len(rest))])
				require.NoError(t, err)
				require.Equal(t, min(piece, len(rest)), n)
			}
			for range 2 {
				got, err := tree.Root()
				require.NoError(t, err)
				require.Equal(t, want, got, "%d×%d in pieces of %d", w, h, piece)
			}
			_, err = tree.Write([]byte{0})
			require.ErrorIs(t, err, ErrSize, "one byte more")
		}
	}
	_, err := NewTree(0, 5)
	require.ErrorIs(t, err, ErrSize)
}
