package curation

import (
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
)

// Invariants checks what must hold after every block, over the whole state, and
// returns the first violation. It is for tests and development networks: it
// reads everything.
func (m *Machine) Invariants() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, check := range []func(state.Reader) error{m.conserved, m.lockedAdds, m.marketsAdd, m.indexed, m.roundsAgree, m.prekeysAgree, m.membersAgree, m.motionsAgree, m.modelsAgree, m.trainingsAgree, m.convictionsAgree, m.guardiansAgree, m.priorsAgree} {
		if err := check(m.store); err != nil {
			return fmt.Errorf("height %d: %w", m.height, err)
		}
	}
	return nil
}

// conserved: balances, locks, reserves and treasury are the genesis supply.
func (m *Machine) conserved(r state.Reader) error {
	sum := must2(load[Treasury](r, keyTreasury)).Balance
	for _, a := range records[Account](r, []byte("account/")) {
		sum = sum.Add(a.Balance).Add(a.Locked)
	}
	for _, market := range records[Market](r, []byte("market/")) {
		sum = sum.Add(market.Reserve)
	}
	if sum != m.supply {
		return fmt.Errorf("%v base units exist, genesis made %v", sum, m.supply)
	}
	return nil
}

// lockedAdds: what accounts have locked is what open requests and sealed orders
// lock.
func (m *Machine) lockedAdds(r state.Reader) error {
	want := map[Address]Amount{}
	for _, a := range records[Artwork](r, []byte("artwork/")) {
		if !a.Status.Ended() {
			want[a.Requester] = want[a.Requester].Add(a.locked())
		}
	}
	for _, o := range records[Order](r, []byte("order/")) {
		if o.Status == OrderSealed {
			want[o.Account] = want[o.Account].Add(o.Escrow)
		}
	}
	for _, a := range records[Account](r, []byte("account/")) {
		if a.Locked != want[a.Address] {
			return fmt.Errorf("account %v has %v locked, its requests and orders %v", a.Address, a.Locked, want[a.Address])
		}
		delete(want, a.Address)
	}
	if len(want) != 0 {
		return fmt.Errorf("%d accounts lock something and do not exist", len(want))
	}
	return nil
}

// marketsAdd: a market exists for each published artwork and no other; its supply
// is its holdings and the locked tokens; orders account for their escrow.
func (m *Machine) marketsAdd(r state.Reader) error {
	held := map[Hash]Amount{}
	for _, h := range records[Holding](r, []byte("holding/")) {
		if h.Tokens.IsZero() {
			return fmt.Errorf("account %v holds nothing of %v", h.Account, h.RID)
		}
		held[h.RID] = held[h.RID].Add(h.Tokens)
		if _, ok := r.Get(indexHolder(h.Account, h.RID)); !ok {
			return fmt.Errorf("holding of %v in %v is not indexed", h.Account, h.RID)
		}
	}
	for _, market := range records[Market](r, []byte("market/")) {
		if sum := held[market.RID].Add(market.Locked); sum != market.Supply {
			return fmt.Errorf("market %v has supply %v, held and locked are %v", market.RID, market.Supply, sum)
		}
		delete(held, market.RID)
	}
	if len(held) != 0 {
		return fmt.Errorf("tokens of %d artworks without market", len(held))
	}
	for _, a := range records[Artwork](r, []byte("artwork/")) {
		if _, ok := r.Get(keyMarket(a.RID)); ok != (a.Status == StatusPublished) {
			return fmt.Errorf("artwork %v is %s, market: %v", a.RID, a.Status, ok)
		}
	}
	for _, o := range records[Order](r, []byte("order/")) {
		if o.Status != OrderSealed && o.Cost.Add(o.Tribute).Add(o.Refund) != o.Escrow {
			return fmt.Errorf("order %d of round %d: cost %v, tribute %v and refund %v do not make the escrow %v",
				o.Index, o.Round, o.Cost, o.Tribute, o.Refund, o.Escrow)
		}
		if o.Status == OrderFilled && (o.Tokens.Less(o.MinOut) || o.Tokens.IsZero()) {
			return fmt.Errorf("order %d of round %d got %v tokens, limit %v", o.Index, o.Round, o.Tokens, o.MinOut)
		}
	}
	return nil
}

// indexed: indexes say what the states of artworks and orders say.
func (m *Machine) indexed(r state.Reader) error {
	want := map[string]bool{}
	counts := map[Status]uint64{}
	for _, a := range records[Artwork](r, []byte("artwork/")) {
		counts[a.Status]++
		want[string(indexShelf(a.Status, place(a)...))] = true
		want[string(indexAsked(a.Requester, a.Status, place(a)...))] = true
		if a.Status.Open() {
			want[string(indexDue(a))] = true
			want[string(indexOpen(a.Requester, a.RID))] = true
			if a.Expiry <= m.height {
				return fmt.Errorf("artwork %v is %s past its expiry %d", a.RID, a.Status, a.Expiry)
			}
		}
		if a.Status == StatusCandidate {
			want[string(indexWait(a.Attested, a.RID))] = true
		}
		if e := a.Edition; e != nil {
			for _, of := range e.Of {
				want[string(indexEdition(of, place(a)...))] = true
			}
			kept := a.Status == StatusDelivered && a.Kept > m.height
			if kept {
				want[string(indexKept(a))] = true
			}
			if kept || a.Status.Open() || a.TooLarge() && a.Status == StatusExpired && a.Attested != 0 {
				want[string(indexSame(*e))] = true
			}
		}
		switch a.Status {
		case StatusCandidate, StatusBacking, StatusPublished, StatusDeclined, StatusDelivered:
			if (a.Edition != nil) != (a.Status == StatusDelivered) {
				return fmt.Errorf("artwork %v is %s, an edition: %v", a.RID, a.Status, a.Edition != nil)
			}
		}
		if a.CID != "" {
			want[string(indexCID(a.CID, a.RID[:]...))] = true
		}
		if a.Status.Ended() != (a.Ended != 0) {
			return fmt.Errorf("artwork %v is %s, ended at %d", a.RID, a.Status, a.Ended)
		}
	}
	for _, o := range records[Order](r, []byte("order/")) {
		want[string(indexOrder(o.Account, o.Round, o.Index))] = true
		if o.Status == OrderSealed {
			want[string(indexEscrow(o))] = true
		}
	}
	for k := range r.Ascend([]byte("index/count/")) {
		if status := Status(k[len("index/count/"):]); count(r, k) != counts[status] {
			return fmt.Errorf("%d artworks are %s, the index counts %d", counts[status], status, count(r, k))
		}
	}
	for _, prefix := range []string{"index/shelf/", "index/asked/", "index/due/", "index/open/", "index/wait/", "index/order/", "index/escrow/", "index/cid/", "index/same/", "index/edition/", "index/kept/"} {
		for k := range r.Ascend([]byte(prefix)) {
			if !want[string(k)] {
				return fmt.Errorf("index %q points at nothing", k)
			}
			delete(want, string(k))
		}
	}
	if len(want) != 0 {
		return fmt.Errorf("%d artworks and orders are not indexed", len(want))
	}
	return nil
}

// roundsAgree: at most the last round runs, and its artworks say so.
func (m *Machine) roundsAgree(r state.Reader) error {
	last := count(r, keyRound)
	running := map[Hash]uint64{}
	for i, round := range records[Round](r, []byte("round/")) {
		if round.Number != uint64(i)+1 || round.Number > last {
			return fmt.Errorf("round %d stands at %d of %d", round.Number, i+1, last)
		}
		if active := round.Phase == RoundBacking || round.Phase == RoundOpening; active {
			if round.Number != last {
				return fmt.Errorf("round %d runs beside round %d", round.Number, last)
			}
			for _, rid := range round.Candidates {
				running[rid] = round.Number
			}
		} else {
			for range r.Ascend(key("opening/", number(round.Number))) {
				return fmt.Errorf("round %d ended and keeps openings", round.Number)
			}
		}
		if !slices.IsSorted(round.Openers) {
			return fmt.Errorf("openers of round %d are not sorted", round.Number)
		}
	}
	for _, a := range records[Artwork](r, []byte("artwork/")) {
		if in := running[a.RID] != 0; in != (a.Status == StatusBacking) {
			return fmt.Errorf("artwork %v is %s, in the running round: %v", a.RID, a.Status, in)
		}
	}
	return nil
}

// priorsAgree: versions of the taste have no gaps, each learned from the next settled
// round, and every adopted one is found by its hash; nothing but the next has records
// and is not adopted.
func (m *Machine) priorsAgree(r state.Reader) error {
	settled := 0
	for _, round := range records[Round](r, []byte("round/")) {
		if round.Phase != RoundSettled {
			continue
		}
		settled++
		if n, ok := load[uint64](r, indexSettled(uint64(settled))); !ok || n != round.Number {
			return fmt.Errorf("settled round %d is round %d, the index says %d", settled, round.Number, n)
		}
	}
	if n := count(r, keySettled); n != uint64(settled) {
		return fmt.Errorf("%d rounds are settled, the count is %d", settled, n)
	}
	adopted, lexicon := count(r, keyPriors), Hash{}
	for i, p := range records[Prior](r, []byte("taste/")) {
		round, ok := tasteRound(r, uint64(i))
		if p.Version != uint64(i) || !ok || p.Round != round || p.Adopted() != (p.Version < adopted) || len(p.Records) == 0 || p.Version > adopted {
			return fmt.Errorf("version %d of round %d stands at %d of %d, adopted at %d with %d records", p.Version, p.Round, i, adopted, p.Height, len(p.Records))
		}
		if p.Version == 0 {
			lexicon = p.Lexicon
		}
		if v, ok := load[uint64](r, indexPrior(p.ID)); ok != p.Adopted() || ok && (v != p.Version || p.Lexicon != lexicon) {
			return fmt.Errorf("version %d is adopted: %v, by the index it is version %d", p.Version, p.Adopted(), v)
		}
	}
	for range r.Ascend([]byte("index/prior/")) {
		adopted--
	}
	if adopted != 0 {
		return fmt.Errorf("the index of versions and their number differ by %d", adopted)
	}
	for _, a := range records[Artwork](r, []byte("artwork/")) {
		v, ok := load[uint64](r, indexPrior(a.Prior))
		if ok == (a.Prior == Hash{}) || ok && a.Prompt != "" {
			return fmt.Errorf("artwork %v with prompt %q is drawn from %v", a.RID, a.Prompt, a.Prior)
		}
		if p, _ := load[Prior](r, keyPrior(v)); ok && p.Height > a.Requested {
			return fmt.Errorf("artwork %v is older than version %d that it is drawn from", a.RID, v)
		}
	}
	return nil
}

// prekeysAgree: the queues hold what the members' records say.
func (m *Machine) prekeysAgree(r state.Reader) error {
	for _, member := range records[Member](r, []byte("member/")) {
		n := uint64(0)
		for k := range r.Ascend(key("prekey/", index32(member.Index))) {
			if seq := be(k[len(k)-8:]); seq != member.PrekeyNext+n {
				return fmt.Errorf("member %d: prekey %d stands where %d should", member.Index, seq, member.PrekeyNext+n)
			}
			n++
		}
		if n != member.Prekeys() {
			return fmt.Errorf("member %d has %d prekeys, its record says %d", member.Index, n, member.Prekeys())
		}
	}
	return nil
}

// membersAgree: the seats of the committee in force are the members with a seat and
// with power, each found by its account; who drains is no longer among them.
func (m *Machine) membersAgree(r state.Reader) error {
	ceremony := must2(load[ceremonyState](r, keyCeremony))
	seats := ceremony.Seats
	if c, ok := committeeInForce(r); ok {
		seats = c.Seats
	}
	all := records[Member](r, []byte("member/"))
	if last := count(r, keyMembers); last != uint64(len(all)) {
		return fmt.Errorf("%d members, the last has number %d", len(all), last)
	}
	if kept := records[abortedCeremony](r, []byte(abortedTable)); len(kept) > maxAborted {
		return fmt.Errorf("%d aborted ceremonies are remembered", len(kept))
	}
	if !slices.IsSorted(seats) {
		return fmt.Errorf("seats %v are not in the order of members", seats)
	}
	for _, p := range all {
		switch {
		case p.Seat != seats.Of(p.Index) || (p.Seat != 0) != p.Seated():
			return fmt.Errorf("member %d has seat %d and power %d, its seat is %d", p.Index, p.Seat, p.Power, seats.Of(p.Index))
		case p.Seated() != (p.Standing == StandingActive || p.Standing == StandingLeaving) && (p.Seated() || p.Standing != StandingLeaving || ceremony.Seats.Of(p.Index) == 0):
			return fmt.Errorf("member %d is %s with power %d", p.Index, p.Standing, p.Power)
		case (p.Standing == StandingDraining) != slices.Contains(ceremony.Draining, p.Index):
			return fmt.Errorf("member %d is %s, those who drain are %v", p.Index, p.Standing, ceremony.Draining)
		case memberNumber(r, p.Account) != p.Index:
			return fmt.Errorf("account %v is member %d's by the index, %d's by its record", p.Account, memberNumber(r, p.Account), p.Index)
		case (m.byAccount[p.Account] != 0) != (p.Standing != StandingLeft):
			return fmt.Errorf("member %d is %s, among the members: %v", p.Index, p.Standing, m.byAccount[p.Account] != 0)
		}
		missed, failed := load[Missed](r, keyMissed(p.Index))
		if _, refreshed := r.Get(keyRefresh(p.Index)); failed && (p.Standing != StandingJoining || missed.Times == 0 || missed.Times >= MaxMissed) || refreshed && p.Standing == StandingLeft {
			return fmt.Errorf("member %d is %s, missed %+v, refreshed %v", p.Index, p.Standing, missed, refreshed)
		}
	}
	return nil
}

// motionsAgree: every motion is indexed by its end, has a proposer, and is about one
// thing.
func (m *Machine) motionsAgree(r state.Reader) error {
	motions := records[Motion](r, []byte("motion/"))
	for _, o := range motions {
		if _, ok := r.Get(indexMotion(o)); !ok || len(o.Votes) == 0 || o.Until <= m.height {
			return fmt.Errorf("motion %v until %d: indexed %v, votes %v", o.ID, o.Until, ok, o.Votes)
		}
		about := 0
		for _, is := range []bool{o.Application != nil, o.Remove != 0, o.Adopt != 0, o.Train != nil} {
			if is {
				about++
			}
		}
		if about != 1 {
			return fmt.Errorf("motion %v is about %d things", o.ID, about)
		}
	}
	if n := len(names(r, []byte("index/motion/"))); n != len(motions) {
		return fmt.Errorf("%d motions, %d in the index", len(motions), n)
	}
	return nil
}

// convictionsAgree: every conviction is of a member, who is on its way out or gone
// unless it could not go.
func (m *Machine) convictionsAgree(r state.Reader) error {
	members := records[Member](r, []byte("member/"))
	slashes := Amount{}
	for _, c := range records[Conviction](r, []byte("evidence/")) {
		if c.Member == 0 || int(c.Member) > len(members) {
			return fmt.Errorf("member %d was convicted, there are %d", c.Member, len(members))
		}
		slashes = slashes.Add(c.Slashed)
		others := slices.ContainsFunc(members, func(o Member) bool { return o.Index != c.Member && o.Standing == StandingActive })
		if s := members[c.Member-1].Standing; s == StandingJoining || s == StandingActive && others && m.committee != nil {
			return fmt.Errorf("member %d was convicted and is %s", c.Member, s)
		}
	}
	if taken := must2(load[Treasury](r, keyTreasury)).Slashes; taken != slashes {
		return fmt.Errorf("the treasury took %v from the convicted, who paid %v", taken, slashes)
	}
	return nil
}
