"""Trains the base model on procedural crops (written by src/cli/dump-crops.ts) and keeps checkpoints.

    python3 train.py --crops train.bin --val photos_val.bin --out run --minutes 90

The learning rate follows the share of the time budget that is used, so that a slower machine still ends annealed;
every step's learning rate and loss go to log.jsonl. A killed run goes on from its last checkpoint.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from codec import BLOCK, INTRA_CHANNELS, KNOTS, Codec, block_transform, interpolate_knots, laplace_bits, step_of

torch.backends.mkldnn.enabled = True

LAGRANGE = 0.13
SPLIT_COST = (0.15, 3.0, 3.5, 3.5)  # bits that tell the split of a position, about


def load_crops(path, size):
    data = np.memmap(path, np.uint8, "r")
    return data.reshape(-1, size, size, 3)


def latent_statistics(crops, count=600, block=BLOCK):
    """Variance of the 768 block-transform coefficients over crops -> (order by falling variance, deviations)."""
    basis = torch.tensor(block_transform(block), dtype=torch.float32)
    total = torch.zeros(len(basis), dtype=torch.float64)
    picks = np.linspace(0, len(crops) - 1, min(count, len(crops))).astype(int)
    for i in picks:
        x = torch.tensor(np.array(crops[i])).permute(2, 0, 1)[None].float() - 128
        y = F.conv2d(F.pixel_unshuffle(x, block), basis[:, :, None, None])
        total += (y.double() ** 2).mean((0, 2, 3))
    deviation = (total / len(picks)).sqrt()
    order = torch.argsort(deviation, descending=True)
    return order.numpy(), deviation[order].float().numpy()


def hard_round(y, deadzone):
    """Rounds to integers with a wider zero bin: |y| below 1 - deadzone gives 0."""
    return torch.sign(y) * torch.floor(y.abs() + deadzone)


def whole_bits(symbols, scale):
    """Bits of whole symbols under a zero-mean Laplace with the given scale."""
    e = torch.exp(-0.5 / scale)
    beyond = torch.where(symbols == 0, 0.0, (symbols.abs() - 0.5) / (scale * math.log(2)))
    return beyond - torch.log2(torch.where(symbols == 0, 1 - e, 0.5 * (1 - e * e)).clamp(min=1e-9))


@torch.no_grad()
def choose_splits(model, y, position, deadzone, lagrange):
    """Split of every position [N, H, W] that costs least for its luma, from y [N, 768, H, W] in grey levels; None without splits.

    All else counts as if it were whole: neighbours, chroma, and what the scale stages would add.
    """
    if model.splits == 1:
        return None
    steps = model.steps(position)
    luma = model.place[:BLOCK ** 2]
    early = torch.nonzero(luma < INTRA_CHANNELS)[:, 0]
    options = [option / steps[:, luma] for option in model.luma_by_split(y)]
    whole = hard_round(y / steps, 0.5)
    own = [whole[:, :INTRA_CHANNELS].clone() for _ in options]
    for symbols, option in zip(own, options):
        symbols[:, luma[early]] = hard_round(option[:, early], 0.5)
    means, *hidden = model.means(whole, position)
    foretold, first = model.intra(own, whole, position)
    foretold = [F.pad(mean, (0, 0, 0, 0, 0, INTRA_CHANNELS - mean.shape[1])) + more for mean, more in zip(means, foretold)]

    left = y / steps
    left[:, :INTRA_CHANNELS] -= foretold[0]
    magnitude = hard_round(left, deadzone).abs().clamp(max=15)
    product = lambda x, weights: F.conv2d(x, weights[:, :, None, None])
    near = model.neighbours(magnitude[:, luma]).unflatten(1, (4, -1))
    base = sum(near[:, t] * model.scale_same[luma, t, None, None] for t in range(4))
    base = base + F.conv2d(model.neighbours(F.relu(model.feature(magnitude))), model.scale_feature.weight[luma])
    for layer, weights in zip((*hidden, first), (model.scale_hidden, model.scale_intra)):
        base = base + product(layer.clamp(max=15), weights[luma])
    dense = (model.scale_dense * model.dense_mask)[luma]
    seen = torch.nonzero(luma < dense.shape[1])[:, 0]
    of_chroma = dense.index_fill(1, luma[seen], 0)
    base = base + product(magnitude[:, :dense.shape[1]], of_chroma)

    costs = []
    common = torch.exp(interpolate_knots(model.log_step, position))[:, luma, None, None]
    for k, left in enumerate(options):
        left[:, early] -= foretold[k][:, luma[early]]
        symbols = hard_round(left, deadzone)
        bias = interpolate_knots(model.scale_bias[k], position)[:, luma, None, None]
        logits = base + product(symbols[:, seen].abs().clamp(max=15), dense[:, luma[seen]]) + bias
        bits = whole_bits(symbols, F.softplus(logits) + 0.02).sum(1)
        costs.append(bits + (((left - symbols) * common) ** 2).sum(1) / lagrange + SPLIT_COST[k])
    return torch.stack(costs).argmin(0)


@torch.no_grad()
def decoded(model, y, position, deadzone, split=None):
    """Symbols as the decoder will know them, and the same of whole blocks, from y [N, 768, H, W] in steps, split already.

    The decoder goes position by position, two rounds come near it.
    """
    steps = model.steps(position)
    whole_of = lambda symbols: symbols if split is None else model.to_whole(symbols * steps, split) / steps
    known = hard_round(y, 0.5)
    for _ in range(2):
        guess, _ = model.foretell(known, position, whole_of(known), split)
        known = guess + hard_round(y - guess, deadzone)
    return known, whole_of(known)


def forward(model, rgb, position, deadzone, amp, noise=True, lagrange=LAGRANGE):
    """-> (bits per pixel [N] without those of splits, squared error per pixel summed over RGB [N], restored rgb)."""
    n, _, h, w = rgb.shape
    steps = model.steps(position)
    whole = model.analyze(rgb, position, amp)
    split = choose_splits(model, whole, position, deadzone, lagrange)
    y = model.to_split(whole, split) / steps
    known = decoded(model, y, position, deadzone, split)
    mean, hidden = model.foretell(known[0], position, known[1], split)
    centred = y - mean
    residual = centred + (hard_round(centred, deadzone) - centred).detach()
    scale = model.scales(residual.detach(), hidden, position, amp, split)
    rate_input = centred + torch.rand_like(centred) - 0.5 if noise else residual
    bits = laplace_bits(rate_input, scale).sum((1, 2, 3)) / (h * w)
    y_hat = model.to_whole((residual + mean) * steps, split)
    restored = model.synthesize(y_hat, position, amp)
    error = ((restored - rgb) ** 2).sum((1, 2, 3)) / (h * w)
    return bits, error, restored


def ms_ssim(a, b):
    """MS-SSIM [N] of the mean of RGB [N, 3, H, W] in 0..255: five scales, Gaussian window of 11, sides of at least 176."""
    t = torch.arange(11.0) - 5
    window = torch.exp(-(t ** 2) / (2 * 1.5 ** 2))
    window = window / window.sum()
    smooth = lambda x: F.conv2d(F.conv2d(x, window.view(1, 1, 11, 1)), window.view(1, 1, 1, 11))
    a, b = a.mean(1, keepdim=True), b.mean(1, keepdim=True)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    product = 1.0
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    for k, weight in enumerate(weights):
        ma, mb = smooth(a), smooth(b)
        va, vb, vab = smooth(a * a) - ma * ma, smooth(b * b) - mb * mb, smooth(a * b) - ma * mb
        term = (2 * vab + c2) / (va + vb + c2)
        if k == len(weights) - 1:
            term = term * (2 * ma * mb + c1) / (ma * ma + mb * mb + c1)
        product = product * term.mean((1, 2, 3)).clamp(min=1e-3) ** weight
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return product


def with_ms_ssim(error, restored, rgb, share):
    """The distortion with a share of 1 - MS-SSIM, scaled to weigh as much as the squared error does."""
    unlike = 1 - ms_ssim(restored, rgb)
    return (1 - share) * error + share * (error / unlike.clamp(min=1e-6)).detach() * unlike


def objective(bits, error, position, lagrange):
    """Rate-distortion cost over the rate itself, so that all qualities weigh alike; the mean over crops."""
    cost = bits + error / (lagrange * step_of(position) ** 2)
    return (cost / (bits.detach() + 0.08)).mean()


def augment(x, rng):
    """Crops [N, 3, H, W] in 0..255 -> one block smaller, cut at a random place, with random exposure and saturation.

    Procedural colours are more alike than those of photographs (correlation of red and blue 0.81 against 0.65), so
    saturation is widened more often than narrowed.
    """
    n, _, h, w = x.shape
    top, left = rng.integers(0, BLOCK + 1, 2)
    x = x[:, :, top:top + h - BLOCK, left:left + w - BLOCK]
    if rng.random() < 0.5:
        x = x.flip(3)
    if rng.random() < 0.5:
        x = x.transpose(2, 3)
    if rng.random() < 0.6:
        draw = lambda low, high, *shape: torch.tensor(rng.uniform(low, high, shape)).float()
        grey = x.mean(1, keepdim=True)
        saturation = torch.exp(draw(-0.5, 0.8, n, 1, 1, 1))
        balance = draw(0.9, 1.1, n, 3, 1, 1)
        x = ((grey + (x - grey) * saturation) * balance * draw(0.6, 1.15, n, 1, 1, 1)).round().clamp(0, 255)
    return x.contiguous()


def make_optimizer(model, rate):
    """Adam; the linear path learns slowly, what is read from tables by quality or has even inputs fast: by the base of its group.

    Means learn fast too where each split has its own, which few positions teach.
    """
    slow, fast, table = [], [], []
    quick = ("log_gain", "intra", "stage_", *(["mean_"] if model.splits > 1 else []))
    for name, q in model.named_parameters():
        if name in ("analysis_linear", "synthesis_linear"):
            slow.append(q)
        elif any(word in name for word in quick) or name in ("log_step", "scale_bias", "mean_gain", "gain_luma", "gain_chroma"):
            table.append(q)
        else:
            fast.append(q)
    groups = [dict(params=slow, base=0.03), dict(params=table, base=3.0), dict(params=fast, base=1.0)]
    return torch.optim.Adam(groups, lr=rate, betas=(0.9, 0.98), eps=1e-8)


def descend(model, opt, loss, rate):
    """One step, its gradient clipped; a step that is not finite is left out. -> norm of the gradient."""
    opt.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    for g in opt.param_groups:
        g["lr"] = rate * g["base"]
    if torch.isfinite(norm):
        opt.step()
    return float(norm)


def average(ema, model, step):
    """Moves the running average of the weights after the step-th step."""
    keep = min(0.999, (1 + step) / (10 + step))
    with torch.no_grad():
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                ema[k].lerp_(v, 1 - keep)


def for_splits(state, model):
    """The state of a model, every split beginning as the whole block where the state knows no splits."""
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    lacks = lambda name, value: name in shapes and len(shapes[name]) == value.dim() + 1
    return {name: value.expand(shapes[name]) if lacks(name, value) else value for name, value in state.items()}


def validate(model, val, positions, deadzone, amp, batch=8):
    points = []
    for p in positions:
        bpp, psnr, alike = [], [], []
        for i in range(0, len(val), batch):
            x = torch.tensor(np.array(val[i:i + batch])).permute(0, 3, 1, 2).float()
            with torch.no_grad():
                b, _, r = forward(model, x, torch.full((len(x),), float(p)), deadzone, amp, noise=False)
            mse = ((r.clamp(0, 255).round() - x) ** 2).mean((1, 2, 3))
            bpp += b.tolist()
            psnr += (10 * torch.log10(65025 / mse.clamp(min=1e-3))).tolist()
            with torch.no_grad():
                alike += (-10 * torch.log10((1 - ms_ssim(r.clamp(0, 255).round(), x)).clamp(min=1e-6))).tolist()
        points.append((float(np.mean(bpp)), float(np.mean(psnr)), float(np.mean(alike))))
    return points


def bd_rate(anchor, test):
    """Mean rate change in percent at equal PSNR, linear in log rate between points, over the overlap."""
    a, t = sorted(anchor, key=lambda p: p[1]), sorted(test, key=lambda p: p[1])
    lo, hi = max(a[0][1], t[0][1]), min(a[-1][1], t[-1][1])
    grid = np.linspace(lo, hi, 200)
    at = lambda c: np.interp(grid, [p[1] for p in c], [math.log(p[0]) for p in c])
    return (math.exp(np.mean(at(t) - at(a))) - 1) * 100


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--crops", required=True)
    p.add_argument("--val", required=True)
    p.add_argument("--anchors")
    p.add_argument("--out", required=True)
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--batch", type=int, default=12)
    p.add_argument("--threads", type=int, default=3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--size", type=int, default=256)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--deadzone", type=float, default=0.42)
    p.add_argument("--lagrange", type=float, default=LAGRANGE)
    p.add_argument("--validate-every", type=float, default=8, help="minutes")
    p.add_argument("--validate-count", type=int, default=24)
    p.add_argument("--amp", type=int, default=1)
    p.add_argument("--ms-ssim", type=float, default=0.0, help="share of the distortion that is MS-SSIM")
    p.add_argument("--init")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    os.makedirs(a.out, exist_ok=True)
    crops = load_crops(a.crops, a.size)
    val = load_crops(a.val, 512)[:: max(1, 51 // a.validate_count)]
    anchors = json.load(open(a.anchors)) if a.anchors else {}
    checkpoint = os.path.join(a.out, "checkpoint.pt")
    state = None
    if os.path.exists(checkpoint):
        state = torch.load(checkpoint, map_location="cpu", weights_only=False)
    elif a.init:
        state = torch.load(a.init, map_location="cpu", weights_only=False)
        state = dict(model=state["ema"], order=state["order"], deviation=state["deviation"], strict=False)
    order, deviation = (state["order"], state["deviation"]) if state else latent_statistics(crops)
    model = Codec(order, deviation)
    if state:
        model.load_state_dict(for_splits(state["model"], model), strict=state.get("strict", True))  # blocks that are new start as identity
    opt = make_optimizer(model, a.rate)
    ema = {k: v.clone() for k, v in model.state_dict().items()}
    step, used = 0, 0.0
    if state and "opt" in state:
        opt.load_state_dict(state["opt"])
        ema, step, used = state["ema"], state["step"], state["used"]
        rng = np.random.default_rng(a.seed + step)
    log = open(os.path.join(a.out, "log.jsonl"), "a")
    last, last_val, last_save, started = time.time(), used, time.time(), time.time()
    pixels, window = 0, []
    while True:
        share = used / (a.minutes * 60)
        warm = min(1, (step + 1) / 200)
        rate = a.rate * warm * max(0.5 * (1 + math.cos(math.pi * min(share, 1))), 0.01)
        if share >= 1 or used - last_val >= a.validate_every * 60:
            last_val = used
            live = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(ema)
            points = validate(model, val, range(KNOTS), a.deadzone, False)
            model.load_state_dict(live)
            rates = {k: round(bd_rate(v, points), 2) for k, v in anchors.items()}
            line = dict(step=step, minutes=round(used / 60, 1), points=[[round(v, 4) for v in point] for point in points], bd=rates)
            print("VAL", json.dumps(line), flush=True)
            log.write(json.dumps(line) + "\n"); log.flush()
            last = time.time()
        if share >= 1 or time.time() - last_save > 180:
            torch.save(dict(model=model.state_dict(), ema=ema, opt=opt.state_dict(), order=order, deviation=deviation,
                            step=step, used=used, config=model.config, args=vars(a)), checkpoint + ".tmp")
            os.replace(checkpoint + ".tmp", checkpoint)
            last_save = time.time()
        if share >= 1:
            break
        pick = np.sort(rng.integers(0, len(crops), a.batch))
        x = augment(torch.tensor(crops[pick]).permute(0, 3, 1, 2).float(), rng)
        position = torch.tensor(rng.uniform(0, KNOTS - 1, a.batch)).float()
        bits, error, restored = forward(model, x, position, a.deadzone, bool(a.amp), lagrange=a.lagrange)
        if a.ms_ssim > 0:
            few = a.batch // 3  # it costs as much as the networks; a third of the crops with three times the weight are as good
            mixed = with_ms_ssim(error[:few], restored[:few], x[:few], min(1, a.ms_ssim * a.batch / few))
            error = torch.cat([mixed, error[few:]])
        loss = objective(bits, error, position, a.lagrange)
        norm = descend(model, opt, loss, rate)
        step += 1
        average(ema, model, step)
        now = time.time()
        used += now - last
        last = now
        pixels += x.shape[0] * x.shape[2] * x.shape[3]
        window.append(float(loss.detach()))
        if step % 50 == 0:
            print(f"step {step} {used / 60:.1f} min loss {np.mean(window[-50:]):.4f} norm {norm:.2f} "
                  f"rate {rate:.2e} {pixels / (time.time() - started) / 1e6:.2f} Mpx/s", flush=True)
            log.write(json.dumps(dict(step=step, loss=round(float(np.mean(window[-50:])), 4), rate=rate)) + "\n")
            log.flush()


if __name__ == "__main__":
    main()
