package member

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/federated"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// training is this member's part in a training, as far as the ledger does not hold it.
// Only part and sum outlive a crash: all else is opened, learned, fetched and made again.
type training struct {
	number   uint64
	open     *ArtistOpened       // nil until the artist is open here
	part     *secagg.Participant // nil before the sum begins
	learning bool
	input    []uint32        // what was learned, until it is masked
	held     map[uint32]bool // trainers, by place, whose masked files are here
	summing  bool
	sum      *Summed // what was found, which the vote needs; nil before
	made     bool    // this run has added up: the version that follows is in memory
	sealing  bool
	sealed   *curation.Rotate
}

// LossMargin is by how much a new version of the artist may be worse on the own pictures,
// in nats for a place, for this member to seal it or vote for it by itself: the loss is
// measured on some thousand places only, and what is good for all is not best for each.
const LossMargin = 0.05

// Trains tells the machine whether its owner wants the member to take part in trainings:
// then it opens the artist for them. It does not before it is told.
func (m *Machine) Trains(wanted bool) { m.trains = wanted }

// train does what the training that is under way asks of this member.
func (m *Machine) train(l curation.View) {
	t, running := l.RunningTraining()
	place := t.Index(m.me.Index)
	belongs := m.me.Index != 0 && m.me.Standing != curation.StandingLeft
	taken := running && m.trains && belongs && (t.Status == curation.TrainingJoining || place != 0)
	if m.training != nil && (!taken || m.training.number != t.Plan.Number) && m.training.number < l.NextTraining() {
		m.forgetTraining()
	}
	if !taken || m.training != nil && m.training.number != t.Plan.Number { // our ledger is behind what was kept
		return
	}
	if m.training == nil {
		m.training = &training{number: t.Plan.Number, held: map[uint32]bool{}}
	}
	switch t.Status {
	case curation.TrainingJoining:
		m.joinTraining(l, t)
	case curation.TrainingSumming:
		m.sumUp(l, t, place)
	case curation.TrainingSealing, curation.TrainingVoting:
		m.conclude(l, t)
	}
}

// forgetTraining ends our part in a training.
func (m *Machine) forgetTraining() {
	m.do(ForgetTraining{Number: m.training.number})
	clear(m.training.input)
	if m.training.part != nil {
		m.training.part.Wipe()
	}
	if m.training.open != nil {
		clear(m.training.open.Key[:])
	}
	m.training = nil
	maps.DeleteFunc(m.jobs, func(k jobKey, _ *job) bool { return k.role == seal.Trainer })
}

// openedFor says whether the artist is open here for a training. Until it is, it asks the
// others for their shares.
func (m *Machine) openedFor(l curation.View, t curation.Training) bool {
	if m.training.open != nil {
		return true
	}
	if m.seats[t.Epoch] == nil { // no share of that committee, or it serves the training no more
		return false
	}
	key := jobKey{t.RID, seal.Trainer}
	j := m.jobs[key]
	if j == nil {
		var err error
		if j, err = m.start(l, t.Opening, seal.Trainer); err != nil {
			if m.again(fmt.Sprintf("train/%d/open", t.Plan.Number), l.Height()) {
				m.do(Note{Text: "cannot take part in the training", RID: t.RID, Err: err})
			}
			return false
		}
		m.jobs[key] = j
	}
	m.advance(l, key, j)
	return false
}

// joinTraining opens the artist and says so. Whoever joined begins to learn.
func (m *Machine) joinTraining(l curation.View, t curation.Training) {
	if _, listed := t.Readers().Lookup(m.me.Index); !listed {
		if m.seldom(fmt.Sprintf("train/%d/unlisted", t.Plan.Number), l.Height()) {
			m.do(Note{Text: fmt.Sprintf("training %d goes on without this member, which had no one-time key when it opened", t.Plan.Number)})
		}
		return
	}
	if !m.openedFor(l, t) {
		return
	}
	open := m.training.open
	switch {
	case open.Length != int(t.Plan.Length):
		if m.seldom(fmt.Sprintf("train/%d/length", t.Plan.Number), l.Height()) {
			m.do(Note{Text: "not taking part in the training", RID: t.RID,
				Err: fmt.Errorf("the artist has %d numbers, the plan says %d: propose it again with the right number", open.Length, t.Plan.Length)})
		}
	case !t.HasJoined(m.me.Index):
		m.submit(l.Height(), fmt.Sprintf("train/%d/join", t.Plan.Number), curation.Join{Number: t.Plan.Number, Reader: open.Key.Commitment()})
	default:
		m.learn(l, t)
	}
}

// learn begins to learn, unless that is under way or done.
func (m *Machine) learn(l curation.View, t curation.Training) {
	tr := m.training
	if tr.open == nil || tr.learning || tr.input != nil || !m.again(fmt.Sprintf("train/%d/learn", t.Plan.Number), l.Height()) {
		return
	}
	tr.learning = true
	m.do(Learn{Number: t.Plan.Number, Steps: int(t.Plan.Steps), Batch: int(t.Plan.Batch), Rate: float64(t.Plan.RatePPM) / 1e6, Clip: float64(t.Plan.Clip) / federated.Unit})
}

// sumUp takes part in the secure sum: what the participant is to keep is kept before
// anything is posted.
func (m *Machine) sumUp(l curation.View, t curation.Training, place uint32) {
	tr := m.training
	opened := m.openedFor(l, t)
	round, ok := l.TrainingRound(t.Plan.Number)
	if !ok || tr.part == nil && !opened {
		return
	}
	if tr.part == nil {
		var seed [32]byte
		_, err := io.ReadFull(m.rand, seed[:])
		if err == nil {
			tr.part, err = secagg.NewParticipant(place, seed, tr.open.Key)
		}
		if clear(seed[:]); err != nil {
			m.do(Note{Text: "no part in the training's sum", RID: t.RID, Err: err})
			return
		}
	}
	if round.Phase() < secagg.PhaseInput { // what is masked already is not learned again
		m.learn(l, t)
	}
	var e secagg.Event
	switch round.Phase() {
	case secagg.PhaseInput:
		e.Input = tr.input
	case secagg.PhaseConfirm:
		e.Held = slices.Sorted(maps.Keys(tr.held))
	case secagg.PhaseResult:
		if tr.sum != nil {
			e.Sum = &tr.sum.Result
		}
	}
	out, err := tr.part.Step(l.Height()+1, round, e)
	if err != nil {
		if m.seldom(fmt.Sprintf("train/%d/%v", t.Plan.Number, round.Phase()), l.Height()) {
			m.do(Note{Text: "this member drops out of the training", RID: t.RID, Err: err})
		}
		return
	}
	if out.State != nil || out.File != nil {
		keep := KeepTraining{Number: t.Plan.Number, File: out.File}
		if out.State != nil {
			keep.State = tr.state()
		}
		clear(out.State)
		m.do(keep)
	}
	if out.File != nil {
		clear(tr.input)
		tr.input, tr.held[place] = nil, true
	}
	for i, msg := range out.Post {
		m.submit(l.Height(), fmt.Sprintf("train/%d/%v/%d", t.Plan.Number, msg.Kind, i), curation.TrainingMessage{Number: t.Plan.Number, Message: uint8(msg.Kind), Body: msg.Body})
	}
	if out.WantInput {
		m.learn(l, t)
	}
	m.fetchMasked(l, t, round, out.WantFiles)
	if out.WantSum {
		m.addUp(l, t, round)
	}
}

// fetchMasked asks for the masked files of these trainers: from whoever gave it, then from
// those who may have checked it.
func (m *Machine) fetchMasked(l curation.View, t curation.Training, round *secagg.Round, of []uint32) {
	for _, i := range of {
		hash, ok := round.Input(i)
		if !ok || m.training.held[i] || !m.again(fmt.Sprintf("train/%d/file/%d", t.Plan.Number, i), l.Height()) {
			continue
		}
		f := FetchMasked{Number: t.Plan.Number, Member: i, Hash: hash, Round: round.Clone()}
		for k := range t.Trainers {
			p, known := l.Member(t.Trainers[(int(i)-1+k)%len(t.Trainers)])
			if known && p.Index != m.me.Index {
				f.From = append(f.From, p.Account)
			}
		}
		m.do(f)
	}
}

// addUp asks for the sum once all files that it takes are here.
func (m *Machine) addUp(l curation.View, t curation.Training, round *secagg.Round) {
	tr := m.training
	if tr.learning && m.again(fmt.Sprintf("train/%d/late", t.Plan.Number), l.Height()) {
		m.do(StopLearning{Number: t.Plan.Number}) // or it would wait for that
	}
	if tr.open == nil || tr.summing || tr.made {
		return
	}
	m.fetchMasked(l, t, round, round.Survivors())
	for _, i := range round.Survivors() {
		if !tr.held[i] {
			return
		}
	}
	if m.again(fmt.Sprintf("train/%d/sum", t.Plan.Number), l.Height()) {
		tr.summing = true
		m.do(AddUp{Number: t.Plan.Number, Round: round.Clone(), Key: tr.open.Key, Batch: int(t.Plan.Batch), Judged: tr.sum != nil})
	}
}

// makes says whether the version that was trained is in memory here. Until it is, the
// artist is opened and the sum added up.
func (m *Machine) makes(l curation.View, t curation.Training, round *secagg.Round) bool {
	if m.openedFor(l, t) {
		m.addUp(l, t, round)
	}
	return m.training.made
}

// summed says what became of the sum: whether it is known here, is what the members found,
// and makes a version that this member does not dislike. Of what it is not, it tells.
func (m *Machine) summed(l curation.View, t curation.Training) (good bool) {
	round, ok := l.TrainingRound(t.Plan.Number)
	if !ok {
		return false
	}
	sum := m.training.sum
	if sum == nil {
		m.makes(l, t, round)
		return false
	}
	var why error
	switch outcome, err := round.Outcome(); {
	case err != nil:
		why = err
	case sum.Result.Hash != outcome:
		why = errors.New("the sum that was found here is another than that of the others")
	default:
		why = sum.Dislikes()
	}
	if why != nil && m.seldom(fmt.Sprintf("train/%d/good", t.Plan.Number), l.Height()) {
		m.do(Note{Text: "this member does not vote for the version that was trained", RID: t.RID, Err: why})
	}
	return why == nil
}

// conclude votes for the version that all have found, or seals it when it is our turn and
// nobody has. The vote takes no more than what was found before, since the artist may open
// for nobody any more: once it is sealed, the keys may be handed over.
func (m *Machine) conclude(l curation.View, t curation.Training) {
	if !m.summed(l, t) {
		return
	}
	plain := m.training.sum.PlainHash
	for _, e := range t.Results {
		made, ok := l.ModelAt(e)
		switch {
		case !ok:
		case made.PlainHash != plain:
			if m.seldom(fmt.Sprintf("train/%d/other/%d", t.Plan.Number, e), l.Height()) {
				m.do(Misbehaved{Member: made.Sealer, What: "sealed another artist than the one that was trained"})
			}
		default:
			m.adoptTrained(l, made)
			return
		}
	}
	if round, ok := l.TrainingRound(t.Plan.Number); !ok || !m.makes(l, t, round) {
		return
	}
	if t.MaySeal(l.Params(), m.me.Index, l.Height()+1) {
		m.sealTrained(l, t, plain)
	}
}

// adoptTrained votes for a version that is what we have found.
func (m *Machine) adoptTrained(l curation.View, made curation.Model) {
	if made.Standing != curation.ModelNominated || m.me.Seat == 0 {
		return
	}
	for _, motion := range l.Motions() {
		if motion.Adopt == made.KeyEpoch && !slices.Contains(motion.Votes, m.me.Index) {
			m.submit(l.Height(), fmt.Sprintf("train/adopt/%d", made.KeyEpoch), curation.Adopt{KeyEpoch: made.KeyEpoch})
		}
	}
}

// sealTrained seals the version that was trained for the next key epoch.
func (m *Machine) sealTrained(l curation.View, t curation.Training, plain curation.Hash) {
	c, active := l.Committee()
	if !active {
		return
	}
	tr, policy, epoch := m.training, curation.PolicyHash(l.Genesis().Charter), l.NextKeyEpoch()
	if s := tr.sealed; s != nil && s.KeyEpoch == epoch {
		old, _ := l.ModelAt(t.KeyEpoch)
		m.submit(l.Height(), fmt.Sprintf("train/%d/seal/%d", t.Plan.Number, epoch), curation.Seal{
			Name: curation.TrainedName(old.Name, t.Plan.Number), PlainHash: plain, PolicyHash: policy, KeyEpoch: epoch, Training: t.Plan.Number,
			ContainerCID: s.ContainerCID, ContainerHash: s.ContainerHash, ContainerSize: s.ContainerSize, Ciphertext: s.Ciphertext,
		})
		return
	}
	if tr.sealing || !m.again(fmt.Sprintf("train/%d/sealing", t.Plan.Number), l.Height()) {
		return
	}
	tr.sealing = true
	m.do(SealTrained{Number: t.Plan.Number, Sealing: Sealing{
		KeyEpoch: epoch, X: c.X(), Label: curation.ModelLabel(m.chain, curation.ModelID(plain), epoch, policy, c.X())}})
}

// trained takes the outcome of an effect of the training.
func (m *Machine) trained(l curation.View, e Event) {
	tr := m.training
	failed := func(what string, number uint64, err error) bool {
		if err != nil && tr != nil && tr.number == number {
			m.do(Note{Text: what, Err: fmt.Errorf("training %d: %w", number, err)})
		}
		return err != nil
	}
	switch e := e.(type) {
	case ArtistOpened:
		for key, j := range m.jobs {
			if key.role == seal.Trainer {
				j.rendering = false
			}
		}
		if tr == nil || tr.number != e.Number || failed("the artist does not open for the training", e.Number, e.Err) {
			return
		}
		tr.open = &e
		maps.DeleteFunc(m.jobs, func(k jobKey, _ *job) bool { return k.role == seal.Trainer })
	case Learned:
		if tr == nil || tr.number != e.Number {
			clear(e.Input)
			return
		}
		tr.learning = false
		if !failed("nothing was learned from the own pictures", e.Number, e.Err) {
			tr.input = e.Input
		}
	case MaskedHeld:
		if tr == nil { // it was on its way when the training was forgotten
			m.do(ForgetTraining{Number: e.Number})
			return
		}
		if tr.number != e.Number {
			return
		}
		tr.held[e.Member] = true
	case Summed:
		if tr == nil || tr.number != e.Number {
			return
		}
		tr.summing = false
		if failed("the training's sum is not known here", e.Number, e.Err) {
			break
		}
		if tr.made = true; tr.sum == nil {
			tr.sum = &e
			m.do(KeepTraining{Number: tr.number, State: tr.state()})
		}
	case TrainedSealed:
		if e.Container.ContainerCID != "" {
			m.Holds(e.Container.KeyEpoch, e.Container.ContainerCID, true)
		}
		if tr == nil || tr.number != e.Number {
			return
		}
		tr.sealing = false
		if !failed("the version that was trained is not sealed", e.Number, e.Err) {
			tr.sealed = &e.Container
		}
	}
	m.train(l)
}
