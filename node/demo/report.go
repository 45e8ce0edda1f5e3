package demo

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Report is what a run did, for `atelier demo --json`. The field names are stable.
type Report struct {
	Network  string   `json:"network"` // genesis hash
	Members  []Member `json:"members"`
	Heights  []uint64 `json:"heights"`  // of each member's ledger at the end
	AppHash  string   `json:"app_hash"` // equal at all members
	Keys     Keys     `json:"keys"`
	Model    string   `json:"model"` // CID of the sealed container
	Artworks []Piece  `json:"artworks"`
	Taste    string   `json:"taste"` // hash of the version of the taste that learned from the round
	// Timings are seconds, by step; creation_median is from request to candidate.
	Timings        map[string]float64 `json:"timings"`
	PeakMemory     uint64             `json:"peak_memory"` // bytes, of the whole process
	Gallery        []string           `json:"gallery"`     // one page per member
	Home           string             `json:"home"`
	SealPhases     []string           `json:"seal_phases"`
	FetchedCAR     float64            `json:"fetched_car"`     // seconds for the published works by CAR stream
	FetchedBitswap float64            `json:"fetched_bitswap"` // seconds for the published works by bitswap
}

// Member is a co-owner of the demo's network.
type Member struct {
	Index   uint32 `json:"index"`
	Name    string `json:"name"`
	Account string `json:"account"`
}

// Keys are the network's public keys in hex.
type Keys struct {
	X         string `json:"x"`
	Y         string `json:"y"`
	Threshold int    `json:"threshold"`
}

// Piece is one artwork.
type Piece struct {
	RID       string             `json:"rid"`
	Prompt    string             `json:"prompt"` // empty when the taste said what to draw
	Title     string             `json:"title"`  // the prompt, or that in words
	CID       string             `json:"cid"`
	Seed      string             `json:"seed"`
	PixelRoot string             `json:"pixel_root"`
	Generator uint32             `json:"generator"`
	Auditor   uint32             `json:"auditor"`
	Backing   string             `json:"backing"` // base units
	Published bool               `json:"published"`
	Seconds   map[string]float64 `json:"seconds"` // since the request: approved, registered, audited
}

func (r *Report) phase(p string) { r.SealPhases = append(r.SealPhases, p) }

func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond)) / float64(time.Second)
}

// peakMemory is the process's high-water mark in bytes, 0 where the system does not
// tell.
func peakMemory() uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}
