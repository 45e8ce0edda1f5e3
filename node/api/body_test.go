package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/stretchr/testify/require"
)

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	s := newServer(nil, Options{})
	s.bodyTime = 20 * time.Millisecond
	mux := http.NewServeMux()
	s.register(humago.New(mux, describe()))
	server := httptest.NewServer(s.guard(nil, mux))
	defer server.Close()
	for _, path := range []string{"/v1/transactions", "/v1/models", "/v1/artworks/x/fetch"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "408", path)
	}
}
