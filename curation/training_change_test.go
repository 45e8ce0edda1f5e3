package curation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// replaced has the members adopt another artist, until it is current.
func (c *classroom) replaced() {
	c.t.Helper()
	e := view(c.world, View.NextKeyEpoch)
	p := c.sealFor(e, "another artist")
	p.PolicyHash = PolicyHash(c.replicas[0].genesis.Charter)
	c.must("m1", p)
	c.adopts(e)
	require.Equal(c.t, e, c.model().KeyEpoch)
}

// What is learned of an artist that is the network's no more is of no use: the training
// fails wherever it stands, and what was sealed for it is not voted on any longer.
func TestATrainingFailsWhenAnotherArtistTakesThePlace(t *testing.T) {
	for name, to := range map[string]func(*classroom){
		"while it waits for its certificate": func(c *classroom) { c.trains() },
		"while members join":                 func(c *classroom) { c.approvedTraining() },
		"while they add up":                  func(c *classroom) { c.begun(1, 2, 3, 4); c.speak(); c.speak() },
		"while it waits to be sealed":        func(c *classroom) { c.summed(1, 2, 3, 4) },
		"while members vote": func(c *classroom) {
			tr := c.summed(1, 2, 3, 4)
			c.must(memberName(c.sealer(tr, 0)), c.result(tr, "dawn"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := testParams()
			p.DKGPhaseBlocks = 20
			c := classroomOf(readyWith(t, p))
			to(c)
			results := c.training().Results
			require.False(t, c.training().Status.Ended())
			c.replaced()
			require.Equal(t, []string{"failed: another artist took the place of the one that was trained"}, c.endings())
			for _, e := range results {
				require.Equal(t, ModelDiscarded, c.modelAt(e).Standing)
				require.Equal(t, CodeWrongPhase, c.act("m2", Adopt{KeyEpoch: e}).Code)
			}
			require.Empty(t, view(c.world, View.Motions))
			require.Equal(t, CodeWrongPhase, c.act("m1", TrainingMessage{Number: 1, Message: 1, Body: []byte{1}}).Code)
			require.Equal(t, c.modelID(), c.trains().ModelID, "the next is of the new one")
		})
	}
}

// The artist stays the same in a rotation, and what came of a training is sealed from
// scratch.
func TestATrainingOutlivesARotation(t *testing.T) {
	p := testParams()
	p.RequestBlocks, p.KeyEpochBlocks = 200, 10
	c := classroomOf(readyWith(t, p))
	c.begun(1, 2, 3, 4)
	keep := c.model().KeyEpoch
	tr := c.until(secagg.PhaseDone)
	require.Equal(t, TrainingSealing, tr.Status)
	c.rotated()
	require.Equal(t, TrainingSealing, c.training().Status)
	require.NotEqual(t, keep, c.model().KeyEpoch)
	require.Contains(t, view(c.world, func(v View) (epochs []uint64) {
		for _, m := range v.Keep() {
			epochs = append(epochs, m.KeyEpoch)
		}
		return epochs
	}), keep, "a trainer may have to open the artist again")
	e := view(c.world, View.NextKeyEpoch)
	c.must(memberName(c.sealer(tr, 0)), c.result(tr, "dawn"))
	c.adopts(e)
	require.Equal(t, []string{"adopted: "}, c.endings())
	require.Equal(t, e, c.model().KeyEpoch)
}

// The committee under which a training was opened serves it until what came of it is
// sealed: one handover may come meanwhile, and the next one waits.
func TestATrainingOutlivesAHandover(t *testing.T) {
	p := testParams()
	p.RequestBlocks = 200
	c := classroomOf(readyWith(t, p))
	c.blocks = 60
	tr := c.approvedTraining()
	five := c.admitted("m5", 1, 2, 3)
	c.must("m5", c.refill(five, 4))
	for _, i := range []uint32{1, 2, 3} {
		c.must(memberName(i), c.joins(tr))
	}
	require.Equal(t, CodeNotMember, c.act("m5", c.joins(tr)).Code, "who comes later is not in the table")
	c.must("m4", Leave{})
	c.must("m4", c.joins(tr)) // it has its seat until then
	require.Equal(t, TrainingSumming, c.training().Status)
	require.Equal(t, 3, c.sum().Params().Threshold)
	c.until(secagg.PhaseInput)
	for i := uint32(1); i <= 5; i++ {
		c.must(memberName(i), c.consent(2, i))
	}
	require.True(t, c.handover(1, 2, 3, 4, 5))
	require.EqualValues(t, 2, c.committee().Epoch())
	require.Equal(t, StandingDraining, c.memberAt(4).Standing, "it serves what its committee began")
	require.Equal(t, TrainingSumming, c.training().Status)
	c.wait(int(p.DKGRetryBlocks) + 1)
	require.ErrorContains(t, view(c.world, func(v View) error { return v.MayHandOver(0) }), "still serves requests, a training or a round")

	tr = c.training()
	require.Equal(t, []uint32{1, 2, 3, 4}, tr.Trainers, "whatever became of their seats")
	tr = c.until(secagg.PhaseDone)
	require.Equal(t, TrainingSealing, tr.Status)
	require.Contains(t, tr.Counted, uint32(1))
	sealer := tr.Sealers()[0]
	if sealer == 4 { // it has no seat any more, so the next one seals
		require.Equal(t, CodeNotMember, c.act("m4", c.result(tr, "dawn")).Code)
		sealer = c.sealer(tr, 1)
	}
	c.must(memberName(sealer), c.result(tr, "dawn"))
	require.NoError(t, view(c.world, func(v View) error { return v.MayHandOver(0) }), "nobody needs the committee of before any more")
	c.block()
	require.Equal(t, StandingLeft, c.memberAt(4).Standing)
}

// A trainer that seals something else has had its turn; the next one seals what is right,
// and the vote decides.
func TestALyingSealerSpendsItsOwnTurn(t *testing.T) {
	c := classroomOf(ready(t))
	tr := c.summed(1, 2, 3, 4)
	c.must(memberName(c.sealer(tr, 0)), c.result(tr, "a lie"))
	require.Equal(t, CodeWrongPhase, c.act(memberName(tr.Sealers()[1]), c.result(tr, "dawn")).Code, "not its turn yet")
	c.must(memberName(c.sealer(c.training(), 1)), c.result(tr, "dawn"))
	require.Equal(t, []uint64{2, 3}, c.training().Results)
	require.Equal(t, TrainingVoting, c.training().Status)
	c.adopts(3)
	tr = c.training()
	require.Equal(t, TrainingAdopted, tr.Status)
	require.EqualValues(t, 3, tr.Adopted)
	require.Equal(t, ModelDiscarded, c.modelAt(2).Standing)
	require.Equal(t, "the training that it came of has ended", c.modelAt(2).Reason)
	require.Empty(t, view(c.world, View.Motions))
	require.EqualValues(t, 3, c.model().KeyEpoch)
}

// A vote that lapses does not end a training while another trainer may yet seal.
func TestAResultThatMembersDoNotWantMakesRoomForAnother(t *testing.T) {
	p := testParams()
	p.MotionBlocks, p.GenerateBlocks = 5, 4
	c := classroomOf(readyWith(t, p))
	tr := c.summed(1, 2, 3, 4)
	c.must(memberName(c.sealer(tr, 0)), c.result(tr, "a lie"))
	c.wait(6)
	require.Equal(t, ModelDiscarded, c.modelAt(2).Standing)
	require.Equal(t, TrainingVoting, c.training().Status)
	c.must(memberName(c.sealer(c.training(), 1)), c.result(tr, "dawn"))
	c.adopts(3)
	require.Equal(t, []string{"adopted: "}, c.endings())
}

func TestWhoLiesAboutATrainingIsConvicted(t *testing.T) {
	for name, c := range map[string]struct {
		offence  Offence
		evidence func(*classroom, Training) Evidence
	}{
		"a wrong share for a trainer": {OffenceShare, func(c *classroom, tr Training) Evidence {
			return Evidence{Member: 4, Share: c.signed("m4", tr.RID, seal.Trainer, 2, bent(c.release(4, tr.RID, seal.Trainer, 2)))}
		}},
		"another trainer's share": {OffenceShare, func(c *classroom, tr Training) Evidence {
			return Evidence{Member: 4, Share: c.signed("m4", tr.RID, seal.Trainer, 2, c.release(4, tr.RID, seal.Trainer, 3))}
		}},
		"the share for a generator": {OffenceShare, func(c *classroom, tr Training) Evidence {
			return Evidence{Member: 4, Share: c.signed("m4", tr.RID, seal.Trainer, 2, c.release(4, tr.RID, seal.Generator, 2))}
		}},
		"an approval of a later expiry": {OffenceStatement, func(c *classroom, tr Training) Evidence { return c.conflictingApproval(4, tr.RID) }},
	} {
		t.Run(name, func(t *testing.T) {
			room := classroomOf(ready(t))
			tr := room.approvedTraining()
			e := c.evidence(room, tr)
			require.NoError(t, view(room.world, func(v View) error { return v.Judge(e) }))
			room.must("m1", e)
			require.Equal(t, c.offence, room.convictions()[0].Offence)
		})
	}
	c := classroomOf(ready(t))
	tr := c.approvedTraining()
	right := Evidence{Member: 4, Share: c.signed("m4", tr.RID, seal.Trainer, 2, c.release(4, tr.RID, seal.Trainer, 2))}
	require.ErrorContains(t, view(c.world, func(v View) error { return v.Judge(right) }), "is right")
}

// What never stands in a block is not looked into, and does not wait for one.
func TestAPoolTakesOfATrainingWhatCanStillCount(t *testing.T) {
	c := classroomOf(ready(t))
	check := func(who string, p Payload) Code {
		return c.replicas[0].Check(c.sign(who, c.nonce(who), p)).Code
	}
	require.Equal(t, CodeNotMember, check("alice", Train{Plan: c.plan()}))
	require.Equal(t, CodeNotMember, check("alice", Join{Number: 1}))
	require.Equal(t, CodeNotMember, check("alice", TrainingMessage{Number: 1, Message: 1, Body: []byte{1}}))
	old := Train{Plan: c.plan()}
	tr := c.begun(1, 2, 3)
	require.Equal(t, CodeWrongPhase, check("m4", old))
	require.Equal(t, CodeWrongPhase, check("m4", c.joins(tr)))
	require.Equal(t, CodeDuplicate, check("bob", Certify{RID: tr.RID}))
	key := c.says(1)[0].(TrainingMessage)
	require.Equal(t, CodeOK, check("m1", key))
	require.Equal(t, CodeNotMember, check("m4", key), "it has not joined")
	c.must("m1", key)
	require.Equal(t, CodeDuplicate, check("m1", key))
	c.until(secagg.PhaseShare)
	require.Equal(t, CodeWrongPhase, check("m2", key), "its phase is over")
	require.Equal(t, CodeOK, check("m2", TrainingMessage{Number: 1, Message: uint8(secagg.KindInput), Body: []byte{1}}), "that of the next may come before our ledger does")
	c.until(secagg.PhaseDone)
	require.Equal(t, CodeWrongPhase, check("m3", key))
}

// A wrong message costs every node some milliseconds, so a member has one in a block.
func TestATrainersSecondWrongMessageOfABlockIsNotLookedAt(t *testing.T) {
	c := classroomOf(ready(t))
	c.begun(1, 2, 3, 4)
	c.until(secagg.PhaseShare)
	shares := c.says(1)[0].(TrainingMessage)
	wrong := shares
	wrong.Body = append([]byte(nil), shares.Body...)
	wrong.Body[70] ^= 1
	n := c.nonce("m1")
	results := c.block(c.sign("m1", n, wrong), c.sign("m1", n+1, wrong), c.sign("m1", n+2, shares)).Results
	require.Equal(t, []Code{CodeProof, CodeLimit, CodeLimit}, []Code{results[0].Code, results[1].Code, results[2].Code})
	c.must("m1", shares)
}

func TestPlansOutOfRangeAreRefused(t *testing.T) {
	good := samplePlan()
	require.NoError(t, good.Validate())
	for name, c := range map[string]struct {
		change func(*Plan)
		says   string
	}{
		"number 0":                        {func(p *Plan) { p.Number = 0 }, "number of the training: 0"},
		"an artist of no numbers":         {func(p *Plan) { p.Length = 0 }, "numbers of the artist: 0"},
		"more numbers than a round takes": {func(p *Plan) { p.Length = secagg.MaxLength + 1 }, "numbers of the artist"},
		"no step":                         {func(p *Plan) { p.Steps = 0 }, "steps: 0"},
		"a batch of 129":                  {func(p *Plan) { p.Batch = 129 }, "batch: 129, want 1 to 128"},
		"rate 0":                          {func(p *Plan) { p.RatePPM = 0 }, "rate"},
		"a clip of nothing":               {func(p *Plan) { p.Clip = 0 }, "clip in units of 1/65536: 0"},
		"a clip that may overflow":        {func(p *Plan) { p.Clip = MaxClip + 1 }, "clip"},
		"a clip that is all rounding":     {func(p *Plan) { p.Clip, p.Length = 5, 100 }, "clip to more"},
		"no block to join in":             {func(p *Plan) { p.JoinBlocks = 2 }, "blocks to join: 2, want 3 to 100000"},
		"too long a training":             {func(p *Plan) { p.TrainBlocks = MaxTrainingBlocks + 1 }, "blocks to train: 100001"},
	} {
		p := good
		c.change(&p)
		require.ErrorContains(t, p.Validate(), c.says, name)
	}
	good.Clip, good.Length = 6, 100
	require.NoError(t, good.Validate(), "a little more than rounding")
	_, err := secagg.NewRound(secagg.Params{Members: MaxMembers, Threshold: 86, Length: secagg.MaxLength, Norm: MaxClip,
		Deadlines: secagg.Deadlines{Advertise: 1, Share: 1, Dispute: 1, Input: MaxTrainingBlocks, Confirm: 1, Unmask: 1, Result: 1}}, 1)
	require.NoError(t, err, "the most of everything")
	require.GreaterOrEqual(t, MaxTrainingMessage, secagg.MaxMessage(MaxMembers, 86))
	require.ErrorContains(t, TrainingMessage{Number: 1, Message: 1, Body: make([]byte, MaxTrainingMessage+1)}.Validate(), "want 1 to 16384")
}

func TestANetworkOfTwoCannotTrainTogether(t *testing.T) {
	w := newWorld(t, 2, testParams())
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	r := w.act("m1", Train{Plan: classroomOf(w).plan()})
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "takes 3 members, the network has 2")
}

// Whose vote would open a training while reader keys are missing votes again later.
func TestATrainingTakesReaderKeysOfEnoughMembers(t *testing.T) {
	c := classroomOf(ready(t))
	for i := range 8 {
		name := collectors[i%4]
		r := c.must(name, Request{Prompt: "a picture", ModelID: c.modelID()})
		require.Equal(t, EventArtworkRequested, r.Events[0].Kind)
	}
	p := Train{Plan: c.plan()}
	c.must("m1", p)
	c.must("m2", p)
	r := c.act("m3", p)
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Equal(t, "a training takes a reader key of 3 members, 0 have one left: ask again in a few blocks", r.Log)
	require.Len(t, view(c.world, View.Motions)[0].Votes, 2, "the vote does not count")
	for i := uint32(1); i <= 3; i++ {
		c.must(memberName(i), c.refill(i, 1))
	}
	c.must("m3", p)
	require.Len(t, c.training().Prekeys, 3)
	require.Equal(t, CodeProof, c.act("m4", c.wrongTable(c.training())).Code)
}

// wrongTable is a certificate of the training with another table of readers.
func (c *classroom) wrongTable(t Training) Certify {
	of := t.Opening
	of.Prekeys = of.Prekeys[1:]
	var approvals, seeds []quorum.Partial
	for _, share := range c.shares[:3] {
		p, err := quorum.SignApproval(share, StatementFor(c.chain, of))
		require.NoError(c.t, err)
		approvals, seeds = append(approvals, p), append(seeds, quorum.SignSeed(share, c.chain, of.RID))
	}
	cert, _, err := quorum.RecoverCertificate(c.committee(), StatementFor(c.chain, of), approvals)
	require.NoError(c.t, err)
	seed, _, err := quorum.RecoverSeed(c.committee(), c.chain, of.RID, seeds)
	require.NoError(c.t, err)
	return Certify{RID: of.RID, Certificate: cert.Signature(), SeedSignature: seed}
}

// Who trained has had the key of the key epoch, so whoever has not is asked first to end it.
func TestWhoDidNotTrainEndsTheKeyEpochFirst(t *testing.T) {
	p := testParams()
	p.RequestBlocks, p.KeyEpochBlocks = 200, 10
	c := classroomOf(readyWith(t, p))
	c.begun(1, 2, 4)
	require.ElementsMatch(t, []uint32{1, 2, 4}, c.model().Openers)
	require.Equal(t, ModelProven, c.model().Standing)
	c.until(secagg.PhaseDone)
	c.untilDue()
	require.EqualValues(t, 3, c.turns()[0])
}
