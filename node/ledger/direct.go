package ledger

import (
	"io"
	"time"
)

// DirectConfig describes a Direct ledger. Genesis and Apps are needed.
type DirectConfig struct {
	Genesis []byte
	// GenesisTime is the virtual time of height 0. The zero value means the
	// Unix epoch.
	GenesisTime time.Time
	// Apps are the replicas, at least one, all fresh. Every block is executed by
	// each, and they have to agree on the hash and on the results.
	Apps []Application
	// BlockInterval is what a block adds to the virtual time. 0 means 1 s.
	BlockInterval time.Duration
	// Record receives every block, for Replay. nil records nothing.
	Record io.Writer
}
