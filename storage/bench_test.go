package storage

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkStore moves artworks of 1 MB, the size of a picture of 1024² pixels.
func BenchmarkStore(b *testing.B) {
	ctx := context.Background()
	b.Run("put", func(b *testing.B) {
		s := openTest(b, Options{Quota: -1})
		b.SetBytes(1 << 20)
		for i := uint64(0); b.Loop(); i++ {
			b.StopTimer()
			files := folder(i, 1<<20)
			b.StartTimer()
			_, err := s.PutFolder(ctx, files)
			require.NoError(b, err)
		}
	})
	b.Run("export", func(b *testing.B) {
		s := openTest(b, Options{})
		root, err := s.PutFolder(ctx, folder(1, 1<<20))
		require.NoError(b, err)
		b.SetBytes(1 << 20)
		for b.Loop() {
			_, err := s.ExportCAR(ctx, root, io.Discard)
			require.NoError(b, err)
		}
	})
	b.Run("open with 1000 artworks", func(b *testing.B) {
		dir := b.TempDir()
		s, err := Open(dir, Options{})
		require.NoError(b, err)
		for i := range uint64(1000) {
			_, err := s.PutFolder(ctx, folder(i, 1000))
			require.NoError(b, err)
		}
		require.NoError(b, s.Close())
		for b.Loop() {
			s, err := Open(dir, Options{})
			require.NoError(b, err)
			require.NoError(b, s.Close())
		}
	})
}

// BenchmarkFetch moves one artwork, and 2000 small blocks, over loopback.
func BenchmarkFetch(b *testing.B) {
	ctx := context.Background()
	from, to := newMember(b, ExchangeOptions{}), newMember(b, ExchangeOptions{})
	connect(b, to.Host, from.Host)
	small := make([]File, 2000)
	for i := range small {
		small[i] = File{Name: fmt.Sprintf("f%04d", i), Data: noise(uint64(i), 3000)}
	}
	for name, files := range map[string][]File{"artwork": folder(1, 1<<20), "2000 blocks": small} {
		root, err := from.PutFolder(ctx, files)
		require.NoError(b, err)
		for _, m := range []Method{ViaCAR, ViaBitswap} {
			b.Run(name+"/"+string(m), func(b *testing.B) {
				for b.Loop() {
					r, err := to.FetchVia(ctx, root, from.ID(), m)
					require.NoError(b, err)
					b.SetBytes(r.Bytes)
				}
			})
		}
	}
}
