package curation

import (
	"fmt"

	"github.com/atelier-dao/atelier/curation/curve"
)

// Params are the rules that the founders chose; they stand in genesis and hold
// for the life of the chain. All spans are counted in blocks, because blocks are
// the only clock of the ledger. Amounts are base units (1 credit = 10^9).
type Params struct {
	// DKGPhaseBlocks is the longest that each of the ceremony's phases commit,
	// bundle and acknowledge may take; each ends early when all members have
	// spoken. As long may each phase take in which trainers add up, but for their
	// training. Range 1..100000.
	DKGPhaseBlocks uint64 `json:"dkg_phase_blocks"`
	// DKGDisputeBlocks is how long bundles, and trainers' shares, may be disputed. For
	// bundles it never ends early. Range 1..100000.
	DKGDisputeBlocks uint64 `json:"dkg_dispute_blocks"`
	// DKGRetryBlocks is the pause after an aborted ceremony before the next one
	// opens by itself, and after every handover before the next may be proposed.
	// What bounds the handovers that one member can force is counted in it; see
	// Missed. Range 1..100000.
	DKGRetryBlocks uint64 `json:"dkg_retry_blocks"`

	// MotionBlocks is how long a motion on who is a member, on the artist, or on its
	// training takes votes. Range 1..10000000.
	MotionBlocks uint64 `json:"motion_blocks"`

	// KeyEpochBlocks is how long a key epoch lasts: once it is so old, and a request or
	// a training was approved under it, a member wraps the artist in one more layer under a new key, so
	// that the keys that were released so far open nothing that members still keep. 0
	// means never. Range 0..1000000000.
	KeyEpochBlocks uint64 `json:"key_epoch_blocks"`

	// RequestBlocks is the life of a request: certificate, registration and audit
	// must be in blocks fewer than this many after its own. As long have members to
	// store a proposed model, and trainers to seal what came of a training. Range
	// 1..10000000.
	RequestBlocks uint64 `json:"request_blocks"`
	// GenerateBlocks is the turn of a generator before the next in the seed's
	// order may register too, and that of a rotator and of a trainer who seals. Range
	// 1..1000000.
	GenerateBlocks uint64 `json:"generate_blocks"`
	// AuditBlocks is the turn of an auditor before the next may attest too. Range
	// 1..1000000.
	AuditBlocks uint64 `json:"audit_blocks"`
	// OpenRequests is the most requests of one account that are not yet candidates
	// nor ended. Range 1..10000.
	OpenRequests uint64 `json:"open_requests"`
	// MaxPrekeys is the longest queue of unused prekeys of one member. Range
	// 1..65536.
	MaxPrekeys uint64 `json:"max_prekeys"`
	// RequestDeposit is locked by a request and becomes the first reserve of the
	// curve. Range 1 credit..10^9 credits.
	RequestDeposit curve.Amount `json:"request_deposit"`

	// RoundCandidates is the number of waiting candidates that opens a round at
	// once. Range 1..RoundMax.
	RoundCandidates uint64 `json:"round_candidates"`
	// RoundWaitBlocks opens a round with fewer candidates when the oldest has
	// waited this long. Range 1..10000000.
	RoundWaitBlocks uint64 `json:"round_wait_blocks"`
	// RoundMax is the most candidates in one round; the others wait for the next.
	// Range 1..256.
	RoundMax uint64 `json:"round_max"`
	// BackBlocks is the length of the sealed phase. Range 1..1000000.
	BackBlocks uint64 `json:"back_blocks"`
	// OpenBlocks is how long the committee has to open the orders before everybody
	// is refunded. Range 1..1000000.
	OpenBlocks uint64 `json:"open_blocks"`
	// MaxPublished is the most artworks that one round publishes; a cap, not a
	// quota. Range 1..256.
	MaxPublished uint64 `json:"max_published"`
	// MaxOrders is the most sealed orders in one round, so that every member's
	// opening fits in one transaction. In a full round a larger escrow displaces the
	// smallest. Range 1..1024.
	MaxOrders uint64 `json:"max_orders"`
	// MinEscrow is the least that a sealed order locks, and what an order costs that
	// cannot be read once it is opened, so that filling a round with empty orders
	// costs something. Range 1..10^9 credits in base units.
	MinEscrow curve.Amount `json:"min_escrow"`
	// AccountOrders is the most sealed orders of one account in one round. Range
	// 1..MaxOrders.
	AccountOrders uint64 `json:"account_orders"`
	// IdentityCapPPM bounds what one account's backing counts in the score of an
	// artwork, as a share of all backing in the round, in parts per million. Range
	// 1..1000000, where 1000000 means no bound.
	IdentityCapPPM curve.Ratio `json:"identity_cap_ppm"`

	// ReserveRatioPPM is the curve's reserve ratio w in parts per million: 500000
	// is one half. Range 10000..1000000. See package curve.
	ReserveRatioPPM curve.Ratio `json:"reserve_ratio_ppm"`
	// LockedSupply is the number of tokens that the request's deposit mints and
	// that nobody ever holds, so that supply is never zero. Range 1 token..10^9
	// tokens.
	LockedSupply curve.Amount `json:"locked_supply"`
	// TreasuryTributePPM is the share of a backing that goes to the treasury.
	// Range 0..100000.
	TreasuryTributePPM curve.Ratio `json:"treasury_tribute_ppm"`
	// MakerTributePPM is the share of a backing that goes to the generator of the
	// artwork. Range 0..100000.
	MakerTributePPM curve.Ratio `json:"maker_tribute_ppm"`
	// ExitTributePPM is the share of a sale that goes to the treasury. Range
	// 0..100000.
	ExitTributePPM curve.Ratio `json:"exit_tribute_ppm"`

	// SlashPPM is the share of its free balance that a member loses to the treasury
	// when it is convicted, in parts per million: 200000 is one fifth. Range
	// 0..1000000. See Evidence.
	SlashPPM curve.Ratio `json:"slash_ppm"`

	// PictureSize is the edge of every artwork, which is square, in pixels. Range
	// 64..4096.
	PictureSize uint64 `json:"picture_size"`
	// AuditTiles is how many tiles of 32×32 pixels, drawn by chance, an auditor renders
	// again; the other pixels it only hashes. 0, and as many as a picture has or more,
	// means the whole picture. A forgery that is found costs its maker nothing but that
	// picture, so it may try again and again, and only the whole picture leaves nothing
	// to try for: the default artist draws 1024² pixels in 0.2 s. A smaller number is
	// for networks whose pictures take their members minutes; whoever altered a share f
	// of the tiles gets by k of them with less than (1-f)^k. Range 0..16384.
	AuditTiles uint64 `json:"audit_tiles"`

	// MaxEditionPixels is the most pixels of one edition, all frames of a film together;
	// 0 means that none are made. The default is a picture of 8192², or a film of 256
	// frames of 512². Range 0..2^30. See Edition.
	MaxEditionPixels uint64 `json:"max_edition_pixels"`
	// EditionBlocks is for how many blocks after its audit members keep an edition, and
	// refuse to make the same once more: time to fetch it. Nobody chose that it should
	// stay, and it can be asked for again. Range 1..10000000.
	EditionBlocks uint64 `json:"edition_blocks"`

	// MemberQuota is the number of free protocol transactions of one member in one
	// block. Range 1..10000.
	MemberQuota uint64 `json:"member_quota"`
	// Fees are what the other transactions cost.
	Fees Fees `json:"fees"`
}

// Fees is the table of fees in base units: a transaction costs the fee of its
// kind and PerByte for each byte of it. They go to the treasury, also when the
// transaction is refused. Each is at most 10^6 credits.
type Fees struct {
	PerByte curve.Amount `json:"per_byte"`
	Send    curve.Amount `json:"send"`
	Request curve.Amount `json:"request"`
	Order   curve.Amount `json:"order"`
	Sell    curve.Amount `json:"sell"`
	// Protocol is what a member's kind of transaction costs an account that is not
	// a member, such as a certificate that a collector brings.
	Protocol curve.Amount `json:"protocol"`
	// Edition is what a million pixels of an edition cost beside the fee of a request,
	// each that is begun. It goes to the generator, and back if there is no edition.
	Edition curve.Amount `json:"edition"`
}

// DefaultParams suit a network whose blocks come about once a second; spans
// shrink in proportion for demonstrations. The values of the market follow the
// simulation of the publication rule: sealed batch, tribute 2 % and 1 %, exit
// 1 %, reserve ratio one half, first deposit 100 credits.
func DefaultParams() Params {
	return Params{
		DKGPhaseBlocks: 600, DKGDisputeBlocks: 10, DKGRetryBlocks: 60, MotionBlocks: 86_400, KeyEpochBlocks: 86_400,
		RequestBlocks: 7200, GenerateBlocks: 600, AuditBlocks: 600,
		OpenRequests: 16, MaxPrekeys: 1024, RequestDeposit: curve.Credits(100),
		RoundCandidates: 6, RoundWaitBlocks: 3600, RoundMax: 60, BackBlocks: 3600, OpenBlocks: 600,
		MaxPublished: 6, MaxOrders: 512, MinEscrow: curve.Credits(1), AccountOrders: 32, IdentityCapPPM: 50_000,
		ReserveRatioPPM: 500_000, LockedSupply: curve.Credits(100),
		TreasuryTributePPM: 20_000, MakerTributePPM: 10_000, ExitTributePPM: 10_000,
		SlashPPM: 200_000, PictureSize: 1024, AuditTiles: 0, MaxEditionPixels: 1 << 26, EditionBlocks: 86_400, MemberQuota: 64,
		Fees: Fees{
			PerByte: curve.NewAmount(10_000), // 10^-5 credits: a full block costs ten credits
			Send:    curve.NewAmount(1_000_000), Request: curve.Credits(1), Order: curve.NewAmount(10_000_000),
			Sell: curve.NewAmount(10_000_000), Protocol: curve.NewAmount(10_000_000),
			Edition: curve.NewAmount(100_000_000), // 8192² pixels cost 6.8 credits
		},
	}
}

// Validate refuses parameters outside the ranges that their fields document.
func (p Params) Validate() error {
	for _, r := range []struct {
		name            string
		value, min, max uint64
	}{
		{"dkg_phase_blocks", p.DKGPhaseBlocks, 1, 100_000},
		{"dkg_dispute_blocks", p.DKGDisputeBlocks, 1, 100_000},
		{"dkg_retry_blocks", p.DKGRetryBlocks, 1, 100_000},
		{"motion_blocks", p.MotionBlocks, 1, 10_000_000},
		{"key_epoch_blocks", p.KeyEpochBlocks, 0, 1_000_000_000},
		{"request_blocks", p.RequestBlocks, 1, 10_000_000},
		{"generate_blocks", p.GenerateBlocks, 1, 1_000_000},
		{"audit_blocks", p.AuditBlocks, 1, 1_000_000},
		{"open_requests", p.OpenRequests, 1, 10_000},
		{"max_prekeys", p.MaxPrekeys, 1, 65_536},
		{"round_max", p.RoundMax, 1, 256},
		{"round_candidates", p.RoundCandidates, 1, p.RoundMax},
		{"round_wait_blocks", p.RoundWaitBlocks, 1, 10_000_000},
		{"back_blocks", p.BackBlocks, 1, 1_000_000},
		{"open_blocks", p.OpenBlocks, 1, 1_000_000},
		{"max_published", p.MaxPublished, 1, 256},
		{"max_orders", p.MaxOrders, 1, 1024},
		{"account_orders", p.AccountOrders, 1, p.MaxOrders},
		{"identity_cap_ppm", uint64(p.IdentityCapPPM), 1, uint64(curve.PPM)},
		{"reserve_ratio_ppm", uint64(p.ReserveRatioPPM), uint64(curve.MinRatio), uint64(curve.MaxRatio)},
		{"treasury_tribute_ppm", uint64(p.TreasuryTributePPM), 0, 100_000},
		{"maker_tribute_ppm", uint64(p.MakerTributePPM), 0, 100_000},
		{"exit_tribute_ppm", uint64(p.ExitTributePPM), 0, 100_000},
		{"slash_ppm", uint64(p.SlashPPM), 0, uint64(curve.PPM)},
		{"picture_size", p.PictureSize, 64, 4096},
		{"audit_tiles", p.AuditTiles, 0, 16_384},
		{"max_edition_pixels", p.MaxEditionPixels, 0, 1 << 30},
		{"edition_blocks", p.EditionBlocks, 1, 10_000_000},
		{"member_quota", p.MemberQuota, 1, 10_000},
	} {
		if r.value < r.min || r.value > r.max {
			return fmt.Errorf("%s is %d, want %d to %d", r.name, r.value, r.min, r.max)
		}
	}
	one, most := curve.Credits(1), curve.Credits(1_000_000_000)
	for _, r := range []struct {
		name            string
		value, min, max curve.Amount
	}{
		{"request_deposit", p.RequestDeposit, one, most},
		{"locked_supply", p.LockedSupply, one, most},
		{"min_escrow", p.MinEscrow, curve.NewAmount(1), most},
		{"fees.per_byte", p.Fees.PerByte, curve.Amount{}, curve.Credits(1_000_000)},
		{"fees.send", p.Fees.Send, curve.Amount{}, curve.Credits(1_000_000)},
		{"fees.request", p.Fees.Request, curve.Amount{}, curve.Credits(1_000_000)},
		{"fees.order", p.Fees.Order, curve.Amount{}, curve.Credits(1_000_000)},
		{"fees.sell", p.Fees.Sell, curve.Amount{}, curve.Credits(1_000_000)},
		{"fees.protocol", p.Fees.Protocol, curve.Amount{}, curve.Credits(1_000_000)},
		{"fees.edition", p.Fees.Edition, curve.Amount{}, curve.Credits(1_000_000)},
	} {
		if r.value.Less(r.min) || r.max.Less(r.value) {
			return fmt.Errorf("%s is %s, want %s to %s; it is written in base units of 0.000000001", r.name, r.value.Credits(), r.min.Credits(), r.max.Credits())
		}
	}
	return nil
}

// FeeFor is what a transaction of size bytes costs an account that is, or is
// not, a member.
func (p Params) FeeFor(kind Kind, size int, member bool) curve.Amount {
	base := p.Fees.Protocol
	switch kind {
	case KindSend:
		base = p.Fees.Send
	case KindRequest, KindEdition:
		base = p.Fees.Request
	case KindOrder:
		base = p.Fees.Order
	case KindSell:
		base = p.Fees.Sell
	default:
		if member {
			return curve.Amount{}
		}
	}
	return base.Add(p.Fees.PerByte.Mul(uint64(size)))
}
