package storage

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"
)

// openTest opens a store in a temporary directory and closes it with the test.
func openTest(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// noise is reproducible data that no compression or deduplication shortens.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// folder is a folder as artworks have it: a picture of several chunks, and two
// small files.
func folder(seed uint64, picture int) []File {
	return []File{
		{Name: "image.png", Data: noise(seed, picture)},
		{Name: "metadata.json", Data: fmt.Appendf(nil, `{"name":"%d"}`, seed)},
		{Name: "receipt.cbor", Data: noise(seed+1, 700)},
	}
}

func TestReadFolderKeepsItsBounds(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	files := folder(1, 3<<20)
	root, err := s.PutFolder(ctx, files)
	require.NoError(t, err)
	got, err := s.ReadFolder(ctx, root, 4<<20)
	require.NoError(t, err)
	require.Equal(t, files, got)
	_, err = s.ReadFolder(ctx, root, 3<<20+100)
	require.ErrorIs(t, err, ErrTooLarge, "together")
	_, err = s.ReadFolder(ctx, rawCID(sum([]byte("gone"))), 1)
	require.ErrorIs(t, err, ErrNotFound)
	image, err := FileCID(files[0].Data)
	require.NoError(t, err)
	_, err = s.ReadFolder(ctx, image, 4<<20)
	require.ErrorIs(t, err, ErrNotFound, "a file is no folder")
	many := make([]File, maxFolder+1)
	for i := range many {
		many[i].Name = fmt.Sprint(i)
	}
	root, err = s.PutFolder(ctx, many)
	require.NoError(t, err)
	_, err = s.ReadFolder(ctx, root, 1)
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestFolderComesBackAfterReopening(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	files := folder(1, 3<<20+17)
	s, err := Open(dir, Options{})
	require.NoError(t, err)
	root, err := s.PutFolder(ctx, files)
	require.NoError(t, err)
	require.NoError(t, s.Pin(root, "dusk"))
	require.NoError(t, s.Close())

	s, err = Open(dir, Options{})
	require.NoError(t, err)
	defer s.Close()
	require.True(t, s.Has(root))
	require.Equal(t, []Pin{{root, "dusk"}}, s.Pins())
	require.Equal(t, []cid.Cid{root}, s.Roots())
	for _, f := range files {
		got, err := s.ReadFile(ctx, root, f.Name)
		require.NoError(t, err)
		require.Equal(t, f.Data, got, f.Name)
	}
	entries, err := s.List(ctx, root)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	for i, e := range entries {
		require.Equal(t, files[i].Name, e.Name)
		require.EqualValues(t, len(files[i].Data), e.Size)
		require.False(t, e.Dir)
		require.True(t, s.Has(e.CID))
		alone, err := s.ReadFile(ctx, e.CID, "")
		require.NoError(t, err)
		require.Equal(t, files[i].Data, alone)
	}
	size, err := s.Verify(ctx, root)
	require.NoError(t, err)
	require.Equal(t, 8, size.Blocks) // folder, picture and its 4 chunks, 2 small files
}

func TestOrderOfFilesDoesNotMatterAndPuttingAgainAddsNothing(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	files := folder(2, 1<<20)
	a, err := s.PutFolder(ctx, files)
	require.NoError(t, err)
	before := s.Usage()
	slices.Reverse(files)
	b, err := s.PutFolder(ctx, files)
	require.NoError(t, err)
	require.Equal(t, a, b)
	require.Equal(t, before, s.Usage())
	c, err := FolderCID(files)
	require.NoError(t, err)
	require.Equal(t, a, c)
}

func TestUnusableNames(t *testing.T) {
	s := openTest(t, Options{})
	for _, names := range [][]string{{""}, {"."}, {".."}, {"a/b"}, {"a\x00"}, {"\xff"}, {string(make([]byte, 256))}, {"a", "a"}} {
		var files []File
		for _, n := range names {
			files = append(files, File{Name: n})
		}
		_, err := s.PutFolder(context.Background(), files)
		require.ErrorIs(t, err, ErrName, "%q", names)
	}
	require.Zero(t, s.Usage().Bytes)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	root, err := s.PutFolder(ctx, folder(3, 100))
	require.NoError(t, err)
	other, err := FileCID([]byte("elsewhere"))
	require.NoError(t, err)
	_, err = s.ReadFile(ctx, other, "")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.ReadFile(ctx, root, "video.mp4")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.ReadFile(ctx, root, "image.png/inside")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.ReadFile(ctx, root, "")
	require.ErrorIs(t, err, ErrNotFound, "a folder is not a file")
	_, err = s.List(ctx, other)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.Verify(ctx, other)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.ExportCAR(ctx, other, &bytes.Buffer{})
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorIs(t, s.Unpin(root), ErrNotFound)
	_, err = s.ReadFile(ctx, cid.Undef, "")
	require.ErrorIs(t, err, ErrInvalid)
}

func TestCollectKeepsPinnedAndFreesTheRest(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	shared := File{Name: "shared", Data: noise(9, 5000)}
	kept, err := s.PutFolder(ctx, append(folder(4, 10_000), shared))
	require.NoError(t, err)
	gone, err := s.PutFolder(ctx, append(folder(5, 20_000), shared))
	require.NoError(t, err)
	holder, err := s.PutFolder(ctx, folder(6, 30_000))
	require.NoError(t, err)
	inside, err := FileCID(noise(6, 30_000))
	require.NoError(t, err)
	require.NoError(t, s.Pin(kept, "kept"))
	require.NoError(t, s.Pin(inside, "only the picture"))
	before := s.Usage().Bytes

	got, err := s.Collect(ctx)
	require.NoError(t, err)
	require.Equal(t, []cid.Cid{gone}, got.Roots)
	require.Equal(t, before-got.Bytes, s.Usage().Bytes)
	require.False(t, s.Has(gone))
	_, err = s.Verify(ctx, kept)
	require.NoError(t, err, "blocks shared with a collected folder stay")
	_, err = s.Verify(ctx, holder)
	require.NoError(t, err, "a folder with a pinned file stays")

	require.NoError(t, s.Unpin(kept))
	require.NoError(t, s.Unpin(inside))
	_, err = s.Collect(ctx)
	require.NoError(t, err)
	require.Equal(t, Usage{Quota: DefaultQuota}, s.Usage())
	left, err := os.ReadDir(s.disk.path(segmentsDir))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestBlockThatTwoSegmentsHoldSurvivesEither(t *testing.T) {
	ctx := context.Background()
	for _, first := range []bool{true, false} {
		s := openTest(t, Options{})
		shared := File{Name: "shared", Data: noise(9, 5000)}
		a, err := s.PutFolder(ctx, []File{{Name: "a", Data: noise(1, 10)}, shared})
		require.NoError(t, err)
		b, err := s.PutFolder(ctx, []File{{Name: "b", Data: noise(2, 10)}, shared})
		require.NoError(t, err)
		if !first {
			a, b = b, a
		}
		require.NoError(t, s.Pin(a, ""))
		_, err = s.Collect(ctx)
		require.NoError(t, err)
		require.False(t, s.Has(b))
		got, err := s.ReadFile(ctx, a, "shared")
		require.NoError(t, err)
		require.Equal(t, shared.Data, got)
	}
}

func TestQuotaRefusesAndLeavesNothing(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{Quota: 100_000})
	root, err := s.PutFolder(ctx, folder(7, 60_000))
	require.NoError(t, err)
	before := s.Usage()
	_, err = s.PutFolder(ctx, folder(8, 60_000))
	require.ErrorIs(t, err, ErrQuota)
	require.ErrorContains(t, err, "quota 100000")
	require.Equal(t, before, s.Usage())
	left, err := os.ReadDir(s.disk.path(tempDir))
	require.NoError(t, err)
	require.Empty(t, left)

	_, err = s.Collect(ctx)
	require.NoError(t, err)
	require.False(t, s.Has(root))
	_, err = s.PutFolder(ctx, folder(8, 60_000))
	require.NoError(t, err, "collecting makes room")
}

func TestPinNames(t *testing.T) {
	s := openTest(t, Options{})
	c, err := FileCID([]byte("later"))
	require.NoError(t, err)
	require.NoError(t, s.Pin(c, "before it is here"))
	require.NoError(t, s.Pin(c, "renamed"))
	require.Equal(t, []Pin{{c, "renamed"}}, s.Pins())
	require.ErrorIs(t, s.Pin(c, string(make([]byte, 256))), ErrName)
	require.ErrorIs(t, s.Pin(c, "\xff"), ErrName)
	require.NoError(t, s.Unpin(c))
	require.Empty(t, s.Pins())
}

func TestSecondStoreInTheSameDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	require.NoError(t, err)
	_, err = Open(dir, Options{})
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, s.Close())
	s, err = Open(dir, Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestClosedStoreSaysSo(t *testing.T) {
	ctx := context.Background()
	s, err := Open(t.TempDir(), Options{})
	require.NoError(t, err)
	root, err := s.PutFolder(ctx, folder(1, 10))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.ReadFile(ctx, root, "image.png")
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.PutFolder(ctx, folder(1, 10))
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, s.Pin(root, ""), ErrClosed)
	require.ErrorIs(t, s.Unpin(root), ErrClosed)
	_, err = s.Collect(ctx)
	require.ErrorIs(t, err, ErrClosed)
}

func TestDamagedBlockIsNamedAndFetchingAgainRepairs(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	require.NoError(t, err)
	root, err := s.PutFolder(ctx, folder(1, 5000))
	require.NoError(t, err)
	var car bytes.Buffer
	_, err = s.ExportCAR(ctx, root, &car)
	require.NoError(t, err)
	require.NoError(t, s.Pin(root, "x"))

	path := filepath.Join(dir, segmentsDir, segmentName(root))
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	raw[len(raw)-1]++
	require.NoError(t, os.WriteFile(path, raw, 0o644))
	_, err = s.Verify(ctx, root)
	require.ErrorIs(t, err, ErrDamaged)
	require.False(t, s.Has(root), "damage means that it has to be fetched again")
	require.Equal(t, []cid.Cid{root}, s.Damaged())
	_, err = s.ImportCAR(ctx, root, bytes.NewReader(car.Bytes()), 1<<20)
	require.NoError(t, err)
	require.Empty(t, s.Damaged())
	_, err = s.Verify(ctx, root)
	require.NoError(t, err)
	require.NoError(t, s.Close())

	require.NoError(t, os.Truncate(path, int64(len(raw)-1)))
	s, err = Open(dir, Options{})
	require.NoError(t, err)
	defer s.Close()
	require.False(t, s.Has(root))
	require.Equal(t, []cid.Cid{root}, s.Damaged())
	_, err = s.Collect(ctx)
	require.NoError(t, err)
	require.Len(t, s.Damaged(), 1, "pinned, so it stays for a repair")
	_, err = s.ImportCAR(ctx, root, &car, 1<<20)
	require.NoError(t, err)
	require.Empty(t, s.Damaged())
	_, err = s.Verify(ctx, root)
	require.NoError(t, err)
}

func TestSegmentThatSomebodyRemovedIsFetchedAgain(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	root, err := s.PutFolder(ctx, folder(1, 5000))
	require.NoError(t, err)
	require.NoError(t, os.Remove(s.disk.path(segmentsDir, segmentName(root))))
	_, err = s.ReadFile(ctx, root, "image.png")
	require.ErrorIs(t, err, ErrDamaged)
	require.False(t, s.Has(root))
	_, err = s.PutFolder(ctx, folder(1, 5000))
	require.NoError(t, err)
	_, err = s.Verify(ctx, root)
	require.NoError(t, err)
}

func TestConcurrentUse(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	var roots []cid.Cid
	for i := range 4 {
		wg.Go(func() {
			for j := range 10 {
				// Every folder is put by two goroutines.
				files := folder(uint64(i/2*100+j), 3000)
				root, err := FolderCID(files)
				require.NoError(t, err)
				require.NoError(t, s.Pin(root, fmt.Sprint(j)))
				_, err = s.PutFolder(ctx, files)
				require.NoError(t, err)
				got, err := s.ReadFile(ctx, root, "image.png")
				require.NoError(t, err)
				require.Equal(t, files[0].Data, got)
				mu.Lock()
				roots = append(roots, root)
				mu.Unlock()
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 10 {
				_, err := s.PutFile(ctx, bytes.NewReader(noise(77, 2000)))
				require.NoError(t, err)
				_, err = s.Collect(ctx)
				require.NoError(t, err)
				s.Usage()
				s.Pins()
			}
		})
	}
	wg.Wait()
	for _, root := range roots {
		_, err := s.Verify(ctx, root)
		require.NoError(t, err)
	}
	_, err := s.Collect(ctx)
	require.NoError(t, err)
	require.Equal(t, 20, s.Usage().Segments)
}
