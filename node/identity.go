package node

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// accountOf is the account of a peer: both are the same ed25519 key.
func accountOf(id peer.ID) (curation.Address, error) {
	pub, err := id.ExtractPublicKey()
	if err != nil {
		return curation.Address{}, fmt.Errorf("peer %v: %w", id, err)
	}
	raw, err := pub.Raw()
	if err != nil || pub.Type() != crypto.Ed25519 || len(raw) != ed25519.PublicKeySize {
		return curation.Address{}, fmt.Errorf("peer %v has no ed25519 identity", id)
	}
	return curation.Address(raw), nil
}

// peerOf is the libp2p identity of a member's account.
func peerOf(a curation.Address) (peer.ID, error) {
	pub, err := crypto.UnmarshalEd25519PublicKey(a[:])
	if err != nil {
		return "", fmt.Errorf("account %v: %w", a, err)
	}
	return peer.IDFromPublicKey(pub)
}

// libp2pKey is the identity in libp2p's form.
func libp2pKey(k ed25519.PrivateKey) (crypto.PrivKey, error) {
	return crypto.UnmarshalEd25519PrivateKey(k)
}

// pinName is what the store calls an artwork's pin, so that a restarted node knows
// what it holds.
func pinName(name string, rid curation.Hash) string { return name + "/" + rid.String() }

func parsePin(s string) (name string, rid curation.Hash, ok bool) {
	name, text, found := strings.Cut(s, "/")
	if !found || name != member.Candidate && name != member.Published {
		return "", rid, false
	}
	rid, err := curation.ParseHash(text)
	return name, rid, err == nil
}

// The names of the pins of a key epoch's container: while it is fetched, and once it has
// been held against what the ledger has of it.
const (
	fetchingPin  = "fetching"
	containerPin = "model"
)

func epochPin(name string, keyEpoch uint64) string {
	return name + "/" + strconv.FormatUint(keyEpoch, 10)
}

func parseEpochPin(s string) (name string, keyEpoch uint64, ok bool) {
	name, text, found := strings.Cut(s, "/")
	if !found || name != fetchingPin && name != containerPin {
		return "", 0, false
	}
	keyEpoch, err := strconv.ParseUint(text, 10, 64)
	return name, keyEpoch, err == nil
}

// tastePin is the name of the pin of a file of the taste.
func tastePin(file curation.Hash) string { return "taste/" + file.String() }

func parseTastePin(s string) (file curation.Hash, ok bool) {
	name, text, found := strings.Cut(s, "/")
	if !found || name != "taste" {
		return file, false
	}
	file, err := curation.ParseHash(text)
	return file, err == nil
}

// pinned is the name under which a root is pinned, "" when it is not.
func (n *Node) pinned(root cid.Cid) string {
	for _, p := range n.store.Pins() {
		if p.Root.Equals(root) {
			return p.Name
		}
	}
	return ""
}

// errPinned reports a root that is pinned as something else already: a sealed model,
// or the artwork of another request. Its pin is not taken away.
var errPinned = errors.New("pinned as something else")

// pin keeps a root under a name. Members may register each other's CIDs, so an artwork's
// name is only ever replaced by one for the same request, and a container's by one for a
// container.
func (n *Node) pin(root cid.Cid, name string) error {
	if old := n.pinned(root); old != "" && old != name {
		_, was, fromArtwork := parsePin(old)
		_, is, toArtwork := parsePin(name)
		_, _, fromContainer := parseEpochPin(old)
		_, _, toContainer := parseEpochPin(name)
		if !(fromArtwork && toArtwork && was == is) && !(fromContainer && toContainer) {
			return fmt.Errorf("%v: %w: %s", root, errPinned, old)
		}
	}
	return n.store.Pin(root, name)
}
