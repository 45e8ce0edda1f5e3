package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/safetensors"
)

func seed(n byte) [32]byte { return sha256.Sum256([]byte{n}) }

func TestArtistSurvivesItsFileForm(t *testing.T) {
	a := Embedded()
	raw, err := a.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, sha256.Sum256(raw), a.ID())
	b, err := UnmarshalArtist(raw)
	require.NoError(t, err)
	require.Equal(t, a.ID(), b.ID())
	require.Equal(t, a.Describe(), b.Describe())
	raw[0] ^= 1 // the copy is the caller's
	again, err := a.MarshalBinary()
	require.NoError(t, err)
	require.NotEqual(t, raw, again)
}

func TestArtistSurvivesItsFolder(t *testing.T) {
	a := Embedded()
	dir := filepath.Join(t.TempDir(), "artist")
	require.NoError(t, a.SaveDir(dir))
	for _, name := range []string{"config.json", "model.safetensors", "vocab.json", "README.md", "sample.png"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	b, err := LoadDir(os.DirFS(dir))
	require.NoError(t, err)
	require.Equal(t, a.ID(), b.ID())

	t.Run("a config that says something else is refused", func(t *testing.T) {
		path := filepath.Join(dir, "config.json")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"layers": 4`), []byte(`"layers": 5`), 1), 0o600))
		_, err = LoadDir(os.DirFS(dir))
		require.ErrorIs(t, err, ErrArtist)
		require.NoError(t, os.Remove(path))
		_, err = LoadDir(os.DirFS(dir))
		require.NoError(t, err, "the weights file alone suffices")
	})
	t.Run("a folder without weights", func(t *testing.T) {
		_, err := LoadDir(fstest.MapFS{})
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
}

func TestTheGenesisFolderIsWhatTheEmbeddedArtistSays(t *testing.T) {
	a, err := LoadDir(os.DirFS("genesis"))
	require.NoError(t, err)
	require.Equal(t, Embedded().ID(), a.ID())
	card, err := os.ReadFile("genesis/README.md")
	require.NoError(t, err)
	id := a.ID()
	require.Contains(t, string(card), hex.EncodeToString(id[:]))
}

// remade writes the embedded artist's file again after change altered it.
func remade(t *testing.T, change func(f *safetensors.File, c map[string]any)) []byte {
	raw, err := Embedded().MarshalBinary()
	require.NoError(t, err)
	f, err := safetensors.Read(raw)
	require.NoError(t, err)
	var c map[string]any
	require.NoError(t, json.Unmarshal([]byte(f.Metadata["config"]), &c))
	change(f, c)
	if c != nil {
		ordered, err := json.Marshal(c)
		require.NoError(t, err)
		var typed Config
		if json.Unmarshal(ordered, &typed) == nil { // the order of the fields is part of the form
			if _, extra := c["extra"]; !extra {
				ordered, err = json.Marshal(typed)
				require.NoError(t, err)
			}
		}
		f.Metadata["config"] = string(ordered)
	}
	raw, err = safetensors.Write(f)
	require.NoError(t, err)
	return raw
}

func TestHostileArtists(t *testing.T) {
	_, err := UnmarshalArtist(remade(t, func(*safetensors.File, map[string]any) {}))
	require.NoError(t, err, "the helper changes nothing by itself")
	for name, raw := range map[string][]byte{
		"no bytes":                 nil,
		"larger than the limit":    make([]byte, maxFile+1),
		"another format":           remade(t, func(f *safetensors.File, _ map[string]any) { f.Metadata["format"] = "pt" }),
		"metadata nobody reads":    remade(t, func(f *safetensors.File, _ map[string]any) { f.Metadata["note"] = "x" }),
		"an unknown configuration": remade(t, func(_ *safetensors.File, c map[string]any) { c["extra"] = 1 }),
		"another contract":         remade(t, func(_ *safetensors.File, c map[string]any) { c["contract"] = "float" }),
		"a width not of 16":        remade(t, func(_ *safetensors.File, c map[string]any) { c["hidden"] = 60 }),
		"more layers than tensors": remade(t, func(_ *safetensors.File, c map[string]any) { c["layers"] = 5 }),
		"a width past all bounds":  remade(t, func(_ *safetensors.File, c map[string]any) { c["hidden"] = 1e12 }),
		"negative noise":           remade(t, func(_ *safetensors.File, c map[string]any) { c["noise"] = -1 }),
		"no sharpness":             remade(t, func(_ *safetensors.File, c map[string]any) { c["sharpness"] = 0 }),
		"an exponent too large":    remade(t, func(_ *safetensors.File, c map[string]any) { c["exponents"].(map[string]any)["embed"] = 60 }),
		"an exponent of no tensor": remade(t, func(_ *safetensors.File, c map[string]any) { c["exponents"].(map[string]any)["x"] = 1 }),
		"a missing tensor":         remade(t, func(f *safetensors.File, _ map[string]any) { f.Tensors = f.Tensors[1:] }),
		"a tensor of another type": remade(t, func(f *safetensors.File, _ map[string]any) {
			f.Tensors[0].Type = safetensors.U8
			f.Tensors[0].Shape = []int{len(f.Tensors[0].Data)}
		}),
		"a tensor of another shape": remade(t, func(f *safetensors.File, _ map[string]any) { f.Tensors[0].Shape = []int{len(f.Tensors[0].Data) / 2} }),
		"one word fewer":            remade(t, func(f *safetensors.File, _ map[string]any) { f.Metadata["vocabulary"] = `["a"]` }),
		"the same word twice": remade(t, func(f *safetensors.File, _ map[string]any) {
			f.Metadata["vocabulary"] = strings.Replace(f.Metadata["vocabulary"], `"owl, `, `"fox, `, 1)
		}),
		"a vocabulary that is no list": remade(t, func(f *safetensors.File, _ map[string]any) { f.Metadata["vocabulary"] = `{}` }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := UnmarshalArtist(raw)
			require.ErrorIs(t, err, ErrArtist)
		})
	}
}

// Extreme numbers are legal, so folding and rendering them must stay in bounds.
func TestExtremeWeightsStillFold(t *testing.T) {
	for name, e := range map[string]int{"largest units": 0, "smallest units": 24} {
		t.Run(name, func(t *testing.T) {
			raw := remade(t, func(f *safetensors.File, c map[string]any) {
				for i, tensor := range f.Tensors {
					data := bytes.Repeat([]byte{0xff, 0x7f, 0x00, 0x80}, len(tensor.Data)/4+1)
					f.Tensors[i].Data = data[:len(tensor.Data)]
					c["exponents"].(map[string]any)[tensor.Name] = e
				}
			})
			a, err := UnmarshalArtist(raw)
			require.NoError(t, err)
			_, err = a.Render(context.Background(), strings.Repeat("owl ", 50), seed(1), 33, RenderOptions{Workers: 1})
			require.NoError(t, err)
		})
	}
}

// smallArtist has the least of everything, untrained.
func smallArtist(t testing.TB) *Artist {
	features := []string{"owl", "red", train.MotifPrefix + "halo", train.PaperPrefix + "navy"}
	shape := train.Shape{Hidden: 16, Layers: 2, Colours: 4, Latent: 2, Mapping: 3, Palette: 3, Features: len(features)}
	a, err := quantise(Config{Name: "small", Sharpness: 256, ShadowWidth: 1, Noise: 100}, shape, features,
		shape.Initial(rand.New(rand.NewPCG(1, 2))))
	require.NoError(t, err)
	return a
}

func FuzzUnmarshalArtist(f *testing.F) {
	raw, err := smallArtist(f).MarshalBinary()
	require.NoError(f, err)
	f.Add(raw)
	f.Add(bytes.Replace(raw, []byte(`\"hidden\":16`), []byte(`\"hidden\":32`), 1))
	f.Add(append(bytes.Clone(raw), 0, 0))
	f.Add(append(bytes.Clone(raw[:len(raw)-4]), 0xff, 0x7f, 0, 0x80))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := UnmarshalArtist(data)
		if err != nil {
			require.ErrorIs(t, err, ErrArtist)
			return
		}
		again, err := a.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, data, again)
		_, err = a.Fold("red owl", seed(1))
		require.NoError(t, err)
	})
}
