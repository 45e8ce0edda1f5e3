package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/taste"
)

// sheets writes contact sheets of what the network draws without any taste and with
// that of a public, from the same seeds, and the version that it drew from.
func (n *network) sheets(ctx context.Context, o options, public int, last *taste.Prior) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if public == 0 {
		if err := n.sheet(ctx, filepath.Join(o.out, "before.png"), o, n.lexicon.First()); err != nil {
			return err
		}
	}
	if err := n.sheet(ctx, filepath.Join(o.out, fmt.Sprintf("after-%d.png", public)), o, last); err != nil {
		return err
	}
	raw, err := last.MarshalBinary()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, fmt.Sprintf("prior-%d.json", public)), raw, 0o644)
}

// sheet draws twenty pictures from a version, five in a row.
func (n *network) sheet(ctx context.Context, path string, o options, p *taste.Prior) error {
	const columns, rows, gap = 5, 4, 8
	img := image.NewNRGBA(image.Rect(0, 0, columns*(o.side+gap)+gap, rows*(o.side+gap)+gap))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	for i := range columns * rows {
		s := seed(1<<41, uint64(i))
		l, _ := n.lexicon.Draw(p, s)
		picture, err := n.artist.RenderLatent(ctx, l, s, o.side, model.RenderOptions{})
		if err != nil {
			return err
		}
		x, y := gap+i%columns*(o.side+gap), gap+i/columns*(o.side+gap)
		draw.Draw(img, image.Rect(x, y, x+o.side, y+o.side), picture.Image(), image.Point{}, draw.Src)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
