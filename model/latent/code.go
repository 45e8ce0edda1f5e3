package latent

import (
	"encoding/binary"
	"slices"
)

// A Code is a latent in the rows of a vocabulary, as short as a recipe needs it: bytes,
// not text. Without the vocabulary it says nothing.
//
//	1 byte   number of things × 16 + number of dyes
//	4 bytes  each: row, weight
//	2 bytes  row of the motif, 0xffff without one
//	2 bytes  row of the paper, 0xffff without one
//	1 byte   each number of noise
//
// Numbers have the highest byte first.
type Code string

// MaxCode is the longest code, in bytes.
const MaxCode = 1 + 4*(MaxThings+MaxDyes) + 4 + MaxNoise

const noRow = 0xffff

// Encode is the code of a latent. Errors are those of [Vocabulary.Check].
func (v *Vocabulary) Encode(l Latent) (Code, error) {
	if err := v.Check(l); err != nil {
		return "", err
	}
	b := []byte{byte(len(l.Things)<<4 | len(l.Dyes))}
	for _, p := range slices.Concat(l.Things, l.Dyes) {
		b = binary.BigEndian.AppendUint16(b, uint16(v.index[p.Word]))
		b = binary.BigEndian.AppendUint16(b, uint16(p.Weight))
	}
	for _, ground := range []string{MotifPrefix + l.Motif, PaperPrefix + l.Paper} {
		row, ok := v.index[ground]
		if !ok {
			row = noRow
		}
		b = binary.BigEndian.AppendUint16(b, uint16(row))
	}
	for _, n := range l.Noise {
		b = append(b, byte(n))
	}
	return Code(b), nil
}

// Decode reads what Encode wrote, and nothing else. Errors wrap [ErrLatent].
func (v *Vocabulary) Decode(c Code) (Latent, error) {
	parts, ok := c.parts()
	if !ok {
		return Latent{}, ErrLatent
	}
	var l Latent
	rest := []byte(c[1:])
	next := func() uint16 {
		n := binary.BigEndian.Uint16(rest)
		rest = rest[2:]
		return n
	}
	name := func(row uint16) string {
		if int(row) >= len(v.features) {
			return "" // no word of any vocabulary
		}
		return Canonical(v.features[row])
	}
	for i := range parts {
		p := Part{Word: name(next()), Weight: int(next())}
		if i < int(c[0]>>4) {
			l.Things = append(l.Things, p)
		} else {
			l.Dyes = append(l.Dyes, p)
		}
	}
	grounds := [2]string{}
	for i, prefix := range []string{MotifPrefix, PaperPrefix} {
		row := next()
		if row == noRow {
			continue
		}
		feature := name(row)
		if kindOf(feature) != prefix {
			return Latent{}, ErrLatent
		}
		grounds[i] = feature[len(prefix):]
	}
	l.Motif, l.Paper = grounds[0], grounds[1]
	for _, n := range rest {
		l.Noise = append(l.Noise, int8(n))
	}
	if again, err := v.Encode(l); err != nil || again != c {
		return Latent{}, ErrLatent
	}
	return l, nil
}

// parts is how many things and dyes a code has; false when it is none of any vocabulary.
func (c Code) parts() (n int, ok bool) {
	if len(c) == 0 || len(c) > MaxCode {
		return 0, false
	}
	things, dyes := int(c[0]>>4), int(c[0]&15)
	return things + dyes, things >= 1 && things <= MaxThings && dyes <= MaxDyes && len(c) > 1+4*(things+dyes)+4
}

// Valid says whether the code could be one of some vocabulary.
func (c Code) Valid() bool {
	_, ok := c.parts()
	return ok
}
