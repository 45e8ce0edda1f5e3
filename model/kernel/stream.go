package kernel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Stream renders a w×h picture, 1..MaxSide pixels each way, and hands its rows
// to sink from the top: bands of TileSide rows, the last one what is left, as
// they stand in [Picture].RGB. It calls sink on its own goroutine; rows are
// sink's until it returns. The result is the picture's pixel root.
//
// However large the picture, memory holds three bands (more where one has fewer tiles
// than there are workers), two tiles for each worker, and 32 bytes for each tile: 13 MB for 16384² pixels. Workers wait for a
// slow sink.
//
// An error of sink ends the render and is returned; so does the end of ctx, with
// the error of ctx. Errors otherwise wrap [ErrProgram], [ErrSize] or
// [ErrKernel]. When Stream returns, none of its goroutines is left.
func Stream(ctx context.Context, p *Program, w, h int, o Options, sink func(rows []byte) error) ([32]byte, error) {
	e, s, err := prepare(p, w, h, o)
	if err != nil {
		return [32]byte{}, err
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	cols, bands := tiles(w), tiles(h)
	total := cols * bands
	workers = min(workers, total)
	leaves := make([][32]byte, total)
	// One band is with sink, one waits for it, and in the others every worker has
	// a tile to go on with.
	window := make([]band, min(bands, 2+(2*workers+cols-1)/cols))
	free := make(chan struct{}, len(window))
	for i := range window {
		window[i] = band{rows: make([]byte, 3*w*min(TileSide, h)), whole: make(chan struct{}, 1)}
		free <- struct{}{}
	}

	var (
		running sync.WaitGroup
		jobs    = make(chan int)
		mu      sync.Mutex
		done    int // tiles, guarded by mu
	)
	within, stop := context.WithCancel(ctx)
	defer running.Wait()
	defer stop()

	running.Go(func() { // hands out the tiles of bands that have room
		defer close(jobs)
		for i := range total {
			if i%cols == 0 {
				select {
				case <-free:
				case <-within.Done():
					return
				}
				window[i/cols%len(window)].left.Store(int64(cols))
			}
			select {
			case jobs <- i:
			case <-within.Done():
				return
			}
		}
	})
	for range workers {
		running.Go(func() {
			q := &painter{net: e.make(p), shade: s, view: p.View, w: w, h: h}
			tile := make([]byte, 3*TileSide*TileSide)
			for i := range jobs {
				if within.Err() != nil {
					return
				}
				tx, ty := i%cols, i/cols
				tw, th, _ := tileSize(w, h, tx, ty)
				tile := tile[:3*tw*th]
				q.tile(tx, ty, tile, 3*tw)
				leaves[i] = leafOf(w, h, tx, ty, tile)
				b := &window[ty%len(window)]
				for y := range th {
					copy(b.rows[3*(y*w+tx*TileSide):], tile[3*tw*y:3*tw*(y+1)])
				}
				if o.Progress != nil {
					mu.Lock()
					done++
					o.Progress(done, total)
					mu.Unlock()
				}
				if b.left.Add(-1) == 0 {
					b.whole <- struct{}{}
				}
			}
		})
	}
	for ty := range bands {
		b := &window[ty%len(window)]
		select {
		case <-b.whole:
		case <-within.Done():
		}
		if err := ctx.Err(); err != nil {
			return [32]byte{}, err
		}
		if err := sink(b.rows[:3*w*min(TileSide, h-ty*TileSide)]); err != nil {
			return [32]byte{}, err
		}
		free <- struct{}{}
	}
	return rootOver(w, h, leaves), nil
}

// band is a row of tiles that is being rendered.
type band struct {
	rows  []byte
	left  atomic.Int64  // tiles to go
	whole chan struct{} // receives when none is left
}
