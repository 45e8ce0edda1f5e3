package model

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

// foldVectors is testdata/fold.json. FOLD.md, "Test vectors", explains it.
type foldVectors struct {
	Contract string          `json:"contract"`
	Dyes     []string        `json:"dyes"`
	Chance   []chanceVector  `json:"chance"`
	Words    []wordsVector   `json:"words"`
	Turned   []turnedVector  `json:"turned"`
	Artists  []artistVector  `json:"artists"`
	Pictures []pictureVector `json:"pictures"`
}

type chanceVector struct {
	Tag     string   `json:"tag"`
	Parts   []string `json:"parts"` // UTF-8
	Key     string   `json:"key"`
	Words16 []uint16 `json:"words16"` // the first twenty
	Below   []int    `json:"below"`   // 7, 1000, 65536 after them
	Between []int32  `json:"between"` // -1092..1092 twice after that
	Normal  []int64  `json:"normal"`  // then two
}

type wordsVector struct {
	Text string     `json:"text"`
	Runs [][]string `json:"runs"`
}

type turnedVector struct {
	Turns  uint16   `json:"turns"`
	Zoom   int32    `json:"zoom"`
	Matrix [4]int32 `json:"matrix"` // XX, XY, YX, YY
}

// artistVector is an artist whose numbers are drawn, so that the vectors do not
// change when an artist is trained anew.
type artistVector struct {
	Config     Config   `json:"config"`
	Vocabulary []string `json:"vocabulary"`
	Shift      int      `json:"shift"`   // every number is a word of chance >> Shift
	Numbers    string   `json:"numbers"` // SHA-256 of all numbers
}

type pictureVector struct {
	Artist  string       `json:"artist"`
	Prompt  string       `json:"prompt"`
	Seed    string       `json:"seed"`
	Read    []int64      `json:"read"` // the latent of the prompt alone
	Palette []kernel.Lab `json:"palette"`
	View    kernel.View  `json:"view"`
	Sharp   int32        `json:"sharpness"`
	Width   int32        `json:"shadow_width"`
	Program string       `json:"program"` // SHA-256 of all fields
	Size    int          `json:"size"`
	Root    string       `json:"pixel_root"`
}

const foldFile = "testdata/fold.json"

// TestFoldVectors writes the file of vectors anew in memory, by each kernel, and
// wants the one that is there, byte for byte. The line that it logs for each kernel
// is what .ci/onehash compares between architectures.
func TestFoldVectors(t *testing.T) {
	if *rewrite {
		require.NoError(t, os.WriteFile(foldFile, folded(t, "reference"), 0o644))
	}
	want, err := os.ReadFile(foldFile)
	require.NoError(t, err)
	for _, name := range kernel.Kernels() {
		t.Run(name, func(t *testing.T) {
			got := folded(t, name)
			t.Logf("onehash %s fold %x", name, sha256.Sum256(got))
			require.Equal(t, string(want), string(got))
		})
	}
}

// folded is the file of vectors as this machine computes it.
func folded(t *testing.T, kernelName string) []byte {
	v := foldVectors{
		Contract: kernel.Contract,
		Chance:   []chanceVector{{Tag: "seed"}, {Tag: "word", Parts: []string{"zyzzyva"}}, {Tag: "seed", Parts: []string{"ab", "c"}}, {Tag: "seed", Parts: []string{"a", "bc"}}},
	}
	for i := range v.Chance {
		one := &v.Chance[i]
		var parts [][]byte
		for _, p := range one.Parts {
			parts = append(parts, []byte(p))
		}
		c := chance.New(one.Tag, parts...)
		key := c.Key()
		one.Key = hex.EncodeToString(key[:])
		for range 20 {
			one.Words16 = append(one.Words16, c.Uint16())
		}
		for _, n := range []int{7, 1000, 1 << 16} {
			one.Below = append(one.Below, c.Below(n))
		}
		one.Between = []int32{c.Between(-1092, 1092), c.Between(-1092, 1092)}
		one.Normal = []int64{c.Normal(), c.Normal()}
	}
	for _, word := range strings.Fields("amber beige black blue brown copper gold golden gray green grey orange pink purple red silver turquoise violet white yellow") {
		if latent.IsDye(word) {
			v.Dyes = append(v.Dyes, word)
		}
	}
	for _, text := range []string{
		"", "Red HEART", "the owl, and the Moon!", "two-owls_3 4ever", "Ünïcode süß ÀÖ×ØÞß÷ÿ", "夜の山 \u3000 мир\u2014\u2026мир", "it's i\u00a0b\ufeffc\ufffdd",
		"a an and as at by for from he her his i if in into is it its me my near of off on or our over that the their this to under up was with without your",
		"above across against among are around be before behind beneath beside between inside no out outside some there through until very where which while within",
		"one two three four five six seven eight nine ten eleven",
	} {
		v.Words = append(v.Words, wordsVector{text, latent.Runs(text)})
	}
	for _, c := range []struct {
		turns uint16
		zoom  int32
	}{{0, kernel.ViewOne}, {1 << 14, kernel.ViewOne}, {1092, 58982}, {65536 - 1092, 73728}, {40000, 66000}} {
		m, err := kernel.Turned(c.turns, c.zoom)
		require.NoError(t, err)
		v.Turned = append(v.Turned, turnedVector{c.turns, c.zoom, [4]int32{m.XX, m.XY, m.YX, m.YY}})
	}
	artists := map[string]*Artist{}
	for _, one := range drawnArtists() {
		artists[one.Config.Name], one.Numbers = one.artist(t)
		v.Artists = append(v.Artists, one)
	}
	for i, prompt := range []string{
		"", "red heart", "blue hearts on navy", "berries", "busses", "horizon", "zyzzyva", "owl zyzzyva qwertyuiop", "owl heart berry bus moon owl zyzzyva",
		"red blue owl", "red", "Ünïcode süß 夜", "OWL: sage/ring navy horizon", "picture motif:ring", "owl heart at night", "night moon", "moon over night, ivory",
		"school", "full crescent moons under red berry", "two night owls", "ring and horizon on moon and sage", "bell's bell-bus",
	} {
		for _, name := range slices.Sorted(maps.Keys(artists)) {
			v.Pictures = append(v.Pictures, pictured(t, artists[name], prompt, byte(i), kernelName))
		}
	}
	out, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	// Lists of numbers on one line: a line break can be a space.
	out = innermost.ReplaceAllFunc(out, func(list []byte) []byte { return lineBreak.ReplaceAll(list, []byte(" ")) })
	return append(out, '\n')
}

var innermost, lineBreak = regexp.MustCompile(`[\[{][^\[\]{}]*[\]}]`), regexp.MustCompile(`\n *`)

func pictured(t *testing.T, a *Artist, prompt string, n byte, kernelName string) pictureVector {
	s := seed(n)
	r, err := a.read(prompt, chance.New("seed", s[:], []byte(prompt)))
	require.NoError(t, err)
	p, err := a.Fold(prompt, s)
	require.NoError(t, err)
	size := 20 + int(n)
	picture, err := a.Render(context.Background(), prompt, s, size, RenderOptions{Kernel: kernelName})
	require.NoError(t, err)
	return pictureVector{
		Artist: a.config.Name, Prompt: prompt, Seed: hex.EncodeToString(s[:]), Read: r.z, Palette: p.Palette, View: p.View,
		Sharp: p.Sharpness, Width: p.Shadow.Width, Program: digestOf(p), Size: size, Root: hex.EncodeToString(picture.PixelRoot[:]),
	}
}

// drawnArtists are two artists of test chance: one as trained ones are, and one
// whose numbers fill their range and whose exponents run through theirs, so that
// every clamp is met.
func drawnArtists() []artistVector {
	vocabulary := []string{"owl, night owl", "heart", "berry", "bus, school bus", "school bell", "moon, crescent moon", "red", "blue", "夜",
		"motif:horizon", "motif:ring", "motif:night, moon", "paper:navy", "paper:sage", "paper:ivory", "paper:night, midnight", "picture:7"}
	mild := artistVector{Vocabulary: vocabulary, Shift: 2, Config: Config{
		Name: "mild", Architecture: "paper-cut", Contract: kernel.Contract, Hidden: 16, Layers: 3, Colours: 5, Latent: 6, Mapping: 10, Palette: 7,
		Sharpness: 24 * kernel.SharpnessOne, ShadowDepth: kernel.LabOne / 12, ShadowWidth: kernel.LogitOne / 2, Noise: 450, Exponents: map[string]int{},
	}}
	wild := mild
	wild.Shift = 0
	wild.Config.Name, wild.Config.Hidden, wild.Config.Layers, wild.Config.Colours, wild.Config.Noise = "wild", 32, 2, 4, 1<<14
	wild.Config.Exponents = map[string]int{}
	for i, slot := range mild.Config.shape(len(vocabulary)).Slots() {
		mild.Config.Exponents[slot.Name] = 14 + i%3
	}
	for i, slot := range wild.Config.shape(len(vocabulary)).Slots() {
		wild.Config.Exponents[slot.Name] = 7 * i % 25
	}
	return []artistVector{mild, wild}
}

// artist draws the numbers, and digests them as 16 bits each, the highest byte first.
func (v artistVector) artist(t *testing.T) (*Artist, string) {
	tensors, h := map[string][]int16{}, sha256.New()
	for _, slot := range v.Config.shape(len(v.Vocabulary)).Slots() {
		c := chance.New("vector", []byte(v.Config.Name), []byte(slot.Name))
		numbers := make([]int16, slot.Rows*slot.Cols)
		for i := range numbers {
			numbers[i] = int16(c.Uint16()) >> v.Shift
			h.Write(binary.BigEndian.AppendUint16(nil, uint16(numbers[i])))
		}
		tensors[slot.Name] = numbers
	}
	a, err := newArtist(v.Config, v.Vocabulary, tensors)
	require.NoError(t, err)
	return a, hex.EncodeToString(h.Sum(nil))
}

// digestOf is SHA-256 of all fields of a program in their order, as 32-bit numbers,
// the highest byte first.
func digestOf(p *kernel.Program) string {
	h := sha256.New()
	put := func(vs ...int32) {
		for _, v := range vs {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(v)))
		}
	}
	shorts := func(vs []int16) {
		for _, v := range vs {
			put(int32(v))
		}
	}
	truth := func(b bool) int32 {
		if b {
			return 1
		}
		return 0
	}
	put(int32(p.Hidden), int32(p.Layers), int32(p.Colours))
	put(p.PhaseX...)
	put(p.PhaseY...)
	put(p.PhaseC...)
	for _, w := range p.Weights {
		shorts(w)
	}
	for _, b := range p.Biases {
		put(b...)
	}
	shorts(p.Head)
	put(p.HeadBias...)
	put(p.Sharpness)
	for _, c := range p.Palette {
		put(c.L, c.A, c.B)
	}
	put(p.Shadow.Depth, p.Shadow.Width)
	put(truth(p.View.MirrorX), truth(p.View.MirrorY), p.View.XX, p.View.XY, p.View.YX, p.View.YY, p.View.X0, p.View.Y0)
	return hex.EncodeToString(h.Sum(nil))
}
