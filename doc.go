// Package atelier is the root of a peer-to-peer network that co-owns a
// generative artist; it holds no code, only the map of the house.
//
// Imports point down, and folders of one row do not import each other:
//
//	cmd/atelier   flags, exit codes, drawing              examples/*   one idea each, run by the tests
//	node          wiring · ledger · member · api · gallery             starts and stops everything
//	p2p           curation           model               storage       domains
//	shamir (+ dkg, seal, quorum, secagg)   curation/curve, curation/state     model/kernel, storage/chunk, storage/strictjson   pure: values in, values out
//
// A prompt travels like this: a request on the ledger (curation), approvals by
// gossip (p2p) that become one 48-byte certificate (shamir/quorum), a seed from
// the same quorum, blinded shares for the one member whom the seed draws
// (shamir/seal), the picture (model, model/kernel), the folder that the world
// can fetch (storage), and the round in which collectors decide what is
// published (curation, curation/curve).
//
// What rounds publish teaches the network's taste (model/taste, node/tastes), from
// which requests without a prompt are drawn (model/latent). An artwork that is known
// is drawn anew as an edition, by the same way (curation, node/edition). Members
// train the artist together (model/federated) and add up what each learned under
// masks (shamir/secagg); the ledger leads them (curation), their nodes do it
// (node/member).
package atelier
