package curation

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Members can train the artist together on pictures that they show to nobody: each
// trains it a little on its own, and what they learned is added up so that nobody sees
// more than the sum (packages model/federated and shamir/secagg, where what this keeps
// private and what not is told). The ledger runs it, one training at a time:
//
//	approving   members voted for a plan, and certify that its trainers may open the artist
//	joining     who wants to take part opens the artist and says so
//	summing     the trainers are known; they train, and add up what they learned
//	sealing     the sum is known; the trainers, by turns, seal the artist that it makes
//	voting      members vote on whether to adopt it, as on any artist
//	adopted     they did, and what comes next is what comes after every adoption
//	failed      nothing came of it, for a reason
//
// Nobody's silence holds it: each status has a last height, after which the training goes
// on without who did not speak, or fails. It takes a reader key of each member with a seat
// and nothing else. Trainers are who joined in time with the commitment that most joined
// with: who has opened another artist, or none, has another. (Should so many lie that they
// are the most, a round is wasted: nobody else votes for what they make of it.) They stay
// the trainers, with the threshold of their number, whatever handovers bring: who loses its
// seat or leaves meanwhile drops out, and a rotation changes nothing, since the artist stays
// the same. But when another artist becomes the network's, what is learned of the one before
// is of no use any more and the training fails, with all that was sealed for it.
//
// The ledger cannot tell what the sum makes of the artist. A trainer that seals something
// else in its turn spends its own nomination and nobody else's: the next in turn may seal
// another hash beside it, and members vote for the one that they found too. One who names
// the right hash and seals a key that opens nothing is found out as any sealer is, in the
// trial; the artist of before is current again then, and a trainer may seal the new one
// once more, as members seal any artist.

// TrainingStatus is where a training stands.
type TrainingStatus string

// The statuses, in order; the last two are ends.
const (
	TrainingApproving TrainingStatus = "approving"
	TrainingJoining   TrainingStatus = "joining"
	TrainingSumming   TrainingStatus = "summing"
	TrainingSealing   TrainingStatus = "sealing"
	TrainingVoting    TrainingStatus = "voting"
	TrainingAdopted   TrainingStatus = "adopted"
	TrainingFailed    TrainingStatus = "failed"
)

// Ended says that nothing more will happen.
func (s TrainingStatus) Ended() bool { return s == TrainingAdopted || s == TrainingFailed }

// Opens says whether members open the artist for the training, or will: from its opening
// until something is sealed, so that a trainer may begin again after a crash.
func (s TrainingStatus) Opens() bool { return !s.Ended() && s != TrainingVoting }

// Training is one training of the artist by its members. The artist is that of Opening,
// whose Expiry is when what comes of it is sealed at the latest. Fields of a step are zero
// until then.
type Training struct {
	_ struct{} `cbor:",toarray"` // the fields of Opening stand first
	Opening
	Status TrainingStatus
	Plan   Plan
	Votes  []uint32 // members, in the order of their votes for the plan
	// Until is the last height of the status, or, while summing, of the round's phase; 0
	// once it has ended. Approving and joining share theirs, and both may end early.
	Until uint64

	Joined []Joined // in order
	// Trainers are the members whose changes are added up, ascending: the first has index
	// 1 in the round.
	Trainers []uint32
	Begun    uint64 // height at which they were known

	Summed   uint64    // height at which the sum was known
	Sum      Hash      // hash of the sum: secagg.Round.Outcome
	Counted  []uint32  // trainers whose changes are in it
	Culprits []Culprit // members that failed their duty, with what they did

	Results []uint64 // key epochs for which trainers sealed what came of it
	Adopted uint64   // that of the one that members adopted
	Ended   uint64   // height
	Reason  string   // why it failed, in words
}

// Joined is a member that takes part in a training, with its commitment to the reader key.
type Joined struct {
	_      struct{} `cbor:",toarray"`
	Member uint32
	Reader Hash
}

// Session is what the reader key of the training is made for: Artist.ReaderKey. It names
// chain, training and, through the RID, the plan and the artist.
func (t Training) Session(chain Hash) Hash { return secagg.Session(chain, t.Plan.Number, t.RID) }

// roundSession is that of the round: it names the trainers too, whose numbers stand
// nowhere else in it.
func (t Training) roundSession(chain Hash) Hash {
	var members [][]byte
	for _, m := range t.Trainers {
		members = append(members, index32(m))
	}
	return secagg.Session(chain, t.Plan.Number, hash("trainers", t.RID[:], slices.Concat(members...)))
}

// Index is a trainer's in the round, 0 for anybody else.
func (t Training) Index(member uint32) uint32 { return Seats(t.Trainers).Of(member) }

// HasJoined says whether the member takes part.
func (t Training) HasJoined(member uint32) bool {
	return slices.ContainsFunc(t.Joined, func(j Joined) bool { return j.Member == member })
}

// MayOpen says whether the member may open the artist in the block of that height, and
// so whether the others release their shares to it as seal.Trainer: the training is
// approved and has neither expired nor ended, and the member is a trainer or can become
// one yet.
func (t Training) MayOpen(member uint32, height uint64) bool {
	_, listed := t.Readers().Lookup(member)
	return listed && len(t.Certificate) == quorum.SignatureSize && height < t.Expiry && !t.Status.Ended() &&
		(t.Status == TrainingJoining || t.Index(member) != 0)
}

// Sealers are the trainers in the order of their turns to seal the new artist: the
// seed's.
func (t Training) Sealers() []uint32 {
	return slices.DeleteFunc(slices.Clone(t.Order), func(m uint32) bool { return t.Index(m) == 0 })
}

// SealUntil is the last height at which trainers may seal the new artist; 0 before the
// sum is known.
func (t Training) SealUntil(p Params) uint64 {
	if t.Summed == 0 {
		return 0
	}
	return t.Summed + p.RequestBlocks - 1
}

// SealerAt is the member whose turn it is to seal in the given block, and false when the
// training does not wait for that then.
func (t Training) SealerAt(p Params, height uint64) (uint32, bool) {
	sealers := t.Sealers()
	k, ok := turn(t.Summed, height, p.GenerateBlocks, len(sealers))
	if !ok || height > t.SealUntil(p) || t.Status != TrainingSealing {
		return 0, false
	}
	return sealers[k], true
}

// MaySeal says whether the ledger would take the member's seal in the given block: a turn
// that has begun does not end before the last height. While members vote on what one of
// them sealed, the others may seal another hash.
func (t Training) MaySeal(p Params, member uint32, height uint64) bool {
	sealers := t.Sealers()
	k, ok := turn(t.Summed, height, p.GenerateBlocks, len(sealers))
	return ok && height <= t.SealUntil(p) && (t.Status == TrainingSealing || t.Status == TrainingVoting) && slices.Contains(sealers[:k+1], member)
}

// TrainedName is what people call the version of an artist that a training made. It is
// the ledger's to say, since trainers' nodes vote by themselves for what they have found
// too, whatever its sealer would have called it.
func TrainedName(old string, number uint64) string {
	if i := strings.LastIndex(old, trainedMark); i > 0 && strings.Trim(old[i+len(trainedMark):], "0123456789") == "" {
		old = old[:i]
	}
	mark := fmt.Sprintf("%s%d", trainedMark, number)
	for len(old)+len(mark) > MaxName {
		_, size := utf8.DecodeLastRuneInString(old)
		old = old[:len(old)-size]
	}
	return old + mark
}

const trainedMark = ", training "
