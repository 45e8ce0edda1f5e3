package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car/v2"
	mh "github.com/multiformats/go-multihash"
	"github.com/stretchr/testify/require"
)

// section is one block of a CAR that a test takes apart and puts together.
type section struct {
	c    cid.Cid
	data []byte
}

func takeApart(t testing.TB, raw []byte) []section {
	t.Helper()
	r, err := car.NewBlockReader(bytes.NewReader(raw))
	require.NoError(t, err)
	var out []section
	for {
		b, err := r.Next()
		if err == io.EOF {
			return out
		}
		require.NoError(t, err)
		out = append(out, section{b.Cid(), b.RawData()})
	}
}

func putTogether(root cid.Cid, sections []section) []byte {
	out := carHeader(root)
	for _, s := range sections {
		out = append(out, sectionHeader(s.c, len(s.data))...)
		out = append(out, s.data...)
	}
	return out
}

// sample returns a folder's root and CAR.
func sample(t testing.TB, picture int) (cid.Cid, []byte) {
	t.Helper()
	s := openTest(t, Options{})
	root, err := s.PutFolder(context.Background(), folder(11, picture))
	require.NoError(t, err)
	var out bytes.Buffer
	n, err := s.ExportCAR(context.Background(), root, &out)
	require.NoError(t, err)
	require.EqualValues(t, out.Len(), n)
	return root, out.Bytes()
}

func TestExportIsTheSegmentAndWhatOthersRead(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	root, err := s.PutFolder(ctx, folder(11, 2<<20+5))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = s.ExportCAR(ctx, root, &out)
	require.NoError(t, err)
	segment, err := os.ReadFile(s.disk.path(segmentsDir, segmentName(root)))
	require.NoError(t, err)
	require.True(t, bytes.Equal(segment, out.Bytes()))

	r, err := car.NewBlockReader(bytes.NewReader(out.Bytes()))
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Version)
	require.Equal(t, []cid.Cid{root}, r.Roots)
	require.True(t, bytes.Equal(out.Bytes(), putTogether(root, takeApart(t, out.Bytes()))))
}

func TestImportTakesAnyOrderAndExportsTheSame(t *testing.T) {
	ctx := context.Background()
	root, raw := sample(t, 2<<20)
	sections := takeApart(t, raw)
	for name, order := range map[string]func([]section){
		"as exported": func([]section) {},
		"reversed":    slices.Reverse[[]section],
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, Options{})
			mixed := slices.Clone(sections)
			order(mixed)
			size, err := s.ImportCAR(ctx, root, bytes.NewReader(putTogether(root, mixed)), int64(len(raw)))
			require.NoError(t, err)
			require.Equal(t, len(sections), size.Blocks)
			var out bytes.Buffer
			_, err = s.ExportCAR(ctx, root, &out)
			require.NoError(t, err)
			require.True(t, bytes.Equal(raw, out.Bytes()))
			require.EqualValues(t, len(raw), s.Usage().Bytes)
		})
	}
}

func TestPartOfAFolderTravelsAlone(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	_, err := s.PutFolder(ctx, folder(11, 3<<20))
	require.NoError(t, err)
	picture, err := FileCID(noise(11, 3<<20))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = s.ExportCAR(ctx, picture, &out)
	require.NoError(t, err)
	other := openTest(t, Options{})
	_, err = other.ImportCAR(ctx, picture, &out, 4<<20)
	require.NoError(t, err)
	got, err := other.ReadFile(ctx, picture, "")
	require.NoError(t, err)
	require.True(t, bytes.Equal(noise(11, 3<<20), got))
}

func TestImportRefuses(t *testing.T) {
	ctx := context.Background()
	root, raw := sample(t, 2<<20)
	sections := takeApart(t, raw)
	stranger := section{data: []byte("not part of it")}
	stranger.c = rawCID(sum(stranger.data))
	with := func(change func(s []section) []section) []byte {
		return putTogether(root, change(slices.Clone(sections)))
	}
	leaf := len(sections) - 1

	foreign, err := cid.Prefix{Version: 1, Codec: cid.Raw, MhType: mh.SHA2_512, MhLength: 64}.Sum([]byte("x"))
	require.NoError(t, err)
	long := bytes.Repeat([]byte{7}, MaxBlock+1)
	broken := section{data: []byte("\x12\x05 this is no protobuf of a node")}
	broken.c = cid.NewCidV1(cid.DagProtobuf, rawCID(sum(broken.data)).Hash())

	for _, c := range []struct {
		name  string
		root  cid.Cid
		bytes []byte
		max   int64
		want  error
	}{
		{"nothing", root, nil, 1 << 20, ErrInvalid},
		{"noise", root, noise(3, 1000), 1 << 20, ErrInvalid},
		{"a header and no block", root, carHeader(root), 1 << 20, ErrInvalid},
		{"a block that is not below the root", root, with(func(s []section) []section { return append(s, stranger) }), 4 << 20, ErrInvalid},
		{"a block twice", root, with(func(s []section) []section { return append(s, s[leaf]) }), 4 << 20, ErrInvalid},
		{"a missing leaf", root, with(func(s []section) []section { return s[:leaf] }), 4 << 20, ErrInvalid},
		{"a missing root", root, with(func(s []section) []section { return s[1:] }), 4 << 20, ErrInvalid},
		{"a block with other data", root, with(func(s []section) []section {
			s[leaf].data = append(bytes.Clone(s[leaf].data), 0)
			return s
		}), 4 << 20, ErrInvalid},
		{"one flipped bit in a chunk", root, flip(raw, len(raw)/2), 4 << 20, ErrInvalid},
		{"another root in the header", root, putTogether(stranger.c, sections), 4 << 20, ErrInvalid},
		{"a DAG of another root", stranger.c, raw, 4 << 20, ErrInvalid},
		{"two roots", root, slices.Concat(twoRoots(root, stranger.c), raw[len(carHeader(root)):]), 4 << 20, ErrInvalid},
		{"version 2", root, slices.Concat(car.Pragma, raw), 4 << 20, ErrInvalid},
		{"cut off within a block", root, raw[:len(raw)-5], 4 << 20, ErrInvalid},
		{"cut off between blocks", root, with(func(s []section) []section { return s[:2] }), 4 << 20, ErrInvalid},
		{"bytes behind the last block", root, slices.Concat(raw, []byte{0, 0}), 4 << 20, ErrInvalid},
		{"one byte past the limit", root, raw, int64(len(raw)) - 1, ErrTooLarge},
		{"nothing allowed", root, raw, 0, ErrTooLarge},
		{"a section as long as memory", root, slices.Concat(carHeader(root), binary.AppendUvarint(nil, 1<<40)), 4 << 20, ErrInvalid},
		{"a header as long as memory", root, binary.AppendUvarint(nil, 1<<40), 4 << 20, ErrInvalid},
		{"a block past the block limit", rawCID(sum(long)), putTogether(rawCID(sum(long)), []section{{rawCID(sum(long)), long}}), 4 << 20, ErrTooLarge},
		{"a node that does not decode", broken.c, putTogether(broken.c, []section{broken}), 4 << 20, ErrInvalid},
		{"a hash that peers do not exchange", foreign, putTogether(foreign, []section{{foreign, []byte("x")}}), 4 << 20, ErrInvalid},
		{"no root", cid.Undef, raw, 4 << 20, ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openTest(t, Options{})
			_, err := s.ImportCAR(ctx, c.root, bytes.NewReader(c.bytes), c.max)
			require.ErrorIs(t, err, c.want)
			requireEmpty(t, s)
		})
	}
}

func TestImportSaysWhatTheSourceSaid(t *testing.T) {
	root, raw := sample(t, 1<<20)
	s := openTest(t, Options{})
	lost := errors.New("connection lost")
	_, err := s.ImportCAR(context.Background(), root, io.MultiReader(bytes.NewReader(raw[:5000]), failing{lost}), 4<<20)
	require.ErrorIs(t, err, lost)
	requireEmpty(t, s)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.ImportCAR(ctx, root, bytes.NewReader(raw), 4<<20)
	require.ErrorIs(t, err, context.Canceled)
	requireEmpty(t, s)

	small := openTest(t, Options{Quota: 1000})
	_, err = small.ImportCAR(context.Background(), root, bytes.NewReader(raw), 4<<20)
	require.ErrorIs(t, err, ErrQuota)
	requireEmpty(t, small)
}

// A long chain of nodes must not cost stack, and is a DAG like any other.
func TestDeepDAG(t *testing.T) {
	ctx := context.Background()
	var sections []section
	below := rawCID(sum(nil))
	sections = append(sections, section{below, nil})
	for range 5000 {
		nd := merkledag.NodeWithData(nil)
		require.NoError(t, nd.SetCidBuilder(profile.CidBuilder()))
		require.NoError(t, nd.AddRawLink("", linkTo(below)))
		sections = append(sections, section{nd.Cid(), nd.RawData()})
		below = nd.Cid()
	}
	slices.Reverse(sections)
	s := openTest(t, Options{})
	size, err := s.ImportCAR(ctx, below, bytes.NewReader(putTogether(below, sections)), 8<<20)
	require.NoError(t, err)
	require.Equal(t, 5001, size.Blocks)
	got, err := s.Verify(ctx, below)
	require.NoError(t, err)
	require.Equal(t, size, got)
}

// A node that links to the next one twice, sixty times over, is a few kilobytes
// that nobody reads or lists to the end: there are 2^60 paths. Each block is walked
// once, and then the DAG is refused.
func TestADAGThatUnfoldsForeverIsRefused(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		levels, links int
		want          error
	}{
		"a chain":                        {500, 1, nil},
		"a little tree":                  {3, 4, nil},
		"twice at each of sixty levels":  {60, 2, ErrTooLarge},
		"a hundred times at each of few": {4, 100, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			below := rawCID(sum(nil))
			sections := []section{{below, nil}}
			for range c.levels {
				nd := merkledag.NodeWithData([]byte("\x08\x02")) // of a file
				require.NoError(t, nd.SetCidBuilder(profile.CidBuilder()))
				for range c.links {
					require.NoError(t, nd.AddRawLink("", linkTo(below)))
				}
				below = nd.Cid()
				sections = append(sections, section{below, nd.RawData()})
			}
			s := openTest(t, Options{})
			size, err := s.ImportCAR(ctx, below, bytes.NewReader(putTogether(below, sections)), 1<<20)
			require.ErrorIs(t, err, c.want)
			if c.want != nil {
				requireEmpty(t, s)
				return
			}
			require.Equal(t, c.levels+1, size.Blocks)
			data, err := s.ReadFile(ctx, below, "")
			require.NoError(t, err)
			require.Empty(t, data)
		})
	}
}

func TestTooManyLinksAreRefused(t *testing.T) {
	leaf := rawCID(sum(nil))
	sections := []section{{leaf, nil}}
	var links []byte
	for i := range 14 { // 14 × 40,000 links are more than maxLinks
		data := append(bytes.Repeat(pbLink(leaf), 40_000), 0x0a, 1, byte(i))
		c := cid.NewCidV1(cid.DagProtobuf, rawCID(sum(data)).Hash())
		sections = append(sections, section{c, data})
		links = append(links, pbLink(c)...)
	}
	top := cid.NewCidV1(cid.DagProtobuf, rawCID(sum(links)).Hash())
	sections = append(sections, section{top, links})
	s := openTest(t, Options{})
	_, err := s.ImportCAR(context.Background(), top, bytes.NewReader(putTogether(top, sections)), 128<<20)
	require.ErrorIs(t, err, ErrTooLarge)
	requireEmpty(t, s)
}

// pbLink is one link of a dag-pb node, without a name.
func pbLink(c cid.Cid) []byte {
	raw := c.Bytes()
	out := append([]byte{0x12, byte(len(raw) + 6), 0x0a, byte(len(raw))}, raw...)
	return append(out, 0x12, 0, 0x18, 0)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func requireEmpty(t *testing.T, s *Store) {
	t.Helper()
	require.Zero(t, s.Usage().Bytes)
	require.Zero(t, s.Usage().Blocks)
	for _, dir := range []string{segmentsDir, tempDir} {
		left, err := os.ReadDir(s.disk.path(dir))
		require.NoError(t, err)
		require.Empty(t, left, dir)
	}
}

func FuzzImportCAR(f *testing.F) {
	root, raw := sample(f, 3000)
	sections := takeApart(f, raw)
	f.Add(raw)
	f.Add(raw[:len(raw)-1])
	f.Add(flip(raw, 100))
	f.Add(putTogether(root, sections[:1]))
	f.Add(slices.Concat(car.Pragma, raw))
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, b []byte) {
		s := openTest(t, Options{})
		// The root is whatever the input names, so that any DAG can be reached.
		want := root
		if r, err := car.NewBlockReader(bytes.NewReader(b), car.MaxAllowedHeaderSize(maxCARHeader)); err == nil && len(r.Roots) == 1 {
			want = r.Roots[0]
		}
		_, err := s.ImportCAR(ctx, want, bytes.NewReader(b), 1<<20)
		if err != nil {
			requireEmpty(t, s)
			return
		}
		_, err = s.Verify(ctx, want)
		require.NoError(t, err)
		// What comes in may be no UnixFS, or a broken one: errors, nothing worse.
		_, _ = s.List(ctx, want)
		_, _ = s.ReadFile(ctx, want, "")
		_, _ = s.ReadFile(ctx, want, "image.png")
		var first, second bytes.Buffer
		_, err = s.ExportCAR(ctx, want, &first)
		require.NoError(t, err)
		again := openTest(t, Options{})
		_, err = again.ImportCAR(ctx, want, bytes.NewReader(first.Bytes()), 1<<20)
		require.NoError(t, err)
		_, err = again.ExportCAR(ctx, want, &second)
		require.NoError(t, err)
		require.Equal(t, first.Bytes(), second.Bytes())
	})
}

// FuzzNode gives the parts of the library that see strangers' nodes a node whose
// hash fits, which random CARs never have.
func FuzzNode(f *testing.F) {
	_, raw := sample(f, 3<<20)
	for _, s := range takeApart(f, raw) {
		if s.c.Prefix().Codec == cid.DagProtobuf {
			f.Add(s.data)
		}
	}
	many := make([]File, 3000) // a sharded folder
	for i := range many {
		many[i] = File{Name: string(noise(uint64(i), 4)) + "x"}
	}
	many = slices.DeleteFunc(many, func(f File) bool { return checkName(f.Name) != nil })
	s := openTest(f, Options{})
	root, err := s.PutFolder(context.Background(), many)
	require.NoError(f, err)
	nd, err := s.get(root)
	require.NoError(f, err)
	f.Add(nd)
	f.Add([]byte("\x0a\x02\x08\x01")) // an empty folder
	f.Add([]byte("\x0a\x08\x08\x05\x28\x22\x30\x80\x02\x10"))
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		root := cid.NewCidV1(cid.DagProtobuf, rawCID(sum(b)).Hash())
		below, err := links(root, b)
		if err != nil {
			return
		}
		// Give it leaves where it links to the two that are known.
		sections := []section{{root, b}}
		for _, c := range below {
			if c.Equals(rawCID(sum(nil))) {
				sections = append(sections, section{c, nil})
				break
			}
		}
		s := openTest(t, Options{})
		if _, err := s.ImportCAR(ctx, root, bytes.NewReader(putTogether(root, sections)), 1<<20); err != nil {
			return
		}
		_, _ = s.List(ctx, root)
		_, _ = s.ReadFile(ctx, root, "")
		_, _ = s.ReadFile(ctx, root, "a")
	})
}
