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
// # What Engine adds to the consensus engine
//
// CometBFT's libp2p transport is young, and each of these was seen to halt a
// network or to harm a node before it was handled here:
//
//   - A peer that was killed and returns is not noticed by QUIC for up to 30 s;
//     its connection and what consensus believes about it stay, and the chain
//     never recovers from losing its quorum. Every new connection is therefore
//     asked, on that very connection, for the peer's random boot id (boot.go).
//     A peer takes part only once it has answered, and a changed id resets it.
//   - The transport allocates what a header asks for, before it knows who
//     asks. Streams are admitted by membership first, and read by us (gate.go).
//   - The switch blocks for each absent peer, forgets peers, and takes IPv4 and
//     dns addresses only: peers are kept by us from the membership (peers.go).
//   - Stopping races with goroutines that still read the stores and panic when
//     they find them closed: stores are retired, not closed (stores.go).
//   - A transaction gossiped to a peer that still catches up is lost: Submit
//     offers it again until it stands in a block (submit.go).
//
// Source: CometBFT, https://github.com/cometbft/cometbft, v0.40.0.
package ledger
