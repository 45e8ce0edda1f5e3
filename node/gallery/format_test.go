package gallery

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

func TestAmountsForPeople(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "1": "1", "0.5": "0.50", "0.05": "0.05", "12.345": "12.34", "0.001": "<0.01", "0.000000001": "<0.01", "1.001": "1",
		"999": "999", "1000": "1\u202f000", "1234567.8": "1\u202f234\u202f567.80", "100.10": "100.10",
	} {
		a, err := curve.ParseCredits(text)
		require.NoError(t, err)
		require.Equal(t, want, amount(a), text)
	}
	require.Equal(t, "–", fixed(curve.Amount{}))
	require.Equal(t, "36.00", fixed(curve.Credits(36)))
	require.Equal(t, "1 credit", credits(curve.Credits(1)))
	require.Equal(t, "2 credits", credits(curve.Credits(2)))
	require.Equal(t, "50\u202f%", percent(500_000))
	require.Equal(t, "2.5\u202f%", percent(25_000))
	require.Equal(t, "0.0001\u202f%", percent(1))
	require.Equal(t, "1 block", plural(1, "block"))
	require.Equal(t, "2\u202f000 blocks", plural(uint64(2000), "block"))
	require.Equal(t, "0 boxes", plural(0, "box", "boxes"))
}

func TestProseSetsCommandsAndTrustsNothing(t *testing.T) {
	for text, want := range map[string]string{
		"nothing to do":                  "nothing to do",
		"open it with `atelier <model>`": "open it with <code>atelier &lt;model&gt;</code>",
		"<b>`a` & `b":                    "&lt;b&gt;<code>a</code> &amp; <code>b</code>",
		"":                               "",
	} {
		require.Equal(t, want, string(prose(text)))
	}
}

func TestTheCurveIsDrawnWhereverItIs(t *testing.T) {
	credit := curve.Credits
	for name, s := range map[string]curve.State{
		"straight": {Supply: credit(270), Reserve: credit(700), Ratio: 500_000},
		"flat":     {Supply: credit(100), Reserve: credit(100), Ratio: 1_000_000},
		"steep":    {Supply: credit(100), Reserve: credit(100), Ratio: 100_000},
		"shallow":  {Supply: credit(100), Reserve: credit(1), Ratio: 900_000},
	} {
		p := plotOf(s)
		require.True(t, p.OK, name)
		require.NotContains(t, p.Line+p.Area, "NaN", name)
		require.NotContains(t, p.Line+p.Area, "Inf", name)
		require.Equal(t, "342.0", p.X, "%s: today is in the middle", name)
	}
	require.False(t, plotOf(curve.State{}).OK, "no curve, no plot")
}

func TestOneCreditIsSingular(t *testing.T) {
	for text, a := range map[string]curve.Amount{
		"0 credits": {}, "1 credit": curve.Credits(1), "2 credits": curve.Credits(2), "1 000 credits": curve.Credits(1000), "0.50 credits": curve.NewAmount(500_000_000),
	} {
		require.Equal(t, text, strings.ReplaceAll(strings.ReplaceAll(credits(a), "\u202f", " "), "\u00a0", " "))
	}
}
