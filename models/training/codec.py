"""PyTorch mirror of src/codec/transform.ts and src/codec/context-model.ts, used for long trainings.

Shapes are [N, C, H, W]. One latent position stands for 16 x 16 pixels and has LATENTS = 768 channels, the whole
16 x 16 x 3 block, ordered by falling variance on procedural images. All latents are in units of 8-bit grey levels
of an orthonormal colour space, so that the squared error of the latents is the squared error of the RGB image.
"""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

BLOCK = 16
LATENTS = 768
KNOTS = 7  # one per octave of the quantization step
STEP_MIN = 2.0
STEP_OCTAVES = 6.0  # quality 63 -> STEP_MIN, quality 0 -> STEP_MIN * 2 ** 6

CONFIG = dict(
    analysis_width=192, analysis_blocks=3, analysis_out=320,
    synthesis_in=320, synthesis_width=192, synthesis_blocks=3,
    render_features=24, render_width=32,
    context_dense=320, context_features=32, mean_channels=48, mean_hidden=64, chroma_prediction=1,
    calibration=1, intra_width=96, intra_hidden=64, stage_hidden=64, splits=1,
)

GROUP = 16  # channels whose predictions from luma share one slope
OWN_WEIGHT, REGULAR = 16.0, 20.0
TAP_WEIGHTS = (2.0, 2.0, 1.0, 1.0)
SLOPE_LIMIT = 8.0

INTRA_STAGES = (0, 32, 96, 192)  # channels whose means the edges of neighbours foretell, stage by stage
INTRA_CHANNELS = INTRA_STAGES[-1]
EDGE_DEPTH = 2
EDGE = 16 * EDGE_DEPTH
INTRA_INPUTS = 3 * EDGE + EDGE_DEPTH ** 2

SCALE_STAGES = (32, 96, 192, 320)  # channels from which on a hidden layer on the magnitudes before them bears on the scales

SPLITS = 4  # of a block: none, into four of 8 x 8, columns halved (left | right), rows halved (top / bottom)
# First counts of the splits by those of the west and the north neighbour, row 4 * west + north: of procedural crops, in 128.
SPLIT_PRIOR = (
    (108, 8, 6, 6), (53, 40, 19, 16), (60, 27, 26, 15), (81, 21, 13, 13),
    (54, 39, 17, 18), (27, 62, 20, 18), (36, 50, 25, 17), (39, 51, 18, 20),
    (80, 21, 15, 12), (38, 48, 23, 19), (47, 38, 28, 16), (59, 33, 20, 17),
    (62, 28, 15, 23), (34, 52, 19, 23), (43, 42, 22, 21), (47, 38, 17, 27),
)

# What only ablate.py varies; the product knows these values alone, so exported configs leave them out.
FIXED = dict(block=BLOCK, depthwise_size=3, activation="relu")


def colour_matrix():
    """Rows are the orthonormal opponent axes: luma, red minus blue, green against both."""
    s = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float64)
    return s / np.linalg.norm(s, axis=1, keepdims=True)


def dct_matrix(n):
    k, x = np.mgrid[0:n, 0:n]
    m = np.cos(math.pi * k * (2 * x + 1) / (2 * n)) * math.sqrt(2 / n)
    m[0] /= math.sqrt(2)
    return m


def halves_of(n=BLOCK):
    """[n, n]: from the DCT of n samples to those of both halves, frequency by frequency; of the lowest, sum and difference."""
    half, none = dct_matrix(n // 2), np.zeros((n // 2, n // 2))
    parts = np.stack([np.hstack([half, none]), np.hstack([none, half])], 1).reshape(n, n)
    parts[:2] = np.array([[1, 1], [1, -1]]) / math.sqrt(2) @ parts[:2]
    return parts @ dct_matrix(n).T


def split_matrices():
    """[SPLITS, 2, 16, 16]: from frequencies of the whole block to those of its split parts, of rows (v) and of columns (u)."""
    whole, halves = np.eye(BLOCK), halves_of()
    return np.array([[whole, whole], [halves, halves], [whole, halves], [halves, whole]])


def block_transform(block=BLOCK):
    """[768, 768] orthonormal: rows are latents (colour, v, u), columns are (colour channel RGB, y, x)."""
    d = dct_matrix(block)
    two = np.einsum("vy,ux->vuyx", d, d)
    full = np.einsum("kc,vuyx->kvucyx", colour_matrix(), two)
    return full.reshape(3 * block * block, 3 * block * block)


def interpolate_knots(table, position):
    """table [KNOTS, C], position [N] in 0..KNOTS-1 -> [N, C], linear between knots."""
    low = position.floor().clamp(0, KNOTS - 2).long()
    frac = (position - low.float()).unsqueeze(1)
    return table[low] * (1 - frac) + table[low + 1] * frac


class Block(nn.Module):
    """x + W2 relu(W1 depthwise(x)): depthwise 3 x 3, then a pointwise pair of twice the width."""

    def __init__(self, width, size, activation):
        super().__init__()
        self.activation = activation
        self.depthwise = nn.Conv2d(width, width, size, padding=size // 2, groups=width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.project = nn.Conv2d(2 * width, width, 1)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        with torch.no_grad():
            self.depthwise.weight.mul_(0.3)
            self.depthwise.weight[:, :, size // 2, size // 2] += 1.0
            self.depthwise.bias.zero_()

    def forward(self, x):
        return x + self.project(self.activation(self.expand(self.depthwise(x))))


class RateCondition(nn.Module):
    """Multiplies channels by a gain that depends on the quality: exp of a table over knots."""

    def __init__(self, channels, init=None):
        super().__init__()
        start = torch.zeros(KNOTS, channels) if init is None else init
        self.log_gain = nn.Parameter(start)

    def forward(self, position):
        return torch.exp(interpolate_knots(self.log_gain, position))[:, :, None, None]


def step_of(position):
    """Quantization step for a knot position: 0 is the finest."""
    return STEP_MIN * torch.exp2(position * (STEP_OCTAVES / (KNOTS - 1)))


def config_of(state):
    """Configuration of a checkpoint; in early ones splits have another name."""
    config = dict(state.get("config", CONFIG))
    if config.pop("turns", 1) == SPLITS:
        config["splits"] = 1
    return config


def edge_basis(order):
    """Luma of the right and the bottom edge of a block by channel [INTRA_CHANNELS, 2 * EDGE]; chroma channels give nothing."""
    basis = block_transform()[order][:INTRA_CHANNELS].reshape(INTRA_CHANNELS, 3, BLOCK, BLOCK)
    luma = np.einsum("kcyx,c->kyx", basis, colour_matrix()[0])
    right, bottom = luma[:, :, -EDGE_DEPTH:], luma[:, -EDGE_DEPTH:]
    return np.concatenate([right.reshape(INTRA_CHANNELS, EDGE), bottom.reshape(INTRA_CHANNELS, EDGE)], 1)


class Codec(nn.Module):
    def __init__(self, order, deviation, config=CONFIG):
        """order: latents by falling variance; deviation [768]: standard deviation of each, in that order.

        config may also hold what FIXED names; a render_width of 0 leaves the renderer out.
        """
        super().__init__()
        c = self.config = dict(config)
        fixed = {**FIXED, **c}
        self.block = fixed["block"]
        self.activation = getattr(F, fixed["activation"])
        latents = 3 * self.block ** 2
        self.splits = SPLITS if c.get("splits") else 1
        per_split = lambda value, rows=SPLITS: nn.Parameter(value if self.splits == 1 else value.repeat(rows, *[1] * value.dim()))
        make_block = lambda width: Block(width, fixed["depthwise_size"], self.activation)
        basis = torch.tensor(block_transform(self.block)[order], dtype=torch.float32)
        self.analysis_linear = nn.Parameter(basis.clone())  # [768, 3*16*16]
        self.synthesis_linear = nn.Parameter(basis.clone())
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32))
        self.log_step = nn.Parameter(torch.zeros(KNOTS, latents))  # deviation from the common step

        knots = step_of(torch.arange(KNOTS).float())[:, None]
        norm = -torch.log(knots + self.deviation[None])
        self.analysis_gain = RateCondition(latents, norm.clone())
        aw = c["analysis_width"]
        self.analysis_in = nn.Conv2d(latents, aw, 1)
        self.analysis_body = nn.Sequential(*[make_block(aw) for _ in range(c["analysis_blocks"])])
        self.analysis_out = nn.Conv2d(aw, c["analysis_out"], 1)
        self.analysis_scale = RateCondition(c["analysis_out"])

        sw, rf = c["synthesis_width"], c["render_features"]
        self.synthesis_gain = RateCondition(c["synthesis_in"], norm[:, : c["synthesis_in"]].clone())
        self.synthesis_in = nn.Conv2d(c["synthesis_in"], sw, 1)
        self.synthesis_body = nn.Sequential(*[make_block(sw) for _ in range(c["synthesis_blocks"])])
        quarters = (self.block // 4) ** 2
        if c["render_width"]:
            self.synthesis_out = nn.Conv2d(sw, quarters * rf, 1)
            self.render_gain = RateCondition(48, (-torch.log(knots + 40.0)).repeat(1, 48))
            self.render_conv = nn.Conv2d(48 + rf, c["render_width"], 3, padding=1)
            self.render_out = nn.Conv2d(c["render_width"], 48, 1)
        else:
            self.synthesis_out = nn.Conv2d(sw, quarters * 48, 1)
        self.render_scale = RateCondition(48)
        for layer in (self.analysis_out, self.render_out if c["render_width"] else self.synthesis_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

        # Context model: scale of each symbol from symbols already coded (see Context below).
        d, f = c["context_dense"], c["context_features"]
        laplace = self.deviation[None] / knots / math.sqrt(2)
        inverse = torch.log(torch.expm1(laplace.clamp(0.02, 20)))
        self.scale_bias = per_split(torch.where(laplace > 20, laplace, inverse).clamp(max=4.0))
        self.scale_dense = nn.Parameter(torch.randn(latents, d) * 1e-3)
        self.scale_same = nn.Parameter(torch.tensor([0.2, 0.2, 0.05, 0.05]).repeat(latents, 1))
        self.feature = nn.Conv2d(latents, f, 1, bias=False)
        with torch.no_grad():
            self.feature.weight.copy_(torch.rand(f, latents, 1, 1) * 0.02)
        self.scale_feature = nn.Conv2d(4 * f, latents, 1, bias=False)
        with torch.no_grad():
            self.scale_feature.weight.mul_(0.1)
        mask = torch.zeros(latents, d)
        for row in range(latents):
            mask[row, : min(row, d)] = 1
        self.register_buffer("dense_mask", mask)
        m, h = c["mean_channels"], c["mean_hidden"]
        mean = torch.zeros(m, 4 * m)
        for tap, value in enumerate((0.5, 0.5, -0.2, 0.15)):
            mean[0, tap * m] = value
        self.mean_weight = per_split(mean)
        self.mean_in = nn.Parameter(torch.randn(h, 4 * m) * (0.5 / math.sqrt(m)))
        self.mean_out = per_split(torch.zeros(m, h))
        self.mean_gain = per_split(torch.ones(KNOTS, m))
        self.scale_hidden = nn.Parameter(torch.zeros(latents, h))
        if c.get("chroma_prediction"):
            # place of the three colours of every frequency but the lowest, which neighbours predict
            place = np.argsort(order).reshape(3, -1)[:, 1:]
            self.register_buffer("triples", torch.tensor(place), persistent=False)
            self.gain_luma = nn.Parameter(torch.full((KNOTS, latents), 0.5))
            self.gain_chroma = nn.Parameter(torch.full((KNOTS, latents), 0.5))
        if c.get("intra_width"):
            a, g = c["intra_width"], c["intra_hidden"]
            uniform = lambda rows, columns, reach: (torch.rand(rows, columns) * 2 - 1) * reach / math.sqrt(columns)
            self.register_buffer("intra_edges", torch.tensor(edge_basis(order), dtype=torch.float32))
            self.intra_step = nn.Parameter(torch.ones(KNOTS, INTRA_CHANNELS))
            self.intra_gain = per_split(torch.ones(KNOTS, INTRA_CHANNELS))
            self.intra_in = nn.Parameter(uniform(a, INTRA_INPUTS, 1.2))
            self.intra_mid = nn.ParameterList([per_split(uniform(g, a + own, 1.5), SPLITS if own else 1) for own in INTRA_STAGES[:-1]])
            self.intra_out = nn.ParameterList([per_split(torch.zeros(end - start, g))
                                               for start, end in zip(INTRA_STAGES, INTRA_STAGES[1:])])
            self.scale_intra = nn.Parameter(torch.zeros(latents, g))
            # What makes inputs alike in size while training; export.py folds it into the weights.
            self.register_buffer("intra_even", torch.eye(INTRA_INPUTS))
            self.register_buffer("intra_own", torch.ones(INTRA_CHANNELS))
        if c.get("stage_hidden"):
            g = c["stage_hidden"]
            self.stage_in = nn.ParameterList([nn.Parameter(torch.randn(g, start + 4 * f) / math.sqrt(start + 4 * f))
                                              for start in SCALE_STAGES])
            self.stage_bias = nn.ParameterList([per_split(torch.zeros(g)) for _ in SCALE_STAGES])
            self.stage_out = nn.ParameterList([nn.Parameter(torch.zeros(latents - start, g)) for start in SCALE_STAGES])
        if self.splits > 1:
            self.register_buffer("matrices", torch.tensor(split_matrices(), dtype=torch.float32), persistent=False)
            # channel of every natural index (colour, v, u), and natural index of every channel
            self.register_buffer("place", torch.tensor(np.argsort(order)), persistent=False)
            self.register_buffer("natural", torch.tensor(np.array(order)), persistent=False)

    # -- transforms ---------------------------------------------------------------------------------------------
    def analyze(self, rgb, position, amp=False):
        """rgb [N, 3, H, W] in 0..255 -> latents [N, 768, H/16, W/16]."""
        n, _, h, w = rgb.shape
        blocks = F.pixel_unshuffle(rgb - 128.0, self.block)  # channel-major (c, y, x): same order as the basis columns
        linear = F.conv2d(blocks, self.analysis_linear[:, :, None, None])
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            hidden = self.analysis_body(self.activation(self.analysis_in(linear * self.analysis_gain(position))))
            residual = self.analysis_out(hidden).float()
        residual = residual * self.analysis_scale(position) * step_of(position)[:, None, None, None]
        return torch.cat([linear[:, : residual.shape[1]] + residual, linear[:, residual.shape[1]:]], 1)

    def synthesize(self, y, position, amp=False):
        """Dequantized latents -> rgb [N, 3, H, W], not clipped."""
        c = self.config
        blocks = F.conv2d(y, self.synthesis_linear.t()[:, :, None, None])
        pixels = F.pixel_shuffle(blocks, self.block)
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            hidden = self.activation(self.synthesis_in(y[:, : c["synthesis_in"]] * self.synthesis_gain(position)))
            features = self.synthesis_out(self.synthesis_body(hidden))
        residual = F.pixel_shuffle(features.float(), self.block // 4)  # channel = feature * 16 + y * 4 + x
        if c["render_width"]:
            quarter = F.pixel_unshuffle(pixels, 4)  # [N, 48, H/4, W/4]
            merged = torch.cat([quarter * self.render_gain(position), residual], 1)
            with torch.autocast("cpu", torch.bfloat16, enabled=amp):
                residual = self.render_out(self.activation(self.render_conv(merged))).float()
        residual = residual * self.render_scale(position) * step_of(position)[:, None, None, None]
        return pixels + F.pixel_shuffle(residual, 4) + 128.0

    def steps(self, position):
        """Quantization step of every latent, [N, 768, 1, 1]."""
        return (step_of(position)[:, None] * torch.exp(interpolate_knots(self.log_step, position)))[:, :, None, None]

    # -- splits -------------------------------------------------------------------------------------------------
    def to_split(self, y, split):
        """Latents in grey levels [N, 768, H, W] of whole blocks -> of blocks split as split [N, H, W] says; None: all are whole."""
        return y if split is None else self.multiplied(y, split, self.matrices)

    def to_whole(self, y, split):
        """The way back from to_split()."""
        return y if split is None else self.multiplied(y, split, self.matrices.transpose(2, 3))

    def multiplied(self, y, split, matrices):
        blocks = y.permute(0, 2, 3, 1)
        out = blocks.clone()
        for k in range(1, SPLITS):
            here, (v, u) = torch.nonzero(split == k, as_tuple=True), matrices[k]
            square = blocks[here][:, self.place].unflatten(1, (3, BLOCK, BLOCK))
            out[here] = (v @ square @ u.T).flatten(1)[:, self.natural]
        return out.permute(0, 3, 1, 2)

    def luma_by_split(self, y):
        """Luma of latents of whole blocks [N, 768, H, W] in every split, by natural index: SPLITS times [N, 256, H, W]."""
        n, _, h, w = y.shape
        rows = y[:, self.place[:BLOCK ** 2]].reshape(n, BLOCK, BLOCK * h * w)
        columns = [(v @ rows).reshape(n * BLOCK, BLOCK, h * w) for v, _ in self.matrices]
        return [(u @ t).reshape(n, BLOCK ** 2, h, w) for t, (_, u) in zip(columns, self.matrices)]

    def by_split(self, parameter):
        """What of a parameter belongs to each split [splits, ..]; a single row serves all."""
        return parameter[None] if self.splits == 1 else parameter.expand(SPLITS, *parameter.shape[1:])

    @staticmethod
    def picked(options, split):
        """Of tensors [N, C, H, W] by split those of split [N, H, W]."""
        out = options[0]
        for k in range(1, len(options) if split is not None else 1):
            out = torch.where((split == k)[:, None], options[k], out)
        return out

    # -- entropy model ------------------------------------------------------------------------------------------
    @staticmethod
    def neighbours(x):
        """West, north, north-west and north-east neighbours of every position, zero outside: [N, 4C, H, W]."""
        p = F.pad(x, (1, 1, 1, 0))
        h, w = x.shape[2:]
        return torch.cat([p[:, :, 1:, 0:w], p[:, :, :h, 1:w + 1], p[:, :, :h, 0:w], p[:, :, :h, 2:w + 2]], 1)

    @staticmethod
    def slopes(a, b, late):
        """What a has to be multiplied by to give b [N, P, H, W], of what is known before the group of 16 channels that b is in.

        Least squares over all pairs of the four neighbours, and of earlier groups of this position. late [P]: channels of b.
        """
        n, _, h, w = a.shape
        group = late // GROUP
        gathered = a.new_zeros(n, LATENTS // GROUP, 2, h, w).index_add(1, group, torch.stack([a * b, a * a], 2))
        whole = gathered.sum(1)
        taps = torch.tensor(TAP_WEIGHTS).repeat_interleave(2).view(1, 8, 1, 1)
        near = (Codec.neighbours(whole) * taps).unflatten(1, (4, 2)).sum(1)
        known = near[:, None] + OWN_WEIGHT * (torch.cumsum(gathered, 1) - gathered)
        return (known[:, :, 0] / (known[:, :, 1] + REGULAR)).clamp(-SLOPE_LIMIT, SLOPE_LIMIT)[:, group]

    def chroma(self, symbols, position):
        """Predicted symbols of both chromas from luma of the same frequency, and of the second from the first [N, 768, H, W]."""
        luma, first, second = self.triples
        gain = interpolate_knots(self.gain_luma, position)[:, :, None, None]
        further = interpolate_knots(self.gain_chroma, position)[:, :, None, None]
        with torch.no_grad():
            y, c1, c2 = symbols[:, luma], symbols[:, first], symbols[:, second]
            from_luma = [self.slopes(y, c1, first) * y, self.slopes(y, c2, second) * y]
            left = c1 - from_luma[0] * gain[:, first]
            from_first = self.slopes(left, c2 - from_luma[1] * gain[:, second], second) * left
        one = from_luma[0] * gain[:, first]
        two = from_luma[1] * gain[:, second] + from_first * further[:, second]
        out = torch.zeros_like(symbols)
        return out.index_add(1, first, one).index_add(1, second, two)

    def means(self, whole, position):
        """Predicted symbols of the first channels from neighbours, by split [N, mean_channels, H, W], and the hidden layer."""
        m = self.config["mean_channels"]
        near = self.neighbours(whole[:, :m])
        hidden = F.relu(F.conv2d(near, self.mean_in[:, :, None, None]))
        weight, out = (self.by_split(p).flatten(0, 1)[:, :, None, None] for p in (self.mean_weight, self.mean_out))
        mean = (F.conv2d(near, weight) + F.conv2d(hidden, out)).chunk(self.splits, 1)
        gain = [interpolate_knots(table, position)[:, :, None, None] for table in self.by_split(self.mean_gain)]
        return [a * b for a, b in zip(mean, gain)], hidden

    def edges(self, scaled):
        """What the edges of neighbours show of symbols in common steps [N, INTRA_CHANNELS, H, W]: [N, INTRA_INPUTS, H, W]."""
        own = F.conv2d(scaled, self.intra_edges.t()[:, :, None, None])
        p = F.pad(own, (1, 1, 1, 0))
        h, w = own.shape[2:]
        corner = slice(EDGE - EDGE_DEPTH ** 2, EDGE)
        return torch.cat([p[:, :EDGE, 1:, 0:w], p[:, EDGE:, :h, 1:w + 1], p[:, corner, :h, 0:w], p[:, EDGE:, :h, 2:w + 2]], 1)

    def intra_layers(self, edges, scaled, position):
        """edges() and, by split, own symbols in common steps [N, .., H, W] -> what they foretell by split, first hidden layer."""
        product = lambda x, weights: F.conv2d(x, weights[:, :, None, None])
        seen = F.relu(product(edges, self.intra_in @ self.intra_even))
        mids, outs = (list(zip(*map(self.by_split, stages))) for stages in (self.intra_mid, self.intra_out))
        foretold = []
        for own, gain, mid, out in zip(scaled, self.by_split(self.intra_gain), mids, outs):
            own = own * self.intra_own[None, :, None, None]
            hidden = [F.relu(product(torch.cat([seen, own[:, :start]], 1), weights)) for start, weights in zip(INTRA_STAGES, mid)]
            all_stages = torch.cat([product(x, weights) for x, weights in zip(hidden, out)], 1)
            foretold.append(all_stages * interpolate_knots(gain, position)[:, :, None, None])
        return foretold, hidden[0]

    def in_common_steps(self, symbols, position):
        return symbols[:, :INTRA_CHANNELS] * interpolate_knots(self.intra_step, position)[:, :, None, None]

    def intra(self, own, whole, position):
        """Means that the edges of neighbours foretell by split [N, INTRA_CHANNELS, H, W], and the hidden layer of the first stage.

        own: symbols of the position by split; whole: those of neighbours, of whole blocks.
        """
        near = self.in_common_steps(whole, position)
        scaled = [near if symbols is whole else self.in_common_steps(symbols, position) for symbols in own]
        return self.intra_layers(self.edges(near), scaled, position)

    def foretell(self, symbols, position, whole=None, split=None):
        """Predicted symbols [N, 768, H, W] from decoded ones, and the hidden layers that scales() looks at.

        Where blocks are split as split [N, H, W] says, whole are the symbols turned back to whole blocks.
        """
        latents = symbols.shape[1]
        whole = symbols if split is None else whole
        means, *hidden = self.means(whole, position)
        mean = self.picked(means, split)
        mean = F.pad(mean, (0, 0, 0, 0, 0, latents - mean.shape[1]))
        if self.config.get("chroma_prediction"):
            mean = mean + self.chroma(symbols, position)
        if self.config.get("intra_width"):
            foretold, first = self.intra([symbols] * self.splits, whole, position)
            mean = mean + F.pad(self.picked(foretold, split), (0, 0, 0, 0, 0, latents - INTRA_CHANNELS))
            hidden.append(first)
        return mean, hidden

    def scales(self, residuals, hidden, position, amp=False, split=None):
        """Laplace scale of every symbol from |residual symbols| already coded and the hidden layers of foretell()."""
        return F.softplus(self.scale_logits(residuals, hidden, position, amp, split)) + 0.02

    def scale_logits(self, residuals, hidden, position, amp=False, split=None):
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            magnitude = residuals.abs().clamp(max=15.0)
            near = self.neighbours(magnitude).unflatten(1, (4, -1))
            same = sum(near[:, t] * self.scale_same[None, :, t, None, None] for t in range(4))
            dense = F.conv2d(magnitude[:, : self.config["context_dense"]],
                             (self.scale_dense * self.dense_mask)[:, :, None, None])
            seen = self.neighbours(F.relu(self.feature(magnitude)))
            features = self.scale_feature(seen)
            for layer, weights in zip(hidden, (self.scale_hidden, getattr(self, "scale_intra", None))):
                features = features + F.conv2d(layer.clamp(max=15.0), weights[:, :, None, None])
            late = self.late(magnitude, seen, split) if self.config.get("stage_hidden") else 0.0
        s = same.float() + dense.float() + features.float() + late
        biases = [interpolate_knots(table, position)[:, :, None, None] for table in self.by_split(self.scale_bias)]
        return s + self.picked(biases, split)

    def late(self, magnitude, seen, split):
        """What hidden layers on magnitudes of earlier channels and on features of neighbours say of later scales [N, 768, H, W]."""
        hidden = []
        for start, first, bias in zip(SCALE_STAGES, self.stage_in, self.stage_bias):
            inputs = torch.cat([magnitude[:, :start].to(seen.dtype), seen], 1)
            if self.splits == 1:
                sums = F.conv2d(inputs, first[:, :, None, None], bias)
            else:
                sums = F.conv2d(inputs, first[:, :, None, None]) + self.picked(bias[:, None, :, None, None], split)
            hidden.append(F.relu(sums).clamp(max=15.0))
        outs = [F.pad(out, (0, 0, start - SCALE_STAGES[0], 0)) for start, out in zip(SCALE_STAGES, self.stage_out)]
        late = F.conv2d(torch.cat(hidden, 1), torch.cat(outs, 1)[:, :, None, None]).float()
        return F.pad(late, (0, 0, 0, 0, SCALE_STAGES[0], 0))


def laplace_bits(x, scale):
    """Bits of symbols x (real, noisy) under a zero-mean Laplace with the given scale, over unit bins."""
    a = x.abs()
    inside = 1 - torch.exp(-0.5 / scale) * torch.cosh(a.clamp(max=0.5) / scale)
    outside = torch.exp(-(a - 0.5).clamp(min=0) / scale) * 0.5 * (1 - torch.exp(-1 / scale))
    p = torch.where(a < 0.5, inside, outside)
    # far tail: the probability underflows, its logarithm is linear
    tail = ((a - 0.5) / scale) / math.log(2) + 1
    return torch.where(p > 1e-6, -torch.log2(p.clamp(min=1e-6)), tail.clamp(min=0, max=400))
