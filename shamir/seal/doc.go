// Package seal encrypts to the committee's key X under a label (TDH2), and opens
// what was sealed in three ways, of which no other exists:
//
// Release, for models: each member answers one named reader with a decryption
// share that is ElGamal-encrypted under the reader's one-time key R, with a proof
// bound to a verified certificate. Anybody can check such a share; only the
// holder of log R can use it, and a hostile R cannot shift it onto another
// ciphertext. A model with layers around it has one ciphertext for each; a release
// answers for all of them together, under one certificate and with one proof.
//
// Open, for sealed orders: members publish plain shares with a proof; any t of
// them give the same result to everybody. Open takes a PublicLabel, so what was
// sealed under any other label cannot be opened this way.
//
// Count, for ballots, which are exponential ElGamal under X: each proves that it
// chooses at most one option, a Tally adds them up under public weights, and members
// open the sums alone. A ballot holds for one voter in one poll of one chain, under X
// in whichever epoch. No honest member helps to open fewer ballots than the minimum
// that their proofs name. What the counts themselves tell, nothing hides: TallyShare
// and Tally.Add say what a ledger must look to.
//
// Sources: Shoup and Gennaro, J. Cryptology 15, 2002 (TDH2); the blinded release
// follows vetKeys (eprint 2023/616) without pairings; batched equality proofs as
// in RFC 9497, section 2.2; Cramer, Gennaro and Schoenmakers, EUROCRYPT 1997
// (ballots); Cramer, Damgård and Schoenmakers, CRYPTO 1994 (one of two values);
// Bernhard, Pereira and Warinschi, ASIACRYPT 2012 (what a challenge must hash);
// Bellare, Garay and Rabin, EUROCRYPT 1998 (batches).
package seal
