package member

import (
	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// Event is what the machine reacts to.
type Event interface{ event() }

// Committed says that the ledger has a new block, or that the machine has just
// started on the ledger as it stands.
type Committed struct{}

// Approval is an approval that another member gossiped.
type Approval quorum.Approval

// ReleaseAsked is a request for a blinded share. From is the account that the
// secured connection proves; Ticket comes back in the answer.
type ReleaseAsked struct {
	Ticket uint64
	From   curation.Address
	RID    curation.Hash
	Role   seal.Role
}

// ShareArrived is a member's answer to an AskShare, or why there is none.
type ShareArrived struct {
	RID    curation.Hash
	Role   seal.Role
	Member uint32
	Share  []byte // as in Answer
	Err    error
}

// Rendered is the outcome of a Render.
type Rendered struct {
	RID       curation.Hash
	Role      seal.Role
	CID       string // of the artwork's folder; a generator's only, and not of an edition that is too large
	PixelRoot curation.Hash
	Rotate    *curation.Rotate // what came of Render.Reseal; nil when nothing did
	Err       error
}

// ModelKept is the outcome of a KeepModel that came to its end: the container is here,
// and Err wraps ErrContainer when it is not what the ledger tells of.
type ModelKept struct {
	KeyEpoch uint64
	CID      string
	Err      error
}

// Wrapped is the outcome of a Wrap.
type Wrapped struct {
	Rotate curation.Rotate
	Err    error
}

// TasteLearned is the outcome of a LearnTaste.
type TasteLearned struct {
	Version uint64
	Prior   curation.Hash // of the file, which is here and pinned
	Lexicon curation.Hash // the same of the lexicon's
	Err     error
}

// PriorKept tells that a file of the taste is here and pinned.
type PriorKept struct{ File curation.Hash }

// HandoverWanted has the member propose that the keys be handed over to a fresh
// committee, or consent to it; it does the latter by itself.
type HandoverWanted struct{}

// Departed tells that the member has left the network, which its ledger does not show.
// It destroys its seeds and does nothing any more.
type Departed struct{}

func (Committed) event()      {}
func (Departed) event()       {}
func (HandoverWanted) event() {}
func (Approval) event()       {}
func (ReleaseAsked) event()   {}
func (ShareArrived) event()   {}
func (Rendered) event()       {}
func (ModelKept) event()      {}
func (Wrapped) event()        {}
func (TasteLearned) event()   {}
func (PriorKept) event()      {}

// Effect is what the machine asks its surroundings to do.
type Effect interface{ effect() }

// Submit sends a transaction of this member. Two submissions of one key are the
// same wish: the second may be dropped while the first is under way.
type Submit struct {
	Key     string
	Payload curation.Payload
}

// Gossip sends an approval to all members.
type Gossip struct{ Approval quorum.Approval }

// AskShare asks a member for its blinded share; a ShareArrived follows.
type AskShare struct {
	RID    curation.Hash
	Role   seal.Role
	Member uint32
	From   curation.Address // the member's account
}

// Journal makes an entry durable before the effects behind it happen.
type Journal struct{ Entry Entry }

// KeepSeed makes the seed of the member's part in a ceremony durable before the
// effects behind it happen.
type KeepSeed struct {
	Epoch uint64
	Seed  [32]byte
}

// EraseSeed destroys a seed that is of no more use to the member, and of some to a
// thief.
type EraseSeed struct{ Epoch uint64 }

// KeepEvidence makes evidence durable; there is one of each member at most. The next run
// is given it by Charge.
type KeepEvidence struct{ Evidence curation.Evidence }

// DropEvidence takes away what is kept against a member: the ledger has judged it, or
// will not any more.
type DropEvidence struct{ Member uint32 }

// Answer replies to a ReleaseAsked with a share under our signature, which is 64
// bytes and comes first, or with a refusal.
type Answer struct {
	Ticket uint64
	Share  []byte
	Err    error
}

// Render opens the model with the keys of its layers and draws the artwork. As its generator
// it stores and pins the folder; as its auditor it fetches the registered folder and
// holds it against the drawing, and reports a zero root when that is another work. An
// edition it draws no further than to where its file is larger than members keep, and
// reports neither folder nor root then; its auditor, who is told so, does the same. A
// Rendered follows. The file keys are wiped after use.
type Render struct {
	Role    seal.Role
	Artwork curation.Artwork
	Unsealing
	// Reseal has the opened model sealed from scratch, stored and pinned as well, because
	// it has as many layers as it may have; nil otherwise. The picture does not wait on it.
	Reseal *Sealing
	// Maker is the account that holds the registered folder first-hand; an auditor's
	// only.
	Maker curation.Address
}

// Keep fetches an artwork's folder from one of the accounts, unless it is here,
// and pins it under the name.
type Keep struct {
	RID  curation.Hash
	CID  string
	Name string
	From []curation.Address
}

// LetGo unpins a folder that is pinned as this request's candidate, and frees its
// space. A folder pinned as anything else stays.
type LetGo struct {
	RID curation.Hash
	CID string
}

// KeepModel fetches the container of a sealed model, unless it is here, pins it, and
// holds it against what the ledger has of it. A ModelKept follows, unless it is not to be
// had now.
type KeepModel struct {
	Model  curation.Model
	Sealer curation.Address // the account that holds it first-hand
}

// LetGoModel unpins the container of a key epoch and frees its space.
type LetGoModel struct {
	KeyEpoch uint64
	CID      string
}

// Wrap seals a container once more, as it stands, stores and pins what comes of it. It
// takes no key. A Wrapped follows.
type Wrap struct {
	Sealing   Sealing
	Container curation.Model
	Sealer    curation.Address // the account that holds the container first-hand
}

// LearnTaste computes a version of the network's taste by the rule of package model/taste,
// keeps its file and that of the lexicon, and pins both. A TasteLearned follows.
type LearnTaste struct {
	Version uint64
	Round   uint64             // that it learns from; 0 for version 0
	Before  curation.Hash      // file of the version before, as it was adopted; zero for version 0
	Lexicon curation.Hash      // file of the network's; zero for version 0, which takes that of this program
	From    []curation.Address // who may have files that are not here
}

// KeepPrior fetches a file of the taste, unless it is here, and pins it. A PriorKept
// follows, unless it is not to be had now.
type KeepPrior struct {
	Version uint64
	File    curation.Hash
	From    []curation.Address
}

// Misbehaved names a member that broke the protocol as far as we can tell. What others
// can tell as well goes to the ledger, as evidence.
type Misbehaved struct {
	Member uint32
	What   string
}

// Note is a fact for the node's log.
type Note struct {
	Text string
	RID  curation.Hash // zero when it concerns none
	Err  error
}

func (Submit) effect()       {}
func (Gossip) effect()       {}
func (AskShare) effect()     {}
func (Journal) effect()      {}
func (KeepSeed) effect()     {}
func (EraseSeed) effect()    {}
func (KeepEvidence) effect() {}
func (DropEvidence) effect() {}
func (Answer) effect()       {}
func (Render) effect()       {}
func (Keep) effect()         {}
func (LetGo) effect()        {}
func (KeepModel) effect()    {}
func (LetGoModel) effect()   {}
func (Wrap) effect()         {}
func (LearnTaste) effect()   {}
func (KeepPrior) effect()    {}
func (Misbehaved) effect()   {}
func (Note) effect()         {}

// Entry is one line of the journal: a share that left, or was about to.
type Entry struct {
	Height  uint64        `json:"height"`
	RID     curation.Hash `json:"rid"`
	Role    seal.Role     `json:"role"`
	Member  uint32        `json:"member"` // the reader
	R       curation.Hash `json:"r"`      // the prekey under which it was blinded
	Context curation.Hash `json:"context"`
}
