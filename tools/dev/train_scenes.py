#!/usr/bin/env python3
"""Trains the `scenes` network on synthetic pictures and writes it as ONNX.

    train_scenes.py BUILD/tools/scene-frames pipelines/models/scenes.onnx

Needs PyTorch, NumPy, Pillow and onnx (Debian: python3-torch python3-pil python3-onnx). A developer's
tool: nothing of it is needed to build or run Sightline. The head is global average pooling and one
dense layer, so class activation maps are exact; the boxes, which the scenes know, teach the map of the
true class to cover the shape.
"""
import argparse
import base64
import io
import subprocess
import tempfile
import time

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

SIZE = 96  # of the network's input
GRID = SIZE // 8  # of its last feature map
MEAN, STD = 0.5, 0.25
LABELS = "arrow bolt circle crescent cross heart ring square star triangle nothing".split()

# What frames look like in the field: (size, share). Each is stretched to SIZE x SIZE.
SHAPES = [("320x180", 5), ("240x180", 3), ("180x180", 3), ("180x320", 2), ("640x360", 1),
          ("160x120", 2), ("96x96", 1)]


def occupancy(x, y, w, h, width, height):
    """How much of each cell of the feature map lies inside the box, 0 to 255."""
    def cover(low, high):
        edges = np.arange(GRID + 1)
        return np.clip(np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1]), 0, 1)
    across = cover(x * GRID / width, (x + w) * GRID / width)
    down = cover(y * GRID / height, (y + h) * GRID / height)
    return (255 * down[:, None] * across).astype(np.uint8)


def render(tool, size, count, seed):
    """Yields (HxWx3 picture, label index, box x, y, w, h) of random scenes."""
    width, height = map(int, size.split("x"))
    with tempfile.NamedTemporaryFile("r") as truth:
        process = subprocess.Popen([tool, "--size", size, "--count", str(count), "--seed", str(seed),
                                    "--truth", truth.name], stdout=subprocess.PIPE)
        pictures = (process.stdout.read(width * height * 3) for _ in range(count))
        pictures = [np.frombuffer(p, np.uint8).reshape(height, width, 3) for p in pictures]
        if process.wait() != 0:
            raise SystemExit("%s failed" % tool)
        rows = [line.split("\t") for line in truth]
    for picture, (label, *box) in zip(pictures, rows):
        yield picture, LABELS.index(label), [float(v) for v in box]


def photograph(picture, random):
    """The picture as it comes out of a camera or a decoder, at the network's size."""
    image = Image.fromarray(picture)
    if random.random() < 0.7:
        coded = io.BytesIO()
        image.save(coded, "JPEG", quality=int(random.integers(20, 96)))
        image = Image.open(coded)
    return np.asarray(image.resize((SIZE, SIZE), Image.BILINEAR))


def samples(tool, count, seed):
    """Returns pictures (N, SIZE, SIZE, 3), labels (N) and occupancies (N, GRID, GRID)."""
    random = np.random.default_rng(seed)
    total, xs, ys, maps = sum(share for _, share in SHAPES), [], [], []
    for index, (size, share) in enumerate(SHAPES):
        width, height = map(int, size.split("x"))
        left, part = count * share // total, 0
        while left > 0:  # in pieces, so that the raw pictures never fill the memory
            n = min(left, 1100)
            for picture, label, box in render(tool, size, n, seed * 1000 + index * 100 + part):
                xs.append(photograph(picture, random))
                ys.append(label)
                maps.append(occupancy(*box, width, height))
            left, part = left - n, part + 1
    return torch.from_numpy(np.stack(xs)), torch.tensor(ys), torch.from_numpy(np.stack(maps))


def conv(inputs, outputs, kernel=3, stride=1, groups=1):
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs)]


class Block(nn.Module):
    """Depthwise 3x3, then 1x1, around which the input is carried."""
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(*conv(width, width, groups=width), nn.ReLU(),
                                  *conv(width, width, 1))

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Scenes(nn.Module):
    def __init__(self, width=64, blocks=6):
        super().__init__()
        self.features = nn.Sequential(
            *conv(3, 16, stride=2), nn.ReLU(),
            *conv(16, 32, stride=2), nn.ReLU(),
            *conv(32, width, stride=2), nn.ReLU(),
            *(Block(width) for _ in range(blocks)))
        self.classes = nn.Linear(width, len(LABELS))

    def forward(self, x):
        pooled = torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1)
        return torch.softmax(self.classes(pooled), 1)

    def maps(self, x):
        """The class activation maps with the bias: their mean over the grid is the logits."""
        return F.conv2d(self.features(x), self.classes.weight[:, :, None, None], self.classes.bias)


def normalise(pictures):
    return (pictures.permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def vary(x, maps):
    """Flips, quarter turns, swapped colours, another exposure: none changes the class."""
    turns = int(torch.randint(4, ()))
    x, maps = torch.rot90(x, turns, (2, 3)), torch.rot90(maps, turns, (1, 2))
    if torch.rand(()) < 0.5:
        x, maps = x.flip(3), maps.flip(2)
    x = x[:, torch.randperm(3)]
    n = len(x)
    gain, lift = torch.empty(n, 3, 1, 1).uniform_(0.75, 1.25), torch.empty(n, 1, 1, 1).uniform_(-0.4, 0.4)
    low, high = (0 - MEAN) / STD, (1 - MEAN) / STD
    return (x * gain + lift).clamp(low, high).contiguous(memory_format=torch.channels_last), maps


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        right = [net(normalise(part)).argmax(1) == truth
                 for part, truth in zip(x.split(256), y.split(256))]
    net.train()
    return float(torch.cat(right).float().mean())


def train(net, data, held_out, epochs, batch):
    x, y, maps = data
    shape = nn.Parameter(torch.tensor([0.1, 0.0]))  # from a map's values to "inside the box"
    decay = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1] + [shape]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02},
                                   {"params": plain, "weight_decay": 0.0}])
    steps = len(x) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, epochs * steps, pct_start=0.2)
    begin = time.time()
    for epoch in range(epochs):
        order, total = torch.randperm(len(x)), 0.0
        for part in order[:steps * batch].split(batch):
            pictures, inside = vary(normalise(x[part]), maps[part].float() / 255)
            found = net.maps(pictures)
            loss = F.cross_entropy(found.mean((2, 3)), y[part], label_smoothing=0.02)
            true = found[torch.arange(len(part)), y[part]]
            there = y[part] != LABELS.index("nothing")
            cover = F.binary_cross_entropy_with_logits(shape[0] * true + shape[1], inside,
                                                       reduction="none").mean((1, 2))
            loss = loss + 0.3 * (cover * there).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss)
        print("epoch %d loss %.4f accuracy on a fifth of the held-out %.4f after %.0f s" %
              (epoch + 1, total / steps, accuracy(net, held_out[0][::5], held_out[1][::5]), time.time() - begin), flush=True)


def export(net, path, golden, scores, origin):
    net.eval()
    torch.onnx.export(net, normalise(golden[None]), path, opset_version=13, input_names=["picture"],
                      output_names=["scores"], dynamic_axes={"picture": {0: "N"}, "scores": {0: "N"}})
    with torch.no_grad():
        output = net.double()(normalise(golden[None]).double())[0]
    model = onnx.load(path)
    model.graph.name = "scenes"
    onnx.helper.set_model_props(model, {"sightline." + key: value for key, value in {
        "version": "1",
        "labels": "\n".join(LABELS),
        "color": "rgb",
        "range": "0..1",
        "mean": ",".join([str(MEAN)] * 3),
        "std": ",".join([str(STD)] * 3),
        "resize": "stretch",
        "antialias": "true",
        "output": "probabilities",
        "origin": origin,
        "scores": scores,
        "golden-input": base64.b64encode(golden.numpy().tobytes()).decode(),
        "golden-output": ",".join("%.9g" % v for v in output),
        "license": "LGPL-2.1-or-later",
    }.items()})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description="train the scenes network")
    parser.add_argument("frames", help="the scene-frames program of the build")
    parser.add_argument("output", help="the ONNX file")
    parser.add_argument("--count", type=int, default=24000, help="training pictures")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    # One thread: the same sums in the same order every time, and no slower beside other work.
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    net = Scenes().to(memory_format=torch.channels_last)
    print("%d parameters" % sum(p.numel() for p in net.parameters()))
    held_out = samples(args.frames, 5100, args.seed + 1000)
    data = samples(args.frames, args.count, args.seed)
    print("%d pictures to learn from, %d held out" % (len(data[1]), len(held_out[1])), flush=True)
    train(net, data, held_out, args.epochs, args.batch)
    score = "accuracy %.4f on %d held-out scenes" % (accuracy(net, *held_out[:2]), len(held_out[1]))
    golden = held_out[0][LABELS.index("heart")].clone()
    export(net, args.output, golden, score,
           "tools/dev/train_scenes.py --count %d --epochs %d --batch %d --seed %d" %
           (args.count, args.epochs, args.batch, args.seed))
    print(score)


if __name__ == "__main__":
    main()
