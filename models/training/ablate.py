"""Ablations of the base model: every row trains one change from scratch, on the same crops in the same order, for the
same number of pixels with the learning rate annealed to it, and is measured by ideal code length.

    npx tsx models/training/ablation-crops.mjs CROPS
    python3 ablate.py --crops CROPS --photos photos_val.bin --out rows.jsonl [--share 0/2] [--only NAME ..]
    python3 ablate.py --table rows.jsonl

photos_val.bin holds photographs, uint8 [count, 512, 512, 3], of which the middle 320 x 320 counts. One JSON line a row;
rows that are there are skipped, so that a killed run goes on. --share 0/2 and 1/2 are two runs beside each other.
--checkpoint CKPT measures a trained model on the same pictures, and what it loses when a part is held at zero without
training anew: a short training says little about the networks, which are worth more the longer they learn.
"""
import argparse
import json
import math
import os
import time
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from codec import (
    CONFIG, EDGE, INTRA_CHANNELS, INTRA_INPUTS, INTRA_STAGES, KNOTS, SCALE_STAGES, Codec, config_of, interpolate_knots, laplace_bits,
)
from train import (
    augment, average, bd_rate, descend, forward, latent_statistics, load_crops, make_optimizer, ms_ssim, objective, with_ms_ssim,
)

BATCH, CROP = 4, 240
RATE, WARM_SHARE = 1e-3, 0.06
DEADZONE, LAGRANGE = 0.42, 0.13
PHOTO_SIDE = 320
LOW_RATE_CHANNELS = 64  # about what a run uses at 0.1 bits per pixel

FEATURES = ("feature.weight", "scale_feature.weight")
HIDDEN = ("mean_in", "mean_out", "scale_hidden")
NEIGHBOURS = ("scale_same", "mean_weight", *FEATURES, *HIDDEN)


@dataclass
class Row:
    name: str
    config: dict = field(default_factory=dict)
    absent: tuple = ()  # parameters held at zero, which is as good as left out
    hyper: int = 0  # channels of a hyper-latent at half the resolution of the latents
    crops: str = "recipe"
    crop: int = CROP
    quality: str = "uniform"
    ms_ssim: bool = False
    seed: int = 1


ROWS = [
    Row("baseline"),
    Row("baseline, seed 2", seed=2),
    Row("synthesis width 128", dict(synthesis_width=128)),
    Row("synthesis width 256", dict(synthesis_width=256)),
    Row("no renderer", dict(render_width=0)),
    Row("no conditioning", absent=(*NEIGHBOURS, "scale_dense")),
    Row("no neighbours", absent=NEIGHBOURS),
    Row("no earlier channels", absent=("scale_dense",)),
    Row("hyper-latent instead of neighbours", absent=NEIGHBOURS, hyper=16),
    Row("hyper-latent beside the context", hyper=16),
    Row("synthesis blocks 1", dict(synthesis_blocks=1)),
    Row("synthesis blocks 5", dict(synthesis_blocks=5)),
    Row("depthwise 5 x 5", dict(depthwise_size=5)),
    Row("depthwise 1 x 1", dict(depthwise_size=1)),
    Row("leaky ReLU", dict(activation="leaky_relu")),
    Row("GELU", dict(activation="gelu")),
    Row("8 x 8 blocks, 192 latents, width 96", dict(
        block=8, analysis_width=96, synthesis_width=96, analysis_out=80, synthesis_in=80, context_dense=80, mean_channels=12)),
    Row("synthesis reads 192 latents", dict(synthesis_in=192)),
    Row("synthesis reads 768 latents", dict(synthesis_in=768)),
    Row("no analysis network", absent=("analysis_out.weight", "analysis_out.bias")),
    Row("no predicted means", absent=("mean_weight", "mean_out")),
    Row("no hidden layer", absent=HIDDEN),
    Row("no features of neighbours", absent=FEATURES),
    Row("chroma predicted from luma", dict(chroma_prediction=1)),
    Row("edges of neighbours go on", dict(intra_width=96, intra_hidden=64)),
    Row("crops of 128", crop=128),
    Row("quality at the two ends", quality="ends"),
    Row("one quality a batch", quality="batch"),
    Row("MSE + MS-SSIM", ms_ssim=True),
    Row("textureless leaves", crops="no-texture"),
    Row("no sensor noise", crops="no-noise"),
    Row("no flat graphics", crops="no-graphics"),
    Row("factors not matched to photographs", crops="unmatched"),
    Row("sharp lens", crops="sharp-lens"),
    Row("small leaves in every scene", crops="small-leaves"),
    Row("all in focus, no far layer", crops="no-far-layer"),
    Row("no sharpening", crops="no-sharpening"),
    Row("no unevenness", crops="no-unevenness"),
    Row("full chroma resolution", crops="full-chroma"),
    Row("half the contrast", crops="half-contrast"),
    Row("baseline, seed 3", seed=3),
]


TRAINED = "the released model"
PARTS_OF_TRAINED = [
    Row(TRAINED),
    Row("without the synthesis network", absent=("render_out.weight", "render_out.bias")),
    Row("without features for the renderer", absent=("synthesis_out.weight", "synthesis_out.bias")),
    Row("without the third synthesis block", absent=("synthesis_body.2.project.weight", "synthesis_body.2.project.bias")),
    Row("without the analysis network", absent=("analysis_out.weight", "analysis_out.bias")),
    Row("without the hidden layer", absent=HIDDEN),
    Row("without predicted means and hidden layer", absent=("mean_weight", *HIDDEN)),
    Row("without features of neighbours", absent=FEATURES),
    Row("without the four neighbours of the channel", absent=("scale_same",)),
    Row("without earlier channels", absent=("scale_dense",)),
    Row("without the edges of neighbours", absent=("intra_gain", "scale_intra")),
]


class HyperCodec(Codec):
    """The codec with side information: z [N, Z, H/32, W/32] is coded under a factorized prior and moves every scale.

    The last call's bits of z, per image, are side_bits [N].
    """

    def __init__(self, order, deviation, config, channels, width=64):
        super().__init__(order, deviation, config)
        latents = len(self.deviation)
        self.hyper_in = nn.Conv2d(latents, width, 1)
        self.hyper_down = nn.Conv2d(width, channels, 2, stride=2)
        self.hyper_up = nn.ConvTranspose2d(channels, width, 2, stride=2)
        self.hyper_out = nn.Conv2d(width, latents, 1)
        self.hyper_scale = nn.Parameter(torch.zeros(KNOTS, channels))
        nn.init.zeros_(self.hyper_out.weight)
        nn.init.zeros_(self.hyper_out.bias)

    def scale_logits(self, residuals, hidden, position, amp=False, split=None):
        h, w = residuals.shape[2:]
        magnitude = F.pad(residuals.abs().clamp(max=255.0).log1p(), (0, w % 2, 0, h % 2))
        z = self.hyper_down(F.relu(self.hyper_in(magnitude)))
        z = z + torch.rand_like(z) - 0.5 if self.training else z.round()
        scale = F.softplus(interpolate_knots(self.hyper_scale, position))[:, :, None, None] + 0.02
        self.side_bits = laplace_bits(z, scale.expand_as(z)).sum((1, 2, 3))
        told = self.hyper_out(F.relu(self.hyper_up(z)))[:, :, :h, :w]
        return super().scale_logits(residuals, hidden, position, amp, split) + told


def coded(model, rgb, position, amp, noise):
    """forward() of train.py, the side information counted."""
    bits, error, restored = forward(model, rgb, position, DEADZONE, amp, noise)
    if isinstance(model, HyperCodec):
        bits = bits + model.side_bits / (rgb.shape[2] * rgb.shape[3])
    return bits, error, restored


def measure(model, pictures, batch=8):
    """uint8 [count, side, side, 3] -> mean bits per pixel, PSNR and MS-SSIM (both dB) at every knot."""
    model.eval()
    points = []
    for knot in range(KNOTS):
        rows = []
        for i in range(0, len(pictures), batch):
            x = torch.tensor(np.array(pictures[i:i + batch])).permute(0, 3, 1, 2).float()
            with torch.no_grad():
                bits, _, restored = coded(model, x, torch.full((len(x),), float(knot)), False, noise=False)
                restored = restored.clamp(0, 255).round()
                mse = ((restored - x) ** 2).mean((1, 2, 3)).clamp(min=1e-3)
                unlike = (1 - ms_ssim(restored, x)).clamp(min=1e-6)
            rows.append(torch.stack([bits, 10 * torch.log10(65025 / mse), -10 * torch.log10(unlike)], 1))
        points.append([round(v, 5) for v in torch.cat(rows).mean(0).tolist()])
    model.train()
    return points


def kilomacs(c, absent=(), hyper=0):
    """Multiply-adds per decoded pixel in thousands: networks at the low and the top rate, context model at the top."""
    c = {"block": 16, "depthwise_size": 3, **c}
    area, latents = c["block"] ** 2, 3 * c["block"] ** 2
    s, r, rf = c["synthesis_width"], c["render_width"], c["render_features"]
    render = area * 3 * s if r == 0 else s * area // 16 * rf + area // 16 * (9 * (48 + rf) * r + r * 48)
    block = s * c["depthwise_size"] ** 2 + 4 * s * s
    networks = lambda n: n * latents + min(n, c["synthesis_in"]) * s + c["synthesis_blocks"] * block + render
    d, f, m, h = c["context_dense"], c["context_features"], c["mean_channels"], c["mean_hidden"]
    context = {
        "scale_dense": d * (d - 1) // 2 + (latents - d) * d, "scale_same": 4 * latents,
        "feature.weight": f * latents, "scale_feature.weight": 4 * f * latents,
        "mean_weight": 4 * m * m, "mean_in": 4 * m * h, "mean_out": m * h, "scale_hidden": latents * h,
    }
    total = sum(v for k, v in context.items() if k not in absent)
    if a := c.get("intra_width"):
        g = c["intra_hidden"]
        layers = a * INTRA_INPUTS + sum(g * (a + own) for own in INTRA_STAGES[:-1]) + g * INTRA_CHANNELS
        total += 2 * EDGE * INTRA_CHANNELS + layers + g * latents
    if g := c.get("stage_hidden"):
        total += len(SCALE_STAGES) * g * (4 * f + latents)
    total += 64 * latents + 64 * hyper if hyper else 0
    low = LOW_RATE_CHANNELS * latents // 768
    return [round(v / area / 1000, 2) for v in (networks(low), networks(latents), total)]


def hold_at_zero(model, absent):
    parameters = dict(model.named_parameters())
    for name in absent:
        nn.init.zeros_(parameters[name]).requires_grad_(False)


def train_row(row, folder, steps):
    """-> the model with the running average of its weights."""
    torch.manual_seed(row.seed)
    picks, looks, qualities = (np.random.default_rng([row.seed, k]) for k in range(3))
    crops = load_crops(os.path.join(folder, f"{row.crops}.bin"), 256)
    config = {**CONFIG, "chroma_prediction": 0, "intra_width": 0, "intra_hidden": 0, "stage_hidden": 0, "splits": 0, **row.config}
    statistics = latent_statistics(crops, block=config.get("block", 16))
    model = HyperCodec(*statistics, config, row.hyper) if row.hyper else Codec(*statistics, config)
    hold_at_zero(model, row.absent)
    opt = make_optimizer(model, RATE)
    ema = {k: v.clone() for k, v in model.state_dict().items()}
    batch = round(BATCH * (CROP / row.crop) ** 2)
    losses = []
    for step in range(1, steps + 1):
        share = step / steps
        rate = RATE * min(1, share / WARM_SHARE) * max(0.5 * (1 + math.cos(math.pi * share)), 0.01)
        pick = np.sort(picks.integers(0, len(crops), batch))
        x = torch.tensor(crops[pick]).permute(0, 3, 1, 2).float()
        if row.crop < CROP:
            top, left = looks.integers(0, 256 - row.crop - 16 + 1, 2)
            x = x[:, :, top:top + row.crop + 16, left:left + row.crop + 16]
        x = augment(x, looks)
        draw = qualities.uniform(0, KNOTS - 1, batch)
        if row.quality == "ends":
            draw = np.where(draw < (KNOTS - 1) / 2, 0.0, KNOTS - 1)
        elif row.quality == "batch":
            draw[:] = draw[0]
        position = torch.tensor(draw).float()
        bits, error, restored = coded(model, x, position, True, noise=True)
        if row.ms_ssim:
            error = with_ms_ssim(error, restored, x, 0.5)
        loss = objective(bits, error, position, LAGRANGE)
        descend(model, opt, loss, rate)
        average(ema, model, step)
        losses.append(float(loss.detach()))
        if step % 50 == 0:
            print(f"{row.name}: step {step} loss {np.mean(losses[-50:]):.4f} {time.process_time():.0f} s", flush=True)
    model.load_state_dict(ema)
    return model


def read_rows(path):
    if not os.path.exists(path):
        return {}
    return {r["name"]: r for r in map(json.loads, open(path))}


def append_row(path, row, model, spent, held_out, photos):
    parameters = sum(q.numel() for n, q in model.named_parameters() if n not in row.absent)
    line = dict(name=row.name, kilomacs=kilomacs(model.config, row.absent, row.hyper), parameters=parameters, **spent,
                procedural=measure(model, held_out), photographs=measure(model, photos))
    with open(path, "a") as file:
        file.write(json.dumps(line) + "\n")


def rate_change(rows, anchor, name, pictures, quality=1):
    """BD-rate of a row in percent over PSNR (quality 1) or MS-SSIM (2)."""
    curve = lambda row: [(p[0], p[quality]) for p in rows[row][pictures]]
    return bd_rate(curve(anchor), curve(name))


def print_tables(rows):
    anchors = {row.name: TRAINED for row in PARTS_OF_TRAINED[1:]}

    def changes(name):
        anchor = anchors.get(name, "baseline")
        if anchor not in rows:
            return "| | | |"
        figures = [rate_change(rows, anchor, name, *at) for at in (("procedural",), ("photographs",), ("photographs", 2))]
        return "| " + " | ".join(f"{f:+.1f} %" for f in figures) + " |"

    where = "procedural | photographs | photographs, over MS-SSIM |"
    print(f"| change | kMAC per pixel, low to top rate | of the context model | parameters, M | {where}\n|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        if name not in anchors:
            low, top, context = row["kilomacs"]
            print(f"| {name} | {low:.1f} to {top:.1f} | {context:.2f} | {row['parameters'] / 1e6:.2f} {changes(name)}")
    print(f"\n| {TRAINED} | {where}\n|---|---|---|---|")
    for name in rows:
        if name in anchors:
            print(f"| {name} {changes(name)}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--table")
    p.add_argument("--crops")
    p.add_argument("--photos")
    p.add_argument("--out")
    p.add_argument("--steps", type=int, default=750)
    p.add_argument("--share", default="0/1")
    p.add_argument("--only", nargs="*")
    p.add_argument("--checkpoint")
    a = p.parse_args()
    if a.table:
        print_tables(read_rows(a.table))
        return
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    held_out = load_crops(os.path.join(a.crops, "held-out.bin"), 256)
    edge = (512 - PHOTO_SIDE) // 2
    photos = load_crops(a.photos, 512)[:, edge:edge + PHOTO_SIDE, edge:edge + PHOTO_SIDE]
    if a.checkpoint:
        state = torch.load(a.checkpoint, map_location="cpu", weights_only=False)
        for row in PARTS_OF_TRAINED:
            if row.name in read_rows(a.out):
                continue
            model = Codec(state["order"], state["deviation"], config_of(state))
            model.load_state_dict(state["ema"])
            hold_at_zero(model, row.absent)
            append_row(a.out, row, model, dict(steps=state["step"]), held_out, photos)
        return
    number, of = map(int, a.share.split("/"))
    for row in [row for row in ROWS if a.only is None or row.name in a.only][number::of]:
        if row.name in read_rows(a.out):
            continue
        started, processor = time.time(), time.process_time()
        model = train_row(row, a.crops, a.steps)
        spent = dict(seconds=round(time.time() - started), processor_seconds=round(time.process_time() - processor))
        append_row(a.out, row, model, dict(steps=a.steps, **spent), held_out, photos)


if __name__ == "__main__":
    main()
