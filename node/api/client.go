package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/verify"
)

// ErrUnreachable reports a node that does not answer, or answers something that is
// not this interface.
var ErrUnreachable = errors.New("node unreachable")

// maxAnswer bounds what a client reads of one JSON answer, and maxFile of one file.
const (
	maxAnswer = 64 << 20
	maxFile   = 64 << 20
)

// Client speaks to a node's interface. It is safe for concurrent use. Its errors
// are a *Problem when the node refused, ErrUnreachable when there is none, and the
// context's when that ended.
type Client struct {
	base  string
	token string
	http  *http.Client
	only  curation.Hash // of no other network's transactions are signed; zero for any
}

// Only has the client sign transactions for one network, whatever the node tells of.
func (c *Client) Only(chain curation.Hash) { c.only = chain }

// NewClient returns a client for the node at addr, which is host:port or a URL
// such as https://gallery.example. token is the owner's, or empty.
func NewClient(addr, token string) *Client {
	base := strings.TrimRight(addr, "/")
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	return &Client{base: base, token: token, http: &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext, // a machine may stand still for that long
			ResponseHeaderTimeout: fetchTimeout + commitTimeout,                         // longer than the node takes to give up
			MaxIdleConnsPerHost:   4,
			IdleConnTimeout:       30 * time.Second,
		},
		// The token goes to this node alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Address is the URL of the node.
func (c *Client) Address() string { return c.base }

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Network describes the network and where it stands.
func (c *Client) Network(ctx context.Context) (Network, error) {
	return ask[Network](ctx, c, "/v1/network", nil)
}

// Node describes the node.
func (c *Client) Node(ctx context.Context) (Node, error) { return ask[Node](ctx, c, "/v1/node", nil) }

// Pins is what the node keeps.
func (c *Client) Pins(ctx context.Context) ([]Pin, error) { return ask[[]Pin](ctx, c, "/v1/pins", nil) }

// Members are the co-owners, by index.
func (c *Client) Members(ctx context.Context) ([]Member, error) {
	return ask[[]Member](ctx, c, "/v1/members", nil)
}

// Ceremony is what the members said in the ceremony of the committee in force.
func (c *Client) Ceremony(ctx context.Context) (Transcript, error) {
	return ask[Transcript](ctx, c, "/v1/ceremony", nil)
}

// Genesis is the founding document, whose SHA-256 is the chain.
func (c *Client) Genesis(ctx context.Context) ([]byte, error) {
	return c.file(ctx, "/v1/genesis")
}

// Export is what a verifier of the network's artworks needs besides an artwork. It
// proves what this node says: who must not trust the node takes it from elsewhere.
func (c *Client) Export(ctx context.Context) (verify.Network, error) {
	b, err := c.file(ctx, "/v1/network/export")
	if err != nil {
		return verify.Network{}, err
	}
	return verify.ParseNetwork(b)
}

// ArtworkFilter chooses artworks; the zero value chooses the first 100.
type ArtworkFilter struct {
	Status    []curation.Status
	Requester curation.Address // the zero address means any
	Round     uint64           // 0 means any
	Newest    bool             // newest request first; else the oldest
	After     curation.Hash    // only what comes after this artwork: the last one of a page leads to the next
	Limit     int              // 1..1000; 0 means 100
}

// Artworks lists requests and artworks, one page of them.
func (c *Client) Artworks(ctx context.Context, f ArtworkFilter) ([]Artwork, error) {
	q := url.Values{}
	if len(f.Status) > 0 {
		var all []string
		for _, status := range f.Status {
			all = append(all, string(status))
		}
		q.Set("status", strings.Join(all, ","))
	}
	if f.Requester != (curation.Address{}) {
		q.Set("requester", f.Requester.String())
	}
	if f.Round != 0 {
		q.Set("round", strconv.FormatUint(f.Round, 10))
	}
	if f.Newest {
		q.Set("newest", "true")
	}
	if f.After != (curation.Hash{}) {
		q.Set("after", f.After.String())
	}
	if f.Limit != 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return ask[[]Artwork](ctx, c, "/v1/artworks", q)
}

// Artwork is one artwork, named by rid, the first 8 or more digits of it, or CID.
func (c *Client) Artwork(ctx context.Context, id string) (ArtworkDetail, error) {
	return ask[ArtworkDetail](ctx, c, "/v1/artworks/"+url.PathEscape(id), nil)
}

// ProveArtwork is a proof of what the ledger holds of a request. Check it with
// Proof.Verify against an app hash that is trusted.
func (c *Client) ProveArtwork(ctx context.Context, id string) (Proof, error) {
	return ask[Proof](ctx, c, "/v1/proofs/artworks/"+url.PathEscape(id), nil)
}

// Approvals lists requests and their approvals, newest first, in any of the states
// waiting, approved and expired; all when none is given.
func (c *Client) Approvals(ctx context.Context, states ...string) ([]Approval, error) {
	q := url.Values{"limit": {strconv.Itoa(maxList)}}
	if len(states) > 0 {
		q.Set("state", strings.Join(states, ","))
	}
	return ask[[]Approval](ctx, c, "/v1/approvals", q)
}

// Rounds are the rounds, newest first.
func (c *Client) Rounds(ctx context.Context) ([]Round, error) {
	return ask[[]Round](ctx, c, "/v1/rounds", nil)
}

// Round is one round with its orders.
func (c *Client) Round(ctx context.Context, number uint64) (RoundDetail, error) {
	return ask[RoundDetail](ctx, c, "/v1/rounds/"+strconv.FormatUint(number, 10), nil)
}

// Account is an account with its holdings and orders.
func (c *Client) Account(ctx context.Context, a curation.Address) (Account, error) {
	return ask[Account](ctx, c, "/v1/accounts/"+a.String(), nil)
}

// Market is the curve of a published artwork.
func (c *Client) Market(ctx context.Context, id string) (Market, error) {
	return ask[Market](ctx, c, "/v1/markets/"+url.PathEscape(id), nil)
}

// QuoteBuy is what backing a candidate with so many credits would buy, as the only
// order of its batch.
func (c *Client) QuoteBuy(ctx context.Context, id string, credits curve.Amount) (Quote, error) {
	return c.quote(ctx, id, "buy", credits)
}

// QuoteSell is what selling so many tokens of a published artwork would pay.
func (c *Client) QuoteSell(ctx context.Context, id string, tokens curve.Amount) (Quote, error) {
	return c.quote(ctx, id, "sell", tokens)
}

func (c *Client) quote(ctx context.Context, id, op string, amount curve.Amount) (Quote, error) {
	return ask[Quote](ctx, c, "/v1/markets/"+url.PathEscape(id)+"/quote", url.Values{"op": {op}, "amount": {amount.String()}})
}

// Fetch brings an artwork's folder to the node from another member and verifies it.
// method is auto, car or bitswap; from is a member's index or account, or empty.
// It needs the owner's token.
func (c *Client) Fetch(ctx context.Context, id, method, from string) (Fetched, error) {
	var out Fetched
	err := c.post(ctx, "/v1/artworks/"+url.PathEscape(id)+"/fetch", map[string]string{"method": method, "from": from}, &out)
	return out, err
}

// File is one file of a folder that the node holds, such as ("bafy…",
// "receipt.cbor"); name is empty for a CID that is a file itself. It is at most
// 64 MiB. Check it against the CID: the node could lie.
func (c *Client) File(ctx context.Context, cid, name string) ([]byte, error) {
	return c.file(ctx, path.Join("/ipfs", url.PathEscape(cid), url.PathEscape(name)))
}

// CAR is the whole DAG of a CID that the node holds, as a CARv1 file of at most
// 64 MiB. Reading it into a store verifies every block.
func (c *Client) CAR(ctx context.Context, cid string) ([]byte, error) {
	return c.file(ctx, "/ipfs/"+url.PathEscape(cid)+"?format=car")
}

func (c *Client) file(ctx context.Context, target string) ([]byte, error) {
	resp, err := c.do(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return readAll(ctx, resp, maxFile)
}

// ask gets a resource.
func ask[T any](ctx context.Context, c *Client, target string, q url.Values) (out T, err error) {
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	resp, err := c.do(ctx, http.MethodGet, target, nil)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	return out, c.decode(ctx, resp, &out)
}

func (c *Client) post(ctx context.Context, target string, in, out any) error {
	resp, err := c.do(ctx, http.MethodPost, target, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.decode(ctx, resp, out)
}

func (c *Client) decode(ctx context.Context, resp *http.Response, out any) error {
	data, err := readAll(ctx, resp, maxAnswer)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s does not answer as a node of atelier: %w: %w", c.base, ErrUnreachable, err)
	}
	return nil
}

// do sends a request. An answer that is not a success is an error, and closed.
func (c *Client) do(ctx context.Context, method, target string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+target, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" && (method == http.MethodPost || ownReads(target)) { // no other read asks for it
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	data, err := readAll(ctx, resp, 1<<20)
	if err != nil {
		return nil, err
	}
	var p Problem
	if strings.HasPrefix(resp.Header.Get("Content-Type"), problemType) && json.Unmarshal(data, &p) == nil && p.Code != "" {
		return nil, &p
	}
	if strings.HasPrefix(target, "/ipfs/") {
		return nil, problem(resp.StatusCode, CodeNotFound, "the node does not give %s: %s", target, clip(strings.TrimSpace(string(data))))
	}
	return nil, fmt.Errorf("%s answers %s: %w", c.base, resp.Status, ErrUnreachable)
}

// broken is what a failed exchange means.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("no node answers at %s: %w: %w", c.base, ErrUnreachable, err)
}

func readAll(ctx context.Context, resp *http.Response, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("the node broke off: %w: %w", ErrUnreachable, err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("answer of more than %d bytes", limit)
	}
	return data, nil
}
