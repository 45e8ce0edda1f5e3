// Package dkg makes the keys of a committee without a dealer: X = xG on
// ristretto255, which opens, and Y = yG₂ on BLS12-381, which certifies. Nobody
// ever holds x or y.
//
// The ceremony is a pure state machine over an agreed log, the ledger, which is
// the reliable broadcast that Feldman's protocol needs. Every member deals one
// polynomial per key; the keys are the sums.
//
//	commit       each member posts the hash of its bundle
//	bundle       each member posts its bundle: commitments, proofs, encrypted shares
//	dispute      whoever got a wrong share reveals one Diffie-Hellman key, proved; anybody judges
//	acknowledge  each member proves that it holds its share of both keys
//	active       the committee is in force; late acknowledgements still count
//	aborted      no committee; Culprits says who did what
//
// The commit phase keeps the last dealer from choosing the public key. A dealer
// who is silent or disputed is left out, by name; at least t dealers must remain,
// so one of them is honest, and t+⌊(n-t)/2⌋ members must acknowledge.
//
// A handover is the same ceremony with other dealers: the members of the
// committee in force deal the shares that they hold, and the keys stay. The first
// t of them who are not disputed suffice, weighted as Lagrange has it; the
// committee to be may be any other, and a refresh is a handover to the same one.
// It is in force only once enough of its members have proved their shares, and
// until then the old one is. Commitments to a dealer's constant term are checked
// against its public share, so that nobody can change the keys.
//
// To its own epoch a committee deals a second sharing of its keys, to others than its
// members, and keeps its own: so guardians come by theirs.
//
// That t points of every dealer lie in the group of Y is not tested, except for the
// constant terms: what a dealer adds to the others of small order is taken away where the
// public shares are made (shamir.Commitment).
//
// A member checks the deals to it all together, as sums under weights that follow from
// its seed, and looks for who is wrong only if the sums differ.
//
// Log is what the ledger keeps, Party is a member's secret side. A Party derives
// everything from a 32-byte seed and the ceremony's parameters: after a crash it
// says the same again and can never say two things.
//
// Sources: Gennaro, Jarecki, Krawczyk, Rabin, J. Cryptology 20, 2007; the judging
// of disputes by a revealed key is ETHDKG's (eprint 2019/985). Deviations: hashes
// are committed first, and the ephemeral key carries a proof of possession that covers
// the whole bundle, so that nobody can copy another dealer's, or change what it dealt,
// and have it opened by a dispute. Handing
// over: Desmedt and Jajodia, George Mason University technical report, 1997; Wong,
// Wang, Wing, IEEE SISW 2002.
package dkg
