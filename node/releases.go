package node

import (
	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// Releases implements api.Backend: what the journal holds, of one request or of all,
// newest first.
func (n *Node) Releases(rid *curation.Hash, limit int) ([]member.Entry, error) {
	return releases(n.home.Journal(), limit, func(e member.Entry) bool { return rid == nil || e.RID == *rid })
}
