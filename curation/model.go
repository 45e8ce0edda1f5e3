package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/shamir/seal"
)

// MaxLayers is how many ciphertexts have to be opened for one model at most: its own and
// those of the layers that rotations put around it.
const MaxLayers = seal.MaxLayers

// ModelStanding is where a model stands, or rather its key epoch.
type ModelStanding string

// The standings. Requests are of the current model, which is on trial or proven; there
// is one from the first seal on. At most one is proposed, and at most one on trial.
const (
	ModelNominated ModelStanding = "nominated" // members vote on whether to adopt it
	ModelProposed  ModelStanding = "proposed"  // members fetch its container and tell that they have it
	ModelTrial     ModelStanding = "on trial"  // current; nobody knows yet whether it opens
	ModelProven    ModelStanding = "proven"    // current, or what is current again if the one on trial fails
	ModelRetired   ModelStanding = "retired"   // another one took its place, perhaps around it
	ModelDiscarded ModelStanding = "discarded" // came to nothing
)

// Model is an artist as it is sealed for one key epoch: from scratch, or as a layer
// around what was sealed before.
type Model struct {
	_             struct{} `cbor:",toarray"`
	ID            Hash     // ModelID of the plain hash
	KeyEpoch      uint64   // counted from 1, never given twice
	Name          string
	PlainHash     Hash
	PolicyHash    Hash
	ContainerHash Hash
	ContainerCID  string
	ContainerSize uint64
	Label         Hash   // ModelLabel; LayerLabel of a layer
	U             Hash   // first component of the ciphertext
	Ciphertext    []byte // empty once the model is discarded without having been current
	Epoch         uint64 // committee under whose X it is sealed
	Sealer        uint32 // member that sealed it or put the layer around it
	Height        uint64 // at which it did

	Base     uint64 // key epoch of the container inside; 0 when it is sealed from scratch
	Layers   int    // ciphertexts that have to be opened, this one included; 1 to MaxLayers
	Standing ModelStanding
	Until    uint64   // last height for votes or for members to store it; 0 unless it is nominated or proposed
	Stored   []uint32 // members that have its container, the sealer first; told while it was proposed
	Before   uint64   // key epoch that it took the place of, and gives it back to if it fails; 0 for none
	Since    uint64   // height from which on it was current, for the first time; 0 if it never was
	Approved uint64   // requests and trainings that were approved under it
	Tried    uint64   // of these, that ended while it was on trial and did not prove it
	Seed     Hash     // of the last that was approved
	Openers  []uint32 // members that trained on it, or made or audited an artwork with it that was attested; the last one first
	Ended    uint64   // height at which it was retired or discarded
	Reason   string   // why it was discarded, in words
	Training uint64   // number of the training that it came of, by its sealer's word; 0 for none
}

// Rotation is the making of the next key epoch, which began when the current one was
// old enough. It lasts, over proposals that came to nothing, until one is proven.
type Rotation struct {
	_     struct{} `cbor:",toarray"`
	Base  uint64   // key epoch that it ends
	Fresh bool     // what is asked for is the artist sealed from scratch, as it has MaxLayers
	Since uint64   // turns begin with the block after this height
	Order []uint32 // members, drawn; of Fresh those who have opened the artist, the last one first
	Skip  []uint32 // members whose proposal was discarded
	// KeyEpoch is what came of it: proposed or on trial. 0 while it is somebody's turn.
	KeyEpoch uint64
}

// Turns are the members who may make the next key epoch, in order: each for
// Params.GenerateBlocks, then the next may too. Seats are those in force.
func (r Rotation) Turns(seats Seats) []uint32 {
	return slices.DeleteFunc(slices.Clone(r.Order), func(m uint32) bool { return seats.Of(m) == 0 || slices.Contains(r.Skip, m) })
}

// RotatorAt is the member whose turn it is in the given block; false without one.
func (r Rotation) RotatorAt(p Params, seats Seats, height uint64) (uint32, bool) {
	turns := r.Turns(seats)
	k, ok := turn(r.Since, height, p.GenerateBlocks, len(turns))
	if !ok || r.KeyEpoch != 0 {
		return 0, false
	}
	return turns[k], true
}

// MayRotate says whether the member's turn has come in the given block.
func (r Rotation) MayRotate(p Params, seats Seats, member uint32, height uint64) bool {
	turns := r.Turns(seats)
	k, ok := turn(r.Since, height, p.GenerateBlocks, len(turns))
	return ok && r.KeyEpoch == 0 && slices.Contains(turns[:k+1], member)
}
