"""Writes a checkpoint as a model that the product reads: model.json, weights.bin, cdf.bin (see src/model/base-model.ts).

    python3 export.py checkpoint.pt ../safelight-v1
"""
import json
import math
import os
import re
import sys

import numpy as np
import torch

from codec import INTRA_STAGES, LATENTS, SCALE_STAGES, SPLIT_PRIOR, SPLITS, Codec, config_of, halves_of

TABLES, SCALE_MIN, SCALE_MAX = 64, 0.02, 256.0
DRIFT_LEVELS, STEEPEST = 16, 6
DRIFT_RATE, CALIBRATED_DRIFT_RATE = 0.05, 0.02
SCALE_BITS, FEATURE_SUM_BITS, FEATURE_BITS, MEAN_BITS, GAIN_BITS, EDGE_BITS, SPLIT_BITS = 14, 12, 10, 10, 10, 15, 14

# What each split has of its own, first the whole block; of a single row it is the same.
SPLIT_TENSORS = (
    "scale_bias", "mean_weight", "mean_out", "mean_gain", "intra_gain", *(f"intra_{part}_{stage}" for part in ("mid", "out")
    for stage in range(len(INTRA_STAGES) - 1)), *(f"stage_bias_{stage}" for stage in range(len(SCALE_STAGES))),
)


def pixel_order():
    """Position in the product's block layout -> position in torch's (colour, y, x)."""
    order = []
    for sy in range(4):
        for sx in range(4):
            for dy in range(4):
                for dx in range(4):
                    for c in range(3):
                        order.append(c * 256 + (4 * sy + dy) * 16 + 4 * sx + dx)
    return np.array(order)


def quarter_order():
    return np.array([c * 16 + d for d in range(16) for c in range(3)])


def laplace_table(scale):
    """Frequencies of magnitudes 0.. and an escape, summing to 2^16; the same lengths as src/codec/entropy-tables.ts."""
    length = min(400, max(2, math.ceil(scale * 9) + 1)) + 1
    p = np.zeros(length)
    p[0] = 1 - math.exp(-0.5 / scale)
    rest = 1 - p[0]
    for m in range(1, length - 1):
        p[m] = rest * (1 - math.exp(-1 / scale))
        rest -= p[m]
    p[-1] = rest
    f = 1 + np.floor(p / p.sum() * (65536 - length)).astype(int)
    f[np.argmax(f)] += 65536 - f.sum()
    return f


def drift(rate):
    """Drift of offsets by rank and level, and the shifts to levels: as src/codec/entropy-tables.ts."""
    ratio = (SCALE_MAX / SCALE_MIN) ** (1 / (TABLES - 1))
    scales = SCALE_MIN * ratio ** np.arange(TABLES)
    shifts = np.maximum(0, np.ceil(np.log2(6 * scales / DRIFT_LEVELS))).astype(int)
    level = np.arange(DRIFT_LEVELS)[None, :]
    width = 2.0 ** shifts[:, None]

    def log_of(scale):
        beyond = lambda m: np.where(m == 0, 1.0, np.exp(-(m - 0.5) / scale))
        tail = np.where(level == DRIFT_LEVELS - 1, 0.0, beyond((level + 1) * width))
        return np.log(np.maximum(1e-300, beyond(level * width) - tail))

    h = 1e-3
    rise = log_of(scales[:, None] * np.exp(h)) - log_of(scales[:, None] * np.exp(-h))
    gradient = np.clip(rise / (2 * h), -STEEPEST, STEEPEST)
    return rate * gradient / np.log(ratio) * 65536, shifts


def product_layout(w, c, gap=0):
    """State by torch's names -> tensors by the product's names, in its layouts (src/training/parameters.ts).

    gap: what stands where the product has a value and torch has none.
    """
    px, quarter = pixel_order(), quarter_order()
    rf = c["render_features"]
    sub = np.array([f * 16 + d for d in range(16) for f in range(rf)])
    t = {}
    t["analysis_linear"] = w["analysis_linear"][:, px].T
    t["synthesis_linear"] = w["synthesis_linear"][:, px]
    for side in ("analysis", "synthesis"):
        t[f"{side}_in"] = w[f"{side}_in.weight"][:, :, 0, 0].T
        t[f"{side}_in_bias"] = w[f"{side}_in.bias"]
        for n in range(c[f"{side}_blocks"]):
            block = f"{side}_body.{n}"
            t[f"{side}_{n}_depthwise"] = w[f"{block}.depthwise.weight"].transpose(2, 3, 0, 1)
            t[f"{side}_{n}_depthwise_bias"] = w[f"{block}.depthwise.bias"]
            for part in ("expand", "project"):
                t[f"{side}_{n}_{part}"] = w[f"{block}.{part}.weight"][:, :, 0, 0].T
                t[f"{side}_{n}_{part}_bias"] = w[f"{block}.{part}.bias"]
    t["analysis_out"] = w["analysis_out.weight"][:, :, 0, 0].T
    t["analysis_out_bias"] = w["analysis_out.bias"]
    t["synthesis_out"] = w["synthesis_out.weight"][sub, :, 0, 0].T
    t["synthesis_out_bias"] = w["synthesis_out.bias"][sub]
    render = w["render_conv.weight"].transpose(2, 3, 1, 0)
    t["render_pixels"] = render[:, :, :48][:, :, quarter]
    t["render_features"] = render[:, :, 48:]
    t["render_bias"] = w["render_conv.bias"]
    t["render_out"] = w["render_out.weight"][quarter, :, 0, 0].T
    t["render_out_bias"] = w["render_out.bias"][quarter]
    t["log_step"] = w["log_step"]
    for name in ("analysis_gain", "analysis_scale", "synthesis_gain"):
        t[name] = w[f"{name}.log_gain"]
    for name in ("render_gain", "render_scale"):
        t[name] = w[f"{name}.log_gain"][:, quarter]
    t["scale_bias"] = w["scale_bias"]
    t["scale_same"] = w["scale_same"].T
    t["scale_dense"] = w["scale_dense"].T
    t["feature"] = w["feature.weight"][:, :, 0, 0].T
    t["scale_feature"] = w["scale_feature.weight"][:, :, 0, 0].T
    for name in ("mean_weight", "mean_in", "mean_out", "mean_gain"):
        t[name] = w[name]
    t["scale_hidden"] = w["scale_hidden"].T
    if c.get("chroma_prediction"):
        t["luma_gain"], t["first_gain"] = w["gain_luma"], w["gain_chroma"]
    if c.get("intra_width"):
        for name in ("intra_edges", "intra_step", "intra_gain", "intra_in"):
            t[name] = w[name]
        for stage in range(len(INTRA_STAGES) - 1):
            t[f"intra_mid_{stage}"], t[f"intra_out_{stage}"] = w[f"intra_mid.{stage}"], w[f"intra_out.{stage}"]
        t["scale_intra"] = w["scale_intra"].T
    if c.get("stage_hidden"):
        for stage, start in enumerate(SCALE_STAGES):
            t[f"stage_in_{stage}"], t[f"stage_bias_{stage}"] = w[f"stage_in.{stage}"], w[f"stage_bias.{stage}"]
            t[f"stage_out_{stage}"] = np.pad(w[f"stage_out.{stage}"].T, ((0, 0), (start, 0)), constant_values=gap)
    if c.get("splits"):
        for name in SPLIT_TENSORS:
            t[name], *others = t[name]
            t.update({f"split_{k}_{name}": value for k, value in enumerate(others, 1)})
    return t


def without_evening(w, c):
    """The state with what evens the inputs of intra prediction while training folded into its weights."""
    if not c.get("intra_width"):
        return w
    folded = {"intra_in": w["intra_in"] @ w["intra_even"]}
    for stage, own in enumerate(INTRA_STAGES[:-1]):
        mid = w[f"intra_mid.{stage}"].copy()
        mid[..., c["intra_width"]:] *= w["intra_own"][:own]
        folded[f"intra_mid.{stage}"] = mid
    return {**w, **folded}


def chroma_partners(triples):
    """[3, frequencies] places of luma and both chromas -> luma channel of every chroma, first chroma of every second; -1 elsewhere."""
    luma, first, second = triples
    luma_of, first_of = np.full(LATENTS, -1), np.full(LATENTS, -1)
    luma_of[first] = luma_of[second] = luma
    first_of[second] = first
    return dict(luma_of=luma_of, first_of=first_of)


def split_tables(place, log_step):
    """What splits need besides weights: the transform, where its latents lie, steps by channel and one over them, first counts."""
    unit = 2 ** SPLIT_BITS
    return dict(split_halves=halves_of() * unit, split_place=place, split_sign=np.ones(LATENTS),
                split_step=np.exp(log_step) * unit, split_unstep=np.exp(-log_step) * unit, split_prior=np.array(SPLIT_PRIOR))


FIXED_POINT = dict(
    scale_bias=SCALE_BITS, scale_same=SCALE_BITS, scale_dense=SCALE_BITS, feature=FEATURE_SUM_BITS,
    scale_feature=FEATURE_BITS, mean_weight=MEAN_BITS, mean_in=MEAN_BITS, mean_out=MEAN_BITS, mean_gain=MEAN_BITS,
    scale_hidden=FEATURE_BITS, luma_gain=GAIN_BITS, first_gain=GAIN_BITS,
    intra_edges=EDGE_BITS, intra_step=GAIN_BITS, intra_gain=GAIN_BITS, intra_in=MEAN_BITS, scale_intra=FEATURE_BITS,
    **{f"intra_{part}_{stage}": MEAN_BITS for part in ("mid", "out") for stage in range(len(INTRA_STAGES) - 1)},
    **{f"stage_{part}_{stage}": bits for part, bits in (("in", FEATURE_BITS), ("bias", SCALE_BITS), ("out", FEATURE_BITS))
       for stage in range(len(SCALE_STAGES))},
)
FIXED_POINT |= {f"split_{k}_{name}": FIXED_POINT[name] for k in range(1, SPLITS) for name in SPLIT_TENSORS}
QUALITY_TABLES = ("log_step", "analysis_gain", "analysis_scale", "synthesis_gain", "render_gain", "render_scale")


def main(source, target):
    state = torch.load(source, map_location="cpu", weights_only=False)
    model = Codec(state["order"], state["deviation"], config_of(state))
    model.load_state_dict(state["ema"])
    w = {k: v.detach().numpy().astype(np.float64) for k, v in model.state_dict().items()}
    c = model.config
    w = without_evening(w, c)
    product = product_layout({**w, "scale_dense": w["scale_dense"] * w["dense_mask"]}, c)
    integers = {k: product.pop(k) * 2 ** bits for k, bits in FIXED_POINT.items() if k in product}
    exact = {k: product.pop(k) for k in QUALITY_TABLES}
    floats = product
    scale = 2 ** SCALE_BITS
    ratio = (SCALE_MAX / SCALE_MIN) ** (1 / (TABLES - 1))
    edges = SCALE_MIN * ratio ** (np.arange(1, TABLES) - 0.5) - 0.02
    integers["thresholds"] = np.where(edges > 20, edges, np.log(np.expm1(np.minimum(edges, 20)))) * scale

    if c.get("chroma_prediction"):
        integers.update(chroma_partners(model.triples.numpy()))
    if c.get("splits"):
        integers.update(split_tables(model.place.numpy(), w["log_step"]))
    rate = CALIBRATED_DRIFT_RATE if c.get("calibration") else DRIFT_RATE
    integers["drift"], integers["drift_shift"] = drift(rate)

    os.makedirs(target, exist_ok=True)
    blob, tensors = bytearray(), []

    def put(name, values, kind):
        array = np.ascontiguousarray(values.astype(kind))
        while len(blob) % 4:
            blob.append(0)
        tensors.append(dict(name=name, type=kind, shape=list(array.shape), offset=len(blob)))
        blob.extend(array.tobytes())

    for name, values in floats.items():
        put(name, np.where(np.abs(values) < 2 ** -14, 0, values) + 0.0, "float16")
    for name, values in exact.items():
        put(name, values + 0.0, "float32")
    integers = {name: np.rint(values) for name, values in integers.items()}
    kin = lambda name: re.sub(r"^split_\d_", "", name)  # tensors of all splits have one type
    wide = {kin(name) for name, values in integers.items() if np.abs(values).max() > 32767} | {"split_step", "split_unstep"}
    for name, values in integers.items():
        put(name, values, "int32" if kin(name) in wide else "int16")
    tables = [laplace_table(SCALE_MIN * ratio ** i) for i in range(TABLES)]
    camel = lambda s: "".join(p if i == 0 else p.capitalize() for i, p in enumerate(s.split("_")))
    description = dict(format="safelight-model", version=1, name=os.path.basename(target.rstrip("/")),
                       config={camel(k): v for k, v in c.items()}, tensors=tensors, tables=[len(t) for t in tables])
    open(os.path.join(target, "weights.bin"), "wb").write(blob)
    open(os.path.join(target, "cdf.bin"), "wb").write(np.concatenate(tables).astype("<u2").tobytes())
    json.dump(description, open(os.path.join(target, "model.json"), "w"), indent=1)
    print(target, len(blob), "bytes of weights, step", state.get("step"))


if __name__ == "__main__":
    main(*sys.argv[1:3])
