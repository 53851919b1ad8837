"""Fits the prediction from edges of a model whose transforms are trained, as a start for train.py: far faster than training all.

    python3 fit_intra.py --init checkpoint.pt --crops train.bin --out start.pt --minutes 9

Positions are gathered once, with what the model foretells and how wide it takes each symbol to spread; then the small
network alone is fitted on batches of single positions to bits and squared error, as train.py weighs them.
"""
import argparse
import math
import time

import numpy as np
import torch

from codec import CONFIG, INTRA_CHANNELS, KNOTS, Codec, interpolate_knots, laplace_bits
from train import augment, decoded, hard_round, load_crops

# Coarser steps alone decide what the network looks for; the gains of all are fitted in the end.
COARSE = 2.2
LARGEST = KNOTS - 1
# Layers are kept in sixteenths: so much larger than symbols they are fine enough.
FINER = 4


@torch.no_grad()
def gather(model, crops, rng, deadzone):
    """-> by name, float16 [positions, ..]: edges, own symbols in common steps, symbols less their means, scales, knot position."""
    parts = []
    for at in range(0, len(crops), 12):
        rgb = augment(torch.tensor(np.array(crops[at:at + 12])).permute(0, 3, 1, 2).float(), rng)
        position = torch.tensor(rng.uniform(0.5, LARGEST, len(rgb))).float()
        y = model.analyze(rgb, position) / model.steps(position)
        known, _ = decoded(model, y, position, deadzone)
        mean, hidden = model.foretell(known, position)
        left = y - mean
        scale = model.scales(hard_round(left, deadzone), hidden, position)
        scaled = model.in_common_steps(known, position)
        flat = lambda t: t[:, :INTRA_CHANNELS].permute(0, 2, 3, 1).flatten(0, 2).half()
        parts.append(dict(
            edges=flat(model.edges(scaled)), own=flat(scaled), left=flat(left), scale=flat(scale),
            position=position.repeat_interleave(y.shape[2] * y.shape[3]).half()))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@torch.no_grad()
def even_inputs(model, edges, own):
    """Sets the evening of inputs: edges decorrelated down to one squared step, own symbols to about one."""
    power, directions = torch.linalg.eigh(edges.T @ edges / len(edges))
    model.intra_even.copy_((directions / (power + 1).sqrt()) @ directions.T * FINER)
    model.intra_own.copy_(FINER / ((own ** 2).mean(0) + 0.3).sqrt())
    model.intra_gain.div_(FINER)
    for out in model.intra_out:
        out.normal_(0, 0.006)


def fit(model, data, parameters, minutes, rate, a):
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.98))
    steps = torch.exp(model.log_step.detach()[:, :INTRA_CHANNELS])
    began, step, gained = time.time(), 0, []
    while (share := (time.time() - began) / (60 * minutes)) < 1:
        pick = torch.randint(0, len(data["own"]), (a.batch,))
        x = {name: values[pick].float() for name, values in data.items()}
        (foretold,), _ = model.intra_layers(x["edges"][:, :, None, None], [x["own"][:, :, None, None]], x["position"])
        off = x["left"] - foretold[:, :, 0, 0]
        error = ((off - hard_round(off, a.deadzone).detach()) * interpolate_knots(steps, x["position"])) ** 2
        bits = laplace_bits(off + torch.rand_like(off) - 0.5, x["scale"])
        cost = (bits + error / a.lagrange).sum(1)
        optimizer.zero_grad(set_to_none=True)
        (cost / (bits.sum(1).detach() + 20)).mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 2.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 200) * max(0.005, 0.5 * (1 + math.cos(math.pi * share)))
        optimizer.step()
        step += 1
        gained.append(float(cost.detach().mean()))
        if step % 500 == 0:
            print(f"step {step} cost {np.mean(gained[-500:]):.3f}", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--init", required=True)
    p.add_argument("--crops", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--count", type=int, default=6900, help="crops to gather from")
    p.add_argument("--minutes", type=float, default=9)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--batch", type=int, default=2048)
    p.add_argument("--rate", type=float, default=6e-3)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--size", type=int, default=256)
    p.add_argument("--deadzone", type=float, default=0.42)
    p.add_argument("--lagrange", type=float, default=0.13)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    state = torch.load(a.init, map_location="cpu", weights_only=False)
    model = Codec(state["order"], state["deviation"], {**CONFIG, "splits": 0})
    model.load_state_dict(state["ema"], strict=False)
    with torch.no_grad():
        model.intra_step.copy_(torch.exp(model.log_step[:, :INTRA_CHANNELS]))
        model.intra_gain.copy_(torch.exp(-model.log_step[:, :INTRA_CHANNELS]))
    crops = load_crops(a.crops, a.size)
    picks = np.linspace(0, len(crops) - 1, min(a.count, len(crops))).astype(int)
    data = gather(model, crops[picks], np.random.default_rng(a.seed), a.deadzone)
    coarse = data["position"] >= COARSE
    some = torch.nonzero(data["position"] >= COARSE + 1)[:, 0]
    some = some[torch.randperm(len(some))[:60000]]
    even_inputs(model, data["edges"][some].float(), data["own"][some].float())
    network = [model.intra_in, *model.intra_mid, *model.intra_out]
    fit(model, {name: values[coarse] for name, values in data.items()}, [*network, model.intra_gain], a.minutes, a.rate, a)
    fit(model, data, [model.intra_gain], a.minutes / 9, a.rate * 3, a)
    torch.save(dict(ema=model.state_dict(), order=state["order"], deviation=state["deviation"], config=model.config), a.out)


if __name__ == "__main__":
    main()
