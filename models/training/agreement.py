"""Writes what PyTorch makes of one crop under seeded weights, for src/training/agreement.test.ts to compare with.

    python3 agreement.py ../../src/training/vectors/agreement.json     (and prettier over it)

Weights, pixels and noise are hashes of their index, so that both sides draw the same ones. The layouts are mapped by
export.py. Seeds are tried until no value is so near a rounding edge that float32 could round it two ways.
"""
import json
import sys
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F

from codec import BLOCK, LATENTS, Codec, step_of
from export import product_layout, quarter_order
from train import forward, hard_round, objective

CONFIG = dict(
    analysis_width=12, analysis_blocks=2, analysis_out=32, synthesis_in=32, synthesis_width=12, synthesis_blocks=2,
    render_features=6, render_width=10, context_dense=32, context_features=6, mean_channels=8, mean_hidden=7,
    chroma_prediction=1, intra_width=12, intra_hidden=6, stage_hidden=5,
)
ACROSS = 3
POSITION = 3.375
DEADZONE, LAGRANGE = 0.42, 0.13
MARGIN = 3e-5
SAMPLES = 20

# centre and spread of every kind of tensor, by the first word that its name has
SPREADS = [
    ("log_step", 0.0, 0.2), ("gain_table", -3.0, 0.5), ("scale_table", 0.0, 0.4),
    ("analysis_linear", 0.0, 0.06), ("synthesis_linear", 0.0, 0.06), ("depthwise_bias", 0.0, 0.2), ("depthwise", 0.1, 0.4),
    ("scale_bias", 1.5, 1.5), ("scale_same", 0.1, 0.1), ("scale_dense", 0.0, 0.01), ("feature", 0.0, 0.02),
    ("scale_feature", 0.0, 0.05), ("mean_gain", 1.0, 0.2), ("luma_gain", 0.6, 0.3), ("first_gain", 0.5, 0.3), ("mean_weight", 0.0, 0.15), ("mean_in", 0.0, 0.15),
    ("mean_out", 0.0, 0.1), ("scale_hidden", 0.0, 0.05), ("intra_step", 1.0, 0.2), ("intra_gain", 1.0, 0.2),
    ("intra_in", 0.0, 0.15), ("intra_mid", 0.0, 0.15), ("intra_out", 0.0, 0.1), ("scale_intra", 0.0, 0.05),
    ("stage_in", 0.0, 0.3), ("stage_bias", 0.5, 0.5), ("stage_out", 0.0, 0.1), ("bias", 0.0, 0.3), ("", 0.0, 0.25),
]


def spread_of(name):
    kind = name.replace("analysis_gain", "gain_table").replace("synthesis_gain", "gain_table")
    kind = kind.replace("render_gain", "gain_table").replace("analysis_scale", "scale_table").replace("render_scale", "scale_table")
    if name == "feature" or name.startswith(("mean_", "scale_", "log_")):
        kind = name
    elif kind.startswith(("render_features", "render_out", "render_pixels")):
        kind = "bias" if kind.endswith("_bias") else ""
    return next((centre, spread) for word, centre, spread in SPREADS if word in kind)


def words(seed, count):
    """32-bit hashes of seed and index (the finalizer of splitmix32)."""
    z = (np.arange(count, dtype=np.uint64) * 0x9E3779B9 + seed * 0x85EBCA6B + 1) & 0xFFFFFFFF
    for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
        z = ((z ^ (z >> shift)) * factor) & 0xFFFFFFFF
    return z ^ (z >> 15)


def uniform(seed, count):
    """Multiples of 2^-31 in [-1, 1), float64."""
    return words(seed, count).astype(np.float64) / 2 ** 31 - 1


def mapping(model):
    """By the product's names: shapes, and where each value lies among torch's, all strung together.

    What torch does not have lies behind them all. Not of the basis of the edges: both sides make it from the block transform.
    """
    state = model.state_dict()
    at, places = 0, {}
    for name, value in state.items():
        places[name] = np.arange(at, at + value.numel()).reshape(tuple(value.shape))
        at += value.numel()
    return {name: np.ascontiguousarray(p) for name, p in product_layout(places, model.config, at).items() if name != "intra_edges"}, at


def strung(state, values):
    return np.concatenate([np.asarray(values(name, value)).reshape(-1) for name, value in state.items()])


def build(seed):
    model = Codec(np.arange(LATENTS), np.ones(LATENTS, np.float32), CONFIG)
    places, count = mapping(model)
    flat = np.append(strung(model.state_dict(), lambda _, v: v.numpy()), 0)
    tensors = []
    for k, (name, place) in enumerate(places.items()):
        centre, spread = spread_of(name)
        tensors.append(dict(name=name, shape=list(place.shape), seed=seed + k, centre=centre, spread=spread))
        flat[place.reshape(-1)] = centre + spread * uniform(seed + k, place.size)
    at, state = 0, {}
    for name, value in model.state_dict().items():
        state[name] = torch.tensor(flat[at:at + value.numel()].reshape(tuple(value.shape)), dtype=value.dtype)
        at += value.numel()
    mask = state["dense_mask"]
    model.load_state_dict({**state, "dense_mask": (mask != 0).float()})
    return model, places, tensors


def crop(seed):
    """[3, H, W]: noise on a slope, from hashes in the order of rows, columns, colours."""
    side = ACROSS * BLOCK
    ramp = np.arange(side)[None, :, None] * 2
    noise = (words(seed, side * side * 3) >> 26).astype(int).reshape(side, side, 3)
    return torch.tensor(40 + ramp + noise).permute(2, 0, 1)[None].float()


def edge_distance(model, rgb, position):
    """Least distance of a rounded value from where its rounding changes, over every rounding of the forward pass."""
    off = lambda y, zone: float(((y.abs() + zone) - (y.abs() + zone).round()).abs().min())
    with torch.no_grad():
        y = model.analyze(rgb, position) / model.steps(position)
        known = hard_round(y, 0.5)
        least = off(y, 0.5)
        for _ in range(3):
            guess, _ = model.foretell(known, position)
            least = min(least, off(y - guess, DEADZONE))
            known = guess + hard_round(y - guess, DEADZONE)
    return least


def run(model, places, rgb, position, noise):
    """Bits, error, loss and gradients, those in the product's layout."""
    model.zero_grad()
    with mock.patch.object(torch, "rand_like", lambda _: noise + 0.5):
        bits, error, _ = forward(model, rgb, position, DEADZONE, False, noise=noise is not None)
    loss = objective(bits, error, position, LAGRANGE)
    loss.backward()
    grads = dict(model.named_parameters())
    zero_or = lambda n, v: grads[n].grad.numpy() if n in grads else np.zeros(v.numel())  # buffers have no gradient
    flat = np.append(strung(model.state_dict(), zero_or), 0)
    return float(bits), float(error), float(loss), {n: flat[p.reshape(-1)] for n, p in places.items()}


def picked(values, seed):
    """Where the largest values lie, and some others: indices and values."""
    largest = np.argsort(-np.abs(values))[: SAMPLES // 2]
    others = words(seed, SAMPLES // 2) % values.size
    at = sorted({int(i) for i in (*largest, *others)})
    return dict(at=at, values=[float(np.float32(values[i])) for i in at], norm=float(np.linalg.norm(values)))


def main(target):
    torch.manual_seed(1)
    position = torch.tensor([POSITION])
    for seed in range(1000, 100000, 1000):
        model, places, tensors = build(seed)
        rgb = crop(seed + 500)
        margin = edge_distance(model, rgb, position)
        if margin > MARGIN:
            break
    else:
        raise SystemExit("no seed keeps its distance from rounding edges")
    shape = (1, ACROSS, ACROSS, LATENTS)
    noise = torch.tensor(uniform(seed + 501, ACROSS * ACROSS * LATENTS).reshape(shape) / 2).permute(0, 3, 1, 2).float()
    cases = {}
    for name, given in (("noisy", noise), ("rounded", None)):
        bits, error, loss, gradients = run(model, places, rgb, position, given)
        cases[name] = dict(bits=bits, error=error, loss=loss, gradients={n: picked(g, seed + 503) for n, g in gradients.items()})
        print(name, f"bits {bits:.4f} error {error:.2f} loss {loss:.4f}")
    with torch.no_grad():
        steps = model.steps(position)
        y = model.analyze(rgb, position) / steps
        restored = model.synthesize(y.round() * steps, position) - 128
        quarters = F.pixel_unshuffle(restored, 4)[:, quarter_order()]
        rows = lambda t: t.permute(0, 2, 3, 1).reshape(-1).double().numpy()
    camel = lambda s: "".join(p if i == 0 else p.capitalize() for i, p in enumerate(s.split("_")))
    out = dict(
        config={camel(k): v for k, v in CONFIG.items()}, across=ACROSS, knotPosition=POSITION, deadzone=DEADZONE,
        lagrange=LAGRANGE, imageSeed=seed + 500, noiseSeed=seed + 501, tensors=tensors, latents=picked(rows(y), seed + 502),
        restored=picked(rows(quarters), seed + 502), cases=cases,
    )
    with open(target, "w") as file:
        json.dump(out, file, indent=1)
        file.write("\n")
    print(target, "seed", seed, "margin", margin)


if __name__ == "__main__":
    main(sys.argv[1])
