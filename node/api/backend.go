package api

import (
	"context"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/storage"
)

// Backend is the node behind the interface. Its methods may be called by many
// requests at the same time.
type Backend interface {
	// View reads the committed state. read must be quick.
	View(read func(curation.View) error) error
	Ledger() ledger.Ledger
	Store() *storage.Store
	// Info describes this node.
	Info() Info
	// SealModel makes and seals the network's own artist; progress comes from the
	// same goroutine.
	SealModel(ctx context.Context, o SealOptions, progress func(SealProgress)) (curation.Model, error)
	// HandOver has the member propose that the keys be handed over to a new
	// committee, or consent to it, and returns once that stands on the ledger.
	HandOver(ctx context.Context) error
	// Releases are the last shares that the member released, of one request or, with
	// nil, of all, newest first.
	Releases(rid *curation.Hash, limit int) ([]member.Entry, error)
	// JoinTrainings has the member train on the pictures of a folder, and says what is in
	// it; LeaveTrainings ends that.
	JoinTrainings(ctx context.Context, pictures string) (Joined, error)
	LeaveTrainings() error
	OwnTraining() OwnTraining
	// Fetch brings a folder from a member (the zero address: from any) by a method
	// (empty: CAR stream first, then bitswap). It is verified, not pinned.
	Fetch(ctx context.Context, root cid.Cid, from curation.Address, method storage.Method) (storage.FetchReport, error)
}

// Info is what a node says about itself.
type Info struct {
	Name     string           // of the member
	Member   uint32           // index
	Account  curation.Address // of the member
	Peer     string           // libp2p peer id
	Version  string
	Started  time.Time
	HasShare bool // holds its share of the committee in force
	Departed bool // has left, as other members say, while its ledger does not show it
	Peers    []Peer
}

// Peer is another member as this node sees it.
type Peer struct {
	Member    uint32
	Peer      string // libp2p peer id
	Connected bool
	Proves    bool // its last heartbeat proved its share of the committee in force
	Addresses []string
}

// SealOptions are the choices of a sealing; zero values take the defaults.
type SealOptions struct {
	Name    string // of the artist
	Steps   int    // of the fine-tune
	Weights string // folder of an artist that is sealed as it is; empty has one made
}

// SealProgress is a moment of a sealing.
type SealProgress struct {
	Phase       string  // what happens now, in words; set when it begins
	Step, Steps int     // of the fine-tune
	Loss        float64 // of the step
}
