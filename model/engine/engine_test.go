package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

func heart(t testing.TB) []byte {
	p, err := model.Embedded().Fold("red heart", [32]byte{})
	require.NoError(t, err)
	raw, err := onnx.FromProgram(p)
	require.NoError(t, err)
	return raw
}

func TestTheExactEngineDrawsWhatTheArtistDraws(t *testing.T) {
	artist := Own(model.Embedded())
	require.Equal(t, Description{Engine: "phase-16", Class: model.Exact, Prompts: true}, artist.Describe())
	program, err := artist.Fold("blue whale", [32]byte{7})
	require.NoError(t, err)
	calls := 0
	got, err := Render(t.Context(), program, 70, 70, RenderOptions{Workers: 2, Progress: func(done, total int) {
		calls++
		require.Equal(t, calls, done)
		require.Equal(t, 9, total)
	}})
	require.NoError(t, err)
	want, err := model.Embedded().Render(t.Context(), "blue whale", [32]byte{7}, 70, model.RenderOptions{})
	require.NoError(t, err)
	require.Equal(t, want.PixelRoot, got.PixelRoot)
	require.Equal(t, 9, calls)
}

func TestTheNumberOfWorkersDoesNotChangeATolerantPicture(t *testing.T) {
	a, err := OpenBytes(heart(t), Options{})
	require.NoError(t, err)
	program, err := a.Fold("", [32]byte{})
	require.NoError(t, err)
	one, err := Render(t.Context(), program, 90, 50, RenderOptions{Workers: 1})
	require.NoError(t, err)
	three, err := Render(t.Context(), program, 90, 50, RenderOptions{Workers: 3})
	require.NoError(t, err)
	require.Equal(t, one, three)
	require.NoError(t, a.Close())
	_, err = Render(t.Context(), program, 90, 50, RenderOptions{})
	require.ErrorContains(t, err, "closed")
}

func TestEnginesSayWhatTheyNeed(t *testing.T) {
	all := Engines()
	require.Equal(t, []string{"phase-16", "onnx", "onnxruntime"}, []string{all[0].Name, all[1].Name, all[2].Name})
	require.Equal(t, []model.Class{model.Exact, model.Tolerant, model.Tolerant}, []model.Class{all[0].Class, all[1].Class, all[2].Class})
	require.NotEmpty(t, all[2].Needs)
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	dir := t.TempDir()
	whole, err := model.Embedded().ONNX()
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		raw  []byte
		o    Options
		is   error
		want string
	}{
		{"a whole artist", whole, Options{}, onnx.ErrFile, "export one picture of it"},
		{"text", []byte("hello"), Options{}, onnx.ErrFile, "not an ONNX file"},
		{"an engine that does not exist", heart(t), Options{Engine: "abacus"}, ErrEngine, `"abacus" draws no ONNX files`},
		{"ONNX Runtime without its library", heart(t), Options{Engine: ONNXRuntime}, ErrEngine, "onnxruntime needs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(dir, "x.onnx")
			require.NoError(t, os.WriteFile(name, c.raw, 0o600))
			_, err := Open(name, c.o)
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = Open(dir, Options{})
	require.ErrorIs(t, err, onnx.ErrFile)
	_, err = Open(filepath.Join(dir, "missing.onnx"), Options{})
	require.ErrorIs(t, err, os.ErrNotExist)

	a, err := OpenBytes(heart(t), Options{})
	require.NoError(t, err)
	defer a.Close()
	_, err = a.Fold("blue bird", [32]byte{})
	require.ErrorIs(t, err, model.ErrPrompt)
	program, err := a.Fold("", [32]byte{})
	require.NoError(t, err)
	for _, size := range [][2]int{{0, 1}, {1, 0}, {MaxSide + 1, 1}} {
		_, err = Render(t.Context(), program, size[0], size[1], RenderOptions{})
		require.ErrorIs(t, err, kernel.ErrSize)
	}
	_, err = program.RenderTile(t.Context(), 32, 32, 1, 0)
	require.ErrorIs(t, err, kernel.ErrSize)
	stopped, stop := context.WithCancelCause(t.Context())
	why := errors.New("no longer wanted")
	stop(why)
	_, err = Render(stopped, program, 64, 64, RenderOptions{})
	require.ErrorIs(t, err, why)
}

// Numbers that are none, or out of range, become colours in range.
func TestColoursOutOfRangeAreClipped(t *testing.T) {
	nan := func(_ context.Context, places []float32) ([]float32, error) {
		out := make([]float32, 3*batch)
		for i := range out {
			switch i % 3 {
			case 0:
				out[i] = float32(i) * 1e30
			case 1:
				out[i] = -1
			case 2:
				out[i] = (out[0] - out[0]) / (out[1] - out[1])
			}
		}
		return out, nil
	}
	got, err := tile(t.Context(), 2, 1, 0, 0, nan)
	require.NoError(t, err)
	require.Len(t, got, 6)
	require.Equal(t, []byte{255, 0, 0}, got[3:])
	_, err = tile(t.Context(), 2, 1, 0, 0, func(context.Context, []float32) ([]float32, error) { return nil, nil })
	require.ErrorContains(t, err, "0 numbers for 1024 places")
}
