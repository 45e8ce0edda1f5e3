// Package attack is the adversary of package shamir: scripted malicious dealers,
// share-holders, readers, voters, relays and aggregators against an honest rest of a
// committee, in fresh ceremonies, handovers, certificates, seeds, releases, public
// openings and polls.
//
// An Attack is a value: a sentence, a role and a script. A World is a committee of
// n members that a seed decides, with its ledger, its models, its orders and its
// ballots; the adversary holds some of the members, sees everything that is said,
// speaks last in every block, and writes its messages byte by byte with code of its
// own (forge.go, points.go, ballots.go), not with that of the honest members.
//
// The world decides, too, which members are the adversary's. So most of what the
// honest say is the same in all attacks of a seed, and is said and verified once: the
// logs share a dkg.Memory, which what was refused is not in. An attack that is played
// alone comes to what it comes to among others.
//
// Whatever the attack, after it these hold, or the run is broken:
//
//   - one key for everybody, or an abort that names those who caused it;
//   - nobody honest is named, and nobody is convicted without evidence that an
//     outsider's audit of the log accepts;
//   - nothing panics;
//   - no share leaves an honest member without a certificate of a statement that
//     the ledger holds, for a reader whom it binds;
//   - t-1 shares and all that the adversary saw open nothing;
//   - while at most n-t members are bad the rest certifies and releases.
//
// A run depends on attack, n and seed alone, so a failure is replayed by them.
// Some attacks are first run against the formula that they are known to break, so
// that they cannot decay into attacks that would succeed nowhere.
//
// Sources: the defects of kyber v3.1.0's ceremony (dedis/kyber issues 407, 440,
// 560), of Charon's (ObolNetwork/charon issue 1999) and of circl before v1.6.5; the
// decryption oracle in re-encryption as CALYPSO has it (eprint 2018/209); ETHDKG
// (eprint 2019/985) for disputes; Gennaro, Jarecki, Krawczyk, Rabin, J. Cryptology
// 20, 2007, for the bias of the last dealer.
package attack
