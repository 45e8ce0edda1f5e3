package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/health"
)

func TestNodeStatusSaysWhatGivesTheMemberAShare(t *testing.T) {
	made, making := api.Shares{State: health.Healthy}, api.Shares{State: health.MakingKeys}
	for want, n := range map[string]api.Node{
		"held":                                {HasShare: true, Shares: made, Standing: "active"},
		"not yet: the members are making":     {Shares: making, CatchingUp: true, Standing: "active"},
		"not yet: it follows from the ledger": {Shares: made, CatchingUp: true, Standing: "active"},
		"atelier committee handover":          {Shares: made, Standing: "active"},
		"not yet":                             {Shares: made, Standing: "joining"},
		"none any more":                       {Shares: made, Standing: "left"},
	} {
		require.Contains(t, shareText(n), want)
	}
}
