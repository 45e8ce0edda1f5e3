// Package secagg adds up vectors of members so that everybody learns the sum and nobody
// learns a member's vector: secure aggregation with double masking, after Bonawitz and
// others, CCS 2017, with a ledger in the server's place.
//
//	advertise   each member posts a key for boxes, with a proof
//	share       each splits two secrets, of its pairwise masks and of its self-mask, among all
//	dispute     whoever got a wrong box reveals its one key, proved; anybody judges; the others say that theirs are right
//	input       each masks its input, posts with whom and the hash of the file; files travel elsewhere
//	confirm     each says whose files it holds; what a threshold holds survives
//	unmask      each gives one share for each other: of a survivor's self-mask, of a drop-out's pairwise secret
//	result      each adds up and posts the hash; what a threshold found is the outcome
//	done, aborted
//
// The masks that two members share cancel in the sum. What a drop-out left uncancelled is
// computed from its pairwise secret, which the others recover. The self-mask protects the
// input of one who only seemed to drop out: for each member one of its secrets is given
// away and never both, so its input stays masked by the other. Survivors are those whose
// file a threshold of members hold, so a member cannot name a file and keep it back.
//
// Round is what everybody who reads the ledger knows; it sees keys, shares, hashes and
// bits, never an input. Participant is a member's secret side. Both are pure: a ledger
// applies messages to the Round, a node carries out the Participant's effects. Length is
// the number of uint32 in an input; sums are modulo 2³², and Params.Norm keeps honest
// ones from ever getting there.
//
// # What it gives
//
// With fewer than a threshold t of colluders, who may be anybody and see all messages and
// files, nothing is learned of the other members' inputs but the sum over the survivors;
// that is, after the colluders subtract their own, the sum over the honest survivors, of
// whom there are at least t less the colluders. This rests on all members seeing one
// ledger. If those who run it show the honest members two, t = shamir.Threshold(n) still
// keeps both secrets of a member apart, and one honest partner of its masks unknown, while
// less than a third of the members collude: shares are proved for the keys that their
// dealer saw, an input says with whom it is masked, and a member goes on in one history.
// Those without the reader key learn nothing, not even the sum, whatever else they hold.
//
// What a lying member does is refused by the Round, or convicts it, or only drops it out:
// wrong shares, points that are not canonical, another's key, messages of another round,
// second messages, files of a wrong length or for another member. testdata/adversaries.txt
// lists what was tried and what became of it.
//
// # What it does not give
//
// A member may lie about its input: it can give any vector. One that pulls the sum over
// survivors·Norm spoils the round, and nobody learns whose it was. One within that bound
// counts, so the poison of one liar is bounded by the room that the honest leave in
// survivors·Norm, not by its own Norm. (Proofs of an input's norm without the input exist,
// Lycklama and others, S&P 2023, and cost too much here.) A member that masks with other
// keys than it shared, or with another reader key, spoils the round likewise. Whoever
// spoils can do so in every round until it is left out by guessing.
//
// A sum says something of its summands: of few, or of many that are alike, a lot. Members
// who drop out on purpose shrink the crowd to t. Sums of rounds with other survivors can
// be subtracted. Who keep their confirmations back, more than Members-Threshold of them,
// choose who survives: with one less than t colluders a sum can be of one honest input,
// which they then know. There is no differential privacy here.
//
// Deviations from the paper: both secrets are committed to (Feldman), so each share that
// is given is checked and wrong boxes are judged before anybody masks; the public half of
// the pairwise secret is that commitment's constant term; who drops out may still help to
// unmask, since the ledger has fixed the survivors; the consistency check is the ledger;
// availability is confirmed, as files are not on it; the readers' mask is ours.
//
// SPEC.md, section 16, says all this to the byte, and testdata/vectors.json holds vectors.
//
// Sources: Bonawitz, Ivanov, Kreuter, Marcedone, McMahan, Patel, Ramage, Segal, Seth,
// "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017;
// Feldman, FOCS 1987.
package secagg
