// Package ledger puts the state machine of package curation under Byzantine
// fault tolerant consensus: total order, finality and a durable history.
//
// A transaction is done when it stands in a block, never before. Submit waits
// for that, may be called again with the same bytes, and then returns what the
// block recorded. Deadlines of the ledger are heights: a block's time is the
// median time of the previous block's votes, so it is stale by as long as the
// network was idle, and is for display only.
//
// Two drivers stand behind the Ledger interface. Engine runs CometBFT v0.40 in
// process over the libp2p host that the node shares with everything else it
// does: one identity, one port. Direct executes blocks at once over several
// replicas of the application and compares their hashes, for tests and
// simulation.
//
// Both export what they hold, with the signatures of those who decided it, and
// CheckExport proves all of it from the genesis document alone; EXPORT.md says
// how, to the byte.
//
// # What Engine adds to the consensus engine
//
// CometBFT's libp2p transport is young, and each of these was seen to halt a
// network or to harm a node before it was handled here:
//
//   - A peer that was killed and returns is not noticed by QUIC for up to 30 s;
//     its connection and what consensus believes about it stay, and the chain
//     never recovers from losing its quorum. The ends of every connection
//     therefore greet each other, on that very connection, with their process
//     and session (boot.go). A peer takes part only once it has greeted, and
//     consensus forgets what a peer of an older session had.
//   - Each message is a stream and may be lost alone, yet consensus sends
//     nothing twice: a node that lost part of one block stays there for ever. A
//     node that stands still repeats its round step, and begins a new session
//     when it ought to move (watch.go).
//   - Reports of height overtake each other, which is taken for a lie and
//     punished with a minute's silence: they are kept in order (reports.go).
//   - The late block of a peer that was too slow, was removed and is back ends the
//     process: nobody comes back while a block of it is waited for (reports.go).
//   - Whoever holds a third of all power does not fetch missed blocks, and four
//     equal validators seem to: powers are counted in thirds (assemble.go).
//   - The transport allocates what a header asks for, before it knows who
//     asks. Streams are admitted by membership first, and read by us (gate.go).
//   - The switch blocks for each absent peer, forgets peers, and takes IPv4 and
//     dns addresses only: peers are kept by us from the membership (peers.go).
//   - The switch may drop a peer while it adds it, which leaves its goroutines
//     behind for ever, and queues without limit what it has read: such a peer is
//     ended, and what waits is counted (backlog.go).
//   - Stopping races with goroutines that still read the stores and panic when
//     they find them closed: stores are retired, not closed (stores.go).
//   - A transaction gossiped to a peer that still catches up is lost: Submit
//     offers it again until it stands in a block (submit.go).
//
// Source: CometBFT, https://github.com/cometbft/cometbft, v0.40.0.
package ledger
