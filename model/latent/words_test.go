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
