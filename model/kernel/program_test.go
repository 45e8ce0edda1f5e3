package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"
)

// stream is the test programs' chance: SHA-256 in counter mode over a seed.
type stream struct {
	seed  string
	count uint64
	rest  []byte
}

func (s *stream) u32() uint32 {
	if len(s.rest) < 4 {
		sum := sha256.Sum256([]byte(s.seed + "/" + strconv.FormatUint(s.count, 10)))
		s.count++
		s.rest = sum[:]
	}
	v := binary.BigEndian.Uint32(s.rest)
	s.rest = s.rest[4:]
	return v
}

// spread is a whole number in ±scale, uniformly, in integers so that vectors do
// not depend on how a language converts floats.
func (s *stream) spread(scale int64) int64 {
	return int64(int32(s.u32())) * scale >> 31
}

// drawn is a random program of the given shape, in the manner of a trained one.
func drawn(seed string, hidden, layers, colours int) *Program {
	s := &stream{seed: seed}
	p := &Program{Hidden: hidden, Layers: layers, Colours: colours, Sharpness: 12 * SharpnessOne, View: Identity()}
	for range hidden {
		p.PhaseX = append(p.PhaseX, int32(s.spread(SlopeOne*2/5)))
		p.PhaseY = append(p.PhaseY, int32(s.spread(SlopeOne*2/5)))
		p.PhaseC = append(p.PhaseC, int32(s.u32()))
	}
	root := int64(math.Sqrt(float64(hidden) * 65536)) // √H · 2⁸, exact for any rounding mode
	for range layers - 1 {
		w, b := make([]int16, hidden*hidden), make([]int32, hidden)
		for i := range w {
			w[i] = int16(s.spread(WeightOne * 256 * 5 / 10 / root))
		}
		for j := range b {
			b[j] = int32(s.spread(BiasOne / 2))
		}
		p.Weights, p.Biases = append(p.Weights, w), append(p.Biases, b)
	}
	for range colours * hidden {
		p.Head = append(p.Head, int16(s.spread(HeadOne*256*4/root)))
	}
	for c := range colours {
		p.HeadBias = append(p.HeadBias, int32(s.spread(LogitOne/2)))
		p.Palette = append(p.Palette, Lab{
			L: int32(LabOne/5 + int64(c)*LabOne*7/10/int64(colours) + s.spread(LabOne/24)),
			A: int32(s.spread(LabOne / 7)),
			B: int32(s.spread(LabOne / 7)),
		})
	}
	return p
}
