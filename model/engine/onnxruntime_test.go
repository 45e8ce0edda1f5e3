//go:build cgo && onnxruntime

package engine

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

// TestONNXRuntimeAgrees needs the library: run it as
//
//	ATELIER_ONNXRUNTIME=/path/libonnxruntime.so.1 go test -tags onnxruntime ./model/engine
func TestONNXRuntimeAgrees(t *testing.T) {
	library := os.Getenv(LibraryVariable)
	if library == "" {
		t.Skipf("%s names no library", LibraryVariable)
	}
	program, err := model.Embedded().Fold("mountain at night", sha256.Sum256([]byte("agreement")))
	require.NoError(t, err)
	raw, err := onnx.FromProgram(program)
	require.NoError(t, err)
	a, err := OpenBytes(raw, Options{Engine: ONNXRuntime, Library: library})
	require.NoError(t, err)
	defer a.Close()
	require.Equal(t, model.Tolerant, a.Describe().Class)
	require.Contains(t, a.Describe().Runtime, "ONNX Runtime 1.")
	drawn, err := a.Fold("", [32]byte{})
	require.NoError(t, err)
	got, err := Render(t.Context(), drawn, 256, 256, RenderOptions{Workers: 2})
	require.NoError(t, err)
	want, err := kernel.Render(t.Context(), program, 256, 256, kernel.Options{})
	require.NoError(t, err)
	r := psnr(want.RGB, got.RGB)
	t.Logf("%.1f dB with %s", r, a.Describe().Runtime)
	require.Greater(t, r, 38.)

	_, err = OpenBytes(raw, Options{Engine: ONNXRuntime, Library: filepath.Join(t.TempDir(), "missing.so")})
	require.ErrorIs(t, err, ErrEngine, "one library a process")
	broken := append([]byte(nil), raw...)
	copy(broken[len(broken)/2:], make([]byte, 64))
	if b, err := OpenBytes(broken, Options{Engine: ONNXRuntime, Library: library}); err == nil {
		b.Close() // some numbers became zero: still a network
	} else {
		require.ErrorIs(t, err, onnx.ErrFile)
	}
}
