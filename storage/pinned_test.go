package storage

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// A file that is put and pinned at once survives a Collect; one that could not be read to
// its end leaves neither blocks nor pin.
func TestAFileIsPinnedBeforeItIsThere(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	require.NoError(t, err)
	defer s.Close()
	data := bytes.Repeat([]byte("a container "), 100_000)
	root, err := s.PutFilePinned(t.Context(), bytes.NewReader(data), "model/2")
	require.NoError(t, err)
	want, err := FileCID(data)
	require.NoError(t, err)
	require.Equal(t, want, root)
	require.Equal(t, []Pin{{root, "model/2"}}, s.Pins())
	_, err = s.Collect(t.Context())
	require.NoError(t, err)
	held, err := s.ReadFile(t.Context(), root, "")
	require.NoError(t, err)
	require.Equal(t, data, held)

	broken := errors.New("broken")
	_, err = s.PutFilePinned(t.Context(), io.MultiReader(bytes.NewReader(data[1:]), iotest.ErrReader(broken)), "model/3")
	require.ErrorIs(t, err, broken)
	require.Len(t, s.Pins(), 1)
	require.Len(t, s.Roots(), 1)
	require.Equal(t, s.Usage().Segments, 1)
}
