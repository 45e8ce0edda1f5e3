//go:build !amd64 && !arm64

package kernel

func vectorEngines() []engine { return nil }
