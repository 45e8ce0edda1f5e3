package model

import (
	"context"
	"fmt"
	"image"
	"image/draw"
)

// Sheet draws pictures of the prompts side by side, row by row, each with sides of
// so many pixels, on white. Seed is the seed of the picture at a place.
func (a *Artist) Sheet(ctx context.Context, prompts []string, seed func(i int) [32]byte, side, columns int) (image.Image, error) {
	const gap = 8
	columns = max(1, min(columns, len(prompts)))
	rows := (len(prompts) + columns - 1) / columns
	img := image.NewNRGBA(image.Rect(0, 0, columns*(side+gap)+gap, rows*(side+gap)+gap))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for i, prompt := range prompts {
		picture, err := a.Render(ctx, prompt, seed(i), side, RenderOptions{})
		if err != nil {
			return nil, fmt.Errorf("%q: %w", prompt, err)
		}
		at := image.Pt(gap+i%columns*(side+gap), gap+i/columns*(side+gap))
		draw.Draw(img, image.Rectangle{at, at.Add(image.Pt(side, side))}, picture.Image(), image.Point{}, draw.Src)
	}
	return img, nil
}
