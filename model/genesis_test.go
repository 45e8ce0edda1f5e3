package model

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/cpu"

	"github.com/atelier-dao/atelier/model/internal/train"
)

// The genesis artist can be made again byte for byte only while each operation of
// training keeps its order and its rounding. The hash is that of the weights after
// four steps as the engine took them that made the artist.
func TestTrainingKeepsTheBitsThatMadeTheGenesisArtist(t *testing.T) {
	var x, y, z float32 = 1 + 1./4096, 1 + 1./4096, -1
	if runtime.GOARCH != "amd64" || !cpu.X86.HasAVX2 || !cpu.X86.HasFMA || x*y+z != float32(x*y)+z {
		t.Skip("these bits are those of amd64 with AVX2 and FMA in assembly, and of no fused multiply-add elsewhere")
	}
	set, err := (&folder{fs: embeddedPictures(), colours: genesisShape.Colours}).read(context.Background())
	require.NoError(t, err)
	shape, features := genesisShape, train.Features(set.pictures)
	shape.Features = len(features)
	w, err := train.Run(context.Background(), shape, shape.Initial(rand.New(rand.NewPCG(1, 2))), features, set.pictures, train.Options{
		Steps: 4, Seed: sha256.Sum256([]byte("x")), Workers: 2, Rate: 3e-3, Noise: .08, Groups: groups, Points: points,
	})
	require.NoError(t, err)
	h := sha256.New()
	for _, slot := range shape.Slots() {
		for _, v := range w[slot.Name].Data {
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
	}
	require.Equal(t, "a764d839b69b32d9", hex.EncodeToString(h.Sum(nil)[:8]))
}
