package model

import (
	"context"
	"encoding/json"
	"image/color"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/safetensors"
)

// smallRun is a run that takes no time.
func smallRun(change func(*TrainOptions)) TrainOptions {
	o := TrainOptions{Name: "gull", Steps: 12, Seed: seed(1), Size: Size{Hidden: 16, Layers: 1, Latent: 6, Colours: 5}, Batch: 4, Measure: 4}
	if change != nil {
		change(&o)
	}
	return o
}

func newRun(t testing.TB, o TrainOptions) *Run {
	r, err := NewRun(context.Background(), pictureFolder(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// reach is a state of the run, and the artist that it is.
func reach(t testing.TB, r *Run, from TrainingState, until int) TrainingState {
	s, err := r.Advance(context.Background(), from, until, nil)
	require.NoError(t, err)
	require.Equal(t, until, s.Step)
	return s
}

func TestAResumedRunGivesTheSameArtist(t *testing.T) {
	for name, o := range map[string]TrainOptions{
		"from nothing":          smallRun(nil),
		"nothing held out":      smallRun(func(o *TrainOptions) { o.Measure = 0 }),
		"tuned from the public": {Base: Embedded(), Steps: 6, Measure: 2, Batch: 5, Seed: seed(3), BaseAt: "genesis"},
		"tuned with rehearsal":  {Base: Embedded(), Steps: 6, Measure: 2, Batch: 5, Seed: seed(3), Rehearse: .5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, o)
			begun, err := r.Begin()
			require.NoError(t, err)
			end := reach(t, r, begun, r.Steps())
			want, err := r.Artist(end)
			require.NoError(t, err)
			require.True(t, r.Ended(end.Progress))

			raw, err := r.Checkpoint(reach(t, r, begun, r.Steps()/2))
			require.NoError(t, err)
			c, err := ReadCheckpoint(raw)
			require.NoError(t, err)
			again := c.Setup.Options()
			again.Base, again.Workers = o.Base, 1
			other := newRun(t, again)
			state, err := other.Resume(c)
			require.NoError(t, err)
			require.Equal(t, r.Steps()/2, state.Step)
			require.False(t, other.Ended(state.Progress))
			got, err := other.Artist(reach(t, other, state, r.Steps()))
			require.NoError(t, err)
			wantRaw, err := want.MarshalBinary()
			require.NoError(t, err)
			gotRaw, err := got.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, wantRaw, gotRaw)
			if o.Measure > 0 {
				require.Positive(t, end.Best.Loss)
				require.Equal(t, r.Steps(), end.Last.Step)
			}
		})
	}
}

func TestARunIsWhatTrainAndFineTuneDo(t *testing.T) {
	o := smallRun(nil)
	r := newRun(t, o)
	begun, err := r.Begin()
	require.NoError(t, err)
	want, err := r.Artist(reach(t, r, begun, o.Steps))
	require.NoError(t, err)
	got, err := Train(context.Background(), pictureFolder(t), o)
	require.NoError(t, err)
	require.Equal(t, want.ID(), got.ID())
	require.Equal(t, 16, got.config.Hidden)
	require.Equal(t, 1, got.config.Layers)
	require.Equal(t, 6, got.config.Latent)
	require.Equal(t, 5, got.config.Colours)
	require.ElementsMatch(t, []string{"red ball", "sea"}, r.Prompts(9))
	require.Len(t, r.Prompts(1), 1)
}

func TestACheckpointIsForItsOwnRunOnly(t *testing.T) {
	r := newRun(t, smallRun(nil))
	begun, err := r.Begin()
	require.NoError(t, err)
	raw, err := r.Checkpoint(reach(t, r, begun, 5))
	require.NoError(t, err)
	c, err := ReadCheckpoint(raw)
	require.NoError(t, err)

	for name, test := range map[string]struct {
		change func(*TrainOptions)
		says   string
	}{
		"other steps":     {func(o *TrainOptions) { o.Steps = 13 }, "not as it began: it began with steps 12, not 13"},
		"another seed":    {func(o *TrainOptions) { o.Seed = seed(2) }, "it began with seed"},
		"another name":    {func(o *TrainOptions) { o.Name = "tern" }, `it began with name "gull", not "tern"`},
		"another size":    {func(o *TrainOptions) { o.Size.Hidden = 32 }, "it began with hidden 16, not 32"},
		"another batch":   {func(o *TrainOptions) { o.Batch = 5 }, "it began with batch 4, not 5"},
		"nothing to wait": {func(o *TrainOptions) { o.Measure = 0 }, "it began with measure 4, not 0"},
		"another base":    {func(o *TrainOptions) { o.Base, o.Size = Embedded(), Size{} }, "it began from nothing, not from a base artist"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newRun(t, smallRun(test.change)).Resume(c)
			require.ErrorIs(t, err, ErrOtherRun)
			require.ErrorContains(t, err, test.says)
		})
	}
	t.Run("other pictures", func(t *testing.T) {
		renamed, altered := pictureFolder(t), pictureFolder(t)
		renamed["sea, lake.png"] = renamed["sea, water.png"]
		delete(renamed, "sea, water.png")
		altered["sea, water.png"] = pngFile(t, func(x, _ int) color.NRGBA { return color.NRGBA{uint8(10 * x), 60, 120, 255} })
		for _, folder := range []fstest.MapFS{renamed, altered} {
			other, err := NewRun(context.Background(), folder, smallRun(nil))
			require.NoError(t, err)
			_, err = other.Resume(c)
			require.ErrorIs(t, err, ErrOtherRun)
			require.ErrorContains(t, err, "the pictures have changed")
		}
	})
	t.Run("other terms of the pictures", func(t *testing.T) {
		for name, text := range map[string]string{"LICENSE": "CC0-1.0", "sources.csv": "file,licence\nred ball.png,CC0-1.0\n"} {
			folder := pictureFolder(t)
			folder[name] = &fstest.MapFile{Data: []byte(text)}
			other, err := NewRun(context.Background(), folder, smallRun(nil))
			require.NoError(t, err)
			_, err = other.Resume(c)
			require.ErrorIs(t, err, ErrOtherRun)
			require.ErrorContains(t, err, "the files that say the pictures' terms have changed, such as LICENSE or sources.csv")
		}
	})
	t.Run("the number of workers and where the base lies do not matter", func(t *testing.T) {
		_, err := newRun(t, smallRun(func(o *TrainOptions) { o.Workers, o.BaseAt = 1, "elsewhere" })).Resume(c)
		require.NoError(t, err)
	})
}

func TestRunsThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*TrainOptions)
		says   string
	}{
		"no steps":                       {func(o *TrainOptions) { o.Steps = -1 }, "-1 training steps"},
		"no name":                        {func(o *TrainOptions) { o.Name = "" }, "give it one of 1 to"},
		"a width that is no multiple":    {func(o *TrainOptions) { o.Size.Hidden = 17 }, "hidden is 17, allowed are multiples of 16"},
		"too many layers":                {func(o *TrainOptions) { o.Size.Layers = 9 }, "layers is 9"},
		"too few colours":                {func(o *TrainOptions) { o.Size.Colours = 3 }, "colours is 3"},
		"too large a latent":             {func(o *TrainOptions) { o.Size.Latent = 129 }, "latent is 129"},
		"too large a batch":              {func(o *TrainOptions) { o.Batch = 5000 }, "a batch of 5000 pictures, want 1 to 4096"},
		"patience without a measurement": {func(o *TrainOptions) { o.Measure, o.Patience = 0, 2 }, "needs measurements to wait for"},
		"a share below 0":                {func(o *TrainOptions) { o.Rehearse = -.5 }, "a share of -0.5 to rehearse, want 0 to 0.95"},
		"a share of all":                 {func(o *TrainOptions) { o.Rehearse = 1 }, "a share of 1 to rehearse"},
		"rehearsal of nothing":           {func(o *TrainOptions) { o.Rehearse = .5 }, "an artist from nothing knows nothing to rehearse"},
		"a size for a fine-tune":         {func(o *TrainOptions) { o.Base = Embedded() }, "fine-tuning keeps it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewRun(context.Background(), pictureFolder(t), smallRun(test.change))
			require.ErrorContains(t, err, test.says)
		})
	}
}

// checkpoint is a small valid one, changed.
func checkpoint(t testing.TB, change func(f *safetensors.File, state, setup map[string]any)) []byte {
	r := newRun(t, smallRun(nil))
	begun, err := r.Begin()
	require.NoError(t, err)
	raw, err := r.Checkpoint(reach(t, r, begun, 5))
	require.NoError(t, err)
	if change == nil {
		return raw
	}
	f, err := safetensors.Read(raw)
	require.NoError(t, err)
	var state, setup map[string]any
	require.NoError(t, json.Unmarshal([]byte(f.Metadata["state"]), &state))
	require.NoError(t, json.Unmarshal([]byte(f.Metadata["note"]), &setup))
	wasState, wasSetup := maps.Clone(state), maps.Clone(setup)
	change(f, state, setup)
	for key, v := range map[string][2]map[string]any{"state": {wasState, state}, "note": {wasSetup, setup}} {
		if !maps.EqualFunc(v[0], v[1], func(a, b any) bool { return jsonOf(t, a) == jsonOf(t, b) }) {
			f.Metadata[key] = jsonOf(t, v[1])
		}
	}
	raw, err = safetensors.Write(f)
	require.NoError(t, err)
	return raw
}

func jsonOf(t testing.TB, v any) string {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func TestHostileCheckpointsAreRefused(t *testing.T) {
	_, err := ReadCheckpoint(checkpoint(t, func(*safetensors.File, map[string]any, map[string]any) {}))
	require.NoError(t, err)
	artist, err := Embedded().MarshalBinary()
	require.NoError(t, err)
	tensor := func(f *safetensors.File, name string) *safetensors.Tensor {
		for i := range f.Tensors {
			if f.Tensors[i].Name == name {
				return &f.Tensors[i]
			}
		}
		t.Fatal(name)
		return nil
	}
	for name, test := range map[string]struct {
		raw  []byte
		says string
	}{
		"nothing":             {nil, "0 bytes"},
		"an artist":           {artist, `format "atelier-artist/1"`},
		"cut off":             {checkpoint(t, nil)[:9000], "spans"},
		"another format":      {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) { f.Metadata["format"] = "x" }), `format "x"`},
		"more than is known":  {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) { f.Metadata["x"] = "x" }), "not in canonical form"},
		"no setup":            {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) { f.Metadata["note"] = "" }), "its setup"},
		"a strange setup":     {checkpoint(t, func(_ *safetensors.File, _, s map[string]any) { s["x"] = 1 }), `unknown field "x"`},
		"a seed that is none": {checkpoint(t, func(_ *safetensors.File, _, s map[string]any) { s["seed"] = "x" }), `its seed "x" is no hash`},
		"no random stream":    {checkpoint(t, func(_ *safetensors.File, s, _ map[string]any) { s["random"] = "" }), "its random stream"},
		"a step before 0":     {checkpoint(t, func(_ *safetensors.File, s, _ map[string]any) { s["step"] = -1 }), "do not go with step -1"},
		"a best to come":      {checkpoint(t, func(_ *safetensors.File, s, _ map[string]any) { s["best"] = map[string]any{"step": 9, "loss": 1} }), "measurements of steps 9"},
		"a best without weights": {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(x safetensors.Tensor) bool { return strings.HasPrefix(x.Name, "best/") })
		}), "the weights of it do not go together"},
		"a number that is none": {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) {
			*tensor(f, "weights/head.b") = safetensors.FromFloat32s("weights/head.b", []int{1, 5}, []float32{0, 0, float32(math.Inf(1)), 0, 0})
		}), "holds +Inf"},
		"a negative mean of squares": {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) {
			*tensor(f, "square/head.b") = safetensors.FromFloat32s("square/head.b", []int{1, 5}, []float32{0, 0, -1, 0, 0})
		}), "a mean of squares is -1"},
		"whole numbers for weights": {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) {
			*tensor(f, "weights/head.b") = safetensors.FromInt16s("weights/head.b", []int{1, 5}, make([]int16, 5))
		}), "is I16, want F32"},
		"a tensor without a place": {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) {
			f.Tensors = append(f.Tensors, safetensors.FromFloat32s("head.b", []int{1, 1}, []float32{1}))
		}), "has no place in it"},
		"three dimensions": {checkpoint(t, func(f *safetensors.File, _, _ map[string]any) {
			f.Tensors = append(f.Tensors, safetensors.FromFloat32s("weights/x", []int{1, 1, 1}, []float32{1}))
		}), "3 dimensions"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadCheckpoint(test.raw)
			require.ErrorIs(t, err, ErrCheckpoint)
			require.ErrorContains(t, err, test.says)
		})
	}
	for name, change := range map[string]func(f *safetensors.File, state, setup map[string]any){
		"a tensor of another shape": func(f *safetensors.File, _, _ map[string]any) {
			*tensor(f, "mean/head.b") = safetensors.FromFloat32s("mean/head.b", []int{5, 1}, make([]float32, 5))
		},
		"a tensor too many": func(f *safetensors.File, _, _ map[string]any) {
			f.Tensors = append(f.Tensors, safetensors.FromFloat32s("weights/x", []int{1, 1}, []float32{1}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ReadCheckpoint(checkpoint(t, change))
			require.NoError(t, err)
			_, err = newRun(t, smallRun(nil)).Resume(c)
			require.ErrorIs(t, err, ErrCheckpoint)
		})
	}
}

// FuzzReadCheckpoint: whatever the bytes, there is an error or a checkpoint that
// is written as it was read. The seeds are of an artist of few numbers, so that many
// can be tried.
func FuzzReadCheckpoint(f *testing.F) {
	shape := train.Shape{Hidden: 1, Layers: 1, Colours: 1, Latent: 1, Mapping: 1, Palette: 1, Features: 1}
	random, err := rand.NewChaCha8([32]byte{1}).MarshalBinary()
	require.NoError(f, err)
	w := shape.Initial(rand.New(rand.NewPCG(1, 1)))
	zero := train.Weights{}
	for name, t := range w {
		zero[name] = train.Tensor{Rows: t.Rows, Cols: t.Cols, Data: make([]float32, len(t.Data))}
	}
	setup := newSetup(smallRun(nil), Config{Name: "gull"})
	setup.learns(album{})
	r := Run{setup: setup}
	for _, best := range []bool{false, true} {
		s := TrainingState{Weights: w, Mean: zero, Square: zero, Random: random}
		if best {
			s.Progress = TrainingProgress{Step: 9, Loss: 1.5, Last: Measurement{Step: 8, Loss: 2}, Best: Measurement{Step: 4, Loss: 1}}
			s.BestWeights = w
		}
		raw, err := r.Checkpoint(s)
		require.NoError(f, err)
		_, err = ReadCheckpoint(raw)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte("\x10\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\":{}}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ReadCheckpoint(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrCheckpoint)
			return
		}
		again, err := (&Run{setup: c.Setup}).Checkpoint(c.State)
		require.NoError(t, err)
		require.Equal(t, raw, again)
		require.Equal(t, c.Setup.Seed, newSetup(c.Setup.Options(), Config{}).Seed)
	})
}
