// Package storage keeps what the network makes: artworks and model containers
// as IPFS DAGs, and the records that say where a picture comes from.
//
// A Store is a directory. Each DAG is one append-only segment under segments/,
// a CARv1 file named by its root whose blocks lie in depth-first order, each
// once; so a segment is what `ipfs dag export` would write, a backup is a copy,
// and collecting garbage is unlinking a file. A segment appears by rename after
// its bytes are on the disk, so it is there whole or not at all. Every segment
// is closed: it holds all blocks below its root. A pin is a small file under
// pins/, written the same way. There is no other index on the disk: Open reads
// the section headers of all segments and keeps about 100 bytes a block in
// memory, which is 5 MB for ten thousand artworks.
//
// CIDs follow the profile unixfs-v1-2025 (IPIP-499): CIDv1, SHA-256, 1 MiB
// chunks, raw leaves, 1024 links to a node. Only raw and dag-pb blocks with
// SHA-256 are accepted, at most 2 MiB each, because those are what any IPFS
// client exchanges.
//
// An Exchange moves DAGs between members: a CAR over one libp2p stream
// (/atelier/car/1) where the peer speaks it, bitswap otherwise. The gateway
// serves the same blocks over HTTP and never fetches. Whatever comes from a
// peer is hashed, walked from the root, and refused whole if it is anything but
// the DAG that was asked for.
//
// The boxo library has had no maintainer since September 2026. Nothing of it is
// visible in this API but its blockstore interface, so it can be replaced.
//
// Sources: CARv1 and dag-pb specifications (ipld.io/specs), IPIP-499, the
// trustless and path gateway specifications (specs.ipfs.tech), ERC-721.
package storage
