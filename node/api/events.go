package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// The names of messages on streams.
const (
	messageEvent    = "event"    // Event
	messageBlock    = "block"    // Block; the last message of its height, and the one with an id
	messageProgress = "progress" // Progress
	messageModel    = "model"    // Model
	messageProblem  = "problem"  // Problem; ends the stream
)

type eventsInput struct {
	From        uint64 `query:"from" doc:"Height of the first block; absent begins with the next one."`
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"Height of the last block that was read whole; goes before from."`
}

func (s *server) registerEvents(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/v1/events", Tags: []string{"read"},
		Summary: "Blocks and what they did, as they happen",
		Description: "For each block its events in order, then the block, whose id is its height. Reading again after the last id misses nothing and repeats nothing " +
			"that was followed by its block. Comments keep an idle stream open.",
		Responses: streamResponse(api, "The stream; it does not end by itself.", map[string]any{messageEvent: Event{}, messageBlock: Block{}}),
	}, func(_ context.Context, in *eventsInput) (*huma.StreamResponse, error) {
		from := in.From
		if in.LastEventID != "" {
			last, err := strconv.ParseUint(in.LastEventID, 10, 63)
			if err != nil {
				return nil, problem(http.StatusBadRequest, CodeInput, "Last-Event-ID is %q: give the height of the last block that you have", clip(in.LastEventID))
			}
			from = last + 1
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			select {
			case s.streams <- struct{}{}:
				defer func() { <-s.streams }()
			default:
				w.Header().Set("Retry-After", "5")
				writeProblem(w, problem(http.StatusServiceUnavailable, CodeBusy, "%d streams are open already: close one, or try again in a few seconds", maxStreams))
				return
			}
			if err := s.follow(r.Context(), w, from); err != nil && r.Context().Err() == nil {
				s.log.DebugContext(r.Context(), "a stream of events broke off", "err", err)
			}
		}}, nil
	})
}

// follow writes blocks to a client until it goes or the node stops. The ledger keeps
// what a slow client has not read yet; here waits one block.
func (s *server) follow(ctx context.Context, w http.ResponseWriter, from uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks := s.backend.Ledger().SubscribeFrom(ctx, from)
	out, err := openStream(w)
	if err != nil {
		return err
	}
	idle := time.NewTicker(s.beat)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-idle.C:
			if err := out.beat(); err != nil {
				return err
			}
		case block, ok := <-blocks:
			if !ok {
				return nil
			}
			events := eventsOf(block)
			for _, e := range events {
				if err := out.send(0, messageEvent, e); err != nil {
					return err
				}
			}
			if err := out.send(block.Height, messageBlock, blockOf(block, len(events))); err != nil {
				return err
			}
			idle.Reset(s.beat)
		}
	}
}
