// Package latent holds what is public of an artist: its vocabulary, what a prompt
// says in it, and what of a picture can be told without the artist's weights.
//
// An artist turns words, a motif, a paper and some noise into its own numbers z,
// which are as secret as its weights. A [Latent] is these words, grounds and noise
// themselves. [Vocabulary.Of] tells that of any artwork from prompt and seed, which
// the ledger shows; an artist draws one with its method FoldLatent. So artworks can
// be compared, bred and explained in words by everybody, while the artist stays
// sealed. Fine-tuning teaches no new words, so a network's artist has the vocabulary
// of the public one that it began as.
//
// One thing a prompt may leave to the artist: the paper, which it chooses to suit
// colours that only it knows. The paper of such a latent is empty.
//
// The package is pure: integers, no chance but the seed's. What comes from outside
// gives errors.
package latent
