package curation

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

func picture(size uint64) Edition { return Edition{Of: []Hash{{1}}, Size: size} }

func film(size, frames, length uint64) Edition {
	return Edition{Of: []Hash{{1}, {2}}, Size: size, Frames: frames, Length: length}
}

func TestAnEditionHasBoundsThatNoNetworkWidens(t *testing.T) {
	for name, e := range map[string]Edition{
		"the smallest picture":             picture(1),
		"the largest picture":              picture(MaxEditionSide),
		"the longest changes":              {Of: []Hash{{1}}, Size: 8, Changes: bytes.Repeat([]byte{1}, MaxChanges)},
		"two frames":                       film(1, 2, 2*MinPause),
		"the largest film":                 film(MaxFilmSide, MaxFrames, MaxPause*MaxFrames),
		"other colours":                    {Of: []Hash{{1}}, Size: 8, Colours: &Hash{2}},
		"the longest film":                 {Of: []Hash{{1}, {2}}, Size: MaxFilmSide, Frames: MaxFrames, Length: MaxPause * MaxFrames, Changes: bytes.Repeat([]byte{1}, MaxChanges), Colours: &Hash{3}},
		"a film in the colours of its end": {Of: []Hash{{1}, {2}}, Size: 8, Frames: 9, Length: 900, Colours: &Hash{2}},
		"a film there, not back":           {Of: []Hash{{1}, {2}}, Size: 8, Frames: 9, Length: 900, Once: true},
	} {
		require.NoError(t, e.Validate(), name)
		body := Body{Nonce: 1 << 63, ValidUntil: 1 << 63, Payload: e}.Bytes()
		require.Less(t, len(body), 300, "%s: a receipt holds it", name)
		again, err := DecodeBody(body)
		require.NoError(t, err, name)
		require.Equal(t, body, again.Bytes(), name)
	}
	for name, e := range map[string]Edition{
		"of nothing":                 {Size: 8},
		"of three":                   {Of: []Hash{{1}, {2}, {3}}, Size: 8, Frames: 3, Length: 100},
		"no pixels":                  picture(0),
		"a picture too large":        picture(MaxEditionSide + 1),
		"a size that wraps around":   picture(1 << 32),
		"a picture with frames":      {Of: []Hash{{1}}, Size: 8, Frames: 2},
		"a picture with a length":    {Of: []Hash{{1}}, Size: 8, Length: 2},
		"a picture without way back": {Of: []Hash{{1}}, Size: 8, Once: true},
		"its own colours":            {Of: []Hash{{1}}, Size: 8, Colours: &Hash{1}},
		"changes too long":           {Of: []Hash{{1}}, Size: 8, Changes: make([]byte, MaxChanges+1)},
		"a film to itself":           {Of: []Hash{{1}, {1}}, Size: 8, Frames: 2, Length: 100},
		"a film of one frame":        film(8, 1, 100),
		"too many frames":            film(8, MaxFrames+1, 100_000),
		"frames that wrap around":    film(8, 1<<63, 100_000),
		"a film too fast":            film(8, 10, 10*MinPause-1),
		"a film too slow":            film(8, 10, 10*MaxPause+1),
		"a film too large":           film(MaxFilmSide+1, 2, 100),
	} {
		require.Error(t, e.Validate(), name)
		_, err := DecodeBody(Body{Payload: e}.Bytes())
		require.Error(t, err, name)
	}
}

func TestAnEditionCostsEachMillionPixelsThatIsBegun(t *testing.T) {
	p := DefaultParams()
	p.Fees.Edition = curve.Credits(1)
	for _, c := range []struct {
		e    Edition
		want uint64
	}{
		{picture(1), 1}, {picture(1000), 1}, {picture(1001), 2}, {picture(8192), 68}, {picture(MaxEditionSide), 269},
		{film(512, 100, 4000), 27}, {film(MaxFilmSide, MaxFrames, 40_000), 33_555},
	} {
		require.Equal(t, curve.Credits(c.want), p.Price(c.e), "%d pixels", c.e.Pixels())
	}
	require.Equal(t, p.FeeFor(KindRequest, 100, true), p.FeeFor(KindEdition, 100, true), "members pay it too")
}

func TestANetworkThatMakesNoEditionsSaysSo(t *testing.T) {
	w := ready(t)
	rid := w.candidate("alice", "one")
	for i := range w.replicas {
		w.replicas[i].genesis.Params.MaxEditionPixels = 0
	}
	r := w.act("alice", Edition{ModelID: w.modelID(), Of: []Hash{rid}, Size: 8})
	require.Equal(t, CodeLimit, r.Code)
	require.Contains(t, r.Log, "this network makes no editions")
}

func TestWhoCannotPayForAnEditionLocksNothing(t *testing.T) {
	w := ready(t)
	rid := w.candidate("alice", "one")
	w.must("alice", Send{To: addressOf("bob"), Amount: curve.Credits(799)})
	before := view(w, func(v View) Account { return v.Account(addressOf("alice")) })
	r := w.act("alice", Edition{ModelID: w.modelID(), Of: []Hash{rid}, Size: 2000})
	require.Equal(t, CodeFunds, r.Code)
	require.Contains(t, r.Log, "the deposit, price and fee need 101.4 credits")
	after := view(w, func(v View) Account { return v.Account(addressOf("alice")) })
	require.Equal(t, before.Locked, after.Locked)
	require.Empty(t, view(w, func(v View) []Artwork { return v.Editions(rid, 10) }))
}

func TestEditionsAreListedNewestFirst(t *testing.T) {
	w := ready(t)
	rid := w.candidate("alice", "one")
	var want []Hash
	for _, size := range []uint64{30, 10, 20} {
		r := w.must("alice", Edition{ModelID: w.modelID(), Of: []Hash{rid}, Size: size})
		of, err := ParseHash(r.Events[0].Get("rid"))
		require.NoError(t, err)
		want = append([]Hash{of}, want...)
	}
	for limit := range 5 {
		var have []Hash
		for _, a := range view(w, func(v View) []Artwork { return v.Editions(rid, limit) }) {
			have = append(have, a.RID)
		}
		require.Equal(t, want[:min(limit, 3)], append([]Hash{}, have...))
	}
}
