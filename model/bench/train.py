"""A training step with PyTorch: python3 train.py IGNORED IGNORED THREADS prints its least time.

The same network, loss, optimiser and batch as atelier's trainer: 128 places of each of
128 pictures. The batch is drawn once, before the clock starts.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

threads = int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(1)
groups, points = 128, 128
hidden, count, colours, latent, mapping, palette, features = 64, 4, 8, 96, 320, 128, 380


def parameter(rows, cols, spread):
    return torch.nn.Parameter((torch.rand(rows, cols) * 2 - 1) * spread)


embed = parameter(features, latent, .4)
to_u, u_b = parameter(latent, mapping, 1.7 / latent ** .5), parameter(1, mapping, .3)
layers = []
for l in range(count):
    rows, spread, bias = (2, 4, 3.14) if l == 0 else (hidden, (6 / hidden) ** .5, .1)
    layers.append((parameter(rows, hidden, spread), parameter(mapping, hidden, .3 / mapping ** .5),
                   parameter(mapping, hidden, 2 / mapping ** .5), parameter(1, hidden, bias)))
head, head_b, head_shift = parameter(hidden, colours, hidden ** -.5), parameter(1, colours, .01), parameter(mapping, colours, .1 / mapping ** .5)
p_in, p_in_b = parameter(latent, palette, 1.7 / latent ** .5), parameter(1, palette, .3)
p_out, p_out_b = parameter(palette, 3 * colours, palette ** -.5), parameter(1, 3 * colours, .1)
everything = [embed, to_u, u_b, head, head_b, head_shift, p_in, p_in_b, p_out, p_out_b] + [t for l in layers for t in l]
solver = torch.optim.Adam(everything, lr=3e-3, betas=(.9, .99))

words = (torch.rand(groups, features) < .006).float()
noise = torch.randn(groups, latent) * .08
places = torch.rand(groups, points, 2) * 2.6 - 1.3
labels = torch.randint(colours, (groups * points,))
target, mask = torch.rand(groups, 3 * colours) - .5, (torch.rand(groups, 3 * colours) < .7).float()


def step():
    z = words @ embed + noise
    u = F.softsign(torch.addmm(u_b, z, to_u))
    x = places
    for w, scale, shift, b in layers:
        x = torch.sin((x @ w) * (1 + u @ scale)[:, None] + torch.addmm(b, u, shift)[:, None])
    logits = x @ head + torch.addmm(head_b, u, head_shift)[:, None]
    colour = torch.addmm(p_out_b, F.softsign(torch.addmm(p_in_b, z, p_in)), p_out)
    loss = F.cross_entropy(logits.reshape(-1, colours), labels) + 12 * (mask * (colour - target)).square().mean() + 2e-3 * z.square().mean()
    solver.zero_grad(set_to_none=True)
    loss.backward()
    solver.step()


best = [float("inf")] * 2
for i in range(12):
    cpu, wall = time.process_time(), time.perf_counter()
    step()
    if i > 3:
        best = [min(best[0], time.process_time() - cpu), min(best[1], time.perf_counter() - wall)]
print(json.dumps({"cpu": best[0], "wall": best[1]}))
