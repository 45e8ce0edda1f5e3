package model

import (
	"math"
	"strings"
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
