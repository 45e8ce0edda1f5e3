package model

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/atelier-dao/atelier/model/latent"
)

// The encoding, numbers with the highest byte first:
//
//	1 byte    form: 1, a recipe of the contract phase-16
//	32 bytes  artist
//	1 byte    flags: which of the changes below follow, and the mirrors
//	1 byte    number of subjects, and for each
//	          2 bytes  weight, but for the last, which has what is left
//	          32 bytes seed, 1 byte length of the prompt, the prompt; or
//	          32 bytes seed, the byte 255, 1 byte length of the latent, the latent
//	colours   the same of one subject
//	turned    2 bytes
//	hues      1 byte number, 2 bytes each
//	frame     2 bytes each: turn, zoom, x, y
//	sharpness 2 bytes
//	shadow    2 bytes
//
// A change that changes nothing is left out, so each recipe has one encoding. A plain
// one takes 68 bytes and its prompt: less than 200 for prompts of up to 131 bytes, and
// 268 for the longest. One of a latent takes 69 bytes and the latent, a byte for each
// number of its noise, four for each thing or dye, and five: 194 at most for the genesis
// artist. Other lengths of a prompt beyond MaxPrompt are refused, and so left
// for subjects of another kind.
const recipeForm = 1

// byLatent stands where the length of a prompt would.
const byLatent = 255

const (
	withColours = 1 << iota
	withTurned
	withHues
	withMirrorX
	withMirrorY
	withFrame
	withSharpness
	withShadow
)

// MaxRecipe is the longest encoding, in bytes.
const MaxRecipe = 35 + MaxSubjects*(2+33+MaxPrompt) - 2 + (33 + MaxPrompt) + (1 + 2*MaxHues) + 8 + 2 + 2

// unmirrored is the frame without its mirrors, which are flags.
func (f Frame) unmirrored() Frame {
	f.MirrorX, f.MirrorY = false, false
	return f
}

func (r Recipe) flags() (flags byte) {
	for i, set := range []bool{r.Colours.Of != nil, r.Colours.Turned != 0, len(r.Colours.Hues) > 0, r.Frame.MirrorX, r.Frame.MirrorY,
		r.Frame.unmirrored() != Frame{Zoom: ZoomOne}, r.Sharpness != Unchanged, r.Shadow != Unchanged} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

// MarshalBinary is the recipe's one encoding. Its error is that of Validate.
func (r Recipe) MarshalBinary() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return r.encoding(), nil
}

func (r Recipe) encoding() []byte {
	flags, be := r.flags(), binary.BigEndian
	b := append(append([]byte{recipeForm}, r.Artist[:]...), flags, byte(len(r.Subjects)))
	for i, s := range r.Subjects {
		if i < len(r.Subjects)-1 {
			b = be.AppendUint16(b, uint16(s.Weight))
		}
		b = s.append(b)
	}
	return r.appendChanges(b)
}

// appendChanges appends what the flags tell of.
func (r Recipe) appendChanges(b []byte) []byte {
	flags, be := r.flags(), binary.BigEndian
	if flags&withColours != 0 {
		b = r.Colours.Of.append(b)
	}
	if flags&withTurned != 0 {
		b = be.AppendUint16(b, r.Colours.Turned)
	}
	if flags&withHues != 0 {
		b = append(b, byte(len(r.Colours.Hues)))
		for _, h := range r.Colours.Hues {
			b = be.AppendUint16(b, h)
		}
	}
	if f := r.Frame; flags&withFrame != 0 {
		for _, v := range []uint16{f.Turn, f.Zoom, uint16(f.X), uint16(f.Y)} {
			b = be.AppendUint16(b, v)
		}
	}
	if flags&withSharpness != 0 {
		b = be.AppendUint16(b, r.Sharpness)
	}
	if flags&withShadow != 0 {
		b = be.AppendUint16(b, r.Shadow)
	}
	return b
}

// Changes is what the recipe says beyond its artist and subjects: the byte of flags and
// the changes as in its encoding, or nothing when there are none. Colours of another
// subject are not among them. It has at most 30 bytes.
func (r Recipe) Changes() []byte {
	r.Colours.Of = nil
	if r.flags() == 0 {
		return nil
	}
	return r.appendChanges([]byte{r.flags()})
}

// Changed is the recipe with the changes that Changes of another one wrote, in the place
// of its own. Errors wrap [ErrRecipe].
func (r Recipe) Changed(changes []byte) (Recipe, error) {
	d := recipeReader{rest: changes}
	r.Colours, r.Frame, r.Sharpness, r.Shadow = Colours{}, Frame{Zoom: ZoomOne}, Unchanged, Unchanged
	if len(changes) == 0 {
		return r, nil
	}
	flags := d.byte()
	if flags == 0 || flags&withColours != 0 {
		return Recipe{}, noRecipe("its changes begin with the flags %#x", flags)
	}
	if err := d.changes(&r, flags, len(changes)); err != nil {
		return Recipe{}, err
	}
	return r, nil
}

func (s Subject) append(b []byte) []byte {
	if s.Latent != "" {
		return append(append(append(b, s.Seed[:]...), byLatent, byte(len(s.Latent))), s.Latent...)
	}
	return append(append(append(b, s.Seed[:]...), byte(len(s.Prompt))), s.Prompt...)
}

// UnmarshalRecipe reads exactly one recipe, and nothing that MarshalBinary would not
// have written. Errors wrap [ErrRecipe] or [ErrPrompt].
func UnmarshalRecipe(b []byte) (Recipe, error) {
	d := recipeReader{rest: b}
	if form := d.byte(); form != recipeForm {
		return Recipe{}, noRecipe("its form is %d, this program reads %d", form, recipeForm)
	}
	r := NewRecipe([32]byte(d.bytes(32)), "", [32]byte{})
	flags, count := d.byte(), int(d.byte())
	if count < 1 || count > MaxSubjects {
		return Recipe{}, noRecipe("it has %d subjects, want 1 to %d", count, MaxSubjects)
	}
	r.Subjects = make([]Subject, count)
	left := uint32(WholeWeight)
	for i := range r.Subjects {
		weight := left
		if i < count-1 {
			weight = uint32(d.uint16())
		}
		r.Subjects[i] = d.subject()
		r.Subjects[i].Weight = weight
		if weight > left { // left can not go below 0
			return Recipe{}, noRecipe("its subjects weigh more than %d", WholeWeight)
		}
		left -= weight
	}
	if err := d.changes(&r, flags, len(b)); err != nil {
		return Recipe{}, err
	}
	return r, nil
}

// changes reads what appendChanges wrote into a recipe of which the rest is known, up to
// the end of all that there was, and validates it.
func (d *recipeReader) changes(r *Recipe, flags byte, all int) error {
	if flags&withColours != 0 {
		of := d.subject()
		r.Colours.Of = &of
	}
	if flags&withTurned != 0 {
		r.Colours.Turned = d.uint16()
	}
	if flags&withHues != 0 {
		n := int(d.byte())
		if n > MaxHues {
			return noRecipe("it gives %d hues, want at most %d", n, MaxHues)
		}
		for range n {
			r.Colours.Hues = append(r.Colours.Hues, d.uint16())
		}
	}
	if flags&withFrame != 0 {
		r.Frame = Frame{Turn: d.uint16(), Zoom: d.uint16(), X: int16(d.uint16()), Y: int16(d.uint16())}
	}
	r.Frame.MirrorX, r.Frame.MirrorY = flags&withMirrorX != 0, flags&withMirrorY != 0
	if flags&withSharpness != 0 {
		r.Sharpness = d.uint16()
	}
	if flags&withShadow != 0 {
		r.Shadow = d.uint16()
	}
	if d.short {
		return noRecipe("it breaks off after %s", plural(all, "byte"))
	}
	if len(d.rest) > 0 {
		return noRecipe("%s follow its end", plural(len(d.rest), "byte"))
	}
	if err := r.Validate(); err != nil {
		return err
	}
	if r.flags() != flags {
		return noRecipe("it lists a change that changes nothing")
	}
	return nil
}

// recipeReader takes from what is left, and zeros once that is too short.
type recipeReader struct {
	rest  []byte
	short bool
}

func (d *recipeReader) bytes(n int) []byte {
	if len(d.rest) < n {
		d.short, d.rest = true, nil
		return make([]byte, n)
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *recipeReader) byte() byte     { return d.bytes(1)[0] }
func (d *recipeReader) uint16() uint16 { return binary.BigEndian.Uint16(d.bytes(2)) }

func (d *recipeReader) subject() Subject {
	seed := [32]byte(d.bytes(32))
	length := int(d.byte())
	if length == byLatent {
		code := latent.Code(d.bytes(int(d.byte())))
		if code == "" { // it would pass for an empty prompt
			d.short = true
		}
		return Subject{Seed: seed, Latent: code}
	}
	return Subject{Seed: seed, Prompt: string(d.bytes(length))}
}

// recipePrefix begins a recipe's text.
const recipePrefix = "recipe1"

// String is the recipe as text to paste: recipe1 and the encoding in base64url
// without padding. A plain one of a prompt of ten bytes has 111 letters.
func (r Recipe) String() string {
	return recipePrefix + base64.RawURLEncoding.EncodeToString(r.encoding())
}

// ParseRecipe reads what String wrote. White space is passed over, as it comes with
// pasting. Errors wrap [ErrRecipe] or [ErrPrompt].
func ParseRecipe(text string) (Recipe, error) {
	joined := strings.Join(strings.Fields(text), "")
	code, ok := strings.CutPrefix(joined, recipePrefix)
	if !ok {
		return Recipe{}, noRecipe("it does not begin with %s", recipePrefix)
	}
	if len(code) > base64.RawURLEncoding.EncodedLen(MaxRecipe) {
		return Recipe{}, noRecipe("it has %d letters, more than any has", len(joined))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return Recipe{}, noRecipe("it is damaged: copy the whole of it")
	}
	return UnmarshalRecipe(b)
}
