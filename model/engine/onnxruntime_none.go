//go:build !(cgo && onnxruntime)

package engine

import (
	"fmt"

	"github.com/atelier-dao/atelier/model/onnx"
)

const (
	hasRuntime   = false
	runtimeNeeds = "a program built with CGO_ENABLED=1 go build -tags onnxruntime ./cmd/atelier"
)

func openRuntime(*onnx.File, string) (string, func() (runner, error), error) {
	return "", nil, fmt.Errorf("%w here: %s needs %s", ErrEngine, ONNXRuntime, runtimeNeeds)
}
