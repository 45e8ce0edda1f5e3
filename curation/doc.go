// Package curation is what the members own together, as a deterministic state
// machine: credits, the key ceremony's transcript, the sealed model, requests
// for pictures and what becomes of them, and the rounds in which collectors
// decide what is published.
//
// Machine executes blocks that consensus has ordered. It is a pure function of
// the genesis document and the blocks: no clock but the height, no chance, no
// floats. A transaction happens entirely or not at all. Whoever signs a
// transaction pays its fee, also when it is refused, and moves only what is its
// own; who cannot pay the whole fee loses what is left, and nothing is done. No
// honest member accepts a proposal with such a transaction. What comes from outside
// can only be refused, with a Code; a panic is a bug of ours. Events tell everything
// that happened (EventAttributes), records what is (View), and every record is
// provable under the hash of the state.
//
// # The life of an artwork
//
//	requested   artwork.request locks a deposit and freezes one reader key of each member
//	approved    approval.certify brings the certificate of t members and the seed, both verified;
//	            Draw of the seed says who generates, and who after them
//	registered  artwork.register by the generator: CID and root of the pixels
//	candidate   artwork.attest by the auditor, who rendered the same pixels
//	backing     a round took it in
//	published   its curve opened, with the deposit as first reserve
//
// and the other ends: expired (a deadline passed), disputed (the auditor rendered
// something else), declined (the round chose others, or MaxFailedRounds failed).
// In these the deposit goes back. Deadlines are heights; what must come before
// Artwork.Expiry may not come in the block of that height.
//
// An Edition is a request for something that is there already, drawn once more. It takes
// the same way up to its audit and ends there, as delivered; or as expired, when generator
// and auditor find its file larger than members keep: see edition.go.
//
// # A round
//
// It opens by itself when enough candidates wait. While it is backing, accounts
// send orders sealed to the committee's key, with an escrow that bounds what the
// order inside may spend; nobody can read or change them, and a copy that another
// account sends is worth nothing. A full round takes an order with a larger escrow
// in place of the one with the smallest. After BackUntil each member opens all of
// them with one proof. As soon as t have, the ledger reads the orders, clears each
// candidate's batch on its own curve, ranks the candidates by (Σ √cost)² over
// accounts and publishes the best. Filled orders of published works pay tribute
// to treasury and generator; an order that cannot be read pays the least escrow to
// the treasury, because only its sender can have made it so; everything else goes
// back to where it came from. If the committee does not open a round in time, or
// not one order can be read, the round fails: the other orders are refunded and the
// candidates wait for the next one.
//
// # The taste
//
// Who asks without a prompt gets a picture drawn from the network's taste: a public
// prior over pictures, in versions. The ledger computes none of them. Version 0 and,
// after each settled round, the next one are computed by every member from what the
// ledger shows, by the rule of package model/taste, and recorded with taste.record as
// the hash of a file; a version is in force once t members with a share have recorded
// the same. Whose record differs stays visible as such. A request takes the version in
// force into Artwork.Prior.
//
// # The life of a key epoch
//
// Requests are of the current model; what is released for them is the key of its key
// epoch, which a reader may keep. So key epochs end:
//
//	nominated   model.seal on a network with an artist opens a motion; members adopt it, or
//	(due)       the current one is old, and a member that is drawn wraps its container once more
//	proposed    members fetch the container and tell with model.stored that they have it
//	on trial    enough have: it is current; what was before is kept
//	proven      n−t+1 members made or audited artworks with it, or trained on it: what was before may go
//
// and the other ends: retired (another one is proven), discarded (too few votes, too few
// copies, or approved requests that nobody could make: then the one before is current again).
// The first seal is current at once and has nothing to fall back on. See rotation.go.
//
// # A training
//
// Members can train the artist together, each on pictures that it shows to nobody, and one
// training at a time:
//
//	approving   t members voted for a plan; as for a request, a certificate lets readers open the artist
//	joining     members open it, and say so
//	summing     these are the trainers; they add up what they learned, and nobody sees more than the sum
//	sealing     the trainers seal the artist that it makes, by turns in the seed's order
//	voting      members vote on it, as on any artist: adopted, or not
//
// See training.go.
//
// # What waits for a block
//
// Waiting is free, so Machine.Check also keeps the pool: of an account one transaction
// under each of its next nonces, as far as its balance pays the fees; everybody's
// within half a block, of which what is not ready takes a quarter; and beside that a
// room for each member's protocol transactions, which no flood reaches.
//
// # When the key is lost
//
// Genesis says what happens when fewer shares are left than open the artist: nothing
// (mortal), or what guardians do, outsiders who hold a second sharing of the same keys.
// Under GuardianPolicy they deal the key to the members in the next handover, after a
// vote and a delay; under WillPolicy they publish it after a long silence, from which
// on nothing is asked for or sealed any more. Members tell when they have lost a share.
// See Succession, Estate, and the files guardians.go and recovery.go.
//
// # Deviations
//
// No jury decides yet, identities are accounts, and nobody buys after the round:
// a published work can be sold back to its curve only. Layers are age files in age
// files, not one stream cipher over another as in nested updatable encryption; what ends
// a key epoch is the demand for pictures, not the calendar alone; and who rotates badly
// loses its turn and no credits, since an outage looks the same. The height is not part
// of the state, so that a block in which nothing happens leaves its hash alone and an
// engine that makes blocks on demand comes to rest.
//
// Sources: Shoup and Gennaro, J. Cryptology 15, 2002, for sealed orders; Buterin,
// Hitzig, Weyl, 2018, for the score; Hertzog, Benartzi, 2017, for the curve; Boneh,
// Eskandarian, Kim, Shih, eprint 2020/222, for layers; Bonawitz and others, CCS 2017,
// for what trainers add up; ZIP-215 for signatures; RFC 8949, section 4.2, for the
// encoding.
package curation
