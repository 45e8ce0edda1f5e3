package model

import (
	"math"
	"strings"

	"github.com/atelier-dao/atelier/model/internal/train"
)

// unitOf is what one stored unit of a tensor is worth in training: phases are
// stored in turns and trained in radians.
func unitOf(tensor string) float64 {
	if strings.HasPrefix(tensor, "layer.") && !strings.HasSuffix(tensor, ".scale") {
		return 2 * math.Pi
	}
	return 1
}

// isPhase reports a tensor of which whole turns may be dropped.
func isPhase(tensor string) bool {
	return strings.HasPrefix(tensor, "layer.") && strings.HasSuffix(tensor, ".b")
}

// kindOf is the prefix of a feature that is no word of a prompt.
func kindOf(feature string) string {
	for _, p := range []string{train.MotifPrefix, train.PaperPrefix, train.PicturePrefix} {
		if strings.HasPrefix(feature, p) {
			return p
		}
	}
	return ""
}
