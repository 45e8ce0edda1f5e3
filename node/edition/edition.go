// Package edition draws artworks once more and tells whether that was done right: a
// picture at any size, changed or not, or a film from one artwork to another.
//
// The ledger names the artworks and bounds the size (curation.Edition); which pixels
// follow from that is told here, once for generators, auditors and whoever verifies. A
// picture is drawn and checked by rows, a film by frames, so memory does not grow with
// their size or number.
//
// What is under no contract is not drawn by a network: letters of a poster and the
// colours of a GIF are set at home, from the exact pixels of an edition.
package edition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/animation"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// Works are the artworks that an edition is drawn from, as [curation.Edition.Works] lists
// them.
func Works(v curation.View, e curation.Edition) (works []curation.Artwork, err error) {
	for _, rid := range e.Works() {
		a, ok := v.Artwork(rid)
		if !ok {
			return nil, fmt.Errorf("the ledger holds no artwork %v", rid)
		}
		works = append(works, a)
	}
	return works, nil
}

// Of is what the receipt of an edition says of it, which is drawn from the works that Works
// gives. taste says what one without a prompt was drawn from; it is not asked of one from
// before there was a taste.
func Of(e curation.Edition, works []curation.Artwork, taste func(curation.Artwork) (*storage.Taste, error)) (storage.Edition, error) {
	out := storage.Edition{Frames: e.Frames, Length: e.Length, Once: e.Once, Changes: append([]byte{}, e.Changes...)}
	for _, a := range works {
		w := storage.Work{RequestID: a.RID, Prompt: a.Prompt, Seed: a.Seed}
		if a.Prior != (curation.Hash{}) {
			var err error
			if w.Taste, err = taste(a); err != nil {
				return out, err
			}
		}
		out.Of = append(out.Of, w)
	}
	if e.Colours != nil {
		last := len(out.Of) - 1
		colours := out.Of[last]
		out.Of, out.Colours = out.Of[:last], &colours
	}
	return out, nil
}

// Readable refuses changes that no recipe has, which no member can draw. Its error wraps
// [model.ErrRecipe].
func Readable(changes []byte) error {
	_, err := model.NewRecipe([32]byte{}, "", [32]byte{}).Changed(changes)
	return err
}

// Recipes are those of a picture, or of a film's first and last frame, drawn by an
// artist of some words. Errors wrap [model.ErrRecipe] or [model.ErrPrompt], or are those
// of [tastes.Recipe].
func Recipes(artist [32]byte, words *latent.Vocabulary, e storage.Edition) ([]model.Recipe, error) {
	var recipes []model.Recipe
	var colours *model.Subject
	if w := e.Colours; w != nil {
		r, err := tastes.Recipe(artist, words, w.Prompt, w.Taste, w.Seed)
		if err != nil {
			return nil, err
		}
		of := r.Subjects[0]
		of.Weight, colours = 0, &of
	}
	for _, w := range e.Of {
		r, err := tastes.Recipe(artist, words, w.Prompt, w.Taste, w.Seed)
		if err == nil {
			r, err = r.Changed(e.Changes)
			r.Colours.Of = colours
		}
		if err == nil {
			err = r.Validate()
		}
		if err != nil {
			return nil, err
		}
		recipes = append(recipes, r)
	}
	return recipes, nil
}

// Draw writes the picture as PNG, or the film as animated PNG, size×size pixels, while it
// is drawn, and returns its pixel root: of a film that of [animation.Root]. o.Progress
// counts tiles of a picture and frames of a film.
func Draw(ctx context.Context, w io.Writer, artist *model.Artist, e storage.Edition, size int, o model.RenderOptions) (root [32]byte, err error) {
	recipes, err := Recipes(artist.ID(), artist.Words(), e)
	if err != nil {
		return root, err
	}
	if !e.Film() {
		program, err := recipes[0].Program(artist)
		if err != nil {
			return root, err
		}
		return model.DrawPNG(ctx, w, program, size, size, o)
	}
	morph, err := model.NewMorph(artist, recipes[0], recipes[1])
	if err != nil {
		return root, err
	}
	film, err := animation.NewPNG(w, size, size, int(e.Frames), pause(e))
	if err != nil {
		return root, err
	}
	moved := o.Progress
	o.Progress = nil
	roots := make([][32]byte, e.Frames)
	for i := range roots {
		p, err := morph.Frame(ctx, at(e, i), size, o)
		if err != nil {
			return root, err
		}
		if err := film.Frame(p.RGB); err != nil {
			return root, err
		}
		roots[i] = p.PixelRoot
		if moved != nil {
			moved(i+1, len(roots))
		}
	}
	return animation.Root(roots), film.Close()
}

// pause is how long a film shows a frame, on average.
func pause(e storage.Edition) time.Duration {
	return time.Duration(e.Length) * time.Millisecond / time.Duration(e.Frames)
}

// at is where a film is at a frame, numbered from 0.
func at(e storage.Edition, frame int) uint32 { return model.Eased(frame, int(e.Frames), !e.Once) }

// ErrOther reports a picture or film that is another one than it should be.
var ErrOther = errors.New("not the edition that it should be")

// Other says whether an error tells that a PNG is no such edition: who made it is to blame,
// and not who looked.
func Other(err error) bool { return errors.Is(err, ErrOther) || errors.Is(err, storage.ErrPNG) }

// Root reads an edition's PNG and returns its pixel root. Errors wrap [ErrOther] or
// [storage.ErrPNG] when it does not have the size, the frames and the pauses that it
// should have, or holds anything that a viewer may show beside its pixels and texts.
func Root(ctx context.Context, e storage.Edition, size int, png []byte) (root [32]byte, err error) {
	if e.Film() {
		return readFilm(e, size, png, func(int, []byte) error { return ctx.Err() })
	}
	tree, err := kernel.NewTree(size, size)
	if err != nil {
		return root, err
	}
	if err := readPicture(size, png, func(rows []byte) error { _, err := tree.Write(rows); return cmp.Or(err, ctx.Err()) }); err != nil {
		return root, err
	}
	return tree.Root()
}

func readPicture(size int, png []byte, sink func(rows []byte) error) error {
	if err := sized(size, png); err != nil {
		return err
	}
	return storage.ReadPNG(png, size, sink)
}

func sized(size int, png []byte) error {
	w, h, err := storage.PNGSize(png)
	if err == nil && (w != size || h != size) {
		err = fmt.Errorf("%w: it has %d×%d pixels, want %d", ErrOther, w, h, size)
	}
	return err
}

// readFilm hands the frames to sink, whose they are until it returns.
func readFilm(e storage.Edition, size int, png []byte, sink func(frame int, rgb []byte) error) (root [32]byte, err error) {
	if err := sized(size, png); err != nil {
		return root, err
	}
	var roots [][32]byte
	rgb := make([]byte, 0, 3*size*size)
	f, err := storage.ReadFilm(png, size, int(e.Frames), func(frame int, rows []byte) error {
		if rgb = append(rgb, rows...); len(rgb) < cap(rgb) {
			return nil
		}
		root, err := kernel.PixelRoot(size, size, rgb)
		if err == nil {
			err = sink(frame, rgb)
		}
		roots, rgb = append(roots, root), rgb[:0]
		return err
	})
	switch {
	case err != nil:
		return root, err
	case !slices.Equal(f.Pauses, animation.Pauses(int(e.Frames), pause(e))):
		return root, fmt.Errorf("%w: %d frames are not shown as long as %d of it in %d ms", ErrOther, len(roots), e.Frames, e.Length)
	}
	return animation.Root(roots), nil
}

// Check reads an edition's PNG, draws some of its tiles again, as many of all frames, and
// returns its pixel root. tiles below 1 means all; which are drawn random says. Errors
// wrap those of [Root] when the artist draws something else; others are its own, or
// ctx's. See [Other].
func Check(ctx context.Context, artist *model.Artist, e storage.Edition, size int, png []byte, tiles int, random io.Reader, o model.RenderOptions) (root [32]byte, err error) {
	recipes, err := Recipes(artist.ID(), artist.Words(), e)
	if err != nil {
		return root, err
	}
	each := model.Tiles(size, size)
	chosen, err := model.DrawTiles(random, each*int(max(1, e.Frames)), tiles)
	if err != nil {
		return root, err
	}
	if !e.Film() {
		program, err := recipes[0].Program(artist)
		if err != nil {
			return root, err
		}
		root, differ, err := model.CheckRows(ctx, program, size, size, chosen, o, func(sink func([]byte) error) error { return readPicture(size, png, sink) })
		return root, unlike(differ, 0, err)
	}
	morph, err := model.NewMorph(artist, recipes[0], recipes[1])
	if err != nil {
		return root, err
	}
	return readFilm(e, size, png, func(frame int, rgb []byte) error {
		var here []int
		for len(chosen) > 0 && chosen[0] < (frame+1)*each {
			here, chosen = append(here, chosen[0]-frame*each), chosen[1:]
		}
		if len(here) == 0 {
			return ctx.Err()
		}
		differ, err := morph.Check(ctx, at(e, frame), size, rgb, here, o)
		return unlike(differ, frame, err)
	})
}

// unlike is err, or what is to be said about tiles that differ.
func unlike(differ []int, frame int, err error) error {
	if err == nil && len(differ) > 0 {
		return fmt.Errorf("%w: the artist draws tile %d of frame %d otherwise", ErrOther, differ[0], frame+1)
	}
	return err
}
