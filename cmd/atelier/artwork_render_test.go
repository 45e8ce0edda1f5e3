package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/storage"
)

// folderOfGenesis writes the folder of an artwork that the genesis artist drew, with
// some pixels altered.
func folderOfGenesis(t *testing.T, altered ...int) string {
	t.Helper()
	const size = 100
	p, err := model.Embedded().Render(t.Context(), "red heart", [32]byte{7}, size, model.RenderOptions{})
	require.NoError(t, err)
	for _, i := range altered {
		p.RGB[3*i] ^= 1
	}
	container, err := storage.FileCID([]byte("a sealed model"))
	require.NoError(t, err)
	key, err := shamir.HashPoint("test reader", nil).MarshalBinary()
	require.NoError(t, err)
	a := storage.Label("Harbour", "paper-cut", storage.Receipt{
		Version: storage.ReceiptVersion, RequestHeight: 1, ExpiryHeight: 2, Prompt: "red heart", Seed: [32]byte{7}, Body: []byte("a request"),
		Model: curation.ModelID(model.Embedded().ID()), ModelCID: storage.Link{Cid: container}, Readers: []storage.Reader{{Member: 1, Key: [32]byte(key)}},
		GeneratorIndex: 1, Kernel: kernel.Contract, Width: size, Height: size, PixelRoot: p.PixelRoot,
	})
	var png bytes.Buffer
	require.NoError(t, p.EncodePNG(&png))
	a.PNG = png.Bytes()
	files, err := storage.BuildArtworkFolder(a)
	require.NoError(t, err)
	dir := t.TempDir()
	for _, f := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	return dir
}

// ran is a command that needs no node.
func ran(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(args, io.NopCloser(bytes.NewReader(nil)), &o, &e)
	return code, o.String(), e.String()
}

func TestAnArtworkOfAnOpenArtistIsCheckedAndDrawnOnceMore(t *testing.T) {
	dir := folderOfGenesis(t)
	for _, name := range []string{dir, filepath.Join(dir, storage.ImageName)} {
		code, out, errOut := ran(t, "model", "check", name, "--all")
		require.Zero(t, code, errOut)
		require.Contains(t, out, `drawn from  "red heart", seed 0700000000000000…, by its receipt`)
		require.Contains(t, out, "✓ the pixel root is that of the receipt\n")
		require.Contains(t, out, "✓ 16 of 16 tiles drawn again: the same pixels\n")
	}
	file := filepath.Join(t.TempDir(), "once-more.png")
	code, out, errOut := ran(t, "artwork", "render", dir, "--size", "100", "--out", file, "--json")
	require.Zero(t, code, errOut)
	var said struct {
		Recipe    string `json:"recipe"`
		PixelRoot string `json:"pixel_root"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &said))
	raw, err := os.ReadFile(filepath.Join(dir, storage.ReceiptName))
	require.NoError(t, err)
	receipt, err := storage.DecodeReceipt(raw)
	require.NoError(t, err)
	require.Equal(t, curation.Hash(receipt.PixelRoot).String(), said.PixelRoot, "at its own size, its own pixels")
	require.Equal(t, model.NewRecipe(model.Embedded().ID(), "red heart", [32]byte{7}).String(), said.Recipe)
	code, out, errOut = ran(t, "artwork", "render", dir, "--poster", "300x400", "--out", file)
	require.Zero(t, code, errOut)
	require.Contains(t, out, "300x400  a poster")
	code, out, _ = ran(t, "model", "recipe", dir)
	require.Zero(t, code)
	require.Contains(t, out, said.Recipe)
}

func TestAPosterHasTheTitleThatWasGivenAlsoWhenThatIsNone(t *testing.T) {
	heart := model.NewRecipe(model.Embedded().ID(), "red heart", [32]byte{7}).String()
	poster := func(flags ...string) (titles []string, p storage.Picture) {
		file := filepath.Join(t.TempDir(), "poster.png")
		code, _, errOut := ran(t, append([]string{"artwork", "render", heart, "--poster", "300x400", "--out", file}, flags...)...)
		require.Zero(t, code, errOut)
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		texts, err := storage.ReadText(raw)
		require.NoError(t, err)
		for _, text := range texts {
			if text.Keyword == storage.TextTitle {
				titles = append(titles, text.Text)
			}
		}
		p, err = storage.DecodePNG(raw, 0)
		require.NoError(t, err)
		return titles, p
	}
	titles, prompt := poster()
	require.Equal(t, []string{"Red heart"}, titles)
	titles, other := poster("--title", "For you")
	require.Equal(t, []string{"For you"}, titles)
	require.NotEqual(t, prompt, other)
	titles, untitled := poster("--title", "")
	require.Empty(t, titles)
	require.NotEqual(t, prompt, untitled)
	_, bare := poster("--title", "", "--line", "")
	require.NotEqual(t, untitled, bare, "and no small print")
	last := bare.RGB[3*300*380:]
	for i := range last[3:] {
		require.Equal(t, last[i%3], last[i], "nothing is printed at the foot of the sheet")
	}
}

func TestAForgedArtworkIsFound(t *testing.T) {
	dir := folderOfGenesis(t, 40*100+70) // a pixel in column 2 and row 1
	code, out, errOut := ran(t, "model", "check", dir, "--all")
	require.Equal(t, codeFailed, code)
	require.Contains(t, out, "✗ the pixel root is not that of the receipt")
	require.Contains(t, out, "tile 6, in column 2 and row 1: pixels 64 to 95 from the left, 32 to 63 from above")
	require.Contains(t, errOut, "the picture is not what the artist draws: 1 of 16 tiles differ")
	code, out, _ = ran(t, "model", "check", dir, "--all", "--json")
	require.Equal(t, codeFailed, code)
	require.Contains(t, out, `"root_holds": false`)
	require.Contains(t, out, `"tile": 6`)
}

// A node that has yet to fetch a version must not have people draw another picture.
func TestWhatTheTasteGaveIsNotTheSeedAloneWhereItIsNotKnownYet(t *testing.T) {
	n := api.Network{Model: &api.Model{ID: curation.Hash{1}}}
	a := api.Artwork{ModelID: curation.Hash{1}, Approved: 3, Certificate: make([]byte, 48), Prior: curation.Hash{7}, Title: tastes.Untitled}
	_, err := tasteOf(a)
	require.ErrorContains(t, err, "does not have the version of the taste yet")
	labels := func(a api.Artwork) (names []string) {
		for _, row := range artworkSheet(n, api.ArtworkDetail{Artwork: a}).rows {
			names = append(names, strings.TrimSpace(row[0]))
		}
		return names
	}
	require.NotContains(t, labels(a), "recipe")
	a.Prior = curation.Hash{}
	drawn, err := tasteOf(a)
	require.NoError(t, err)
	require.Nil(t, drawn)
	require.Contains(t, labels(a), "recipe")
	require.Contains(t, labels(a), "prompt")
	a.Edition = &api.Edition{Of: []curation.Hash{{2}}}
	require.NotContains(t, labels(a), "prompt", "nothing of an edition is of its own seed")
}
