package latent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWordsOfNamesAndPrompts(t *testing.T) {
	for text, want := range map[string][]string{
		"":                           nil,
		"red heart":                  {"red", "heart"},
		"  The RED-heart_2 (of me)!": {"red", "heart"},
		"“Ünïcode”\u00a0süß ÷ 夜、空": {"ünïcode", "süß", "夜", "空"},
		"42 … \u200b": nil,
	} {
		require.Equal(t, want, Words(text), "%q", text)
	}
}

func TestRunsAreWordsSideBySide(t *testing.T) {
	for text, want := range map[string][][]string{
		"polar bear":                {{"polar", "bear"}},
		"a mountain at night":       {{"mountain"}, {"night"}},
		"owl's polar-bear_cub":      {{"owl", "s", "polar", "bear", "cub"}},
		"red rose, halo; two owls!": {{"red", "rose"}, {"halo"}, {"owls"}},
		"of the":                    nil,
	} {
		require.Equal(t, want, Runs(text), text)
	}
}
