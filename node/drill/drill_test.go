package drill

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// quiet is a screen that only a failing test shows.
type quiet struct{ t *testing.T }

func (q quiet) Step(_ int, name, _ string)      { q.t.Log(name) }
func (q quiet) Fact(format string, args ...any) { q.t.Logf(format, args...) }

func TestEachDeathPolicyDoesWhatItPromises(t *testing.T) {
	for policy, want := range map[curation.DeathPolicy][]string{
		curation.Mortal:         {"healthy", "degraded", "halted", "lost", "lost"},
		curation.GuardianPolicy: {"healthy", "degraded", "halted", "lost", "lost", "healthy"},
		curation.WillPolicy:     {"healthy", "degraded", "halted", "lost", "lost", "lost"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			r, err := Run(t.Context(), Options{Policy: policy, Members: 4, Size: 64}, quiet{t})
			require.NoError(t, err)
			var states []string
			for _, s := range r.States {
				states = append(states, string(s.State))
				require.NotEmpty(t, s.Advice)
			}
			require.Equal(t, want, states)
			require.Contains(t, r.Refusal, "the others are lost")
			require.NotEmpty(t, r.Verified)
			require.NotEmpty(t, r.Sold)
			require.Equal(t, 2, r.Layers)
			require.Equal(t, policy == curation.GuardianPolicy, r.Recovered)
			require.Equal(t, policy == curation.WillPolicy, r.Public)
			require.Len(t, r.Pictures, map[bool]int{true: 1, false: 2}[policy == curation.Mortal])
			require.Len(t, r.Editions, 2)
			forged, good := r.Editions[0], r.Editions[1]
			require.Equal(t, "disputed", forged.Status)
			require.NotEqual(t, forged.By, forged.Auditor)
			require.Equal(t, "delivered", good.Status)
			require.NotEqual(t, forged.PixelRoot, good.PixelRoot)
			roots := []string{forged.PixelRoot, good.PixelRoot}
			for _, p := range r.Pictures {
				require.NotContains(t, roots, p.PixelRoot)
				roots = append(roots, p.PixelRoot)
			}
			require.True(t, slices.ContainsFunc(r.States, func(s Seen) bool { return s.Margin < 0 }))
		})
	}
}

func TestADrillOfTooFewIsRefused(t *testing.T) {
	_, err := Run(t.Context(), Options{Policy: curation.Mortal, Members: 3}, quiet{t})
	require.ErrorContains(t, err, "4 to 16 members")
	_, err = Run(t.Context(), Options{Policy: "phoenix", Members: 4}, quiet{t})
	require.ErrorContains(t, err, "no policy is called")
}
