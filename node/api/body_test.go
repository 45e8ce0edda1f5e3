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
	s := newServer(nil, Options{Token: "right"})
	s.bodyTime = 20 * time.Millisecond
	mux := http.NewServeMux()
	s.register(humago.New(mux, describe()))
	server := httptest.NewServer(s.guard(nil, mux))
	defer server.Close()
	for _, c := range []struct{ path, token, status string }{
		{"/v1/transactions", "", "408"},
		{"/v1/models", "right", "408"},
		{"/v1/artworks/x/fetch", "right", "408"},
		{"/v1/models", "wrong", "401"}, // who is not the owner is told so whatever the body is
		{"/v1/artworks/x/fetch", "", "401"},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST "+c.path+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+c.token+"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, c.status, c.path)
	}
}
