package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/atelier-dao/atelier/shamir/attack"
)

// merge puts reports of different seeds or sizes together.
func merge(files []string) (*report, error) {
	all := &report{Broken: []brokenPlay{}}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var r report
		if err := json.Unmarshal(b, &r); err != nil {
			return nil, fmt.Errorf("%s is not what -json prints: %w", name, err)
		}
		if err := all.join(&r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(all.Attacks) == 0 {
		return nil, errors.New("the files hold no runs")
	}
	return all, nil
}

func (r *report) join(other *report) error {
	for _, s := range other.Sizes {
		if s.Seeds == 0 {
			continue
		}
		for _, known := range r.Sizes {
			if known.N == s.N && s.First < known.First+known.Seeds && known.First < s.First+s.Seeds {
				return fmt.Errorf("seeds %d to %d of n=%d are in another file too", s.First, s.First+s.Seeds-1, s.N)
			}
		}
	}
	for _, a := range other.Attacks {
		i := slices.IndexFunc(r.Attacks, func(b row) bool { return b.Attack == a.Attack })
		if i < 0 {
			i = len(r.Attacks)
			r.Attacks = append(r.Attacks, row{a.Attack, a.Role, map[int]map[attack.Outcome]int{}})
		}
		for n, outcomes := range a.Outcomes {
			if r.Attacks[i].Outcomes[n] == nil {
				r.Attacks[i].Outcomes[n] = map[attack.Outcome]int{}
			}
			for o, times := range outcomes {
				r.Attacks[i].Outcomes[n][o] += times
			}
		}
	}
	r.Runs, r.Seconds, r.Broken = r.Runs+other.Runs, r.Seconds+other.Seconds, append(r.Broken, other.Broken...)
	r.Sizes = adjoin(append(r.Sizes, other.Sizes...))
	return nil
}

// adjoin makes one range of those that follow each other.
func adjoin(sizes []size) (out []size) {
	slices.SortFunc(sizes, func(a, b size) int { return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.First, b.First)) })
	for _, s := range sizes {
		if last := len(out) - 1; last >= 0 && out[last].N == s.N && out[last].First+out[last].Seeds == s.First {
			out[last].Seeds += s.Seeds
		} else if s.Seeds > 0 {
			out = append(out, s)
		}
	}
	return out
}
