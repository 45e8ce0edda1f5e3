package main

import "github.com/spf13/cobra"

// commands are the nouns, in the order of the help.
var commands = []func(*env) *cobra.Command{
	demoCommand,
	func(e *env) *cobra.Command {
		return noun("network", "Found a network and look at it", networkCreate(e), networkParams(e))
	},
	func(e *env) *cobra.Command {
		return noun("member", "Invite members and join", memberInvite(e), memberJoin(e))
	},
	func(e *env) *cobra.Command {
		return noun("node", "Run this home's member", nodeStart(e), nodeStop(e))
	},
	func(e *env) *cobra.Command {
		return noun("model", "The artist: draw, train, seal", modelRender(e), modelTrain(e))
	},
	func(e *env) *cobra.Command {
		return noun("market", "Back artworks, quote and sell", marketEval(e))
	},
	func(e *env) *cobra.Command {
		return noun("config", "Settings of this home", configShow(e))
	},
	versionCommand,
}
