package health

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

func TestANetworkIsLostWhenItsMembersAndGuardiansSaySo(t *testing.T) {
	pending, open := &curation.Recovery{Due: 9}, &curation.Recovery{Until: 9}
	for _, c := range []struct {
		name string
		lost []uint32
		e    curation.Estate
		want bool
	}{
		{"nobody misses a share", nil, curation.Estate{}, false},
		{"one of four is missing", []uint32{1}, curation.Estate{}, false},
		{"two of four are missing", []uint32{1, 2}, curation.Estate{}, true},
		{"a vote of guardians is open", nil, curation.Estate{Recovery: open}, false},
		{"it is pending", nil, curation.Estate{Recovery: pending}, true},
		{"a share of a will is public", nil, curation.Estate{Will: &curation.Will{}}, false},
		{"the key is public", nil, curation.Estate{Will: &curation.Will{Height: 9}}, true},
	} {
		require.Equal(t, c.want, lost(&curation.Committee{Proven: 4, Threshold: 3, Lost: c.lost}, c.e), c.name)
	}
	require.False(t, lost(nil, curation.Estate{}), "no keys are made yet")
}

func TestEveryStateSaysWhatToDoNext(t *testing.T) {
	for _, s := range []State{MakingKeys, Healthy, Degraded, Halted} {
		require.NotEmpty(t, s.Advice(curation.Estate{}), s)
	}
	require.NotContains(t, Halted.Advice(curation.Estate{}), "guardian")
	rules := func(p curation.DeathPolicy) curation.Estate {
		return curation.Estate{Rules: curation.Succession{Policy: p, Threshold: 2, SilentBlocks: 50}, Sharing: &curation.Sharing{}, Life: 7}
	}
	unshared := curation.Estate{Rules: curation.Succession{Policy: curation.GuardianPolicy}}
	require.Contains(t, Healthy.Advice(unshared), "atelier guardian tend", "a network whose guardians hold nothing")
	require.Contains(t, Healthy.Advice(rules(curation.GuardianPolicy)), "nothing to do")
	for says, e := range map[string]curation.Estate{
		"no more pictures":         {},
		"atelier guardian recover": rules(curation.GuardianPolicy),
		"after height 57":          rules(curation.WillPolicy),
		"from height 9 on":         {Recovery: &curation.Recovery{Due: 9}},
		"atelier model open":       {Will: &curation.Will{Height: 9}},
	} {
		require.Contains(t, Lost.Advice(e), says)
	}
	require.Contains(t, Halted.Advice(rules(curation.WillPolicy)), "2 guardians can hand the artist to a member with `atelier guardian entrust`")
}
