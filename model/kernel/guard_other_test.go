//go:build !amd64 && !arm64

package kernel

func guard(network) func() bool { return func() bool { return true } }
