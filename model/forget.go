package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/latent"
)

// Forgotten says how much a later version of an artist draws unlike the one before.
type Forgotten struct {
	Pictures int // that both drew
	Unlike   int // of them, those that differ by more than a peak signal-to-noise ratio of 18 dB allows
}

// The sample of [Artist.Forgotten].
const (
	forgottenPictures = 64
	forgottenSide     = 64 // pixels
	// unlike is the mean square of a difference of sRGB bytes from which a picture is
	// another one: 255²/unlike are 18 dB. A shade lighter or a rim a little off stays well
	// below; a subject out of shape, in another colour, or torn, does not.
	unlike = 1030
)

// Forgotten compares the artist with a version before, by pictures of things that the
// seed chooses, on grounds and in dyes that it chooses too. All of it is public
// but the two artists, and to the bit the same on every machine, so who has both comes to
// the same result. Errors wrap [ErrArtist] where the two are no versions of one artist, or
// are ctx's.
func (a *Artist) Forgotten(ctx context.Context, before *Artist, seed [32]byte, o RenderOptions) (Forgotten, error) {
	v := before.vocabulary
	if !slices.Equal(a.vocabulary.Features(), v.Features()) || a.config.Latent != before.config.Latent {
		return Forgotten{}, refuse("%q is no version of it: its words are others", before.config.Name)
	}
	var f Forgotten
	for i := range forgottenPictures {
		number := binary.BigEndian.AppendUint64(nil, uint64(i))
		l := sample(v, chance.New("rehearsed", seed[:], number))
		view := chance.New("rehearsed view", seed[:], number).Key()
		then, err := before.RenderLatent(ctx, l, view, forgottenSide, o)
		if err != nil {
			return f, fmt.Errorf("draw as before: %w", err)
		}
		now, err := a.RenderLatent(ctx, l, view, forgottenSide, o)
		if err != nil {
			return f, fmt.Errorf("draw as now: %w", err)
		}
		sum := 0
		for j, b := range then.RGB {
			d := int(b) - int(now.RGB[j])
			sum += d * d
		}
		f.Pictures++
		if sum > unlike*len(then.RGB) {
			f.Unlike++
		}
	}
	return f, nil
}

// sample is a thing of the vocabulary, on a ground and, in three of ten, in a dye.
func sample(v *latent.Vocabulary, c *chance.Stream) latent.Latent {
	one := func(rows []int) string {
		if len(rows) == 0 {
			return ""
		}
		name, _ := v.Name(rows[c.Below(len(rows))])
		return name
	}
	things := v.Things()
	l := latent.Latent{Things: []latent.Part{{Word: v.Feature(things[c.Below(len(things))]), Weight: latent.Whole}}, Noise: make(latent.Noise, v.Noise())}
	if len(v.Dyes()) > 0 && c.Below(10) < 3 {
		l.Dyes = []latent.Part{{Word: one(v.Dyes()), Weight: latent.Whole}}
	}
	l.Motif, l.Paper = one(v.Motifs()), one(v.Papers())
	for i := range l.Noise {
		l.Noise[i] = latent.Drawn(c)
	}
	return l
}
