// Package animation writes moving pictures, frame by frame as they come, so that
// memory does not grow with their number: PNG with animation (APNG), which keeps every
// colour, and GIF, which keeps 256 of each frame.
//
// Sources: PNG third edition (W3C 2025), 11.3.6; GIF89a (CompuServe 1990); median cut:
// Heckbert, SIGGRAPH 1982.
package animation

import (
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

// lasts is how long the frame that came last is shown, in some unit. Some are rounded
// up and some down, so that all together last as long as they should.
func (c *counted) lasts(unit time.Duration) uint16 {
	end := func(frames int) time.Duration { return (time.Duration(frames) * c.pause).Round(unit) }
	return uint16((end(c.done) - end(c.done-1)) / unit)
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
