package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/atelier-dao/atelier/model/kernel"
)

// peers lists everybody, installed or not.
func peers(ctx context.Context, dir string) ([]peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// The network alone is a benchmark inside the kernel's package.
	inside := filepath.Join(dir, "kernel.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", inside, "github.com/atelier-dao/atelier/model/kernel")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the kernel's benchmarks: %w: %s", err, out)
	}
	measured := func(what string) func(job) *exec.Cmd {
		return func(j job) *exec.Cmd {
			c := exec.CommandContext(ctx, self, "measure", what, strconv.Itoa(j.size), strconv.Itoa(j.threads), inside)
			c.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(j.threads))
			return c
		}
	}
	var all []peer
	for _, k := range peaks() {
		all = append(all, peer{name: k.name, kind: "peak", peak: k.what, command: measured("peak:" + k.name)})
	}
	against := map[string]string{"avx512vnni": "vnni", "avx2": "pairs", "reference": ""}
	for _, k := range kernel.Kernels() {
		all = append(all, peer{name: "atelier " + k, kind: "network", peak: against[k], slow: k == "reference", command: measured("network:" + k)})
	}
	ort := func(what, file string) peer {
		return peer{name: what, kind: "network", peak: "float", missing: npmMissing(),
			command: func(j job) *exec.Cmd {
				return exec.CommandContext(ctx, "node", "ort.mjs", filepath.Join(dir, file), strconv.Itoa(j.size), strconv.Itoa(j.threads))
			}}
	}
	interpreter, missing := torch(ctx)
	python := func(name, kind, script string) peer {
		return peer{name: name, kind: kind, peak: "float", missing: missing,
			command: func(j job) *exec.Cmd {
				c := exec.CommandContext(ctx, interpreter, script, filepath.Join(dir, "network.bin"), strconv.Itoa(j.size), strconv.Itoa(j.threads))
				for _, v := range []string{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} {
					c.Env = append(c.Environ(), v+"="+strconv.Itoa(j.threads))
				}
				return c
			}}
	}
	all = append(all,
		ort("ONNX Runtime 1.30.0", "logits.onnx"),
		python("PyTorch", "network", "network.py"),
		peer{name: "gorgonia tensors", kind: "network", peak: "float", slow: true, command: measured("gorgonia")},
		peer{name: "gonum blas32", kind: "network", peak: "float", slow: true, command: measured("gonum")},
	)
	for _, k := range kernel.Kernels() {
		all = append(all, peer{name: "atelier antialiased " + k, kind: "picture", slow: k == "reference", command: measured("picture:" + k)})
	}
	colours := ort("ONNX Runtime at one sample a pixel", "picture.onnx")
	colours.kind = "picture"
	return append(all, colours,
		peer{name: "gonnx antialiased (engine onnx)", kind: "picture", slow: true, command: measured("gonnx")},
		peer{name: "atelier trainer", kind: "training", command: measured("training")},
		python("PyTorch trainer", "training", "train.py"),
	), nil
}

func npmMissing() string {
	if _, err := exec.LookPath("node"); err != nil {
		return "install Node.js 20 or later, then `npm install --ignore-scripts` here"
	}
	if _, err := os.Stat("node_modules/onnxruntime-node/package.json"); err != nil {
		return "`npm install --ignore-scripts` in this folder"
	}
	return ""
}

// torch is the Python that has PyTorch: that of the path, or the system's.
func torch(ctx context.Context) (interpreter, missing string) {
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(ctx, name, "-c", "import torch").Run() == nil {
			return name, ""
		}
	}
	return "", "`apt-get install python3-torch libopenblas0-pthread`, or `pip install torch`"
}
