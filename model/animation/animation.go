// Package animation writes moving pictures, frame by frame as they come, so that
// memory does not grow with their number: PNG with animation (APNG), which keeps every
// colour, and GIF, which keeps 256 of each frame.
//
// Sources: PNG third edition (W3C 2025), 11.3.6; GIF89a (CompuServe 1990); median cut:
// Heckbert, SIGGRAPH 1982.
package animation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// Bounds of an animation.
const (
	MaxFrames = 10_000
	MaxSide   = 4096 // pixels along a side
	MaxPause  = 10 * time.Second
	MinPause  = 20 * time.Millisecond // browsers show a frame of 10 or less for 100
)

// ErrAnimation reports a size, number or length of frames that cannot be written.
var ErrAnimation = errors.New("not an animation")

// A Writer takes one frame after the other: width×height pixels, three bytes (sRGB
// red, green, blue) each, row by row from the top left.
type Writer interface {
	Frame(rgb []byte) error
	Close() error
}

func check(width, height, frames int, pause time.Duration) error {
	switch {
	case width < 1 || height < 1 || width > MaxSide || height > MaxSide:
		return fmt.Errorf("%w: frames of %d×%d pixels, want 1 to %d each way", ErrAnimation, width, height, MaxSide)
	case frames < 1 || frames > MaxFrames:
		return fmt.Errorf("%w: %d frames, want 1 to %d", ErrAnimation, frames, MaxFrames)
	case pause < MinPause || pause > MaxPause:
		return fmt.Errorf("%w: a frame of %v, want %v to %v", ErrAnimation, pause, MinPause, MaxPause)
	}
	return nil
}

// counted checks the frames that come against those that were announced.
type counted struct {
	width, height, frames int
	pause                 time.Duration
	done                  int
}

// lasts is how long the frame that came last is shown, in some unit.
func (c *counted) lasts(unit time.Duration) uint16 { return lasts(c.done, c.pause, unit) }

// lasts is how long a frame is shown, numbered from 1. Some are rounded up and some down,
// so that all together last as long as they should.
func lasts(frame int, pause, unit time.Duration) uint16 {
	end := func(frames int) time.Duration { return (time.Duration(frames) * pause).Round(unit) }
	return uint16((end(frame) - end(frame-1)) / unit)
}

// Pauses are how long an animated PNG shows each of its frames, in milliseconds.
func Pauses(frames int, pause time.Duration) []uint16 {
	p := make([]uint16, frames)
	for i := range p {
		p[i] = lasts(i+1, pause, time.Millisecond)
	}
	return p
}

// Root names a film by the pixel roots of its frames, in their order: the SHA-256 of a
// tag and all of them.
func Root(frames [][32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("atelier/film/v1"))
	for _, f := range frames {
		h.Write(f[:])
	}
	return [32]byte(h.Sum(nil))
}

func (c *counted) next(rgb []byte) error {
	if len(rgb) != 3*c.width*c.height {
		return fmt.Errorf("%w: a frame of %d bytes, want %d", ErrAnimation, len(rgb), 3*c.width*c.height)
	}
	if c.done++; c.done > c.frames {
		return fmt.Errorf("%w: more than %d frames", ErrAnimation, c.frames)
	}
	return nil
}

func (c *counted) end() error {
	if c.done != c.frames {
		return fmt.Errorf("%w: %d frames of %d", ErrAnimation, c.done, c.frames)
	}
	return nil
}
