package node

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/founding"
)

func TestAMemberBelievesAsManyAsCouldRemoveIt(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	nora := s.Admit("Nora") // she has no share yet
	var now uint64
	s.Read(func(v curation.View) { now = v.Height() })
	for name, c := range map[string]struct {
		says   map[uint32]uint64
		beyond uint64
		enough bool
	}{
		"nobody":                        {nil, 0, false},
		"three of four":                 {map[uint32]uint64{1: now + 9, 2: now + 5, 3: now + 7}, 0, true},
		"two":                           {map[uint32]uint64{1: now + 9, 2: now + 5}, 0, false},
		"two, and itself":               {map[uint32]uint64{1: now + 9, 2: now + 5, 4: now + 7}, 0, false},
		"two, and one without a share":  {map[uint32]uint64{1: now + 9, 2: now + 5, nora: now + 7}, 0, false},
		"two, and somebody else":        {map[uint32]uint64{1: now + 9, 2: now + 5, 0: now + 7, 77: now + 7}, 0, false},
		"three, one of whom is behind":  {map[uint32]uint64{1: now + 9, 2: now + 5, 3: now}, 0, false},
		"three who know less than we":   {map[uint32]uint64{1: now - 1, 2: now - 2, 3: now - 1}, 0, false},
		"three from before it was back": {map[uint32]uint64{1: now + 9, 2: now + 5, 3: now + 7}, now + 9, false},
		"three from after it was back":  {map[uint32]uint64{1: now + 9, 2: now + 5, 3: now + 7}, now + 4, true},
	} {
		s.Read(func(v curation.View) {
			d, enough := departure(v, apitest.Address("Member 4"), c.says, c.beyond)
			require.Equal(t, c.enough, enough, name)
			if enough {
				require.Equal(t, founding.Departure{Height: now + 5, Members: []uint32{1, 2, 3}}, d, name)
			}
		})
	}
	small := apitest.Open(t, 3, nil)
	small.Read(func(v curation.View) {
		_, enough := departure(v, apitest.Address("Member 3"), map[uint32]uint64{1: 1 << 40, 2: 1 << 40}, 0)
		require.False(t, enough, "two of three could not remove the third")
	})
}
