package main

import "github.com/spf13/cobra"

// commands are the nouns, in the order of the help.
var commands = []func(*env) *cobra.Command{
	demoCommand,
	func(e *env) *cobra.Command {
		return noun("network", "Found a network and look at it", networkCreate(e), networkParams(e), networkShow(e), networkWait(e), networkExport(e))
	},
	func(e *env) *cobra.Command {
		return noun("member", "Invite members, join, see who they are", memberInvite(e), memberJoin(e), memberList(e))
	},
	func(e *env) *cobra.Command {
		return noun("node", "Run this home's member", nodeStart(e), nodeStatus(e), nodeStop(e))
	},
	func(e *env) *cobra.Command {
		return noun("model", "The artist: seal it, look at it, draw and train", modelSeal(e), modelShow(e), modelRender(e), modelTrain(e))
	},
	func(e *env) *cobra.Command {
		return noun("artwork", "Ask for pictures, look at them, bring them here", artworkRequest(e), artworkWait(e), artworkList(e), artworkShow(e), artworkFetch(e))
	},
	func(e *env) *cobra.Command {
		return noun("approval", "What the members' quorum has approved", approvalList(e))
	},
	func(e *env) *cobra.Command {
		return noun("round", "The rounds that decide what is published", roundList(e), roundShow(e), roundWait(e))
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
