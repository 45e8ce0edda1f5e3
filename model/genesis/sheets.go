package main

import (
	"context"
	"crypto/sha256"
	"image"
	"image/draw"
	"os"
	"path/filepath"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
)

// What the sheet shows: things, colours, scenes, a word for a feeling, and words that
// the artist never saw.
var prompts = []string{
	"red heart", "blue bird", "mountain at night", "owl under the moon", "boat on the sea at sunset", "winter forest",
	"volcano at night", "cat on the beach", "wolf in the snow", "pink elephant", "castle in the mountains", "red rose on navy halo",
	"whale", "golden fish", "crescent moon", "turtle in space", "parrot in the jungle", "fox in autumn",
	"solitude", "hope", "penguin and stars", "green horse", "dragon over the city", "zyzzyva",
}

var (
	subjects = []string{"cat", "mountain", "tulip", "boat"}
	grounds  = []string{"", "at night", "at sunset", "in winter", "by the sea", "in the forest", "in space"}
	travels  = []string{"red heart", "owl at night", "blue bird", "red heart"}
)

// drawSheets draws what the model card shows of an artist.
func drawSheets(ctx context.Context, a *model.Artist, out string) error {
	if err := os.MkdirAll(filepath.Join(out, "sheets"), 0o755); err != nil {
		return err
	}
	var chance, scenes, dyed []string
	for range 32 {
		chance = append(chance, "")
	}
	for _, s := range subjects {
		for _, g := range grounds {
			scenes = append(scenes, s+" "+g)
		}
	}
	for _, c := range latent.Dyes() {
		dyed = append(dyed, c+" bird")
	}
	each := func(i int) [32]byte { return sha256.Sum256([]byte{byte(i)}) }
	same := func(int) [32]byte { return each(5) }
	for _, s := range []struct {
		name          string
		prompts       []string
		seed          func(i int) [32]byte
		side, columns int
	}{
		{"sheet.png", prompts, each, 200, 6},
		{"sheets/seeds.png", chance, each, 150, 8},
		{"sheets/scenes.png", scenes, same, 150, len(grounds)},
		{"sheets/colours.png", dyed, same, 150, 7},
	} {
		img, err := a.Sheet(ctx, s.prompts, s.seed, s.side, s.columns)
		if err != nil {
			return err
		}
		if err := writePNG(filepath.Join(out, filepath.FromSlash(s.name)), img); err != nil {
			return err
		}
	}
	img, err := drawMorphs(ctx, a, same(0))
	if err != nil {
		return err
	}
	return writePNG(filepath.Join(out, "sheets", "morph.png"), img)
}

// drawMorphs draws the ways between the pictures of some prompts, a row for each.
func drawMorphs(ctx context.Context, a *model.Artist, seed [32]byte) (image.Image, error) {
	const side, gap, frames = 150, 8, 8
	img := image.NewNRGBA(image.Rect(0, 0, frames*(side+gap)+gap, (len(travels)-1)*(side+gap)+gap))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for row, from := range travels[:len(travels)-1] {
		m, err := model.NewMorph(a, model.NewRecipe(a.ID(), from, seed), model.NewRecipe(a.ID(), travels[row+1], seed))
		if err != nil {
			return nil, err
		}
		for i := range frames {
			p, err := m.Frame(ctx, uint32(i)*model.WholeWeight/(frames-1), side, model.RenderOptions{})
			if err != nil {
				return nil, err
			}
			at := image.Pt(gap+i*(side+gap), gap+row*(side+gap))
			draw.Draw(img, image.Rectangle{at, at.Add(image.Pt(side, side))}, p.Image(), image.Point{}, draw.Src)
		}
	}
	return img, nil
}
