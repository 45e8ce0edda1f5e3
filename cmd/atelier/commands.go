package main

import "github.com/spf13/cobra"

// commands are the nouns, in the order of the help.
var commands = []func(*env) *cobra.Command{
	demoCommand,
	drillCommand,
	func(e *env) *cobra.Command {
		return noun("network", "Found a network and look at it", networkCreate(e), networkParams(e), networkShow(e), networkWait(e), networkExport(e))
	},
	func(e *env) *cobra.Command {
		return noun("member", "Invite members, join, vote on them, leave, back one up", memberInvite(e), memberJoin(e), memberList(e), memberVotes(e), memberAdmit(e), memberRemove(e), memberLeave(e), memberBackup(e), memberVerifyBackup(e), memberRestore(e))
	},
	func(e *env) *cobra.Command {
		return noun("committee", "Who holds the keys, and handing them over", committeeShow(e), committeeHistory(e), committeeHandover(e), committeeObject(e))
	},
	func(e *env) *cobra.Command {
		return noun("guardian", "Outsiders who keep the key for the day on which the members lose it", guardianShow(e), guardianTend(e), guardianRecover(e), guardianPublish(e), guardianEntrust(e))
	},
	func(e *env) *cobra.Command {
		return noun("node", "Run this home's member", nodeStart(e), nodeStatus(e), nodeStop(e))
	},
	func(e *env) *cobra.Command {
		return noun("model", "The artist: seal it, look at it, vote on it, draw, check and train", modelSeal(e), modelShow(e), modelHistory(e), modelAdopt(e), modelOpen(e), modelRender(e), modelCheck(e), modelRecipe(e), modelMorph(e), modelTrain(e), modelExport(e), modelEngines(e))
	},
	func(e *env) *cobra.Command {
		return noun("training", "Train the artist together, on pictures that nobody else sees", trainingJoin(e), trainingLeave(e), trainingPropose(e), trainingVote(e), trainingList(e), trainingShow(e))
	},
	func(e *env) *cobra.Command {
		return noun("artwork", "Ask for pictures, look at them, bring them here, draw them anew", artworkRequest(e), artworkWait(e), artworkList(e), artworkShow(e), artworkFetch(e), artworkRender(e), artworkMorph(e))
	},
	func(e *env) *cobra.Command {
		return noun("approval", "What the members' quorum has approved", approvalList(e), approvalReleases(e))
	},
	func(e *env) *cobra.Command {
		return noun("evidence", "Who broke the protocol, and what shows it", evidenceList(e), evidenceSubmit(e))
	},
	func(e *env) *cobra.Command {
		return noun("round", "The rounds that decide what is published", roundList(e), roundShow(e), roundWait(e))
	},
	func(e *env) *cobra.Command {
		return noun("taste", "What collectors like, learned from rounds", tasteShow(e), tasteFetch(e), tasteLearn(e), tasteDraw(e))
	},
	func(e *env) *cobra.Command {
		return noun("market", "Back artworks, quote and sell", marketBack(e), marketQuote(e), marketSell(e), marketEval(e))
	},
	func(e *env) *cobra.Command {
		return noun("account", "Keys, credits and tokens", accountCreate(e), accountAddress(e), accountShow(e), accountSend(e))
	},
	verifyCommand,
	func(e *env) *cobra.Command {
		return noun("config", "Settings of this home", configShow(e))
	},
	versionCommand,
	apiTopic,
	environmentTopic,
}

// longs are what a person has to know of each noun.
var longs = map[string]string{
	"network": `A network is a charter, rules and members, fixed in its founding document. It keeps
one ledger, one treasury and one artist, and goes on without its founder.`,
	"member": `Members co-own the network: each runs a node, holds a share of the keys, and has one
vote in consensus. The founder invites the first of them, one invitation for each
seat. Later any member invites, enough of them vote, and the next handover of the
keys takes in who was admitted, and lets go who leaves or was removed.`,
	"committee": `The committee is the members as holders of the key: each holds a share, a threshold
of shares opens or certifies, and nobody ever holds the key itself. A handover makes
fresh shares of the same key; then the old ones are worth nothing by themselves.`,
	"guardian": `Guardians are named in the founding document, run no node, and act through any
member's node with the key of an account. They hold a second sharing of the members'
key: as many of them as act for all can give it back to the members, or publish it,
and nobody but their word keeps them from reading with it.`,
	"node": `A node is the running member of one home. The commands here look at it from the same
machine; every other command asks it, or another one with --api.`,
	"model": `The artist is a model of some 260,000 numbers. The genesis artist is public and
draws here without a network; a network seals its own, which opens only by quorum,
under keys that change, and replaces it by a vote of its members.`,
	"training": `Members can train the artist on pictures that they show to nobody: each learns from
its own, and what changed is added up under masks that cancel in the sum. A member's
pictures are used for that when its owner has said join, and never before.`,
	"artwork": `An artwork begins as a request with a prompt and a deposit. Members approve it, one
draws it, another checks it, and it waits as a candidate for a round.`,
	"approval": `The members approve a request by signing it; a quorum of signatures is one
certificate of 48 bytes on the ledger, and the seed of the picture.`,
	"evidence": `A member that signs what an honest one never signs has shown it to everybody: the
ledger judges by what it holds, takes a part of the member's credits, and has it
leave for good.`,
	"round": `A round opens by itself when enough candidates wait. Collectors back them in sealed
orders, which are opened together; the best are published, the others refunded.`,
	"taste": `What rounds publish tells what collectors like. After each of them every member
computes by the same rule the next version of the network's taste: a public file
that says which words are liked, and draws pictures for requests without a prompt.
The ledger keeps its hash, and anybody can compute it again.`,
	"market": `Each artwork has a bonding curve. Backing a candidate buys its tokens, at one price
for all orders of a round; the curve of a published one buys them back.`,
	"account": `An account is the public key of whoever signs: a collector's of --key FILE, or the
member's of the home. The ledger holds its credits, tokens and orders.`,
	"config": `A home has its settings in config.toml, where an unknown name is an error. Variables
and flags go before the file; see ` + "`" + `atelier help environment` + "`" + `.`,
}
