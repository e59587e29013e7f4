#!/usr/bin/env python3
"""Compares the maps of `sightline heatmap` by each method with those that PyTorch's autograd gives for the same ONNX file.

    check_explain.py [-s SIGHTLINE] [-n PICTURES] [--method METHOD ...] [--layer NAME] DATA [MODEL.onnx ...]

DATA is the folder with real networks and photographs; without models: a ResNet for CIFAR-10, SqueezeNet, MobileNet and LeNet
of it. The other side computes the graph in PyTorch, node by node, on pictures that Pillow resizes, and takes its own
gradients of the logit; the formulas are written here anew from the papers. Maps of the best class are compared as they are
drawn: what is below 0 is 0. For developers: needs Python with numpy, Pillow, onnx and torch. Prints a line a network and
method with the worst and the median correlation; the exit status is 1 if a median is below 0.99.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

import check_cam
import check_gradients

NETWORKS = ("akamaster_resnet20_cifar10", "winml_SqueezeNet_fp32", "nns_mobilenet_v2_onnxzoo", "nns_lenet_caffe")
RULES = dict(check_cam.NETWORKS, nns_lenet_caffe={"range": "0..1", "color": "gray"})
METHODS = "gradcam gradcam++ hirescam layercam eigencam saliency integrated-gradients".split()
STEPS = 32
LEAST = 0.99


def max_pool(x, a):
    pads = a.get("pads", [0] * 4)
    x = F.pad(x[0], (pads[1], pads[3], pads[0], pads[2]), value=-np.inf)
    return F.max_pool2d(x, a["kernel_shape"], a.get("strides", 1), ceil_mode=bool(a.get("ceil_mode", 0)))


def clip(x, a):
    low, high = (x[1], x[2]) if len(x) > 2 else (a["min"], a["max"])
    return torch.clamp(x[0], float(low), float(high))


OPS = dict(check_gradients.OPS, **{
    "BatchNormalization": lambda x, a: F.batch_norm(x[0], x[3], x[4], x[1], x[2], False, 0, a.get("epsilon", 1e-5)),
    "Clip": clip,
    "Constant": lambda x, a: torch.from_numpy(numpy_helper.to_array(a["value"]).copy()),
    "MaxPool": max_pool,
    "Pad": lambda x, a: F.pad(x[0], [int(n) for n in pads_of(x, a)]),
    "Reshape": lambda x, a: x[0].reshape([x[0].shape[i] if n == 0 else int(n) for i, n in enumerate(x[1])]),
    "Slice": lambda x, a: sliced(x[0], *[part.tolist() for part in x[1:]]),
})


def pads_of(x, a):
    pads = [int(n) for n in (x[1] if len(x) > 1 else a["pads"])]
    half = len(pads) // 2
    return [n for i in reversed(range(half)) for n in (pads[i], pads[half + i])]


def sliced(x, starts, ends, axes=None, steps=None):
    for axis, start, end, step in zip(axes or range(len(starts)), starts, ends, steps or [1] * len(starts)):
        x = x.index_select(axis, torch.arange(*slice(start, end, step).indices(x.shape[axis])))
    return x


class Network:
    """The graph in PyTorch, from the input or from any of its values on."""

    def __init__(self, path):
        self.graph = onnx.load(path).graph
        self.constants = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in self.graph.initializer}
        self.input = [port for port in self.graph.input if port.name not in self.constants][0]
        end = self.graph.node[-1]
        while end.op_type in ("Softmax", "Reshape", "Flatten") and end.op_type != "Softmax":
            end = next(node for node in self.graph.node if node.output[0] == end.input[0])
        self.logits = end.input[0] if end.op_type == "Softmax" else self.graph.node[-1].output[0]

    def compute(self, x, keep=()):
        """Logits, and the values to keep with their gradients to come."""
        values = dict(self.constants, **{self.input.name: x})
        for node in self.graph.node:
            if self.logits in values:
                break
            attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            y = OPS[node.op_type]([values[name] for name in node.input if name], attrs)
            if node.output[0] in keep:
                y.retain_grad()
            values[node.output[0]] = y
        return values[self.logits].reshape(len(x), -1), values

    def last_layer(self, x):
        """The last feature maps of more than one position that are no pool's."""
        _, values = self.compute(x)
        return [node.output[0] for node in self.graph.node if node.output[0] in values and "Pool" not in node.op_type and
                values[node.output[0]].dim() == 4 and values[node.output[0]].shape[2] > 1][-1]


def gradient(network, x, klass, layer):
    x = x.clone().requires_grad_(True)
    logits, values = network.compute(x, (layer,))
    logits[:, klass].sum().backward()
    at = values[layer] if layer else x
    return at.detach().double(), at.grad.double()


def reference(network, method, x, klass, layer):
    if method == "saliency":
        return gradient(network, x, klass, None)[1][0].abs().amax(0)
    if method == "integrated-gradients":
        parts = (torch.arange(STEPS) + 0.5) / STEPS
        _, g = gradient(network, x * parts[:, None, None, None], klass, None)
        return (x.double() * g.mean(0))[0].sum(0)
    a, g = (t[0] for t in gradient(network, x, klass, layer))
    if method == "gradcam":
        return (g.mean((1, 2), keepdim=True) * a).sum(0)
    if method == "gradcam++":
        alpha = g ** 2 / (2 * g ** 2 + a.sum((1, 2), keepdim=True) * g ** 3)
        weights = (torch.where(g > 0, alpha, torch.zeros(())) * g.clamp(min=0)).sum((1, 2), keepdim=True)
        return (weights * a).sum(0)
    if method == "hirescam":
        return (g * a).sum(0)
    if method == "layercam":
        return (g.clamp(min=0) * a).sum(0)
    matrix = a.flatten(1).T
    _, _, rows = torch.linalg.svd(matrix, full_matrices=False)
    map_ = matrix @ rows[0]
    return (map_ * map_.sum().sign()).reshape(a.shape[1:])


def check(args, model, method, pictures, folder):
    network = Network(model)
    dims = [d.dim_value for d in network.input.type.tensor_type.shape.dim]
    rules = dict(RULES.get(model.stem, check_cam.TORCH), resize="crop")
    rules["resize-size"] = str(round(dims[2] * 256 / 224))
    (folder / "rules.ini").write_text("[sightline]\n" + "".join("%s=%s\n" % rule for rule in rules.items()))
    layer = ["--layer", args.layer] if args.layer else []
    rows = check_cam.heatmaps(args, model, folder / "rules.ini", pictures, ["--method", method, *layer])
    found = []
    for path, row in zip(pictures, rows, strict=True):
        x = check_cam.prepare(path, rules, dims[2])
        if dims[1] == 1:
            x = (x * np.array([0.299, 0.587, 0.114], np.float32)[None, :, None, None]).sum(1, keepdims=True)
        x = torch.from_numpy(x)
        want = reference(network, method, x, row["index"], args.layer or network.last_layer(x)).clamp(min=0).flatten().numpy()
        got = np.array(row["values"]).clip(min=0)
        if want.std() > 0 or got.std() > 0:
            found.append((np.corrcoef(got, want)[0, 1], pathlib.Path(path).stem))
    median = statistics.median(value for value, _ in found)
    print("%s %-30s %-21s %3dx%-3d %2d pictures: worst correlation %.5f (%s), median %.6f"
          % ("ok  " if median >= LEAST else "FAIL", model.stem, method, rows[0]["width"], rows[0]["height"], len(found),
             *min(found), median), flush=True)
    return median >= LEAST


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-n", "--pictures", type=int, default=6)
    parser.add_argument("--method", action="append", choices=METHODS)
    parser.add_argument("--layer")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path, nargs="*")
    args = parser.parse_args()
    models = args.model or [args.data / "models" / (name + ".onnx") for name in NETWORKS]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pictures = check_cam.gather_photos(args.data, folder)[:args.pictures]
        good = [check(args, model, method, pictures, folder) for model in models for method in args.method or METHODS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
