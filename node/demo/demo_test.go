package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/storage"
)

// quiet is a screen that nobody looks at.
type quiet struct{ t *testing.T }

func (q quiet) Step(_ int, name, _ string)      { q.t.Log(name) }
func (q quiet) Fact(format string, args ...any) { q.t.Logf(format, args...) }
func (quiet) Progress(string, int, int)         {}

// patience ends a show that hangs; nothing is timed by it.
const patience = 4 * time.Minute

// TestFourMembersPublish runs the whole show with small pictures over real sockets,
// and then checks what it left behind: one state at all members, and artworks that
// verify offline and stop verifying when anything in them is changed.
func TestFourMembersPublish(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	home := t.TempDir()
	report, err := Run(ctx, Options{
		Home: home, Members: 4, Size: 128, Steps: 1, Prompts: []string{"red heart", "blue bird"},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Stay: func(ctx context.Context, r Report, nodes []*node.Node) error {
			agree(t, ctx, nodes)
			checkArtworks(t, ctx, r, nodes[len(nodes)-1])
			return nil
		},
	}, quiet{t})
	require.NoError(t, err)
	require.Len(t, report.Artworks, 2)
	published := 0
	for _, p := range report.Artworks {
		require.NotEqual(t, p.Generator, p.Auditor, "nobody audits its own work")
		require.NotEmpty(t, p.Seed)
		if p.Published {
			published++
		}
	}
	require.Equal(t, 1, published)
	require.NotEqual(t, report.Artworks[0].Seed, report.Artworks[1].Seed)
	for i := 1; i <= 4; i++ {
		keys, err := os.ReadFile(filepath.Join(home, fmt.Sprint("member-", i), "keys", "keys.age"))
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(keys, []byte("age-encryption.org/")), "keys at rest are encrypted")
	}
}

// TestOneMemberIsANetwork runs it alone: the embedded default for trying things.
func TestOneMemberIsANetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("the four members do the same and more")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	report, err := Run(ctx, Options{Home: t.TempDir(), Members: 1, Size: 64, Steps: 1, Prompts: []string{"green leaf"},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}, quiet{t})
	require.NoError(t, err)
	require.True(t, report.Artworks[0].Published)
}

// agree waits until all members have the same height and compares their states.
func agree(t *testing.T, ctx context.Context, nodes []*node.Node) {
	target := nodes[0].Ledger().Status().Height + 1
	for _, n := range nodes {
		require.NoError(t, n.Ledger().WaitHeight(ctx, target))
	}
	hashes := map[[32]byte]bool{}
	for _, n := range nodes {
		for b, err := range n.Ledger().Blocks(target, target) {
			require.NoError(t, err)
			hashes[b.AppHash] = true
		}
		require.NoError(t, n.View(func(v curation.View) error {
			require.Equal(t, 4, v.Ceremony().Acknowledged)
			return nil
		}))
	}
	require.Len(t, hashes, 1, "one state at height %d", target)
}

func checkArtworks(t *testing.T, ctx context.Context, r Report, n *node.Node) {
	network, ok, err := n.NetworkFile()
	require.NoError(t, err)
	require.True(t, ok)
	for _, p := range r.Artworks {
		if !p.Published {
			continue
		}
		root, err := cid.Decode(p.CID)
		require.NoError(t, err)
		var files []storage.File
		for _, name := range []string{storage.ImageName, storage.MetadataName, storage.ReceiptName} {
			f, err := n.Store().OpenFile(ctx, root, name)
			require.NoError(t, err)
			data, err := io.ReadAll(f)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			files = append(files, storage.File{Name: name, Data: data})
		}
		report, err := verify.Artwork(ctx, files, verify.Options{Network: &network, CID: root})
		require.NoError(t, err)
		require.True(t, report.Valid, "%+v", report.Claims)
		require.Equal(t, p.Prompt, report.Prompt)
		require.Equal(t, p.Seed, report.Seed)
		tamper(t, ctx, files, network)
	}
}

// tamper changes one thing of a valid artwork at a time.
func tamper(t *testing.T, ctx context.Context, files []storage.File, network verify.Network) {
	receipt, err := storage.DecodeReceipt(files[2].Data)
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		fails  string // the claim that must fail
		change func(*storage.Receipt)
	}{
		{"another prompt", "request", func(r *storage.Receipt) { r.Prompt = "something else" }},
		{"another pixel root", "pixels", func(r *storage.Receipt) { r.PixelRoot[0] ^= 1 }},
		{"another certificate", "certificate", func(r *storage.Receipt) { r.Certificate = r.SeedSignature }},
		{"another seed signature", "seed", func(r *storage.Receipt) { r.SeedSignature = r.Certificate }},
		{"a certificate for another request", "certificate", func(r *storage.Receipt) { r.RequestID[0] ^= 1 }},
		{"a replay on another chain", "network", func(r *storage.Receipt) { r.Chain[0] ^= 1 }},
		{"a certificate of another epoch", "certificate", func(r *storage.Receipt) { r.CommitteeEpoch++ }},
		{"a later expiry", "certificate", func(r *storage.Receipt) { r.ExpiryHeight++ }},
		{"a chosen seed", "seed", func(r *storage.Receipt) { r.Seed[0] ^= 1 }},
		{"another generator", "generator", func(r *storage.Receipt) { r.GeneratorIndex = r.GeneratorIndex%4 + 1 }},
		{"a generator with another account", "generator", func(r *storage.Receipt) { r.Generator[0] ^= 1 }},
		{"readers that were not certified", "certificate", func(r *storage.Receipt) { r.Readers = r.Readers[1:] }},
		{"another model", "model", func(r *storage.Receipt) { r.KeyEpoch++ }},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := receipt
			changed.Readers = append([]storage.Reader{}, receipt.Readers...)
			c.change(&changed)
			b, err := changed.Encode()
			require.NoError(t, err)
			forged := []storage.File{files[0], files[1], {Name: storage.ReceiptName, Data: b}}
			report, err := verify.Artwork(ctx, forged, verify.Options{Network: &network})
			require.NoError(t, err)
			require.False(t, report.Valid)
			failed := false
			for _, k := range report.Claims {
				failed = failed || k.Name == c.fails && k.Status == verify.Fails
			}
			require.True(t, failed, "%s must fail: %+v", c.fails, report.Claims)
		})
	}
	for _, c := range []struct {
		name, fails string
		files       []storage.File
	}{
		{"metadata that lie about the prompt", "metadata", []storage.File{files[0], {Name: files[1].Name, Data: bytes.ReplaceAll(files[1].Data, []byte(receipt.Prompt), []byte("something"))}, files[2]}},
		{"another folder for a request that the ledger knows", "registered", []storage.File{files[0], {Name: files[1].Name, Data: append(bytes.Clone(files[1].Data), '\n')}, files[2]}},
		{"a file that is not part of it", "files", append(slices.Clone(files), storage.File{Name: "notes.txt"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := verify.Artwork(ctx, c.files, verify.Options{Network: &network})
			require.NoError(t, err)
			require.False(t, report.Valid)
			require.True(t, slices.ContainsFunc(report.Claims, func(k verify.Claim) bool { return k.Name == c.fails && k.Status == verify.Fails }), "%+v", report.Claims)
		})
	}
	png := bytes.Clone(files[0].Data)
	png[len(png)/2] ^= 1
	report, err := verify.Artwork(ctx, []storage.File{{Name: storage.ImageName, Data: png}, files[1], files[2]}, verify.Options{Network: &network})
	require.NoError(t, err)
	require.False(t, report.Valid, "one flipped bit of the picture")
}
