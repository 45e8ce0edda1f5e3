package health

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Nobody is told to vote for what a liar sealed first, nor for a key epoch 0.
func TestWhatThereIsToVoteOn(t *testing.T) {
	require.Contains(t, voting([]uint64{3}), "`atelier model adopt 3`")
	two := voting([]uint64{2, 3})
	require.Contains(t, two, "key epochs 2, 3")
	require.NotContains(t, two, "adopt 2")
	require.NotContains(t, voting(nil), "adopt")
}
