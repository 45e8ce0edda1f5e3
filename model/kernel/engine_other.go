//go:build !amd64

package kernel

func vectorEngines() []engine { return nil }
