"""The network with PyTorch: python3 network.py NETWORK.bin SIZE THREADS prints its time."""
import json
import sys
import time

import numpy as np
import torch

size, threads, batch = int(sys.argv[2]), int(sys.argv[3]), 4096
torch.set_num_threads(threads)
raw = np.fromfile(sys.argv[1], dtype="<f4")
layers, at = [], 0
colours = (len(raw) - 2 * 64 - 3 * 64 * 64 - 4 * 64) // 65
for rows, cols in [(2, 64), (64, 64), (64, 64), (64, 64), (64, colours)]:
    w = torch.from_numpy(raw[at:at + rows * cols].reshape(rows, cols).copy())
    at += rows * cols
    b = torch.from_numpy(raw[at:at + cols].copy())
    at += cols
    layers.append((w, b))
assert at == len(raw)


def run(start):
    i = torch.arange(start, start + batch)
    x = torch.stack([(i % size + .5) * 2 / size - 1, (torch.div(i, size, rounding_mode="floor") + .5) * 2 / size - 1], 1)
    for w, b in layers[:-1]:
        x = torch.addmm(b, x, w).sin_()
    w, b = layers[-1]
    return torch.addmm(b, x, w)


with torch.inference_mode():
    run(0)
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, size * size, batch):
        run(start)
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}))
