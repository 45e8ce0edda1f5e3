package api

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/ledger"
)

func FuzzNamesOfArtworks(f *testing.F) {
	for _, seed := range []string{"", "abcdef0", "abcdef01", strings.Repeat("ab", 32), strings.Repeat("AB", 32), strings.Repeat("ab", 33),
		"bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "QmYwAPJzv5CZsnA625s1Xf2nemtYgPpHdWEz79ojWKPbdG", "..", "ü", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseName(text)
		set := 0
		if n.whole {
			set++
			require.Equal(t, strings.ToLower(text), n.rid.String())
		}
		if n.prefix != "" {
			set++
			require.GreaterOrEqual(t, len(n.prefix), minPrefix)
			require.Less(t, len(n.prefix), 64)
		}
		if n.cid != "" {
			set++
			require.NoError(t, curation.ValidateCID(n.cid))
		}
		if err != nil {
			require.Zero(t, set)
			require.Less(t, len(err.Error()), 2000, "an error stays readable")
			return
		}
		require.Equal(t, 1, set, "an artwork is named in one way")
	})
}

func FuzzHosts(f *testing.F) {
	for _, seed := range []string{"localhost", "127.0.0.1:80", "[::1]:80", "evil.example", "127.0.0.1.evil", "localhost:", ":80", "[", "a:b:c", "localhost@evil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		name := hostName(host)
		if !loopback(name) {
			return
		}
		// What counts as loopback is an address of it, or ends in the name that
		// resolvers keep for it (RFC 6761).
		require.True(t, name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasPrefix(name, "127.") ||
			strings.Contains(name, ":"), "%q counts as %q", host, name)
	})
}

func FuzzMessages(f *testing.F) {
	f.Add("retry: 1000\n\nid: 7\nevent: block\ndata: {}\n\n:\n\n")
	f.Add("data: a\ndata: b\r\n\r\ndata\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		m := newMessages(strings.NewReader(stream))
		for {
			got, err := m.next()
			if err != nil {
				return
			}
			require.LessOrEqual(t, len(got.data), len(stream))
		}
	})
}

func TestMessagesAreReadAsTheStandardHasIt(t *testing.T) {
	m := newMessages(strings.NewReader(":\n\nretry: 5\n\nid: 7\nevent: block\ndata: one\ndata:two\r\n\nevent: empty\n\ndata: three\n\ndata: cut off"))
	got, err := m.next()
	require.NoError(t, err)
	require.Equal(t, message{"7", "block", []byte("one\ntwo")}, got)
	got, err = m.next()
	require.NoError(t, err)
	require.Equal(t, message{"", "", []byte("three")}, got)
	_, err = m.next()
	require.Error(t, err, "a message that was cut off is none")
}

func TestAStreamWritesEachMessageOnce(t *testing.T) {
	w := httptest.NewRecorder()
	s := &stream{w, http.NewResponseController(deadlines{w})}
	require.NoError(t, s.send(0, messageEvent, Event{Height: 3, Kind: "a.b", Attributes: map[string]string{"prompt": "two\nlines\u2028"}}))
	require.NoError(t, s.beat())
	require.NoError(t, s.send(3, messageBlock, Block{Height: 3}))
	m := newMessages(w.Body)
	got, err := m.next()
	require.NoError(t, err)
	require.Equal(t, messageEvent, got.event)
	require.Contains(t, string(got.data), `two\nlines`)
	got, err = m.next()
	require.NoError(t, err)
	require.Equal(t, "3", got.id)
}

// deadlines is a recorder that takes write deadlines, as connections do.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetWriteDeadline(time.Time) error { return nil }

// silent is a node whose ledger never makes a block.
type silent struct{ Backend }

func (silent) Ledger() ledger.Ledger { return still{} }

type still struct{ ledger.Ledger }

func (still) SubscribeFrom(context.Context, uint64) <-chan ledger.Committed { return nil }

func TestAnIdleStreamIsKeptOpenByComments(t *testing.T) {
	s := newServer(silent{}, Options{})
	s.beat = time.Millisecond
	mux := http.NewServeMux()
	s.register(humago.New(mux, describe()))
	server := httptest.NewServer(s.guard(nil, mux))
	defer server.Close()
	resp, err := http.Get(server.URL + "/v1/events")
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	comments := 0
	for comments < 3 && lines.Scan() {
		if lines.Text() == ":" {
			comments++
		}
	}
	require.Equal(t, 3, comments)
}
