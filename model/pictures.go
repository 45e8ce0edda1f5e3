package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // pictures of a folder may be GIF, JPEG or PNG
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/latent"
)

// ErrPictures reports a folder with too few pictures to train on.
var ErrPictures = errors.New("too few usable pictures")

// Bounds of training pictures.
const (
	minPictures    = 2 // a single one teaches no difference
	maxPictures    = 4096
	maxPictureFile = 16 << 20
	maxPictureArea = 16 << 20 // pixels
	maxScans       = 100      // of a JPEG; each goes over the whole picture
)

// otherFormats are endings of pictures that people have and training does not read.
var otherFormats = map[string]bool{".webp": true, ".avif": true, ".heic": true, ".heif": true, ".jxl": true, ".bmp": true, ".tif": true, ".tiff": true, ".svg": true, ".psd": true}

// album is what training takes from a folder of pictures.
type album struct {
	pictures []train.Picture
	terms    string // what the folder says about their terms, "" if nothing
}

// folder reads an album.
type folder struct {
	fs      fs.FS
	colours int
	knows   func(name string) bool       // nil, or whether the artist knows a name
	skipped func(name string, why error) // hears of each file that is left out; may be nil

	refused int
	first   []error
}

func (f *folder) skip(name string, why error) {
	if f.skipped != nil {
		f.skipped(name, why)
	}
	if f.refused++; len(f.first) < 5 {
		f.first = append(f.first, fmt.Errorf("%q: %w", name, why))
	}
}

// read decodes and cuts all pictures of the folder, in the order of their paths.
func (f *folder) read(ctx context.Context) (album, error) {
	names, files, err := f.find(ctx)
	if err != nil {
		return album{}, err
	}
	var a album
	var used []string
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return album{}, err
		}
		p, err := f.picture(name)
		if err != nil {
			f.skip(name, err)
			continue
		}
		a.pictures, used = append(a.pictures, p), append(used, name)
	}
	switch {
	case len(a.pictures) >= minPictures:
		a.terms, err = readTerms(f.fs, used)
		return a, err
	case f.refused == 0 && len(names) == 0:
		return album{}, fmt.Errorf("%w: PNG, JPEG and GIF files are read, and there is none among the %d files of the folder", ErrPictures, files)
	}
	return album{}, fmt.Errorf("%w: %d, an artist needs at least %d. PNG, JPEG and GIF files are read; left out were %d: %w",
		ErrPictures, len(a.pictures), minPictures, f.refused, errors.Join(f.first...))
}

// find lists the pictures below the folder, and counts its files.
func (f *folder) find(ctx context.Context) (names []string, files int, err error) {
	err = fs.WalkDir(f.fs, ".", func(name string, d fs.DirEntry, err error) error {
		switch ending := strings.ToLower(path.Ext(name)); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && name == ".":
			var at *fs.PathError // names "." where people gave a folder
			if errors.As(err, &at) {
				err = at.Err
			}
			return fmt.Errorf("%w: name a folder of pictures, this cannot be read as one: %w", ErrPictures, err)
		case err != nil:
			f.skip(name, err)
			return fs.SkipDir
		case d.IsDir():
			return nil
		case otherFormats[ending]:
			f.skip(name, fmt.Errorf("%s is not read, only PNG, JPEG and GIF: convert it", ending))
		case ending != ".png" && ending != ".jpg" && ending != ".jpeg" && ending != ".jfif" && ending != ".gif":
		case !d.Type().IsRegular():
			f.skip(name, errors.New("it is a link or a device, and only files are read"))
		default:
			names = append(names, name)
		}
		files++
		if len(names) > maxPictures {
			return fmt.Errorf("the folder holds more than %d pictures: take some out", maxPictures)
		}
		return nil
	})
	sort.Strings(names)
	return names, files, err
}

func (f *folder) picture(name string) (train.Picture, error) {
	raw, err := readUpTo(f.fs, name, maxPictureFile)
	if err != nil {
		return train.Picture{}, err
	}
	// The size is looked at before memory is spent on the pixels.
	config, format, err := image.DecodeConfig(bytes.NewReader(raw))
	switch {
	case errors.Is(err, image.ErrFormat):
		return train.Picture{}, errors.New("what it holds is neither PNG nor JPEG nor GIF")
	case err != nil:
		return train.Picture{}, fmt.Errorf("it is damaged: %w", err)
	case config.Width > maxPictureArea || config.Height > maxPictureArea || int64(config.Width)*int64(config.Height) > maxPictureArea:
		return train.Picture{}, fmt.Errorf("it says that it has %d×%d pixels, at most %d in all are read: make it smaller", config.Width, config.Height, maxPictureArea)
	case format == "jpeg" && bytes.Count(raw, []byte{0xff, 0xda}) > maxScans:
		return train.Picture{}, fmt.Errorf("it is drawn in more than %d passes: save it again", maxScans)
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return train.Picture{}, fmt.Errorf("it is damaged: %w", err)
	}
	p, err := train.Cut(strings.TrimSuffix(path.Base(name), path.Ext(name)), img, f.colours)
	if err != nil {
		return train.Picture{}, err
	}
	size := 0
	for _, n := range p.Names {
		if size += len(n) + len(latent.NameSeparator); len(n) > latent.MaxWord {
			return train.Picture{}, fmt.Errorf("it has a name of %d bytes, at most %d are learned: rename it", len(n), latent.MaxWord)
		}
	}
	if size > latent.MaxFeature {
		return train.Picture{}, fmt.Errorf("its names have %d bytes, at most %d are learned: rename it", size, latent.MaxFeature)
	}
	if f.knows != nil {
		if _, ok := latent.Known(p.Names, f.knows); !ok {
			return train.Picture{}, errors.New("the artist knows none of its names, and fine-tuning teaches no new ones")
		}
	}
	return p, nil
}

var errLarge = errors.New("it has more")

// readUpTo reads a file that may have limit bytes.
func readUpTo(dir fs.FS, name string, limit int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%w than %d bytes", errLarge, limit)
	}
	return raw, err
}
