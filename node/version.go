package node

import "runtime/debug"

// Version is the version of the module that this binary was built from, or "devel"
// for a build of a working tree.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return "devel"
}
