package model

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func pngFile(t testing.TB, paint func(x, y int) color.NRGBA) *fstest.MapFile {
	img := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for y := range 24 {
		for x := range 24 {
			img.SetNRGBA(x, y, paint(x, y))
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return &fstest.MapFile{Data: b.Bytes()}
}

func pictureFolder(t testing.TB) fstest.MapFS {
	return fstest.MapFS{
		"sub/red ball.png": pngFile(t, func(x, y int) color.NRGBA {
			if (x-12)*(x-12)+(y-12)*(y-12) > 100 {
				return color.NRGBA{}
			}
			return color.NRGBA{210, 40, 40, 255}
		}),
		"sea, water.png": pngFile(t, func(x, y int) color.NRGBA {
			if y < 12 {
				return color.NRGBA{200, 220, 240, 255}
			}
			return color.NRGBA{20, 60, 120, 255}
		}),
		"broken.png": {Data: []byte("not a picture")},
		"empty.png":  pngFile(t, func(int, int) color.NRGBA { return color.NRGBA{} }),
		"notes.txt":  {Data: []byte("left alone")},
	}
}

func TestTrainLearnsAFolderOfPictures(t *testing.T) {
	var losses []float64
	options := TrainOptions{Name: "gull", Steps: 12, Data: "two drawings", Licence: "CC0-1.0", Progress: func(step, steps int, loss float64) {
		require.Equal(t, 12, steps)
		losses = append(losses, loss)
	}}
	a, err := Train(context.Background(), pictureFolder(t), options)
	require.NoError(t, err)
	require.Len(t, losses, 12)
	require.Less(t, losses[11], losses[0])
	words, grounds := a.Vocabulary()
	require.Subset(t, words, []string{"red", "red ball", "sea", "water"})
	require.NotContains(t, words, "notes")
	require.NotEmpty(t, grounds)
	require.Equal(t, "two drawings", a.Describe().Data)
	require.Equal(t, "gull", a.Describe().Name)
	_, err = a.Render(context.Background(), "ball", seed(0), 32, RenderOptions{})
	require.NoError(t, err)

	options.Workers, options.Progress = 1, nil
	again, err := Train(context.Background(), pictureFolder(t), options)
	require.NoError(t, err)
	require.Equal(t, a.ID(), again.ID(), "workers do not change the result")
}

func TestFineTuneMakesAnArtistOfOnesOwn(t *testing.T) {
	base := Embedded()
	baseID := base.ID()
	tune := func(secret byte) *Artist {
		a, err := FineTune(context.Background(), base, FineTuneOptions{Seed: seed(secret), Steps: 3, Name: "our own"})
		require.NoError(t, err)
		return a
	}
	one, same, other := tune(1), tune(1), tune(2)
	require.Equal(t, one.ID(), same.ID())
	require.NotEqual(t, one.ID(), other.ID())
	require.NotEqual(t, baseID, one.ID())
	require.Equal(t, baseID, base.ID())
	require.Equal(t, "our own", one.Describe().Name)
	require.Equal(t, base.Describe().Parameters, one.Describe().Parameters)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := FineTune(ctx, base, FineTuneOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestFineTuneLowersTheLossOfItsTaste(t *testing.T) {
	var losses []float64
	_, err := FineTune(context.Background(), Embedded(), FineTuneOptions{
		Seed: seed(3), Steps: 15, Pictures: pictureFolder(t),
		Progress: func(_, _ int, loss float64) { losses = append(losses, loss) },
	})
	require.NoError(t, err)
	require.Less(t, losses[len(losses)-1], losses[0])
}
