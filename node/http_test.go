package node

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhoIsOneTooManyAtTheHTTPInterfaceWaits(t *testing.T) {
	const most = 8
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var here, mostHere atomic.Int32
	release, left, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- serveHTTP(ctx, l, most, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			n := here.Add(1)
			defer here.Add(-1)
			for old := mostHere.Load(); n > old && !mostHere.CompareAndSwap(old, n); old = mostHere.Load() {
			}
			<-release
		}), func() { close(left) })
	}()
	answers := make(chan error, 3*most)
	for range cap(answers) {
		go func() {
			c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			r, err := c.Get("http://" + l.Addr().String())
			if err == nil {
				_, err = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
			}
			answers <- err
		}()
	}
	require.Eventually(t, func() bool { return here.Load() == most }, patience, time.Millisecond)
	close(release)
	for range cap(answers) {
		require.NoError(t, <-answers, "each is answered in the end")
	}
	require.EqualValues(t, most, mostHere.Load())

	stop()
	<-left
	require.NoError(t, <-ended)
}
