package ledger

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cometbft/cometbft/libs/log"
)

// levelTrace is where CometBFT's own debugging goes: below slog's Debug.
const levelTrace = slog.LevelDebug - 4

// everyday are failures that CometBFT calls errors and that happen whenever a
// peer is away or leaves.
var everyday = map[string]bool{
	"failed to send message":                         true,
	"Failed to remove peer":                          true,
	"Failed to ping peer":                            true,
	"Failed to read payload":                         true,
	"Failed to close peer":                           true,
	"Failed to reconnect to peer":                    true,
	"Failed to push envelope to priority queue":      true,
	"Failed to resolve peer":                         true,
	"Error stopping pool":                            true,
	"Stopped accept routine, as transport is closed": true,
	"Failed to add block":                            true, // two peers sent it
	"SendTimeout":                                    true, // of a peer that was asked for a block

	// A node that stops while it catches up has no consensus to stop.
	"Not stopping State service -- has not been started yet": true,
	"Error stopping consensus state":                         true,
}

// engineLog writes CometBFT's log to slog, a level lower than it was meant:
// what an operator has to know is said by this package.
type engineLog struct{ to *slog.Logger }

func (l engineLog) write(level slog.Level, msg string, pairs []any) {
	ctx := context.Background()
	if !l.to.Enabled(ctx, level) {
		return
	}
	l.to.Log(ctx, level, msg, attributes(pairs)...)
}

func (l engineLog) Debug(msg string, pairs ...any) { l.write(levelTrace, msg, pairs) }
func (l engineLog) Info(msg string, pairs ...any)  { l.write(slog.LevelDebug, msg, pairs) }
func (l engineLog) Warn(msg string, pairs ...any)  { l.write(slog.LevelDebug, msg, pairs) }
func (l engineLog) Error(msg string, pairs ...any) {
	if everyday[msg] {
		l.write(slog.LevelDebug, msg, pairs)
		return
	}
	l.write(slog.LevelWarn, msg, pairs)
}

func (l engineLog) With(pairs ...any) log.Logger {
	return engineLog{l.to.With(attributes(pairs)...)}
}

// attributes makes pairs of CometBFT's fit for slog: it evaluates what is lazy
// and survives a missing value.
func attributes(pairs []any) []any {
	out := make([]any, 0, len(pairs)+1)
	for i := 0; i < len(pairs); i += 2 {
		var value any = "missing"
		if i+1 < len(pairs) {
			value = pairs[i+1]
		}
		if s, ok := value.(fmt.Stringer); ok {
			value = lazy{s}
		}
		out = append(out, slog.Any(fmt.Sprint(pairs[i]), value))
	}
	return out
}

// lazy calls String when the record is really written.
type lazy struct{ fmt.Stringer }

func (l lazy) LogValue() (v slog.Value) {
	defer func() {
		if recover() != nil { // a nil pointer behind the interface
			v = slog.StringValue("nil")
		}
	}()
	return slog.StringValue(l.String())
}
