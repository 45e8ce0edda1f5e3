package kernel

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// cases are programs that between them reach every option.
func cases() map[string]*Program {
	turned, err := Turned(5461, ViewOne*3/2)
	if err != nil {
		panic(err)
	}
	plain := drawn("plain", 32, 3, 6)
	soft := drawn("soft", 16, 1, 2)
	soft.Sharpness = SharpnessOne
	shaded := drawn("shaded", 64, 4, 6)
	shaded.Shadow = Shadow{Depth: LabOne / 8, Width: LogitOne / 4}
	shaded.Sharpness = 200 * SharpnessOne
	mirrored := drawn("mirrored", 48, 2, 8)
	mirrored.View = turned
	mirrored.View.MirrorX, mirrored.View.MirrorY = true, true
	mirrored.View.X0, mirrored.View.Y0 = -CoordinateOne/3, CoordinateOne/5
	wide := drawn("wide", 128, 8, 3)
	wide.View = turned
	return map[string]*Program{"plain": plain, "soft": soft, "shaded": shaded, "mirrored": mirrored, "wide": wide}
}

func TestTilesAloneAreTheTilesOfThePicture(t *testing.T) {
	for name, p := range cases() {
		const w, h = 75, 41
		pic, err := Render(context.Background(), p, w, h, Options{})
		require.NoError(t, err)
		for ty := range tiles(h) {
			for tx := range tiles(w) {
				tile, err := RenderTile(p, w, h, tx, ty, Options{})
				require.NoError(t, err)
				require.Equal(t, cut(nil, w, h, pic.RGB, tx, ty), tile, "%s: tile (%d, %d)", name, tx, ty)
			}
		}
	}
}

func TestWorkersDoNotChangeAPicture(t *testing.T) {
	p := cases()["shaded"]
	one, err := Render(context.Background(), p, 130, 97, Options{Workers: 1})
	require.NoError(t, err)
	many, err := Render(context.Background(), p, 130, 97, Options{Workers: 7})
	require.NoError(t, err)
	require.Equal(t, one, many)
}

func TestProgressCountsEveryTileOnce(t *testing.T) {
	var seen []int
	_, err := Render(context.Background(), drawn("progress", 16, 1, 2), 100, 70, Options{
		Workers:  3,
		Progress: func(done, total int) { require.Equal(t, 12, total); seen = append(seen, done) },
	})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, seen)
}

func TestARenderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	calls := 0
	pic, err := Render(ctx, drawn("cancelled", 16, 1, 2), 2048, 2048, Options{
		Workers:  2,
		Progress: func(int, int) { calls++; cancel(errors.New("enough")) },
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, pic)
	require.Less(t, calls, 8)
}

func TestMirroredPicturesAreSymmetric(t *testing.T) {
	p := drawn("symmetric", 32, 3, 5)
	p.View.MirrorX, p.View.MirrorY = true, true
	const n = 64
	pic, err := Render(context.Background(), p, n, n, Options{})
	require.NoError(t, err)
	// The four samples of an edge do not lie symmetrically, so edges may
	// differ slightly; everything else must not.
	differ := 0
	for y := range n {
		for x := range n {
			a, b := pic.RGB[3*(y*n+x):][:3], pic.RGB[3*(y*n+n-1-x):][:3]
			for k := range 3 {
				if d := int(a[k]) - int(b[k]); d != 0 {
					differ++
					require.Less(t, d*d, 40*40, "pixel (%d, %d)", x, y)
				}
			}
		}
	}
	require.Less(t, differ, 3*n*n/2)
}

func TestRefusals(t *testing.T) {
	p := drawn("refused", 16, 1, 2)
	for name, do := range map[string]func() error{
		"no width":            func() error { _, err := Render(context.Background(), p, 0, 8, Options{}); return err },
		"too high":            func() error { _, err := Render(context.Background(), p, 8, MaxSide+1, Options{}); return err },
		"tile right of edge":  func() error { _, err := RenderTile(p, 64, 64, 2, 0, Options{}); return err },
		"tile above the edge": func() error { _, err := RenderTile(p, 64, 64, 0, -1, Options{}); return err },
	} {
		require.ErrorIs(t, do(), ErrSize, name)
	}
	_, err := Render(context.Background(), p, 8, 8, Options{Kernel: "abacus"})
	require.ErrorIs(t, err, ErrKernel)
	require.ErrorContains(t, err, "reference")
	require.ErrorIs(t, Select("abacus"), ErrKernel)
	_, err = Render(context.Background(), &Program{}, 8, 8, Options{})
	require.ErrorIs(t, err, ErrProgram)
	_, err = Render(context.Background(), nil, 8, 8, Options{})
	require.ErrorIs(t, err, ErrProgram)
}

func TestSelectChangesTheDefault(t *testing.T) {
	require.Equal(t, Kernels()[0], Selected())
	require.Equal(t, "reference", Kernels()[len(Kernels())-1])
	t.Cleanup(func() { require.NoError(t, Select("")) })
	for _, name := range Kernels() {
		require.NoError(t, Select(name))
		require.Equal(t, name, Selected())
	}
	require.NoError(t, Select(""))
	require.Equal(t, Kernels()[0], Selected())
}
