package api

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/health"
)

// The resources of the interface. Their JSON is stable: names in snake case,
// amounts as decimal strings of base units (1 credit or token = 10^9), hashes and
// other bytes in lower-case hex, accounts as z6Mk…, heights as numbers where 0 or
// absence means "not yet".

// Hex is bytes that JSON shows in lower-case hex.
type Hex []byte

// MarshalText writes lower-case hex.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText reads hex.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// String is the lower-case hex.
func (h Hex) String() string { return hex.EncodeToString(h) }

// Network describes the network and where it stands.
type Network struct {
	Name       string                  `json:"name" doc:"From the charter."`
	Charter    string                  `json:"charter" doc:"What the founders promise each other."`
	Chain      curation.Hash           `json:"chain" doc:"Genesis hash: names the network in every signature."`
	Height     uint64                  `json:"height" doc:"Of the last block."`
	AppHash    curation.Hash           `json:"app_hash" doc:"Hash of the whole state."`
	Supply     curve.Amount            `json:"supply" doc:"Credits that exist."`
	Members    []Member                `json:"members" doc:"All who are, were or are about to be co-owners, by index."`
	Shares     Shares                  `json:"shares"`
	Succession string                  `json:"succession" doc:"What becomes of the artist when its key is lost, in words."`
	Advice     string                  `json:"advice" doc:"What the state means, and what to do next."`
	Committee  *Committee              `json:"committee,omitempty" doc:"Absent before the first ceremony has ended."`
	Ceremony   Ceremony                `json:"ceremony"`
	Model      *Model                  `json:"model,omitempty" doc:"The current artist; absent before one is sealed."`
	Rotation   *Rotation               `json:"rotation,omitempty" doc:"When and by whom the artist's key is changed; absent before one is sealed."`
	Params     curation.Params         `json:"params" doc:"The rules, as in genesis."`
	Treasury   Treasury                `json:"treasury"`
	Artworks   map[curation.Status]int `json:"artworks" doc:"How many there are, by status."`
	Round      *Round                  `json:"round,omitempty" doc:"The last round; absent before the first."`
}

// Shares says how many members could be lost before the network could not make
// pictures any more.
type Shares struct {
	Seats     int          `json:"seats" doc:"Shares of the committee in force, or of the founders' to be."`
	Threshold int          `json:"threshold" doc:"Shares that suffice."`
	Proven    int          `json:"proven" doc:"Members that proved their share on the ledger."`
	Margin    int          `json:"margin" doc:"Proven minus threshold: shares that may be lost."`
	Reachable int          `json:"reachable" doc:"Proven shares whose members this node reaches, itself included."`
	State     health.State `json:"state" enum:"making keys,healthy,degraded,halted,lost" doc:"As this node sees it: degraded with less than half of the spare shares left, halted below the threshold, lost when too few shares are left by the members' own word."`
}

// Member is a co-owner, one to be, or one who was.
type Member struct {
	Index       uint32            `json:"index" doc:"Its number, which it keeps for ever."`
	Name        string            `json:"name"`
	Account     curation.Address  `json:"account"`
	Standing    curation.Standing `json:"standing" enum:"joining,active,leaving,draining,left" doc:"joining: gets a share at the next handover; leaving: gives it back then; draining: serves what its last committee began."`
	Seat        uint32            `json:"seat,omitempty" doc:"Index of its share in the committee in force, or in the founders' to be; absent without one."`
	Since       uint64            `json:"since,omitempty" doc:"Height of its last admission; absent for a founder."`
	Addresses   []string          `json:"addresses" doc:"Where it was reached when it was admitted; empty for a founder."`
	Validator   curation.Hash     `json:"validator" doc:"ed25519 key in consensus."`
	DealKey     curation.Hash     `json:"deal_key" doc:"ristretto255 point of its last ceremony; zeros before its first."`
	Power       int64             `json:"power"`
	ShareProven bool              `json:"share_proven" doc:"Proved its share of the committee in force."`
	Prekeys     uint64            `json:"prekeys" doc:"Unused one-time keys on the ledger."`
	Missed      uint64            `json:"missed,omitempty" doc:"Handovers that failed because it consented and did not acknowledge its share, of one that joins; the third ends its admission."`
	MayFrom     uint64            `json:"may_from,omitempty" doc:"First height at which one that missed a handover may consent again; those before go on without it."`
}

// Committee holds the network's keys.
type Committee struct {
	Epoch     uint64   `json:"epoch"`
	Attempt   uint64   `json:"attempt"`
	Members   int      `json:"members" doc:"How many."`
	Seats     []uint32 `json:"seats" doc:"The members, by the indices of their shares, from 1."`
	Threshold int      `json:"threshold"`
	Proven    int      `json:"proven" doc:"Members that have proved their share."`
	Margin    int      `json:"margin" doc:"Proven minus threshold: shares that may be lost."`
	X         Hex      `json:"x" doc:"ristretto255 key that opens, 32 bytes."`
	Y         Hex      `json:"y" doc:"BLS12-381 G2 key that certifies and seeds, 96 bytes."`
	Qualified []uint32 `json:"qualified" doc:"Dealers whose contributions count; numbers of guardians when these recovered the key."`
	Guardians []uint32 `json:"guardians,omitempty" doc:"Who dealt, when guardians recovered the key."`
	Lost      []uint32 `json:"lost,omitempty" doc:"Members that say that they lost the share that they have proved."`
	Height    uint64   `json:"height" doc:"Of activation."`
	Encoded   Hex      `json:"encoded" doc:"With every member's public shares; empty two handovers later."`
}

// Ceremony says where the making of the keys stands.
type Ceremony struct {
	Epoch        uint64                 `json:"epoch"`
	Attempt      uint64                 `json:"attempt"`
	Phase        curation.CeremonyPhase `json:"phase" enum:"commit,bundle,dispute,acknowledge,active,aborted"`
	Deadline     uint64                 `json:"deadline,omitempty" doc:"Last height of the phase."`
	RetryAt      uint64                 `json:"retry_at,omitempty" doc:"Height at which an aborted ceremony is repeated."`
	Seats        []uint32               `json:"seats" doc:"The members of the committee to be, or of the one in force, by the indices of their shares."`
	Qualified    []uint32               `json:"qualified"`
	Acknowledged int                    `json:"acknowledged"`
	Culprits     []Culprit              `json:"culprits"`
}

// Transcript is what the members said in the last ceremony.
type Transcript struct {
	Chain     curation.Hash `json:"chain"`
	Height    uint64        `json:"height"`
	Log       Hex           `json:"log" doc:"As shamir/dkg encodes it."`
	Seats     []uint32      `json:"seats" doc:"The members whose ceremony it is, by the indices of their shares."`
	Members   []Member      `json:"members" doc:"As of the same height."`
	Committee Hex           `json:"committee" doc:"The one in force, with every member's public shares; empty before there is one."`
}

// Culprit is a member that failed in a ceremony.
type Culprit struct {
	Member uint32 `json:"member"`
	Reason string `json:"reason"`
}

// Treasury is what the network owns in common.
type Treasury struct {
	Balance  curve.Amount `json:"balance"`
	Fees     curve.Amount `json:"fees" doc:"Taken in since genesis."`
	Tributes curve.Amount `json:"tributes" doc:"Taken in since genesis."`
	Slashes  curve.Amount `json:"slashes" doc:"Taken from convicted members since genesis."`
}

// Artwork is one request and everything that the ledger has learnt about it since.
type Artwork struct {
	RID       curation.Hash    `json:"rid"`
	Status    curation.Status  `json:"status" enum:"requested,approved,registered,candidate,backing,published,declined,disputed,expired,delivered"`
	Requester curation.Address `json:"requester"`
	Prompt    string           `json:"prompt" doc:"Empty when it is drawn from the network's taste."`
	Title     string           `json:"title" doc:"The prompt, or in words what the taste gave for the seed."`
	Prior     curation.Hash    `json:"prior,omitzero" doc:"SHA-256 of the version of the taste that it is drawn from; absent with a prompt, and from before there was one."`
	Drawn     *Drawn           `json:"drawn,omitempty" doc:"What that version gave for the seed; absent before there is a seed."`
	BodyHash  curation.Hash    `json:"body_hash" doc:"SHA-256 of the request's signed body."`
	ModelID   curation.Hash    `json:"model_id"`
	KeyEpoch  uint64           `json:"key_epoch"`
	Label     curation.Hash    `json:"label"`
	U         curation.Hash    `json:"u"`
	Epoch     uint64           `json:"epoch" doc:"Committee that may approve it."`
	Deposit   curve.Amount     `json:"deposit" doc:"Locked by the requester."`
	Readers   []Reader         `json:"readers" doc:"Who may read shares, with one-time keys."`
	Requested uint64           `json:"requested" doc:"Height."`
	Expiry    uint64           `json:"expiry" doc:"First height that is too late for certificate, registration and audit."`
	Turn      *Turn            `json:"turn,omitempty" doc:"Whose turn it is, while it waits for a member."`

	Approved      uint64        `json:"approved,omitempty" doc:"Height of the certificate."`
	Certificate   Hex           `json:"certificate,omitempty" doc:"48 bytes: the committee's signature over the statement."`
	SeedSignature Hex           `json:"seed_signature,omitempty" doc:"48 bytes: the committee's unique signature, whose hash is the seed."`
	Seed          curation.Hash `json:"seed,omitzero"`
	Order         []uint32      `json:"order,omitempty" doc:"Members in the order that the seed draws."`

	Registered uint64        `json:"registered,omitempty" doc:"Height."`
	Generator  uint32        `json:"generator,omitempty" doc:"Member."`
	CID        string        `json:"cid,omitempty" doc:"Folder with image.png, metadata.json and receipt.cbor; absent of an edition that is registered as too large to keep."`
	PixelRoot  curation.Hash `json:"pixel_root,omitzero"`
	Class      model.Class   `json:"class" enum:"exact,tolerant,opaque" doc:"What two renderings of the picture owe each other. A network draws with the contract phase-16 alone, which is exact: every machine gives the same pixels."`

	Attested    uint64        `json:"attested,omitempty" doc:"Height."`
	Auditor     uint32        `json:"auditor,omitempty" doc:"Member."`
	AuditedRoot curation.Hash `json:"audited_root,omitzero"`

	Round   uint64       `json:"round,omitempty" doc:"The round it was in last."`
	Settled uint64       `json:"settled,omitempty" doc:"Height."`
	Backing curve.Amount `json:"backing" doc:"What filled orders paid, net of tribute."`
	Backers int          `json:"backers"`
	Score   curve.Amount `json:"score"`

	Ended  uint64 `json:"ended,omitempty" doc:"Height of the final state."`
	Reason string `json:"reason,omitempty" doc:"Why it ended other than published."`

	Edition *Edition `json:"edition,omitempty" doc:"What it draws once more, of an edition: then prompt is that of the first artwork, and no pixel depends on seed."`

	Held bool `json:"held" doc:"This node's store holds the folder."`
}

// TooLarge says whether it is an edition of which its generator says that its file is larger
// than members keep; its auditor agrees once it has ended by that.
func (a Artwork) TooLarge() bool { return a.Registered != 0 && a.CID == "" }

// Edition is what is there already and drawn once more: a picture of one artwork, or a
// film between two.
type Edition struct {
	Of      []curation.Hash `json:"of" doc:"The artwork; or the two from which and to which a film leads."`
	Recipes []string        `json:"recipes" doc:"What is drawn: of a film its first and its last frame."`
	Size    uint64          `json:"size" doc:"Pixels along an edge."`
	Frames  uint64          `json:"frames,omitempty" doc:"Of a film."`
	Length  uint64          `json:"length_ms,omitempty" doc:"Of a film, until it begins anew."`
	Once    bool            `json:"once,omitempty" doc:"A film leads there, and not back again."`
	Changes Hex             `json:"changes" doc:"What the recipes change, as model encodes it."`
	Colours *curation.Hash  `json:"colours,omitempty" doc:"The artwork whose colours it takes."`
	Price   curve.Amount    `json:"price" doc:"The generator's, once it is audited."`
	Kept    uint64          `json:"kept,omitempty" doc:"First height at which members may let it go."`
}

// Turn is a member's time to generate or audit.
type Turn struct {
	Role   string `json:"role" enum:"generator,auditor"`
	Member uint32 `json:"member"`
	Until  uint64 `json:"until" doc:"Height after which the next member may too."`
}

// Reader binds a member to its one-time key for a request.
type Reader struct {
	Member uint32        `json:"member"`
	R      curation.Hash `json:"r" doc:"ristretto255 point."`
}

// ArtworkDetail is an artwork with its market.
type ArtworkDetail struct {
	Artwork
	Statement Hex       `json:"statement" doc:"What the committee's certificate signs."`
	Backings  []Order   `json:"backings" doc:"Orders that named it, known once its round is settled."`
	Holders   []Holding `json:"holders" doc:"Largest first."`
	Market    *Market   `json:"market,omitempty" doc:"Present once it is published."`
	Editions  []Artwork `json:"editions" doc:"The last editions of it, the newest first."`
}

// Approval is where the approval of a request stands.
type Approval struct {
	RID       curation.Hash    `json:"rid"`
	Prompt    string           `json:"prompt" doc:"Empty when it is drawn from the network's taste."`
	Title     string           `json:"title" doc:"The prompt, or in words what the taste gave for the seed."`
	Requester curation.Address `json:"requester"`
	State     string           `json:"state" enum:"waiting,approved,expired"`
	Epoch     uint64           `json:"epoch"`
	Requested uint64           `json:"requested" doc:"Height."`
	Approved  uint64           `json:"approved,omitempty" doc:"Height."`
	Expiry    uint64           `json:"expiry" doc:"First height that is too late."`
	Status    curation.Status  `json:"status" doc:"Of the artwork."`
}

// Round is one decision about what is published.
type Round struct {
	Number          uint64              `json:"number"`
	Phase           curation.RoundPhase `json:"phase" enum:"backing,opening,settled,failed"`
	Epoch           uint64              `json:"epoch" doc:"Committee that opens its orders."`
	Opened          uint64              `json:"opened" doc:"Height."`
	BackUntil       uint64              `json:"back_until" doc:"Last height for orders."`
	OpenUntil       uint64              `json:"open_until" doc:"Last height for openings."`
	Settled         uint64              `json:"settled,omitempty" doc:"Height."`
	Candidates      []curation.Hash     `json:"candidates"`
	Published       []curation.Hash     `json:"published" doc:"Best first."`
	OrderCount      int                 `json:"order_count"`
	Openers         []uint32            `json:"openers" doc:"Members whose opening shares the ledger holds."`
	Escrow          curve.Amount        `json:"escrow"`
	Backing         curve.Amount        `json:"backing"`
	TreasuryTribute curve.Amount        `json:"treasury_tribute"`
	MakerTribute    curve.Amount        `json:"maker_tribute"`
	Reason          string              `json:"reason,omitempty" doc:"Why it failed."`
}

// RoundDetail is a round with its orders.
type RoundDetail struct {
	Round
	Orders []Order `json:"orders"`
}

// Order is a sealed order and, after its round, what it said and got.
type Order struct {
	Round   uint64               `json:"round"`
	Index   int                  `json:"index"`
	Account curation.Address     `json:"account"`
	Status  curation.OrderStatus `json:"status" enum:"sealed,filled,refunded"`
	Height  uint64               `json:"height"`
	Escrow  curve.Amount         `json:"escrow"`
	RID     curation.Hash        `json:"rid,omitzero" doc:"Absent while sealed, or when it could not be read."`
	Deposit curve.Amount         `json:"deposit"`
	MinOut  curve.Amount         `json:"min_out"`
	Cost    curve.Amount         `json:"cost"`
	Tribute curve.Amount         `json:"tribute"`
	Tokens  curve.Amount         `json:"tokens"`
	Refund  curve.Amount         `json:"refund"`
	Reason  string               `json:"reason,omitempty"`
}

// Account is what the ledger holds for one key; one that it has not seen is empty.
type Account struct {
	Address  curation.Address `json:"address"`
	Member   uint32           `json:"member,omitempty" doc:"Index, when it is a member's."`
	Balance  curve.Amount     `json:"balance"`
	Locked   curve.Amount     `json:"locked" doc:"In open requests and unsettled orders."`
	Nonce    uint64           `json:"nonce" doc:"Of its next transaction."`
	Holdings []Holding        `json:"holdings"`
	Orders   []Order          `json:"orders" doc:"Oldest first."`
}

// Holding is an account's tokens of one artwork.
type Holding struct {
	RID     curation.Hash    `json:"rid"`
	Account curation.Address `json:"account"`
	Tokens  curve.Amount     `json:"tokens"`
	Paid    curve.Amount     `json:"paid" doc:"What its orders cost, tribute included."`
}

// Market is the curve of a published artwork.
type Market struct {
	RID       curation.Hash    `json:"rid"`
	Maker     curation.Address `json:"maker"`
	RatioPPM  uint32           `json:"ratio_ppm" doc:"Reserve ratio, parts per million."`
	Supply    curve.Amount     `json:"supply" doc:"Tokens, the locked ones included."`
	Locked    curve.Amount     `json:"locked" doc:"Tokens that nobody holds."`
	Reserve   curve.Amount     `json:"reserve" doc:"Credits."`
	Price     curve.Amount     `json:"price" doc:"Credits for one whole token, rounded up."`
	Published uint64           `json:"published" doc:"Height."`
	Sales     uint64           `json:"sales"`
}

// Quote is what a trade would do now. A purchase is quoted as the only order of
// its batch: others raise the price.
type Quote struct {
	RID     curation.Hash `json:"rid"`
	Op      string        `json:"op" enum:"buy,sell"`
	Amount  curve.Amount  `json:"amount" doc:"Asked for: credits of a purchase, tokens of a sale."`
	Tokens  curve.Amount  `json:"tokens"`
	Cost    curve.Amount  `json:"cost" doc:"Of a purchase: what reaches the curve."`
	Payout  curve.Amount  `json:"payout" doc:"Of a sale: what reaches the seller."`
	Tribute curve.Amount  `json:"tribute"`
	Supply  curve.Amount  `json:"supply" doc:"Afterwards."`
	Reserve curve.Amount  `json:"reserve" doc:"Afterwards."`
	Price   curve.Amount  `json:"price" doc:"Afterwards, of one whole token."`
}

// Node describes the node that answers.
type Node struct {
	Name       string            `json:"name" doc:"Of its member."`
	Member     uint32            `json:"member" doc:"Its number; 0 for one that is not admitted yet."`
	Standing   curation.Standing `json:"standing,omitempty" enum:"joining,active,leaving,draining,left" doc:"Of its member; absent for one that is not admitted yet."`
	Account    curation.Address  `json:"account"`
	Peer       string            `json:"peer" doc:"libp2p peer id."`
	Version    string            `json:"version"`
	Started    time.Time         `json:"started"`
	HasShare   bool              `json:"has_share" doc:"Holds its share of the committee in force."`
	Network    string            `json:"network"`
	Advice     string            `json:"advice" doc:"What the network's state means, and what to do next."`
	Chain      curation.Hash     `json:"chain"`
	Height     uint64            `json:"height"`
	AppHash    Hex               `json:"app_hash"`
	CatchingUp bool              `json:"catching_up" doc:"Fetching blocks that others agreed on."`
	Observing  bool              `json:"observing" doc:"Restored from a backup: it follows the ledger and does not vote yet."`
	Until      uint64            `json:"observing_until,omitempty" doc:"Height after which it votes; absent while no new block has come."`
	BlockAge   float64           `json:"block_age_seconds" doc:"Since this node committed the last block."`
	Validators int               `json:"validators"`
	Consensus  []string          `json:"consensus_peers" doc:"Peers that consensus talks to now."`
	Peers      []NodePeer        `json:"peers" doc:"The other members."`
	Shares     Shares            `json:"shares"`
	Storage    Storage           `json:"storage"`
}

// NodePeer is another member as this node sees it.
type NodePeer struct {
	Member    uint32   `json:"member"`
	Name      string   `json:"name"`
	Peer      string   `json:"peer"`
	Connected bool     `json:"connected"`
	Proves    bool     `json:"proves" doc:"Its last heartbeat, a few seconds ago, proved its share of the committee in force."`
	Addresses []string `json:"addresses"`
}

// Storage is what the node keeps.
type Storage struct {
	Bytes    int64 `json:"bytes"`
	Quota    int64 `json:"quota" doc:"Negative when there is none."`
	Segments int   `json:"segments"`
	Blocks   int   `json:"blocks"`
	Pins     int   `json:"pins"`
	Damaged  int   `json:"damaged"`
}

// Pin keeps a root.
type Pin struct {
	CID  string `json:"cid"`
	Name string `json:"name"`
	Held bool   `json:"held" doc:"It is here."`
}

// Proof shows what the ledger holds of a record, or that it holds nothing, under
// the app hash of a height. Check it with Proof.Verify.
type Proof struct {
	Height  uint64        `json:"height"`
	AppHash curation.Hash `json:"app_hash"`
	Key     Hex           `json:"key"`
	Value   Hex           `json:"value" doc:"Deterministic CBOR of the record; empty when there is none."`
	Proof   Hex           `json:"proof"`
}

// Receipt says where a transaction stands and what became of it.
type Receipt struct {
	Height uint64        `json:"height"`
	Index  uint32        `json:"index" doc:"Position in the block."`
	Code   string        `json:"code" doc:"ok, or the class of the refusal."`
	Log    string        `json:"log,omitempty" doc:"The refusal in words."`
	ID     curation.Hash `json:"id" doc:"Of the transaction."`
	Kind   string        `json:"kind"`
	RID    curation.Hash `json:"rid,omitzero" doc:"Of the request, when it is one."`
	Events []Event       `json:"events"`
}

// Event is a fact of the ledger's audit log.
type Event struct {
	Height     uint64            `json:"height"`
	Tx         *int              `json:"tx,omitempty" doc:"Position of the transaction; absent when it follows from the height alone."`
	Kind       string            `json:"kind" doc:"module.fact, such as artwork.registered."`
	Attributes map[string]string `json:"attributes"`
}

// Block is a committed block, without its transactions.
type Block struct {
	Height  uint64        `json:"height"`
	Time    time.Time     `json:"time" doc:"For display: the ledger's clock is the height."`
	AppHash curation.Hash `json:"app_hash"`
	Txs     int           `json:"txs" doc:"Transactions in it."`
	Refused int           `json:"refused" doc:"Those of them that were refused."`
	Events  int           `json:"events"`
}

// Fetched says how a folder came in.
type Fetched struct {
	CID     string  `json:"cid"`
	Via     string  `json:"via" enum:"local,car,bitswap"`
	Peer    string  `json:"peer"`
	Blocks  int     `json:"blocks"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// Progress is a moment of a sealing.
type Progress struct {
	Phase string  `json:"phase,omitempty" doc:"What begins now, in words."`
	Step  int     `json:"step" doc:"Of the fine-tune."`
	Steps int     `json:"steps"`
	Loss  float64 `json:"loss"`
}

// Key is X as an array.
func (c Committee) Key() (x [32]byte, err error) {
	if len(c.X) != len(x) {
		return x, fmt.Errorf("committee key X has %d bytes, want 32", len(c.X))
	}
	return [32]byte(c.X), nil
}
