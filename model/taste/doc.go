// Package taste learns what a network's collectors like, and draws from it what to
// make next: a public prior over latents, in versions, by a rule that every member
// computes alike from the ledger.
//
// An artist's weights are a secret, so the prior lives on what is public of an
// artwork: its words, its grounds and the noise of its seed (package latent). A
// [Lexicon] adds how the public artist's words look. After each curation round
// [Lexicon.Update] makes the next version of the prior; a request without a prompt
// gets the latent that [Lexicon.Draw] gives for its seed.
//
//	lexicon, err := model.Lexicon()
//	prior := lexicon.First()                          // version 0 knows nothing
//	l, origin := lexicon.Draw(prior, seed)            // and explores
//	picture, err := artist.RenderLatent(ctx, l, seed, 1024, model.RenderOptions{})
//	prior, err = lexicon.Update(prior, round)         // version 1
//	raw, err := prior.MarshalBinary()                 // the file
//	prior.ID()                                        // its SHA-256: the name of the version
//	lexicon.Compare(before, prior, round)             // what changed, and why
//	versions, err := lexicon.Replay(ctx, rounds)      // all of it again from the ledger's facts
//
// # The rule
//
// Preference: a logistic model of pairs (Bradley and Terry). Each published artwork
// of a round was preferred to each that was declined; the appeal of a latent is a sum
// over its words and over numbers that tell what it looks like. A round is one small
// fit, in which pairs and not artworks, credits or people are counted, and what
// older rounds taught fades by an eighth.
//
// Breeding: published latents become parents, with a standing that goes by rank and
// fades as well. A child takes things, colours, motif, paper and each number of the
// noise from either of two parents, and now and then from a stranger; one in four shows
// something else that looks alike, so that a liking does not end in one subject.
//
// Drawing: of twelve proposals, three quarters of them bred and the others of the
// base distribution, the one with the largest appeal wins, after some noise on it. A
// subject that many late artworks showed has less appeal for that.
//
// Exploration: of five draws one is of the base distribution, whatever the prior
// says: any thing, any colour, any motif, a paper that suits. Which draws these are
// the seed decides, and nobody chooses the seed of an artwork.
//
// # What money can do
//
// Amounts do not enter: a round is which artworks were published, in the order of the
// ledger's score, which counts an account up to a cap and adds roots of amounts. Who
// decides a whole round by riches decides one round: no weight moves further than
// maxShift in it, its artworks take no more than their places among MaxParents, no more
// than MaxKin of which show the same thing, and after six further rounds half of it has
// faded. Making many candidates moves no liking by itself, because what is declined
// only loses; it can make people tire of a subject, up to what fatigue takes.
//
// Who decides every round decides what is published anyway, and the prior follows. In
// the simulation of examples/taste a collector with a hundred times an ordinary purse
// and the opposite taste, among twelve others, undoes most of what the others teach, and
// with twenty accounts turns it around. Against that helps only what the ledger does
// about accounts. A fifth of the draws stays out of anybody's reach.
//
// # What the ledger keeps
//
// All here is a pure function: integers, sums whose order does not matter, no maps in
// order of iteration, no chance but the seed's. Equal facts give equal bytes, on every
// machine. For that a network's ledger has, or names by a hash:
//
//   - the lexicon's ID with version 0; its file lies with all members, because a
//     new release of this program may bring another public artist;
//   - after each settled round one version: its number and its ID, adopted when t
//     members have recorded the same. A round that failed makes none. A member whose
//     own result differs records its own and keeps the file. A file makes one block,
//     so its CID follows from the ID;
//   - in each artwork that was asked for without a prompt the ID of the version in
//     force when it was asked for, so that generator, auditor and all who read the
//     recipe later draw the same latent from the seed that comes after. No version
//     yet means the plain picture of an empty prompt and the seed;
//   - what it has already: prompt and seed of each artwork, and which of a round's
//     candidates were published, best first. See [Facts].
//
// Sources: Bradley and Terry, Biometrika 39, 1952; Secretan and others, Picbreeder,
// Evolutionary Computation 19(3), 2011.
package taste
