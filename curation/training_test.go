package curation

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

func TestMembersTrainTheirArtistTogether(t *testing.T) {
	c := classroomOf(ready(t))
	c.restless = true // one member starts again after every block
	before := c.memberAt(1).Prekeys()
	tr := c.trains()
	require.Len(t, tr.Prekeys, 4)
	require.Equal(t, before-1, c.memberAt(1).Prekeys(), "one reader key of each")
	require.Equal(t, []uint32{1, 2, 3}, tr.Votes)
	require.Equal(t, []Opening{tr.Opening}, view(c.world, View.Approving))
	require.Equal(t, CodeWrongPhase, c.act("m1", c.joins(tr)).Code, "nobody opens what is not approved")
	require.False(t, tr.MayOpen(1, c.height+1))
	c.must("m2", c.certificateFor(tr.RID, 1, 2, 3))
	require.Empty(t, view(c.world, View.Approving))
	require.EqualValues(t, 1, c.model().Approved, "a key was released, so the key epoch can end")
	tr = c.training()
	for i := uint32(1); i <= 4; i++ {
		require.True(t, tr.MayOpen(i, c.height+1))
		require.Equal(t, TrainingJoining, c.training().Status)
		c.must(memberName(i), c.joins(tr))
	}
	tr = c.training()
	require.Equal(t, TrainingSumming, tr.Status, "all have joined, so nobody waits")
	require.Equal(t, []uint32{1, 2, 3, 4}, tr.Trainers)
	require.Equal(t, ModelProven, c.model().Standing, "more members than may lie have opened it")
	require.Equal(t, 3, c.sum().Params().Threshold)

	tr = c.until(secagg.PhaseDone)
	require.Equal(t, TrainingSealing, tr.Status)
	require.Equal(t, tr.Trainers, tr.Counted)
	require.Empty(t, tr.Culprits)
	want := make([]uint32, artistLength)
	for i := uint32(1); i <= 4; i++ {
		for k, x := range learned(1, i) {
			want[k] += x
		}
	}
	require.Equal(t, want, c.sums[tr.Sum], "the sum is that of what they learned")
	require.ElementsMatch(t, tr.Trainers, tr.Sealers())

	sealer, params := tr.Sealers()[0], c.replicas[0].genesis.Params
	at, ok := tr.SealerAt(params, c.height+1)
	require.True(t, ok)
	require.Equal(t, sealer, at)
	require.Equal(t, CodeWrongPhase, c.act(memberName(tr.Sealers()[1]), c.result(tr, "dawn")).Code, "not its turn")
	c.must(memberName(sealer), c.result(tr, "dawn"))
	tr = c.training()
	require.Equal(t, TrainingVoting, tr.Status)
	require.Equal(t, []uint64{2}, tr.Results)
	require.EqualValues(t, 1, c.modelAt(2).Training)
	c.adopts(2)
	tr = c.training()
	require.Equal(t, TrainingAdopted, tr.Status)
	require.EqualValues(t, 2, tr.Adopted)
	require.EqualValues(t, 2, c.model().KeyEpoch, "and is the network's")
	require.False(t, tr.MayOpen(1, c.height+1))

	c.summed(1, 2, 3, 4) // and again, from there
	require.EqualValues(t, 2, c.training().Plan.Number)
	_, kept := view2(c.world, func(v View) (*secagg.Round, bool) { return v.TrainingRound(1) })
	require.False(t, kept, "the adding up of before is not needed any more")
}

// named are members that did something.
func named(reason string, members ...uint32) (all []Culprit) {
	for _, m := range members {
		all = append(all, Culprit{Member: m, Reason: reason})
	}
	return all
}

// Whoever vanishes, and when: with enough left the sum is of those who gave theirs, and
// with too few the training ends, says why, and takes nothing with it.
func TestTrainersMayVanishInEveryPhase(t *testing.T) {
	for name, c := range map[string]struct {
		gone    map[uint32]secagg.Phase
		status  TrainingStatus
		counted []uint32
		reason  string
		named   []Culprit
	}{
		"one never speaks":                   {map[uint32]secagg.Phase{2: secagg.PhaseAdvertise}, TrainingSealing, []uint32{1, 3, 4}, "", named("gave no key", 2)},
		"one gives a key and no more":        {map[uint32]secagg.Phase{2: secagg.PhaseShare}, TrainingSealing, []uint32{1, 3, 4}, "", []Culprit{{Member: 2, Reason: "shared no secrets"}}},
		"one shares and gives nothing":       {map[uint32]secagg.Phase{2: secagg.PhaseInput}, TrainingSealing, []uint32{1, 3, 4}, "", []Culprit{{Member: 2, Reason: "gave no input"}}},
		"one gives its change and goes":      {map[uint32]secagg.Phase{2: secagg.PhaseConfirm}, TrainingSealing, []uint32{1, 2, 3, 4}, "", nil},
		"one is gone when masks are lifted":  {map[uint32]secagg.Phase{2: secagg.PhaseUnmask}, TrainingSealing, []uint32{1, 2, 3, 4}, "", nil},
		"one does not wait for the sum":      {map[uint32]secagg.Phase{2: secagg.PhaseResult}, TrainingSealing, []uint32{1, 2, 3, 4}, "", nil},
		"two never speak":                    {map[uint32]secagg.Phase{1: secagg.PhaseAdvertise, 2: secagg.PhaseAdvertise}, TrainingFailed, nil, "2 members gave a key, it takes 3: too few members were left", named("gave no key", 1, 2)},
		"two share and give nothing":         {map[uint32]secagg.Phase{1: secagg.PhaseInput, 2: secagg.PhaseInput}, TrainingFailed, nil, "2 members gave an input, it takes 3: too few members were left", []Culprit{{Member: 1, Reason: "gave no input"}, {Member: 2, Reason: "gave no input"}}},
		"two keep their confirmations":       {map[uint32]secagg.Phase{1: secagg.PhaseConfirm, 2: secagg.PhaseConfirm}, TrainingFailed, nil, "0 members gave an input that enough could read, it takes 3: too few members were left", append(named("did not say whose input it has", 1, 2), named("gave an input that too few could read", 3, 4)...)},
		"two are gone when masks are lifted": {map[uint32]secagg.Phase{1: secagg.PhaseUnmask, 2: secagg.PhaseUnmask}, TrainingFailed, nil, "2 members gave shares of one secret, it takes 3: too few members were left", []Culprit{{Member: 1, Reason: "gave no shares"}, {Member: 2, Reason: "gave no shares"}}},
		"two do not wait for the sum":        {map[uint32]secagg.Phase{1: secagg.PhaseResult, 2: secagg.PhaseResult}, TrainingFailed, nil, "2 members said what the sum is, it takes 3: too few members were left", named("did not say what the sum is", 1, 2)},
		"all are gone":                       {map[uint32]secagg.Phase{1: 1, 2: 1, 3: 1, 4: 1}, TrainingFailed, nil, "0 members gave a key, it takes 3: too few members were left", named("gave no key", 1, 2, 3, 4)},
	} {
		t.Run(name, func(t *testing.T) {
			room := classroomOf(ready(t))
			room.gone = c.gone
			tr := room.summed(1, 2, 3, 4)
			require.Equal(t, c.status, tr.Status)
			require.Equal(t, append([]uint32{}, c.counted...), tr.Counted)
			require.Equal(t, c.reason, tr.Reason)
			require.Equal(t, append([]Culprit{}, c.named...), tr.Culprits)
			require.Len(t, room.passed(EventTrainingMissed), len(c.named))
			if c.status == TrainingFailed {
				room.gone = nil
				require.EqualValues(t, 2, room.summed(1, 2, 3, 4).Plan.Number, "the next one can be voted for at once")
				require.Equal(t, TrainingSealing, room.training().Status)
			}
		})
	}
}

func TestNobodysSilenceHoldsATraining(t *testing.T) {
	for name, c := range map[string]struct {
		go_    func(*classroom)
		reason string
	}{
		"nobody brings the certificate": {func(c *classroom) { c.trains() }, "no certificate in time"},
		"nobody joins":                  {func(c *classroom) { c.approvedTraining() }, "0 members joined in time with the same artist, it takes 3"},
		"two join":                      {func(c *classroom) { c.begun(1, 2) }, "2 members joined in time with the same artist, it takes 3"},
		"nobody seals":                  {func(c *classroom) { c.summed(1, 2, 3, 4) }, "nobody sealed what came of it in time"},
		"nobody votes": {func(c *classroom) {
			tr := c.summed(1, 2, 3, 4)
			c.must(memberName(c.sealer(tr, 0)), c.result(tr, "dawn"))
		}, "too few members voted for what came of it"},
	} {
		t.Run(name, func(t *testing.T) {
			p := testParams()
			p.MotionBlocks = 50
			room := classroomOf(readyWith(t, p))
			c.go_(room)
			for range 60 {
				if room.training().Status.Ended() {
					break
				}
				require.Less(t, room.height, room.training().Until, "the last height is told")
				room.block()
			}
			require.Equal(t, TrainingFailed, room.training().Status)
			require.Equal(t, c.reason, room.training().Reason)
			require.False(t, room.training().Status.Opens())
			require.Equal(t, []string{"failed: " + c.reason}, room.endings())
			require.EqualValues(t, 1, room.model().KeyEpoch, "the artist is what it was")
			require.EqualValues(t, 2, room.trains().Plan.Number, "and the next training may be voted for")
		})
	}
}

// Once all who take part have said what a status or a phase takes, it ends with that block.
func TestNobodyWaitsForADeadlineWhenAllHaveSpoken(t *testing.T) {
	p := testParams()
	p.DKGPhaseBlocks, p.DKGDisputeBlocks, p.RequestBlocks, p.GenerateBlocks = 50, 50, 200, 50
	c := classroomOf(readyWith(t, p))
	c.joining, c.blocks = 100, 100
	c.begun(1, 2, 3, 4) // four votes open it, and all may join: nobody waited, or this would not come to an end
	began, took := c.height, map[secagg.Phase]int{}
	require.Equal(t, began, c.training().Begun)
	for c.training().Status == TrainingSumming {
		took[c.sum().Phase()]++
		c.speak()
	}
	require.Equal(t, map[secagg.Phase]int{secagg.PhaseAdvertise: 1, secagg.PhaseShare: 1, secagg.PhaseDispute: 1, secagg.PhaseInput: 1,
		secagg.PhaseConfirm: 1, secagg.PhaseUnmask: 1, secagg.PhaseResult: 1}, took)
	tr := c.training()
	c.must(memberName(tr.Sealers()[0]), c.result(tr, "dawn"))
	require.Equal(t, TrainingVoting, c.training().Status)
	c.adopts(2)
	require.Equal(t, TrainingAdopted, c.training().Status)
	require.Less(t, c.height, began+20)
}

// When every trainer has sealed something and members want none of it, nothing more can come.
func TestATrainingEndsWhenAllHaveSealedInVain(t *testing.T) {
	p := testParams()
	p.MotionBlocks, p.GenerateBlocks, p.RequestBlocks = 5, 4, 200
	c := classroomOf(readyWith(t, p))
	tr := c.summed(1, 2, 3, 4)
	for k := range 4 {
		c.must(memberName(c.sealer(tr, k)), c.result(tr, fmt.Sprint("version ", k)))
		require.Equal(t, TrainingVoting, c.training().Status)
	}
	c.wait(6)
	require.Equal(t, []string{"failed: too few members voted for what came of it"}, c.endings())
	require.Less(t, c.height, tr.SealUntil(p))
}

func TestWhoOpenedAnotherArtistDoesNotTrain(t *testing.T) {
	c := classroomOf(ready(t))
	tr := c.approvedTraining()
	lie := Join{Number: 1, Reader: Hash{7}}
	c.must("m1", lie)
	require.Equal(t, CodeDuplicate, c.act("m1", lie).Code, "once")
	require.Equal(t, CodeDuplicate, c.act("m1", c.joins(tr)).Code, "and nobody thinks twice")
	for i := uint32(2); i <= 4; i++ {
		c.must(memberName(i), c.joins(tr))
	}
	tr = c.training()
	require.Equal(t, []uint32{2, 3, 4}, tr.Trainers)
	require.Equal(t, []Culprit{{Member: 1, Reason: "joined with another commitment to the artist than most"}}, tr.Culprits)
	require.NotContains(t, c.model().Openers, uint32(1))
	require.False(t, tr.MayOpen(1, c.height+1), "it has no part any more")
	require.True(t, tr.MayOpen(2, c.height+1), "a trainer may open the artist again")
	require.Equal(t, CodeNotMember, c.act("m1", TrainingMessage{Number: 1, Message: 1, Body: []byte{1}}).Code)
	require.Equal(t, TrainingSealing, c.until(secagg.PhaseDone).Status)
}

func TestOfTwoArtistsThatEquallyManyOpenedTheFirstIsTrained(t *testing.T) {
	w := ready(t)
	x := w.replicas[0].begin(w.height + 1)
	tr := Training{Opening: Opening{KeyEpoch: 1, Prekeys: make([]ReaderKey, 6)}, Plan: classroomOf(w).plan()}
	for i := uint32(1); i <= 6; i++ {
		tr.Joined = append(tr.Joined, Joined{Member: i, Reader: Hash{byte(i % 2)}})
	}
	x.closeJoining(tr)
	got := must2(load[Training](x.block, keyTraining(1)))
	require.Equal(t, []uint32{1, 3, 5}, got.Trainers)
	require.Equal(t, numbers(got.Culprits), []uint32{2, 4, 6})
}

func TestWhatATrainingDoesNotTakeIsRefused(t *testing.T) {
	p := testParams()
	p.DKGPhaseBlocks = 30
	c := classroomOf(readyWith(t, p))
	before := c.plan()
	with := func(change func(*Plan)) Train { p := before; change(&p); return Train{Plan: p} }
	refused := func(want Code, who string, p Payload, why string) {
		t.Helper()
		r := c.act(who, p)
		require.Equal(t, want, r.Code, "%s: %s", why, r.Log)
	}
	refused(CodeNotMember, "alice", Train{Plan: before}, "a collector")
	c.admitted("m5", 1, 2, 3)
	refused(CodeNotMember, "m5", Train{Plan: before}, "who has no share yet")
	refused(CodeUnknown, "m1", with(func(p *Plan) { p.ModelID[0]++ }), "another artist")
	refused(CodeWrongPhase, "m1", with(func(p *Plan) { p.Number = 2 }), "a later number")
	refused(CodeUnknown, "m1", Join{Number: 1}, "no training yet")
	refused(CodeUnknown, "m1", TrainingMessage{Number: 1, Message: 1, Body: []byte{1}}, "no training yet")
	other := with(func(p *Plan) { p.Steps++ })
	c.must("m4", other)
	c.must("m1", Train{Plan: before})
	refused(CodeDuplicate, "m1", Train{Plan: before}, "it has voted for this")
	c.must("m2", Train{Plan: before})
	require.Len(t, view(c.world, View.Motions), 2)
	c.must("m3", Train{Plan: before})
	require.Empty(t, view(c.world, View.Motions), "of one number there is one training")

	refused(CodeWrongPhase, "m4", other, "one runs")
	refused(CodeWrongPhase, "m4", with(func(p *Plan) { p.Number = 2 }), "one runs")
	tr := c.training()
	refused(CodeProof, "m1", Certify{RID: tr.RID, Certificate: [48]byte{0xc0}, SeedSignature: [48]byte{0xc0}}, "no certificate")
	refused(CodeWrongPhase, "m1", TrainingMessage{Number: 1, Message: 1, Body: []byte{1}}, "before anybody joined")
	certificate := c.certificateFor(tr.RID, 2, 3, 4)
	c.must("alice", certificate)
	refused(CodeDuplicate, "alice", certificate, "it is approved")
	refused(CodeNotMember, "alice", c.joins(tr), "a collector")
	refused(CodeWrongPhase, "m1", c.result(tr, "dawn"), "before there is a sum")
	for i := uint32(1); i <= 4; i++ {
		c.must(memberName(i), c.joins(tr))
	}
	refused(CodeWrongPhase, "m1", c.joins(tr), "joining is over")

	key := c.says(1)[0].(TrainingMessage)
	refused(CodeWrongPhase, "m1", TrainingMessage{Number: 1, Message: uint8(secagg.KindShares), Body: []byte{1}}, "another phase")
	refused(CodeWrongPhase, "m1", TrainingMessage{Number: 1, Message: 99, Body: []byte{1}}, "no such kind")
	refused(CodeUnknown, "m1", TrainingMessage{Number: 2, Message: key.Message, Body: key.Body}, "another training")
	refused(CodeProof, "m2", key, "another trainer's key")
	refused(CodeNotMember, "alice", key, "a collector")
	c.must("m1", key)
	refused(CodeDuplicate, "m1", key, "a second time")
	again := bytes.Clone(key.Body)
	again[40]++
	refused(CodeDuplicate, "m1", TrainingMessage{Number: 1, Message: key.Message, Body: again}, "another one")

	tr = c.until(secagg.PhaseDone)
	refused(CodeWrongPhase, "m1", key, "the adding up is over")
	refused(CodeNotMember, "alice", c.result(tr, "dawn"), "a collector")
	sealer := memberName(tr.Sealers()[0])
	unknown := c.result(tr, "dawn")
	unknown.Training = 7
	refused(CodeUnknown, sealer, unknown, "of no training")
	named := c.result(tr, "dawn")
	named.Name = "sealed by me"
	refused(CodeMalformed, sealer, named, "whoever found the same votes for it, and not for that name")
	c.must(sealer, c.result(tr, "dawn"))
	refused(CodeDuplicate, sealer, c.result(tr, "noon"), "one each")
	c.sealer(tr, 1)
	refused(CodeDuplicate, memberName(tr.Sealers()[1]), c.result(tr, "dawn"), "it is sealed already")
	c.adopts(2)
	refused(CodeWrongPhase, memberName(tr.Sealers()[1]), c.result(tr, "noon"), "it has ended")
	require.Equal(t, []string{"adopted: "}, c.endings())
}

// A message of one training is nothing in another: its proofs are of the one's session.
func TestMessagesOfATrainingAreNothingInTheNext(t *testing.T) {
	c := classroomOf(ready(t))
	c.begun(1, 2, 3, 4)
	first := c.says(1)[0].(TrainingMessage)
	c.gone = map[uint32]secagg.Phase{1: 1, 2: 1, 3: 1, 4: 1}
	require.Equal(t, TrainingFailed, c.until(secagg.PhaseDone).Status)
	c.begun(1, 2, 3, 4)
	require.Equal(t, CodeWrongPhase, c.act("m1", first).Code)
	first.Number = 2
	require.Equal(t, CodeProof, c.act("m1", first).Code)
}
