#!/usr/bin/python3
"""Runs the recipes of pipelines/recipes/ with several seeds, in Sightline and, with the same recipe, in PyTorch.

    check_recipes.py -d DATA [-s SIGHTLINE] [-t THREADS] [--seeds N] [--side ours|peer|both] [-o RUNS.jsonl] [RECIPE ...]

Each run goes as a line of JSON to RUNS.jsonl, and a run that is there already is not repeated, so that this can be stopped and
called again. In the end the mean and the least (for a loss: the largest) of what the README gives is printed for each recipe.
PyTorch's side reads the recipe: split, optimiser, schedule, epochs, batch, and which epoch is kept; it has Keras's initialisers.
For developers: needs Python with torch and Pillow, and the data sets.
"""
import argparse
import configparser
import copy
import glob
import gzip
import io
import json
import math
import os
import statistics
import subprocess
import tarfile
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import bench_training as networks

RECIPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "pipelines", "recipes")


def autoencoder():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU(),
                         nn.Linear(64, 784), nn.Tanh())


def cifar_cnn_book():
    return nn.Sequential(networks.same(3, 2), nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
                         nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(),
                         nn.Linear(32, 10))


def mnist_cnn():
    def stage(channels, filters):
        return [nn.Conv2d(channels, filters, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*stage(1, 32), *stage(32, 64), nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(128, 10))


# Recipe: PyTorch's network (none: ours runs alone), the figure of the README, how many seeds at most.
CASES = {
    "mnist-mlp": (networks.mnist_mlp, "test", 3),
    "denoising-autoencoder": (autoencoder, "loss", 3),
    "cifar-cnn-keras": (networks.cifar_cnn_keras, "test", 3),
    "cifar-cnn-book": (cifar_cnn_book, "train", 3),
    "fashion-cnn": (networks.fashion_cnn, "test", 3),
    "lenet5": (networks.lenet5, "test", 3),
    "mnist-cnn": (mnist_cnn, "test", 3),
    "vgg-cifar": (None, "test", 1),
}


def read_recipe(name):
    recipe = configparser.ConfigParser()
    recipe.read(os.path.join(RECIPES, name + ".recipe"))
    return recipe


def read_idx(pattern):
    with gzip.open(glob.glob(pattern)[0]) as file:
        data = file.read()
    shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def read_pictures(folder):
    """The pictures CLASS/name.jpg below train and test of an archive, in the order of their names."""
    from PIL import Image
    rows = {"train": [], "test": []}
    with tarfile.open(glob.glob(folder + "/*jpg.tar.xz")[0]) as tar:
        for member in tar:
            if member.name.endswith(".jpg"):
                part, label, name = member.name.split("/")[-3:]
                rows[part].append((label, name, np.asarray(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))))
    classes = sorted({row[0] for row in rows["train"]})
    for part in ("train", "test"):
        rows[part].sort(key=lambda row: row[:2])
        yield np.stack([row[2] for row in rows[part]]).transpose(0, 3, 1, 2)
        yield np.array([classes.index(row[0]) for row in rows[part]])


def load(recipe, data):
    folder = os.path.join(data, recipe["data"]["path"])
    if glob.glob(folder + "/*-idx3-ubyte.gz"):
        parts = [read_idx(folder + pattern) for pattern in ("/train-images*", "/train-labels*", "/t10k-images*", "/t10k-labels*")]
        parts[0], parts[2] = parts[0][:, None], parts[2][:, None]
    else:
        parts = list(read_pictures(folder))
    scale = recipe["preprocess"] if recipe.has_section("preprocess") else {}
    divisor, mean, std = 1 if scale.get("range") == "0..255" else 255, float(scale.get("mean", 0)), float(scale.get("std", 1))
    for i in (0, 2):
        parts[i] = (torch.from_numpy(parts[i].copy()).float() / divisor - mean) / std
    return parts[0], torch.from_numpy(parts[1].astype(np.int64)), parts[2], torch.from_numpy(parts[3].astype(np.int64))


def split(recipe, count, generator):
    part = recipe["split"]
    held = round(count * float(part.get("validation", 0.1)))
    order = torch.arange(count) if part.get("by") == "last" else torch.randperm(count, generator=generator)
    return order[:count - held], order[count - held:]


def make_optimizer(recipe, parameters):
    keys = recipe["optimizer"]
    rate = float(keys.get("rate", 0.01 if keys["name"] == "sgd" else 0.001))
    if keys["name"] == "sgd":
        return torch.optim.SGD(parameters, rate, momentum=float(keys.get("momentum", 0)))
    if keys["name"] == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, alpha=0.9, eps=1e-7)
    return torch.optim.Adam(parameters, rate, eps=1e-7)


def make_schedule(recipe, optimizer, steps_per_epoch, epochs):
    """Constant, or a cosine to the end; before it a warm-up from a third of the rate."""
    keys = recipe["schedule"] if recipe.has_section("schedule") else {"name": "constant"}
    rate, warm_up = optimizer.param_groups[0]["lr"], float(keys.get("warm-up", 0)) * steps_per_epoch
    least = float(keys.get("min-rate", 0)) / rate

    def factor(step):
        if step < warm_up:
            return 1 / 3 + 2 / 3 * step / warm_up
        if keys["name"] != "cosine":
            return 1
        part = (step - warm_up) / (epochs * steps_per_epoch - warm_up)
        return least + (1 - least) * (1 + math.cos(math.pi * part)) / 2
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


class Peer:
    def __init__(self, recipe, make, data, seed):
        self.recipe, self.data = recipe, data
        torch.manual_seed(seed)
        self.random = torch.Generator().manual_seed(seed)
        self.network = make()
        for layer in self.network:
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.batch, self.epochs = int(recipe["train"]["batch"]), int(recipe["train"]["epochs"])
        self.mask = float(recipe["augment"]["mask"]) if recipe.has_section("augment") else 0
        self.smoothing = float(recipe["loss"].get("label-smoothing", 0)) if recipe.has_section("loss") else 0
        self.train_part, self.val_part = split(recipe, len(data[0]), self.random)
        self.optimizer = make_optimizer(recipe, self.network.parameters())
        steps = math.ceil(len(self.train_part) / self.batch)
        self.schedule = make_schedule(recipe, self.optimizer, steps, self.epochs)

    def judge(self, x, y):
        """Mean loss and part that is right."""
        self.network.eval()
        with torch.no_grad():
            out = torch.cat([self.network(part) for part in x.split(1000)])
            return F.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()

    def epoch(self):
        self.network.train()
        loss_sum = right = 0
        order = self.train_part[torch.randperm(len(self.train_part), generator=self.random)]
        for picks in order.split(self.batch):
            x, y = self.data[0][picks], self.data[1][picks]
            if self.mask:
                x = x.flatten(1)
                out = self.network(x * (torch.rand_like(x) >= self.mask))
                loss = F.mse_loss(out, x)
            else:
                out = self.network(x)
                loss = F.cross_entropy(out, y, label_smoothing=self.smoothing)
                right += (out.argmax(1) == y).sum().item()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            loss_sum += loss.item() * len(picks)
        return loss_sum / len(order), right / len(order)

    def run(self):
        keep_last, by_accuracy = self.recipe["train"].get("keep") == "last", self.recipe["train"].get("monitor") == "val-accuracy"
        best, kept = math.inf, None
        for epoch in range(self.epochs):
            loss, train = self.epoch()
            value = 0
            if not keep_last:
                val_loss, val_accuracy = self.judge(self.data[0][self.val_part], self.data[1][self.val_part])
                value = -val_accuracy if by_accuracy else val_loss
            if keep_last or value < best:
                best, kept = value, copy.deepcopy(self.network.state_dict())
        self.network.load_state_dict(kept)
        test = None if self.mask else self.judge(self.data[2], self.data[3])[1]
        return {"loss": loss, "train": train, "test": test}


def run_ours(args, name, seed):
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "net.onnx")
        environment = dict(os.environ, SIGHTLINE_DATA=args.data)
        subprocess.run([args.sightline, "train", os.path.join(RECIPES, name + ".recipe"), "--seed", str(seed), "-d", "cpu",
                        "-t", str(args.threads), "-o", model], check=True, env=environment, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "net.training", "history.jsonl")) as file:
            last = [json.loads(line) for line in file][-1]
        data = os.path.join(args.data, read_recipe(name)["data"]["path"])
        report = json.loads(subprocess.run([args.sightline, "evaluate", "-m", model, "--data", data, "-f", "json"], check=True,
                                           env=environment, capture_output=True, text=True).stdout)
    return {"loss": last["loss"], "train": last.get("accuracy"), "test": report.get("top1")}


def run(args, side, name, seed, loaded):
    start = time.time()
    if side == "ours":
        row = run_ours(args, name, seed)
        seconds = time.time() - start
    else:
        if name not in loaded:
            loaded.clear()
            loaded[name] = load(read_recipe(name), args.data)
        start = time.time()
        row = Peer(read_recipe(name), CASES[name][0], loaded[name], seed).run()
        seconds = time.time() - start
    return dict(row, side=side, recipe=name, seed=seed, seconds=round(seconds, 1), threads=args.threads)


def print_table(rows):
    print("%-22s %-10s %5s %9s %9s %9s" % ("recipe", "figure", "runs", "mean", "worst", "seconds"))
    for name, (_, figure, _) in CASES.items():
        for side in ("ours", "peer"):
            runs = [row for row in rows if row["recipe"] == name and row["side"] == side]
            if runs:
                values = [row[figure] for row in runs]
                print("%-22s %-10s %5d %9.4f %9.4f %9.0f %s"
                      % (name, figure, len(runs), statistics.mean(values), (max if figure == "loss" else min)(values),
                         statistics.median(row["seconds"] for row in runs), "" if side == "ours" else "PyTorch"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", "--data", required=True)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--side", choices=("ours", "peer", "both"), default="both")
    parser.add_argument("-o", "--output", default="recipe-runs.jsonl")
    parser.add_argument("recipe", nargs="*", metavar="RECIPE", help="of %s (default: all)" % ", ".join(CASES))
    args = parser.parse_args()
    for name in args.recipe:
        if name not in CASES:
            parser.error("unknown recipe %s" % name)
    torch.set_num_threads(args.threads)
    rows, loaded = [], {}
    if os.path.exists(args.output):
        with open(args.output) as file:
            rows = [json.loads(line) for line in file]
    done = {(row["side"], row["recipe"], row["seed"]) for row in rows}
    for name in args.recipe or CASES:
        for seed in range(1, min(args.seeds, CASES[name][2]) + 1):
            for side in ("ours", "peer") if args.side == "both" else (args.side,):
                if (side, name, seed) in done or (side == "peer" and not CASES[name][0]):
                    continue
                row = run(args, side, name, seed, loaded)
                rows.append(row)
                print(json.dumps(row), flush=True)
                with open(args.output, "a") as file:
                    file.write(json.dumps(row) + "\n")
    print_table(rows)


if __name__ == "__main__":
    main()
