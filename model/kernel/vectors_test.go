package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/vectors.json from the reference kernel")

const vectorsFile = "testdata/vectors.json"

// vectors is testdata/vectors.json. PHASE16.md, "Test vectors", explains it.
type vectors struct {
	Contract string            `json:"contract"`
	Tables   map[string]string `json:"tables"` // SHA-256 of each function's values
	Pictures []pictureVector   `json:"pictures"`
}

type pictureVector struct {
	Program   programVector `json:"program"`
	Width     int           `json:"width"`
	Height    int           `json:"height"`
	Logits    []int32       `json:"logits"` // of the centre of the top left pixel
	PixelRoot string        `json:"pixel_root"`
}

type programVector struct {
	Seed      string `json:"seed"`
	Hidden    int    `json:"hidden"`
	Layers    int    `json:"layers"`
	Colours   int    `json:"colours"`
	Sharpness int32  `json:"sharpness"`
	Depth     int32  `json:"shadow_depth"`
	Width     int32  `json:"shadow_width"`
	MirrorX   bool   `json:"mirror_x"`
	MirrorY   bool   `json:"mirror_y"`
	Turns     uint16 `json:"turns"`
	Zoom      int32  `json:"zoom"`
	X0        int32  `json:"x0"`
	Y0        int32  `json:"y0"`
}

func (v programVector) program(t *testing.T) *Program {
	p := drawn(v.Seed, v.Hidden, v.Layers, v.Colours)
	p.Sharpness, p.Shadow = v.Sharpness, Shadow{Depth: v.Depth, Width: v.Width}
	view, err := Turned(v.Turns, v.Zoom)
	require.NoError(t, err)
	view.MirrorX, view.MirrorY, view.X0, view.Y0 = v.MirrorX, v.MirrorY, v.X0, v.Y0
	p.View = view
	return p
}

// asked lists the pictures of the vectors.
func asked() []pictureVector {
	plain := programVector{Hidden: 64, Layers: 4, Colours: 6, Sharpness: 12 * SharpnessOne, Zoom: ViewOne}
	with := func(w, h int, change func(*programVector)) pictureVector {
		p := plain
		change(&p)
		return pictureVector{Program: p, Width: w, Height: h}
	}
	return []pictureVector{
		with(96, 96, func(p *programVector) { p.Seed = "dusk" }),
		with(64, 96, func(p *programVector) { p.Seed = "cut"; p.Sharpness = MaxSharpness }),
		with(75, 50, func(p *programVector) { p.Seed = "mist"; p.Sharpness = 1; p.Hidden = 32 }),
		with(96, 64, func(p *programVector) {
			p.Seed, p.Depth, p.Width = "shadow", LabOne/6, LogitOne/3
			p.Sharpness = 200 * SharpnessOne
		}),
		with(65, 64, func(p *programVector) {
			p.Seed, p.Depth, p.Width = "turned", LabOne/2, 16*LogitOne
			p.MirrorX, p.MirrorY, p.Turns, p.Zoom, p.X0, p.Y0 = true, true, 5461, ViewOne*3, CoordinateOne/3, -CoordinateOne
		}),
		with(1, 1, func(p *programVector) { p.Seed = "one"; p.Hidden, p.Layers, p.Colours = 16, 1, 2 }),
		with(33, 20, func(p *programVector) { p.Seed = "deep"; p.Hidden, p.Layers, p.Colours = 128, 8, 8 }),
		with(7, 190, func(p *programVector) { p.Seed = "tall"; p.Hidden, p.Layers, p.Colours = 48, 2, 3; p.Turns = 40000 }),
		with(70, 64, func(p *programVector) { p.Seed = "noise"; p.Zoom = ViewOne / 16 }),
	}
}

// TestVectors writes the file of vectors anew in memory, by each kernel, and wants
// the one that is there, byte for byte. The line that it logs for each kernel is
// what .ci/onehash compares between architectures.
func TestVectors(t *testing.T) {
	if *rewrite {
		require.NoError(t, os.WriteFile(vectorsFile, written(t, portable), 0o644))
	}
	want, err := os.ReadFile(vectorsFile)
	require.NoError(t, err)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			got := written(t, e)
			t.Logf("onehash %s kernel %x", e.name, sha256.Sum256(got))
			require.Equal(t, string(want), string(got))
		})
	}
}

// written is the file of vectors as a kernel computes it.
func written(t *testing.T, e engine) []byte {
	v := vectors{Contract: Contract, Tables: functions(), Pictures: asked()}
	for i := range v.Pictures {
		one := &v.Pictures[i]
		p := one.Program.program(t)
		pic, err := Render(context.Background(), p, one.Width, one.Height, Options{Kernel: e.name})
		require.NoError(t, err)
		one.Logits, one.PixelRoot = corner(e, p, one.Width, one.Height), hex.EncodeToString(pic.PixelRoot[:])
	}
	out, err := json.MarshalIndent(v, "", "\t")
	require.NoError(t, err)
	return append(out, '\n')
}

// corner is the logits at the centre of the top left pixel.
func corner(e engine, p *Program, w, h int) []int32 {
	q := &painter{view: p.View, w: w, h: h}
	var s samples
	s.x[0], s.y[0] = q.placeX(4), q.placeY(4)
	e.make(p).logits(&s)
	var l []int32
	for c := range p.Colours {
		l = append(l, s.logits[c][0])
	}
	return l
}

// functions digests the scalar functions over all their inputs, as 32-bit
// numbers, the highest byte first.
func functions() map[string]string {
	digest := func(n int, f func(i int) int32) string {
		h := sha256.New()
		for i := range n {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(f(i))))
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	t := sharedTables()
	return map[string]string{
		"sine":   digest(1<<16, func(i int) int32 { return sine(int32(uint32(i) << 16)) }),
		"halves": digest(octave, func(i int) int32 { return int32(t.halves[i]) }),
		"srgb":   digest(linearLevels, func(i int) int32 { return int32(t.srgb[i]) }),
		"turns":  digest(1<<16, func(i int) int32 { return int32(turnSine(uint32(i) << 16)) }),
	}
}

func TestAPortableMachineChecksTilesOfALargePictureMadeWithVectors(t *testing.T) {
	p := drawn("large", 64, 4, 6)
	p.Shadow = Shadow{Depth: LabOne / 8, Width: LogitOne / 4}
	const n = 1024
	pic, err := Render(context.Background(), p, n, n, Options{})
	require.NoError(t, err)
	root, err := PixelRoot(n, n, pic.RGB)
	require.NoError(t, err)
	s := &stream{seed: "tiles"}
	for range 8 {
		tx, ty := int(s.u32())&31, int(s.u32())&31
		tile, err := RenderTile(p, n, n, tx, ty, Options{Kernel: "reference"})
		require.NoError(t, err)
		proof, err := TileProof(n, n, pic.RGB, tx, ty)
		require.NoError(t, err)
		require.True(t, VerifyTile(root, n, n, tx, ty, tile, proof), "tile (%d, %d)", tx, ty)
	}
}

func TestTheSameProgramGivesTheSamePixelRootOnTheVectorAndThePortableKernels(t *testing.T) {
	const w, h = 45, 34
	for name, p := range cases() {
		roots := map[string]string{}
		for _, e := range engines {
			pic, err := Render(context.Background(), p, w, h, Options{Kernel: e.name})
			require.NoError(t, err)
			root, err := PixelRoot(w, h, pic.RGB)
			require.NoError(t, err)
			roots[hex.EncodeToString(root[:])] = e.name
		}
		require.Len(t, roots, 1, name)
	}
}
