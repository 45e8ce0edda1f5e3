package member

import (
	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Events and effects of a training. Each event is the outcome of the effect whose comment
// names it. Number is the training's.

// ArtistOpened is the outcome of an OpenArtist.
type ArtistOpened struct {
	Number uint64
	Key    secagg.ReaderKey // of the training's session
	Length int              // numbers of the artist
	Err    error
}

// Learned is the outcome of a Learn: what the member gives to the sum.
type Learned struct {
	Number uint64
	Input  []uint32
	Err    error
}

// MaskedHeld is the outcome of a FetchMasked that found the file.
type MaskedHeld struct {
	Number uint64
	Member uint32 // place among the trainers, from 1
}

// Summed is the outcome of an AddUp.
type Summed struct {
	Number    uint64
	Result    secagg.Result
	PlainHash curation.Hash   // of the version of the artist that follows
	Forgotten model.Forgotten // of what the old version knew, by the new one
	// Before and After are the losses of the old and the new version on the own pictures.
	Before, After float64
	Err           error `cbor:"-"`
}

// TrainedSealed is the outcome of a SealTrained.
type TrainedSealed struct {
	Number    uint64
	Container curation.Rotate
	Err       error
}

func (ArtistOpened) event()  {}
func (Learned) event()       {}
func (MaskedHeld) event()    {}
func (Summed) event()        {}
func (TrainedSealed) event() {}

// OpenArtist opens the artist that is trained, and holds it open until the training is
// forgotten. The file keys are wiped after use.
type OpenArtist struct {
	Number uint64
	Unsealing
	Session [32]byte // of the reader key
}

// Learn trains the open artist on the own pictures for some steps.
type Learn struct {
	Number uint64
	Steps  int
	Batch  int     // pictures that a step learns from
	Rate   float64 // Adam's
	Clip   float64 // most length of the change
}

// StopLearning ends a Learn that is under way: it is too late for what comes of it, and
// the sum has to be added up meanwhile.
type StopLearning struct{ Number uint64 }

// KeepTraining makes State, what must not be said in two ways and what was found, durable,
// and the masked file that goes with it, before the effects behind it happen. What is nil
// stays as it was. State is whoever's who performs it, to be cleared then.
type KeepTraining struct {
	Number uint64
	State  []byte // secret
	File   []byte // to be given to whoever asks for its SHA-256
}

// FetchMasked brings a masked file here from one of the accounts, unless it is here.
type FetchMasked struct {
	Number uint64
	Member uint32 // place among the trainers, from 1
	Hash   curation.Hash
	From   []curation.Address
	Round  *secagg.Round
}

// Check says whether a file is the one that is asked for.
func (f FetchMasked) Check(file []byte) error { return f.Round.CheckFile(f.Member, file) }

// AddUp takes the masks off the files of those who survived, which are here, makes the
// version of the artist that follows, and measures it on the own pictures and by what it
// has forgotten, unless that is known.
type AddUp struct {
	Number uint64
	Round  *secagg.Round
	Key    secagg.ReaderKey
	Batch  int
	Judged bool // by an earlier run
}

// SealTrained seals the new version, stores and pins its container.
type SealTrained struct {
	Number  uint64
	Sealing Sealing
}

// ForgetTraining ends whatever is done for a training, lets go of the artist, and
// destroys what KeepTraining kept and the masked files.
type ForgetTraining struct{ Number uint64 }

func (OpenArtist) effect()     {}
func (Learn) effect()          {}
func (StopLearning) effect()   {}
func (KeepTraining) effect()   {}
func (FetchMasked) effect()    {}
func (AddUp) effect()          {}
func (SealTrained) effect()    {}
func (ForgetTraining) effect() {}
