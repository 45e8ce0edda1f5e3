package model

import (
	"encoding/hex"

	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

// ONNX writes the artist as one ONNX file: a float network from words, noise and
// a view to the colours of places, with the vocabulary in its metadata. Package
// onnx says what it looks like.
func (a *Artist) ONNX() ([]byte, error) {
	c, id := a.config, a.ID()
	return onnx.Artist{
		Shape: c.shape(a.vocabulary.Size()), Weights: a.floats(), Vocabulary: a.vocabulary.Features(),
		Sharpness: float64(c.Sharpness) / kernel.SharpnessOne,
		Depth:     float64(c.ShadowDepth) / kernel.LabOne,
		Width:     float64(c.ShadowWidth) / kernel.LogitOne,
		Metadata:  [][2]string{{"artist", c.Name}, {"id", hex.EncodeToString(id[:])}, {"licence", c.Licence}},
	}.File()
}
