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

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/storage"
)

// quiet is a screen that nobody looks at.
type quiet struct{ t *testing.T }

func (q quiet) Step(_ int, name, _ string)      { q.t.Log(name) }
func (q quiet) Fact(format string, args ...any) { q.t.Logf(format, args...) }
func (quiet) Progress(string, int, int)         {}

// TestFourMembersPublish runs the whole show with small pictures over real sockets,
// and then checks what it left behind: one state at all members, and artworks that
// verify offline and stop verifying when anything in them is changed.
func TestFourMembersPublish(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	home := t.TempDir()
	report, err := Run(ctx, Options{
		Home: home, Members: 4, Size: 128, Steps: 1, Prompts: []string{"red heart", "blue bird", "", "swan"},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Stay: func(ctx context.Context, r Report, nodes []*node.Node) error {
			agree(t, ctx, nodes)
			checkArtworks(t, ctx, r, nodes[len(nodes)-1])
			return nil
		},
	}, quiet{t})
	require.NoError(t, err)
	require.Len(t, report.Artworks, 4)
	require.True(t, report.Artworks[2].Published, "of the one without a prompt all is checked")
	require.NotEmpty(t, report.Artworks[2].Title)
	require.Len(t, report.Taste, 64)
	published := 0
	for _, p := range report.Artworks {
		require.NotEqual(t, p.Generator, p.Auditor, "nobody audits its own work")
		require.NotEmpty(t, p.Seed)
		if p.Published {
			published++
		}
	}
	require.Equal(t, 2, published)
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
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
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
		o := verify.Options{Network: &network, CID: root}
		if p.Prompt == "" { // the real artist is sealed; what it was told to draw is public
			receipt, err := storage.DecodeReceipt(files[2].Data)
			require.NoError(t, err)
			version, err := n.Store().ReadFile(ctx, tastes.CID(receipt.Taste.Prior), "")
			require.NoError(t, err)
			o.Priors = [][]byte{version}
			require.Equal(t, p.Title, receipt.Taste.Words)
		}
		report, err := verify.Artwork(ctx, files, o)
		require.NoError(t, err)
		require.True(t, report.Valid, "%+v", report.Claims)
		require.Equal(t, p.Prompt, report.Prompt)
		require.Equal(t, p.Seed, report.Seed)
		o.CID = cid.Undef
		tamper(t, ctx, files, o)
	}
}

// tamper changes one thing of a valid artwork at a time.
func tamper(t *testing.T, ctx context.Context, files []storage.File, o verify.Options) {
	receipt, err := storage.DecodeReceipt(files[2].Data)
	require.NoError(t, err)
	type forgery struct {
		name   string
		fails  string // the claim that must fail
		change func(*storage.Receipt)
	}
	forgeries, said := []forgery{}, receipt.Prompt
	if receipt.Taste != nil {
		said = receipt.Taste.Words
		drawn := func(change func(*storage.Taste)) func(*storage.Receipt) {
			return func(r *storage.Receipt) {
				other := *r.Taste
				change(&other)
				r.Taste = &other
			}
		}
		l, err := tastes.Latent(receipt.Taste)
		require.NoError(t, err)
		l.Noise[0] ^= 1
		chosen, err := tastes.Receipt(curation.Prior{Version: receipt.Taste.Version, ID: receipt.Taste.Prior}, l)
		require.NoError(t, err)
		forgeries = []forgery{
			{"a version that there is not", "registered", drawn(func(d *storage.Taste) { d.Version++ })},
			{"another version", "registered", drawn(func(d *storage.Taste) { d.Prior[0] ^= 1 })},
			{"what somebody chose to show", "taste", drawn(func(d *storage.Taste) { *d = *chosen })},
			{"words of something else", "taste", drawn(func(d *storage.Taste) { d.Words = "something else" })},
			{"a latent that is none", "taste", drawn(func(d *storage.Taste) { d.Latent = "{}" })},
			{"no word of the taste", "label", func(r *storage.Receipt) { r.Taste = nil }},
		}
	}
	for _, c := range append(forgeries, []forgery{
		{"another prompt", "request", func(r *storage.Receipt) { r.Prompt, r.Taste = "something else", nil }},
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
	}...) {
		t.Run(c.name, func(t *testing.T) {
			changed := receipt
			changed.Readers = append([]storage.Reader{}, receipt.Readers...)
			c.change(&changed)
			b, err := changed.Encode()
			require.NoError(t, err)
			forged := []storage.File{files[0], files[1], {Name: storage.ReceiptName, Data: b}}
			report, err := verify.Artwork(ctx, forged, o)
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
		{"metadata that lie about the prompt", "metadata", []storage.File{files[0], {Name: files[1].Name, Data: bytes.ReplaceAll(files[1].Data, []byte(said), []byte("something"))}, files[2]}},
		{"another folder for a request that the ledger knows", "registered", []storage.File{files[0], {Name: files[1].Name, Data: append(bytes.Clone(files[1].Data), '\n')}, files[2]}},
		{"a file that is not part of it", "files", append(slices.Clone(files), storage.File{Name: "notes.txt"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := verify.Artwork(ctx, c.files, o)
			require.NoError(t, err)
			require.False(t, report.Valid)
			require.True(t, slices.ContainsFunc(report.Claims, func(k verify.Claim) bool { return k.Name == c.fails && k.Status == verify.Fails }), "%+v", report.Claims)
		})
	}
	png := bytes.Clone(files[0].Data)
	png[len(png)/2] ^= 1
	report, err := verify.Artwork(ctx, []storage.File{{Name: storage.ImageName, Data: png}, files[1], files[2]}, o)
	require.NoError(t, err)
	require.False(t, report.Valid, "one flipped bit of the picture")
}
