package drill

import (
	"context"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/guardian"
)

func (r *run) mortal(ctx context.Context) error {
	r.screen.Step(5, "Mortal", "nobody else holds the key")
	if err := r.blocks(ctx, 100); err != nil {
		return err
	}
	if err := r.see(ctx, "100 blocks later"); err != nil {
		return err
	}
	_, err := r.request(ctx, "swan")
	if _, err := refusal(err); err != nil {
		return err
	}
	r.screen.Fact("the artist is lost: no more pictures are drawn, and what there is stays")
	return nil
}

// says has a guardian send what a person has decided.
func (r *run) says(ctx context.Context, k *keeper, p curation.Payload) error {
	_, err := r.client.SubmitPayload(ctx, k.key, p)
	return err
}

func (r *run) guardian(ctx context.Context) error {
	r.screen.Step(5, "Guardian", "the guardians vote, the members may object, and then get shares of the same key")
	for _, k := range r.guardians[:2] {
		if err := r.says(ctx, k, curation.Recover{}); err != nil {
			return err
		}
		r.screen.Fact("%s votes for a recovery", k.name)
	}
	if err := r.see(ctx, "the recovery is pending"); err != nil {
		return err
	}
	if err := r.tendUntil(ctx, "the recovery", func(v curation.View) bool {
		c, _ := v.Committee()
		return c.Epoch() > r.first.Epoch && v.Network().Committee.Held() == r.Members
	}); err != nil {
		return err
	}
	if err := r.until(ctx, "shares in all hands", func(curation.View) bool { return r.held() == r.Members }); err != nil {
		return err
	}
	net, err := r.client.Network(ctx)
	if err != nil {
		return err
	}
	if net.Committee.X.String() != r.report.X || net.Committee.Y.String() != r.report.Y {
		return errors.New("the recovered committee has another key")
	}
	r.screen.Fact("committee of epoch %d, dealt by guardians %v: the same X and Y", net.Committee.Epoch, net.Committee.Qualified)
	if err := r.see(ctx, "after the recovery"); err != nil {
		return err
	}
	a, err := r.draws(ctx, "volcano at night")
	if err != nil {
		return err
	}
	both := [2]curation.Artwork{r.first, a}
	for _, piece := range both {
		claims, err := r.verifies(ctx, piece)
		if err != nil {
			return err
		}
		r.screen.Fact("%q verifies offline under the one key: %s", piece.Prompt, claims)
	}
	r.report.Recovered = true
	return nil
}

func (r *run) will(ctx context.Context) error {
	r.screen.Step(5, "Will", "after a long silence the guardians publish the key that opens, and the artist is everybody's")
	publish := func(k *keeper) error {
		s, err := r.client.Succession(ctx)
		if err != nil {
			return err
		}
		l, err := s.Ledger()
		if err != nil {
			return err
		}
		p, err := k.self.Publication(l)
		if err != nil {
			return err
		}
		return r.says(ctx, k, p)
	}
	if err := publish(r.guardians[0]); !errors.Is(err, guardian.ErrAlive) {
		return fmt.Errorf("a guardian published too early: %w", err)
	} else {
		r.screen.Fact("%s is too early, and no share leaves: %v", r.guardians[0].name, err)
	}
	if err := r.until(ctx, "the silence", func(v curation.View) bool { return v.Height() > v.Estate().Silent() }); err != nil {
		return err
	}
	if err := r.see(ctx, "the silence is over"); err != nil {
		return err
	}
	for _, k := range r.guardians[1:] {
		if err := publish(k); err != nil {
			return err
		}
		r.screen.Fact("%s publishes a share", k.name)
	}
	if err := r.see(ctx, "the key is public"); err != nil {
		return err
	}
	artist, p, err := r.open(ctx, "volcano at night")
	if err != nil {
		return err
	}
	id := artist.ID()
	r.report.Pictures = append(r.report.Pictures, Piece{Prompt: "volcano at night", By: "anybody", PixelRoot: curation.Hash(p.PixelRoot).String()})
	r.screen.Fact("anybody opens the artist %x and draws, pixels %x…", id[:6], p.PixelRoot[:6])
	_, err = r.request(ctx, "swan")
	reason, err := refusal(err)
	if err != nil {
		return err
	}
	r.screen.Fact("a request is refused: %s", reason)
	r.report.Public = true
	return nil
}
