package latent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/latent"
)

func small(t testing.TB) *latent.Vocabulary {
	v, err := latent.NewVocabulary([]string{"owl", "cat", "red", "blue", latent.MotifPrefix + "halo", latent.PaperPrefix + "navy", latent.PaperPrefix + "cream"}, 3)
	require.NoError(t, err)
	return v
}

func TestACodeIsTheLatentInRows(t *testing.T) {
	v := small(t)
	l := latent.Latent{Things: []latent.Part{{Word: "owl", Weight: 256}, {Word: "cat", Weight: 128}}, Dyes: []latent.Part{{Word: "blue", Weight: 256}}, Motif: "halo", Noise: latent.Noise{-1, 0, 5}}
	c, err := v.Encode(l)
	require.NoError(t, err)
	require.Equal(t, "\x21"+"\x00\x00\x01\x00"+"\x00\x01\x00\x80"+"\x00\x03\x01\x00"+"\x00\x04"+"\xff\xff"+"\xff\x00\x05", string(c))
	require.True(t, c.Valid())
	again, err := v.Decode(c)
	require.NoError(t, err)
	require.Equal(t, l, again)

	_, err = v.Encode(latent.Latent{Things: l.Things, Motif: "halo"})
	require.ErrorIs(t, err, latent.ErrLatent, "without noise")
	for name, c := range map[string]latent.Code{
		"nothing":                    "",
		"no thing":                   "\x00\x00\x04\xff\xff\x00\x00\x00",
		"too many things":            "\x51\x00\x00\x01\x00",
		"it breaks off":              c[:12],
		"too little noise":           c[:len(c)-1],
		"too much noise":             c + "\x00",
		"a row that there is not":    "\x10\x01\x00\x01\x00\x00\x04\xff\xff\x00\x00\x00",
		"a dye for a thing":          "\x10\x00\x02\x01\x00\x00\x04\xff\xff\x00\x00\x00",
		"a paper for a motif":        "\x10\x00\x00\x01\x00\x00\x05\xff\xff\x00\x00\x00",
		"a word for a paper":         "\x10\x00\x00\x01\x00\x00\x04\x00\x00\x00\x00\x00",
		"a thing that weighs nought": "\x10\x00\x00\x00\x00\x00\x04\xff\xff\x00\x00\x00",
	} {
		_, err := v.Decode(c)
		require.ErrorIs(t, err, latent.ErrLatent, name)
	}
}

func FuzzDecode(f *testing.F) {
	v := small(f)
	f.Add([]byte("\x10\x00\x00\x01\x00\x00\x04\xff\xff\x00\x00\x00"))
	f.Add([]byte("\x11\x00\x00\x01\x00\x00\x02\x01\x00\x00\x04\x00\x05\x01\x02\x03"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := v.Decode(latent.Code(b))
		if err != nil {
			require.ErrorIs(t, err, latent.ErrLatent)
			return
		}
		require.NoError(t, v.Check(l))
		c, err := v.Encode(l)
		require.NoError(t, err)
		require.Equal(t, string(b), string(c))
		require.True(t, c.Valid())
	})
}
