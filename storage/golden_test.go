package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// counting is data whose bytes say where they are, so that anybody can make it:
// byte i is i*i>>8 + i, modulo 256.
func counting(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i>>8 + i)
	}
	return b
}

// The CIDs of the profile unixfs-v1-2025 never change: a CID on the ledger must
// mean the same folder in ten years. All of them are also what Kubo v0.43.0 gives
// with its profile unixfs-v1-2025 (ipfs add -rQ --only-hash).
func TestGoldenCIDs(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	for _, c := range []struct {
		name, cid string
		file      []byte
	}{
		{"an empty file", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", nil},                 // IPIP-402
		{"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", []byte("hello world")}, // sha256sum: b94d27b9934d3e08…
		{"one chunk", "bafkreibj23rd3lfwk5dfapvak54igrwu74vwixn4midch2sj53uk2jsed4", counting(1 << 20)},
		{"one byte more than a chunk", "bafybeie7xk6vpdkb2xtjodx62mwzxecrsnivgcuny24fkmmee2w2qkvlii", counting(1<<20 + 1)},
		{"three chunks and a half", "bafybeihssxylt4765swraazaeoxgsicisko7guujlrq5upbge3shxbabxq", counting(3<<20 + 1<<19)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := FileCID(c.file)
			require.NoError(t, err)
			require.Equal(t, c.cid, got.String())
			put, err := s.PutFile(ctx, bytes.NewReader(c.file))
			require.NoError(t, err)
			require.Equal(t, got, put)
		})
	}
	many := func(n int) (out []File) {
		for i := range n {
			out = append(out, File{Name: fmt.Sprintf("file-%05d", i), Data: fmt.Append(nil, i)})
		}
		return out
	}
	for _, c := range []struct {
		name, cid string
		files     []File
	}{
		{"an empty folder", "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354", nil}, // every UnixFS implementation
		{"an artwork's folder", "bafybeihri77vddgy5q4rhutu353a6gcoj2clhy3elj64cc3o2r3myzaxka", []File{{"image.png", counting(1<<20 + 777)}, {"metadata.json", []byte("{}\n")}, {"receipt.cbor", []byte{0xa0}}}},
		{"100 files", "bafybeihcx5ljmybfl5tncqh7nx3bqili6a7rpz6od72eckedngzemeucxq", many(100)},
		{"5,000 files, a sharded folder", "bafybeiavcnzpqtp74hxnfkvji5xpe7wtdpn3i7amtz34gwrmznc4q4xna4", many(5000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := FolderCID(c.files)
			require.NoError(t, err)
			require.Equal(t, c.cid, got.String())
			put, err := s.PutFolder(ctx, c.files)
			require.NoError(t, err)
			require.Equal(t, got, put)
			entries, err := s.List(ctx, put)
			require.NoError(t, err)
			require.Len(t, entries, len(c.files))
			_, err = s.Verify(ctx, put)
			require.NoError(t, err)
		})
	}
}

// More than 1024 chunks make a second level of nodes; one block stands for all.
func TestGoldenCIDOfTwoLevels(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes 1 GiB")
	}
	got, err := buildFile(context.Background(), newMemory(), io.LimitReader(zeros{}, 1025<<20))
	require.NoError(t, err)
	require.Equal(t, "bafybeigt7wofv4vnxbg3titijasuw4ptg5kfztec4smsk7opdt7z6djoxq", got.String())
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
