package health

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheStateFollowsFromTheSharesAtHand(t *testing.T) {
	for _, c := range []struct {
		name                          string
		keys                          bool
		members, threshold, reachable int
		want                          State
	}{
		{"before the ceremony has ended", false, 4, 3, 0, MakingKeys},
		{"a network of one", true, 1, 1, 1, Healthy},
		{"all of four", true, 4, 3, 4, Healthy},
		{"three of four: nobody else may go", true, 4, 3, 3, Degraded},
		{"two of four", true, 4, 3, 2, Halted},
		{"one of seven is away: one more may go", true, 7, 5, 6, Healthy},
		{"two of seven are away", true, 7, 5, 5, Degraded},
		{"one of ten is away: half of three is more than one", true, 10, 7, 9, Healthy},
		{"two of ten are away", true, 10, 7, 8, Degraded},
		{"half of the spare of 128 is left", true, 128, 86, 107, Healthy},
		{"less than half of it", true, 128, 86, 106, Degraded},
		{"fewer than needed", true, 128, 86, 85, Halted},
	} {
		require.Equal(t, c.want, stateOf(c.keys, c.members, c.threshold, c.reachable), c.name)
	}
}
