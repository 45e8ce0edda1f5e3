package curation

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/seal"
)

// rotation is what a rotator would send now: whatever the rotation asks for.
func (w *world) rotation() Rotate {
	r := view(w, func(v View) Rotation { r, _ := v.Rotation(); return r })
	m := view(w, func(v View) Model { m, _ := v.Model(); return m })
	p := Rotate{Base: m.KeyEpoch, KeyEpoch: view(w, View.NextKeyEpoch), ContainerSize: m.ContainerSize + 200}
	label := LayerLabel(w.chain, m.ID, p.KeyEpoch, m.PolicyHash, w.committee().X(), m.Label, m.U)
	if r.Fresh {
		p.Base, label = 0, ModelLabel(w.chain, m.ID, p.KeyEpoch, m.PolicyHash, w.committee().X())
	}
	container := fmt.Appendf(nil, "container of key epoch %d", p.KeyEpoch)
	p.ContainerCID, p.ContainerHash = cidOf(container), sha256.Sum256(container)
	ct, err := seal.Encrypt(w.chance, w.committee().X(), label, []byte("a file key of 16"))
	require.NoError(w.t, err)
	p.Ciphertext = ct.Bytes()
	return p
}

func (w *world) model() Model { return view(w, func(v View) Model { m, _ := v.Model(); return m }) }

func (w *world) modelAt(keyEpoch uint64) Model {
	return view(w, func(v View) Model { m, _ := v.ModelAt(keyEpoch); return m })
}

func (w *world) turns() []uint32 {
	return view(w, func(v View) []uint32 { r, _ := v.Rotation(); return r.Turns(v.SeatsAt(w.committee().Epoch())) })
}

// picture makes one, for which members bring what prekeys they need.
func (w *world) picture() Hash {
	var txs [][]byte
	for _, m := range view(w, View.Members) {
		if m.Seated() && m.Prekeys() == 0 {
			name := memberName(m.Index)
			txs = append(txs, w.sign(name, w.nonce(name), w.refill(m.Index, 8)))
		}
	}
	if len(txs) > 0 {
		w.block(txs...)
	}
	return w.candidate("alice", "a picture")
}

// untilDue makes a picture if none was approved, and waits for the rotation.
func (w *world) untilDue() {
	w.t.Helper()
	for range 3 * testParams().KeyEpochBlocks {
		if r, due := view2(w, View.Rotation); due && r.KeyEpoch == 0 {
			return
		}
		if m := w.model(); m.Standing == ModelTrial || m.Approved == 0 {
			w.picture()
		} else {
			w.block()
		}
	}
	require.Fail(w.t, "no rotation is due")
}

func view2[A, B any](w *world, read func(View) (A, B)) (a A, b B) {
	require.NoError(w.t, w.replicas[0].View(func(v View) error { a, b = read(v); return nil }))
	return a, b
}

// store has as many members tell that they have a proposed container as it takes.
func (w *world) store() {
	w.t.Helper()
	for _, m := range view(w, View.Members) {
		p, ok := view2(w, View.Proposed)
		if !ok {
			return
		}
		if m.Seated() && !slices.Contains(p.Stored, m.Index) {
			w.must(memberName(m.Index), Stored{KeyEpoch: p.KeyEpoch})
		}
	}
}

// rotated goes all the way to the next key epoch, and proves it.
func (w *world) rotated() Model {
	w.t.Helper()
	w.untilDue()
	w.must(memberName(w.turns()[0]), w.rotation())
	w.store()
	require.Equal(w.t, ModelTrial, w.model().Standing)
	for range 4 {
		if w.model().Standing == ModelTrial {
			w.picture()
		}
	}
	require.Equal(w.t, ModelProven, w.model().Standing)
	return w.model()
}

func TestLayersLieOnEachOtherUntilTheArtistIsSealedAnew(t *testing.T) {
	w := ready(t)
	first := w.model()
	for layers := 2; layers <= MaxLayers; layers++ {
		m := w.rotated()
		require.Equal(t, layers, m.Layers)
		require.Equal(t, first.ID, m.ID, "the artist stays the same")
		chain := view(w, func(v View) []Model { return v.Layers(m.KeyEpoch) })
		require.Len(t, chain, layers)
		require.Equal(t, m, chain[0])
		require.Equal(t, first.Label, chain[layers-1].Label)
		for i, at := range chain[:layers-1] {
			require.Equal(t, chain[i+1].KeyEpoch, at.Base)
			require.Equal(t, LayerLabel(w.chain, at.ID, at.KeyEpoch, at.PolicyHash, w.committee().X(), chain[i+1].Label, chain[i+1].U), at.Label)
			require.Equal(t, ModelRetired, chain[i+1].Standing)
		}
	}
	w.untilDue()
	r, _ := view2(w, View.Rotation)
	require.True(t, r.Fresh)
	require.Equal(t, w.model().Openers, r.Order, "those who have opened it")
	p := w.rotation()
	layer := p
	layer.Base = w.model().KeyEpoch
	refused := w.act(memberName(r.Order[0]), layer)
	require.Equal(t, CodeWrongPhase, refused.Code)
	require.Contains(t, refused.Log, "sealed from scratch")
	for m := range uint32(4) {
		if !slices.Contains(r.Order, m+1) {
			require.Equal(t, CodeNotMember, w.act(memberName(m+1), w.rotation()).Code, "it would learn the artist")
		}
	}
	w.must(memberName(r.Order[0]), w.rotation())
	w.store()
	m := w.model()
	require.Equal(t, 1, m.Layers)
	require.Zero(t, m.Base)
	require.Equal(t, first.PlainHash, m.PlainHash)
	require.Equal(t, uint64(MaxLayers), m.Before)
	require.Len(t, view(w, func(v View) []Model { return v.Layers(m.KeyEpoch) }), 1)
	w.rotated()
	require.Equal(t, 2, w.model().Layers, "it goes on from there")
}

func TestARotationIsRefusedUnlessItIsWhatIsAskedFor(t *testing.T) {
	w := ready(t)
	p := w.rotation()
	r := w.act("m1", p)
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "key epoch 1 is on trial")
	w.wait(int(2 * testParams().KeyEpochBlocks))
	_, due := view2(w, View.Rotation)
	require.False(t, due, "nothing was released: there is nothing to rotate for")
	w.untilDue()
	rotator := memberName(w.turns()[0])
	require.Equal(t, CodeNotMember, w.act("alice", w.rotation()).Code)
	for name, c := range map[string]struct {
		change func(*Rotate)
		code   Code
	}{
		"another base":                     {func(p *Rotate) { p.Base++ }, CodeWrongPhase},
		"from scratch":                     {func(p *Rotate) { p.Base = 0 }, CodeWrongPhase},
		"a number that is taken":           {func(p *Rotate) { p.KeyEpoch-- }, CodeWrongPhase},
		"a number that is left out":        {func(p *Rotate) { p.KeyEpoch++ }, CodeWrongPhase},
		"the container that there is":      {func(p *Rotate) { p.ContainerCID = w.model().ContainerCID }, CodeDuplicate},
		"no ciphertext":                    {func(p *Rotate) { p.Ciphertext = p.Ciphertext[:40] }, CodeMalformed},
		"a proof that does not hold":       {func(p *Rotate) { p.Ciphertext[100] ^= 1 }, CodeProof},
		"the ciphertext of what is inside": {func(p *Rotate) { p.Ciphertext = w.model().Ciphertext }, CodeProof},
		"a ciphertext without the chain": {func(p *Rotate) {
			m := w.model()
			ct, err := seal.Encrypt(w.chance, w.committee().X(), ModelLabel(w.chain, m.ID, p.KeyEpoch, m.PolicyHash, w.committee().X()), []byte("a file key of 16"))
			require.NoError(t, err)
			p.Ciphertext = ct.Bytes()
		}, CodeProof},
	} {
		p := w.rotation()
		c.change(&p)
		before := view(w, View.NextKeyEpoch)
		r := w.act(rotator, p)
		require.Equal(t, c.code, r.Code, "%s: %s", name, r.Log)
		require.Equal(t, before, view(w, View.NextKeyEpoch), name)
	}
	require.Equal(t, CodeUnknown, w.act("m1", Stored{KeyEpoch: 2}).Code)
	w.must(rotator, w.rotation())
	require.Equal(t, CodeDuplicate, w.act(rotator, w.rotation()).Code)
	require.Equal(t, CodeDuplicate, w.act(rotator, Stored{KeyEpoch: 2}).Code, "whoever made it has it")
	require.Equal(t, CodeNotMember, w.act("alice", Stored{KeyEpoch: 2}).Code)
	w.store()
	require.Equal(t, CodeDuplicate, w.act("m1", Stored{KeyEpoch: 2}).Code)
	require.Equal(t, CodeDuplicate, w.act(rotator, w.rotation()).Code, "it is on trial")
}

func TestTheDrawPrefersThoseWhoHaveNotOpenedTheArtist(t *testing.T) {
	w := ready(t)
	w.picture()
	w.untilDue()
	opened := w.model().Openers
	require.Len(t, opened, 2)
	order := w.turns()
	require.Len(t, order, 4)
	for _, m := range order[:2] {
		require.NotContains(t, opened, m)
	}
}

func TestOldAndNewContainersAreKeptAsLongAsSomebodyNeedsThem(t *testing.T) {
	w := ready(t)
	keeps := func() (epochs []uint64) {
		for _, m := range view(w, View.Keep) {
			epochs = append(epochs, m.KeyEpoch)
		}
		return epochs
	}
	require.Equal(t, []uint64{1}, keeps())
	w.untilDue()
	w.must(memberName(w.turns()[0]), w.rotation())
	require.Equal(t, []uint64{1, 2}, keeps(), "proposed")
	open := w.requested("bob", "asked under the first key")
	require.Equal(t, uint64(1), w.artwork(open).KeyEpoch)
	w.store()
	require.Equal(t, []uint64{1, 2}, keeps(), "on trial")
	w.picture()
	require.Equal(t, ModelProven, w.model().Standing)
	require.Equal(t, []uint64{1, 2}, keeps(), "a request needs it")
	w.must("m1", w.certificateFor(open, 1, 2, 3))
	a := w.artwork(open)
	w.must(memberName(a.Order[0]), Register{RID: open, CID: folder(open), PixelRoot: pixels(open)})
	w.must(memberName(a.Order[1]), Attest{RID: open, PixelRoot: pixels(open)})
	require.Equal(t, []uint64{2}, keeps())
}

func TestWhoMakesABadLayerIsNotDrawnAgainUntilNobodyElseIsLeft(t *testing.T) {
	w := ready(t)
	w.untilDue()
	first := w.turns()
	for left := 4; left > 0; left-- {
		turns := w.turns()
		require.Equal(t, first[4-left:], turns, "the others keep their order")
		w.must(memberName(turns[0]), w.rotation())
		for _, ok := view2(w, View.Proposed); ok; _, ok = view2(w, View.Proposed) {
			w.block() // nobody stores it
		}
		require.Equal(t, uint64(1), w.model().KeyEpoch)
	}
	require.Equal(t, first, w.turns(), "all may again")
	require.Equal(t, uint64(6), view(w, View.NextKeyEpoch))
	for e := uint64(2); e < 6; e++ {
		m := w.modelAt(e)
		require.Equal(t, ModelDiscarded, m.Standing)
		require.Equal(t, "too few members have stored it", m.Reason)
		require.Empty(t, m.Ciphertext)
		require.Nil(t, view(w, func(v View) []Model { return v.Layers(e) }))
	}
	require.Equal(t, 2, w.rotated().Layers)
}

// approvedOnly asks for a picture that nobody makes.
func (w *world) approvedOnly(wait int) Hash {
	rid := w.requested("bob", "nobody makes this")
	w.wait(wait)
	w.must("m1", w.certificateFor(rid, 1, 2, 3))
	return rid
}

func TestALayerThatDoesNotOpenIsRolledBack(t *testing.T) {
	w := ready(t)
	w.untilDue()
	turns := w.turns()
	w.must(memberName(turns[0]), w.rotation())
	w.store()
	require.Equal(t, uint64(2), w.model().KeyEpoch)
	late := w.approvedOnly(int(testParams().RequestBlocks)/2 + 1)
	for w.artwork(late).Status != StatusExpired {
		w.block()
	}
	require.Equal(t, uint64(2), w.model().KeyEpoch, "it was approved too late to tell")
	balance := view(w, func(v View) Amount { return v.Account(addressOf("bob")).Balance })
	rid := w.approvedOnly(0)
	for w.artwork(rid).Status != StatusExpired {
		w.block()
	}
	require.Equal(t, uint64(1), w.model().KeyEpoch)
	require.Equal(t, ModelDiscarded, w.modelAt(2).Standing)
	require.NotEmpty(t, w.modelAt(2).Ciphertext, "certificates name it")
	again := w.rotation()
	again.ContainerCID = w.modelAt(2).ContainerCID
	refused := w.act(memberName(turns[1]), again)
	require.Equal(t, CodeDuplicate, refused.Code, "members may still have the container: %s", refused.Log)
	require.Equal(t, turns[1:], w.turns())
	fee := testParams().Fees.Request
	require.Equal(t, balance, view(w, func(v View) Amount { return v.Account(addressOf("bob")).Balance }).Add(fee), "the deposit comes back")
	m := w.rotated()
	require.Equal(t, uint64(3), m.KeyEpoch)
	require.Equal(t, uint64(1), m.Base)
	require.Equal(t, turns[1], m.Sealer)
}

func TestARotatorThatRegistersWhatNobodyCanAuditIsRolledBack(t *testing.T) {
	w := ready(t)
	w.untilDue()
	turns := w.turns()
	w.must(memberName(turns[0]), w.rotation())
	w.store()
	require.Equal(t, uint64(2), w.model().KeyEpoch)
	rid := w.approvedOnly(0)
	a := w.artwork(rid)
	for !a.MayGenerate(testParams(), turns[0], w.height+1) {
		w.block() // the others cannot open it
	}
	w.must(memberName(turns[0]), Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	for w.artwork(rid).Status != StatusExpired {
		require.Equal(t, ModelTrial, w.modelAt(2).Standing)
		w.block()
	}
	require.Equal(t, "nobody audited it in time", w.artwork(rid).Reason)
	require.Equal(t, uint64(1), w.model().KeyEpoch)
	bad := w.modelAt(2)
	require.Equal(t, ModelDiscarded, bad.Standing)
	require.Contains(t, bad.Reason, "nobody but the member that made the key epoch")
	require.Equal(t, turns[1:], w.turns(), "it is not drawn again")
	require.Equal(t, turns[1], w.rotated().Sealer)
}

// Who is neither drawn to rotate nor honest cannot end a trial by one picture that nobody
// audits, and cannot make it last either.
func TestATrialEndsAfterSoManyRequestsHoweverTheyEnd(t *testing.T) {
	for name, other := range map[string]func(w *world, a Artwork, generator uint32){
		"nobody audits them": func(w *world, a Artwork, _ uint32) {
			for w.artwork(a.RID).Status != StatusExpired {
				w.block()
			}
		},
		"auditors render other pixels": func(w *world, a Artwork, generator uint32) {
			for _, m := range a.Order {
				if m != generator {
					for !w.artwork(a.RID).MayAudit(testParams(), m, w.height+1) {
						w.block()
					}
					w.must(memberName(m), Attest{RID: a.RID, PixelRoot: Hash{1}})
					return
				}
			}
		},
		"they were approved too late": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := ready(t)
			w.untilDue()
			turns := w.turns()
			w.must(memberName(turns[0]), w.rotation())
			w.store()
			for tried := uint64(1); tried <= 4; tried++ {
				require.Equal(t, uint64(2), w.model().KeyEpoch)
				require.Equal(t, ModelTrial, w.model().Standing)
				if other == nil {
					rid := w.approvedOnly(int(testParams().RequestBlocks)/2 + 1)
					for w.artwork(rid).Status != StatusExpired {
						w.block()
					}
				} else {
					a := w.artwork(w.approvedOnly(0))
					for !a.MayGenerate(testParams(), turns[1], w.height+1) {
						w.block()
					}
					w.must(memberName(turns[1]), Register{RID: a.RID, CID: folder(a.RID), PixelRoot: pixels(a.RID)})
					other(w, a, turns[1])
				}
				require.Equal(t, tried, w.modelAt(2).Tried)
			}
			require.Equal(t, uint64(1), w.model().KeyEpoch)
			require.Equal(t, ModelDiscarded, w.modelAt(2).Standing)
			require.Equal(t, "too many requests ended before it was proven", w.modelAt(2).Reason)
			require.Equal(t, turns[1:], w.turns())
		})
	}
}

func TestTheFirstArtistHasNothingToFallBackOn(t *testing.T) {
	w := ready(t)
	require.Equal(t, ModelTrial, w.model().Standing)
	rid := w.approvedOnly(0)
	for w.artwork(rid).Status != StatusExpired {
		w.block()
	}
	require.Equal(t, uint64(1), w.model().KeyEpoch)
	require.Equal(t, ModelTrial, w.model().Standing)
	w.must("m1", w.sealFor(2, "dawn"))
	w.must("m2", Adopt{KeyEpoch: 2})
	w.must("m3", Adopt{KeyEpoch: 2})
	w.store()
	m := w.model()
	require.Equal(t, "dawn", m.Name)
	require.Zero(t, m.Before, "nobody knows whether the first one opens")
	require.Equal(t, ModelDiscarded, w.modelAt(1).Standing)
}

func TestAnArtistIsReplacedByAVote(t *testing.T) {
	w := ready(t)
	w.picture()
	old := w.requested("bob", "asked of the first artist")
	w.must("m2", w.sealFor(2, "dawn"))
	w.must("m3", w.sealFor(3, "noon"))
	require.Len(t, view(w, View.Motions), 2)
	require.Equal(t, CodeDuplicate, w.act("m2", Adopt{KeyEpoch: 2}).Code, "sealing it was the vote")
	require.Equal(t, CodeUnknown, w.act("m2", Adopt{KeyEpoch: 4}).Code)
	require.Equal(t, CodeDuplicate, w.act("m2", Adopt{KeyEpoch: 1}).Code)
	require.Equal(t, CodeNotMember, w.act("alice", Adopt{KeyEpoch: 2}).Code)
	require.Equal(t, CodeWrongPhase, w.act("m1", Stored{KeyEpoch: 2}).Code)
	w.must("m3", Adopt{KeyEpoch: 2})
	require.Equal(t, "dusk", w.model().Name)
	w.must("m4", Adopt{KeyEpoch: 2})
	require.Equal(t, ModelProposed, w.modelAt(2).Standing)
	require.Equal(t, "dusk", w.model().Name, "until members have it")
	w.store()
	m := w.model()
	require.Equal(t, "dawn", m.Name)
	require.Equal(t, ModelID(m.PlainHash), m.ID)
	require.Equal(t, uint64(1), m.Before)
	require.Equal(t, CodeUnknown, w.act("carol", Request{Prompt: "of the first artist", ModelID: w.modelAt(1).ID}).Code)
	w.must("m1", w.certificateFor(old, 1, 2, 3))
	a := w.artwork(old)
	w.must(memberName(a.Order[0]), Register{RID: old, CID: folder(old), PixelRoot: pixels(old)})
	w.must(memberName(a.Order[1]), Attest{RID: old, PixelRoot: pixels(old)})
	require.Equal(t, ModelTrial, w.model().Standing, "that was the other artist")
	w.picture()
	require.Equal(t, ModelProven, w.model().Standing)
	require.Equal(t, ModelRetired, w.modelAt(1).Standing)
	require.Equal(t, ModelNominated, w.modelAt(3).Standing)
	until := w.modelAt(3).Until
	require.Equal(t, until, view(w, View.Motions)[0].Until)
	p, _ := view2(w, View.Rotation)
	require.Zero(t, p)
	require.Equal(t, uint64(2), w.rotated().Base, "its key epochs begin anew")
}

func TestAnArtistThatNobodyCanOpenGivesItsPlaceBack(t *testing.T) {
	w := ready(t)
	w.picture()
	for i, name := range []string{"m1", "m2", "m3"} {
		if i == 0 {
			w.must(name, w.sealFor(2, "dawn"))
			continue
		}
		w.must(name, Adopt{KeyEpoch: 2})
	}
	w.store()
	require.Equal(t, "dawn", w.model().Name)
	rid := w.approvedOnly(0)
	for w.artwork(rid).Status != StatusExpired {
		w.block()
	}
	require.Equal(t, "dusk", w.model().Name)
	require.Equal(t, CodeWrongPhase, w.act("m4", Adopt{KeyEpoch: 2}).Code)
}

func TestAMotionOnAnArtistLapsesAndIsBounded(t *testing.T) {
	p := testParams()
	p.MotionBlocks = 6
	w := newWorld(t, 4, p)
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	for i := range MaxMotions {
		w.must("m2", w.sealFor(uint64(i)+2, fmt.Sprint("artist ", i)))
	}
	r := w.act("m2", w.sealFor(MaxMotions+2, "one too many"))
	require.Equal(t, CodeLimit, r.Code, r.Log)
	require.Equal(t, uint64(MaxMotions+2), view(w, View.NextKeyEpoch))
	w.wait(6)
	require.Empty(t, view(w, View.Motions))
	for i := range MaxMotions {
		m := w.modelAt(uint64(i) + 2)
		require.Equal(t, ModelDiscarded, m.Standing)
		require.Empty(t, m.Ciphertext)
	}
	require.Len(t, w.passed(EventModelDiscarded), MaxMotions)
	require.Equal(t, CodeWrongPhase, w.act("m3", Adopt{KeyEpoch: 2}).Code)
	w.must("m2", w.sealFor(MaxMotions+2, "again"))
}

func TestAdoptingAnArtistEndsTheRotationOfTheOther(t *testing.T) {
	adopt := func(w *world) {
		e := view(w, View.NextKeyEpoch)
		w.must("m1", w.sealFor(e, "dawn"))
		w.must("m2", Adopt{KeyEpoch: e})
		w.must("m3", Adopt{KeyEpoch: e})
	}
	t.Run("that is due", func(t *testing.T) {
		w := ready(t)
		w.untilDue()
		rotator := memberName(w.turns()[0])
		adopt(w)
		require.Equal(t, CodeDuplicate, w.act(rotator, w.rotation()).Code)
		w.store()
		_, due := view2(w, View.Rotation)
		require.False(t, due)
	})
	t.Run("that is proposed", func(t *testing.T) {
		w := ready(t)
		w.untilDue()
		turns := w.turns()
		w.must(memberName(turns[0]), w.rotation())
		adopt(w)
		require.Equal(t, ModelDiscarded, w.modelAt(2).Standing)
		require.Equal(t, turns, w.turns(), "nobody is to blame")
		for _, ok := view2(w, View.Proposed); ok; _, ok = view2(w, View.Proposed) {
			w.block() // nobody stores the other artist
		}
		require.Equal(t, "dusk", w.model().Name)
		require.Equal(t, uint64(4), w.rotated().KeyEpoch, "and it goes on")
	})
	t.Run("that is on trial", func(t *testing.T) {
		w := ready(t)
		w.untilDue()
		w.must(memberName(w.turns()[0]), w.rotation())
		w.store()
		adopt(w)
		require.Equal(t, ModelTrial, w.modelAt(2).Standing)
		w.store()
		require.Equal(t, ModelDiscarded, w.modelAt(2).Standing)
		require.Equal(t, uint64(1), w.model().Before, "the last one that was shown to open")
		rid := w.approvedOnly(0)
		for w.artwork(rid).Status != StatusExpired {
			w.block()
		}
		require.Equal(t, uint64(1), w.model().KeyEpoch)
	})
}

func TestANetworkOfOneRotatesAlone(t *testing.T) {
	w := newWorld(t, 1, testParams())
	w.ceremony()
	w.must("m1", w.sealFor(1, "solo"))
	w.must("m1", w.refill(1, 8))
	make := func() {
		rid := w.requested("alice", "alone")
		w.must("m1", w.certificateFor(rid, 1))
		w.must("m1", Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	}
	make()
	require.Equal(t, ModelProven, w.model().Standing)
	w.wait(int(testParams().KeyEpochBlocks))
	w.must("m1", w.rotation())
	require.Equal(t, ModelTrial, w.model().Standing, "one copy is enough")
	make()
	require.Equal(t, ModelProven, w.model().Standing)
	w.must("m1", w.sealFor(3, "another"))
	require.Equal(t, "another", w.model().Name, "its vote is enough")
}

func TestKeyEpochsMayLastForever(t *testing.T) {
	p := testParams()
	p.KeyEpochBlocks = 0
	w := newWorld(t, 4, p)
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	w.picture()
	require.Zero(t, view(w, View.RotationDue))
	w.wait(100)
	_, due := view2(w, View.Rotation)
	require.False(t, due)
}

func TestAProposalIsCurrentWhenAHandoverLeavesEnoughCopies(t *testing.T) {
	w := ready(t)
	five := w.admitted("m5", 1, 2, 3)
	w.must("m5", w.refill(five, 8))
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4, five))
	rid := w.requested("alice", "one")
	w.must("m1", w.certificateFor(rid, 1, 2, 3, 4))
	a := w.artwork(rid)
	w.must(memberName(a.Order[0]), Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	w.must(memberName(a.Order[1]), Attest{RID: rid, PixelRoot: pixels(rid)})
	require.Equal(t, ModelProven, w.model().Standing)
	for len(w.turns()) == 0 {
		w.block()
	}
	turns := w.turns()
	rotator, absent := turns[0], turns[4]
	w.must(memberName(rotator), w.rotation())
	w.must(memberName(turns[1]), Stored{KeyEpoch: 2})
	w.must(memberName(turns[2]), Stored{KeyEpoch: 2})
	stored, needed := view2(w, func(v View) (int, int) { return v.Copies(w.modelAt(2)) })
	require.Equal(t, []int{3, 4}, []int{stored, needed})
	w.must(memberName(absent), Leave{})
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(3, i))
	}
	require.Equal(t, ModelProposed, w.modelAt(2).Standing)
	require.True(t, w.handover(1, 2, 3, 4, five))
	require.Equal(t, 4, w.committee().N())
	require.Equal(t, ModelTrial, w.modelAt(2).Standing, "three of four are enough")
}

func TestWhatCannotBecomeOfAKeyEpochDoesNotWait(t *testing.T) {
	w := ready(t)
	w.untilDue()
	late := w.rotation()
	w.must(memberName(w.turns()[0]), w.rotation())
	w.store()
	for name, c := range map[string]struct {
		payload Payload
		code    Code
	}{
		"a rotation with a number that is taken": {late, CodeWrongPhase},
		"a seal with a number that is taken":     {w.sealFor(1, "dawn"), CodeWrongPhase},
		"a copy of what is current":              {Stored{KeyEpoch: 2}, CodeDuplicate},
		"a vote on what is current":              {Adopt{KeyEpoch: 2}, CodeDuplicate},
		"a vote on what may be sealed":           {Adopt{KeyEpoch: 3}, CodeOK},
		"a copy of what may be proposed":         {Stored{KeyEpoch: 3}, CodeOK},
		"a seal for the next number":             {w.sealFor(3, "dawn"), CodeOK},
	} {
		m := NewMachine() // with an empty pool
		require.NoError(t, w.replicas[0].View(func(v View) error { return m.Load(v.Height(), v.AppHash(), v.Entries) }))
		r := m.Check(w.sign("m1", w.nonce("m1"), c.payload))
		require.Equal(t, c.code, r.Code, "%s: %s", name, r.Log)
		r = m.Check(w.sign("alice", w.nonce("alice"), c.payload))
		require.Equal(t, CodeNotMember, r.Code, "%s of an outsider: %s", name, r.Log)
	}
}

func TestAPictureFindsSomebodyWhoMaySealAnewWhenAllWhoCouldHaveLeft(t *testing.T) {
	w := ready(t)
	for w.model().Layers < MaxLayers {
		w.rotated()
	}
	opened := slices.Clone(w.model().Openers)
	require.Len(t, opened, 2)
	for _, m := range opened {
		w.must(memberName(m), Leave{})
	}
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4))
	stay := view(w, func(v View) Seats { return v.SeatsAt(2) })
	require.Len(t, stay, 2)
	w.untilDue()
	r, _ := view2(w, View.Rotation)
	require.True(t, r.Fresh)
	require.Empty(t, w.turns(), "nobody with a share has opened it")
	for _, m := range stay {
		require.Equal(t, CodeNotMember, w.act(memberName(m), w.rotation()).Code)
		w.must(memberName(m), w.refill(m, 1))
	}
	rid := w.requested("alice", "for somebody to open it")
	w.must(memberName(stay[0]), w.certificateFor(rid, stay...))
	a := w.artwork(rid)
	w.must(memberName(a.Order[0]), Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	w.must(memberName(a.Order[1]), Attest{RID: rid, PixelRoot: pixels(rid)})
	require.Equal(t, []uint32{a.Order[0], a.Order[1]}, w.turns(), "the maker first")
	w.must(memberName(w.turns()[0]), w.rotation())
	w.store()
	require.Equal(t, 1, w.model().Layers)
}
