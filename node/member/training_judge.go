package member

import (
	"errors"
	"fmt"
)

// ForgottenLimit is how many of the pictures of what it knew a new version of the artist may
// draw unlike before, for this member to seal it or vote for it by itself: one in so many.
// Measured with three members who learned two pictures each in ten steps. At a rate of
// 0.003, without rehearsal and from latents by chance, 45 of 64 were unlike, and torn to
// the eye; with rehearsal at 0.001 none, and after eight such trainings 7.
const ForgottenLimit = 4

// Found is what this member found of the version that the training made which is under way,
// in this run or an earlier one: what it votes by. It is nil before, and not to be changed.
func (m *Machine) Found() *Summed {
	if m.training == nil {
		return nil
	}
	return m.training.sum
}

// Dislikes says why this member neither seals the version that was trained nor votes for
// it by itself; nil where it does. It is worse on the own pictures, or has forgotten too
// much of what it knew, which all members find alike; or neither is known.
func (s Summed) Dislikes() error {
	switch f := s.Forgotten; {
	case s.Result.Spoilt:
		return errors.New("the sum is longer than what all members may have learned: somebody gave a change that is no training")
	case f.Pictures == 0:
		return errors.New("it was not compared with the version before: look at what it draws and vote by hand, or do not")
	case !(s.After <= s.Before+LossMargin):
		return fmt.Errorf("on the own pictures it has a loss of %.3f nats, and the version before it %.3f: look at what it draws and vote by hand, or do not", s.After, s.Before)
	case f.Unlike*ForgottenLimit > f.Pictures:
		return fmt.Errorf("it forgets too much: of %d pictures of what the version before knew it draws %d unlike before, at most %d may be: train again with a lower rate, fewer steps or more pictures",
			f.Pictures, f.Unlike, f.Pictures/ForgottenLimit)
	}
	return nil
}

// Says is what this member finds of the version that was trained, in words.
func (s Summed) Says() string {
	if why := s.Dislikes(); why != nil {
		return fmt.Sprintf("does not vote for the new version by itself: %v", why)
	}
	return fmt.Sprintf("finds the new version good: its loss on the own pictures is %.3f nats, and was %.3f; of %d pictures of what the version before knew it draws %d unlike before",
		s.After, s.Before, s.Forgotten.Pictures, s.Forgotten.Unlike)
}
