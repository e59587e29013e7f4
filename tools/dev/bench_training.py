#!/usr/bin/python3
"""Times training steps of `sightline bench --train` and of PyTorch in turn: the same networks, optimisers and batches.

    bench_training.py [-s SIGHTLINE] [-t THREADS] [-r ROUNDS] [-S SECONDS] [NETWORK ...]

Both train on noise that lies in memory, so that nothing but steps is timed: forward pass, loss, gradients, optimiser. Short slots
are interleaved, so that a busy machine hurts both alike. Prints images a second of the fastest and of the median step over all
rounds, and the ratio of the fastest: above 1 Sightline is faster. PyTorch runs with its pictures channels first and channels
last, and counts with the faster of the two. For developers: needs Python with torch, and a BLAS that is made for speed, such
as libopenblas0, which Debian's PyTorch then uses for its matrix products.
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
from torch import nn


def same(kernel, stride=1):
    """Keras's padding=same of even kernels: what is over stands at the right and below."""
    total = kernel - stride
    return nn.ZeroPad2d((total // 2, total - total // 2) * 2)


def mnist_mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 512), nn.ReLU(),
                         nn.Dropout(0.2), nn.Linear(512, 10))


def cifar_cnn_keras():
    def stage(channels, filters):
        return [same(2), nn.Conv2d(channels, filters, 2), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*stage(3, 16), *stage(16, 32), *stage(32, 64), nn.Flatten(), nn.Linear(1024, 500), nn.ReLU(),
                         nn.Linear(500, 10))


def fashion_cnn():
    def stage(channels, filters):
        return [nn.Conv2d(channels, filters, 3, padding=1), nn.LeakyReLU(0.1), nn.MaxPool2d(2, ceil_mode=True)]
    return nn.Sequential(*stage(1, 32), *stage(32, 64), *stage(64, 128), nn.Flatten(), nn.Linear(2048, 128),
                         nn.LeakyReLU(0.1), nn.Linear(128, 10))


def lenet5():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(),
                         nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
                         nn.Linear(84, 10))


def normed(channels, filters, kernel, stride=1):
    return nn.Sequential(nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(filters))


class Residual(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.main = nn.Sequential(normed(channels, filters, 3, stride), nn.ReLU(True), normed(filters, filters, 3))
        self.short = normed(channels, filters, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu_(self.main(x) + self.short(x))


def resnet20():
    layers, channels = [normed(3, 16, 3), nn.ReLU(True)], 16
    for filters in (16, 32, 64):
        for i in range(3):
            layers.append(Residual(channels, filters, 2 if i == 0 and filters > 16 else 1))
            channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def rmsprop(parameters):
    return torch.optim.RMSprop(parameters, 1e-3, alpha=0.9, eps=1e-7)


def adam(parameters):
    return torch.optim.Adam(parameters, 1e-3, eps=1e-7)


def sgd(momentum):
    return lambda parameters: torch.optim.SGD(parameters, 1e-2, momentum=momentum)


# Name: PyTorch's network, input, batch, PyTorch's optimiser, ours, what the ratio should be.
CASES = {
    "fashion-cnn": (fashion_cnn, (1, 28, 28), 64, adam, ["--optimizer", "adam"], 1.5),
    "cifar-cnn-keras": (cifar_cnn_keras, (3, 32, 32), 32, adam, ["--optimizer", "adam"], 2),
    "mnist-mlp": (mnist_mlp, (1, 28, 28), 128, rmsprop, ["--optimizer", "rmsprop"], 1.3),
    "lenet5": (lenet5, (1, 28, 28), 64, sgd(0), ["--optimizer", "sgd"], 1.5),
    "resnet20-cifar": (resnet20, (3, 32, 32), 64, sgd(0.9), ["--optimizer", "sgd", "--set", "optimizer.momentum=0.9"], 1.1),
}


def has_fast_blas():
    with open("/proc/self/maps") as maps:
        return any(name in line for line in maps for name in ("openblas", "blis", "mkl_"))


class Peer:
    """PyTorch's side; `layout` is that of pictures in memory."""
    def __init__(self, make, shape, batch, optimizer, layout):
        torch.manual_seed(1)
        self.network = make().to(memory_format=layout)
        self.optimizer = optimizer(self.network.parameters())
        self.loss = nn.CrossEntropyLoss()
        self.input = torch.randn(batch, *shape).to(memory_format=layout)
        self.target = torch.arange(batch) % 10
        self.parameters = sum(p.numel() for p in self.network.parameters())

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.network(self.input), self.target).backward()
        self.optimizer.step()

    def time(self, seconds):
        """Milliseconds of steps: the least and the median."""
        for _ in range(3):
            self.step()
        times, end = [], time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - start) * 1e3)
        return min(times), statistics.median(times)


def time_ours(args, name, batch, options, parameters):
    command = [args.sightline, "bench", "--train", name, "--batch", str(batch), *options, "-d", "cpu", "--threads", str(args.threads),
               "--seconds", str(args.seconds), "-f", "json"]
    row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if row["parameters"] != parameters:
        raise SystemExit("%s: %d parameters, PyTorch's network has %d" % (name, row["parameters"], parameters))
    return row["min_ms"], row["median_ms"]


def compare(args, name):
    make, shape, batch, optimizer, options, target = CASES[name]
    peers = [Peer(make, shape, batch, optimizer, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    slots = [[], [], []]
    for _ in range(args.rounds):
        slots[0].append(peers[0].time(args.seconds))
        slots[1].append(peers[1].time(args.seconds))
        slots[2].append(time_ours(args, name, batch, options, peers[0].parameters))
    times = min(slots[:2], key=lambda rows: min(row[0] for row in rows)), slots[2]
    best = [batch * 1e3 / min(row[0] for row in rows) for rows in times]
    usual = [batch * 1e3 / statistics.median(row[1] for row in rows) for rows in times]
    print("%-16s %5d %9.0f / %6.0f %9.0f / %6.0f %8.2f %7.1f"
          % (name, batch, best[0], usual[0], best[1], usual[1], best[1] / best[0], target), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("-S", "--seconds", type=float, default=0.5, help="of a slot")
    parser.add_argument("network", nargs="*", metavar="NETWORK", help="of %s (default: all)" % ", ".join(CASES))
    args = parser.parse_args()
    for name in args.network:
        if name not in CASES:
            parser.error("unknown network %s" % name)
    torch.set_num_threads(args.threads)
    if not has_fast_blas():
        print("PyTorch uses a slow BLAS here; with libopenblas0 it is several times as fast")
    print("images a second, best / median, %d threads" % args.threads)
    print("%-16s %5s %18s %18s %8s %7s" % ("network", "batch", "PyTorch " + torch.__version__[:6], "Sightline", "ratio", "target"))
    for name in args.network or CASES:
        compare(args, name)


if __name__ == "__main__":
    main()
