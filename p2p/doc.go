// Package p2p is the network under atelier: one libp2p host per node, gossip
// with typed topics, requests and answers over streams, and the way a new
// member finds the others.
//
// It moves bytes and knows who sent them; what they mean is decided by the
// packages that register a protocol or join a topic. Four parts:
//
//   - Host: one identity, TCP and QUIC on one address, a gate that lets only
//     members through and guests to the protocols of joining, limits on what one
//     peer can hold open (New, Roster).
//   - Discovery: a Keeper that stays connected to a changing list of members.
//     Who is dialled when is decided by Dialer, a pure type; Keeper obeys it.
//   - Gossip: typed topics over gossipsub. A message reaches a subscriber only
//     after its author was found to be a member, its signature verified, its
//     bytes decoded strictly and its value validated (NewGossip, Join).
//   - Requests: Handle and Call carry one request and one answer per stream,
//     with limits on both sides, deadlines and typed remote errors.
//
// On top of these stand the Invitation, one string that carries all that a
// newcomer needs; Founding and Joining, the two pure sides of the protocol by
// which a founder gathers the members of a new network; and Apply and
// AskStanding, by which a newcomer applies to one that runs.
//
// Everything that takes a host takes libp2p's host.Host, so the same code runs
// on a real Host, on libp2p's mocknet and on a simulated network.
//
// What a peer sends can only produce errors. Memory is never set aside for a
// length that a peer merely claims: buffers grow with the bytes that arrive.
//
// Sources: gossipsub v1.1 specification and its evaluation (Vyzovitis et al.,
// 2020); the peer score constants of Filecoin's lotus; BIP-350 (bech32m).
package p2p
