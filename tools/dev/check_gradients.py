#!/usr/bin/env python3
"""Compares the gradients of one training step with PyTorch's.

    check_gradients.py [-s STEP_GRADIENTS] [-b BATCH] [--seeds N] [NETWORK.net ...]

Without networks: AlexNet, ZFNet, VGG, GoogLeNet, the Inception modules and the ResNets of pipelines/networks, at the sizes of
their publications. Dropout's rate is made 0 in a copy of the text, since the two draw different elements; all else is as
shipped, first contents are those that Sightline draws. PyTorch gets them, the input and the target from `step-gradients`
(built beside `sightline`), computes the graph of the ONNX file that this writes, and takes its own gradients.

A gradient jumps where a ReLU bends and where another element of a window becomes the largest. Among millions of elements
rounding takes some across, and all layers before such a one are off, whoever computes. So there are two questions: are the
gradients right for the branches that the step took, and does it take another branch only where rounding decides? All is
beside PyTorch's float64; an error is the largest difference in a tensor, of its largest element, in the worst tensor:

    smooth   error of Sightline with ELU for ReLU and means for maxima: nothing jumps

and of the network as shipped, first for Sightline, then for PyTorch's own float32:

    same     error, if float64 takes their branches
    flips    how many branches float64 would have taken otherwise
    widest   the input of a ReLU, or what a maximum lacks, at the widest of them, of the largest element of its tensor
    free     error, if float64 takes its own branches

Sightline's branches are read off the outputs of its ReLUs and the inputs of its maximum pools, in a step whose gradients
have the same bits as without. The exit status is 0 if Sightline's `smooth`, `same` and `widest` are at most 1e-4; of the two
as shipped, where PyTorch's own is more than half of that, at most twice as large. For developers: needs Python with numpy,
onnx and torch.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORKS = ("alexnet zfnet vgg16 vgg19 googlenet inception-v1-module inception-v2-module inception-v3-module "
            "resnet18 resnet34 resnet50 resnet101 resnet152 resnet20-cifar")
BOUND = 1e-4


def padded(x, kernel, attrs, fill):
    """x with the borders that `pads` or `auto_pad` says: PyTorch's own arguments know symmetric ones only."""
    pads = attrs.get("pads", [0] * 4)
    if attrs.get("auto_pad") == b"SAME_UPPER":
        strides, dilations = attrs.get("strides", [1, 1]), attrs.get("dilations", [1, 1])
        total = [max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n) for n, k, s, d in zip(x.shape[2:], kernel, strides, dilations)]
        pads = [n // 2 for n in total] + [n - n // 2 for n in total]
    else:
        assert attrs.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    return F.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=fill)


def convolution(x, attrs):
    return F.conv2d(padded(x[0], x[1].shape[2:], attrs, 0), x[1], x[2] if len(x) > 2 else None, attrs.get("strides", 1), 0,
                    attrs.get("dilations", 1), attrs.get("group", 1))


def max_pool(x, attrs):
    assert not attrs.get("ceil_mode")
    sizes = attrs["kernel_shape"], attrs.get("strides", 1)
    return F.max_pool2d(padded(x[0], sizes[0], attrs, -np.inf), *sizes, return_indices=True)


def average_pool(x, attrs):
    assert not attrs.get("count_include_pad") and not attrs.get("ceil_mode")
    sizes = attrs["kernel_shape"], attrs.get("strides", 1)
    inside = padded(torch.ones_like(x[0]), sizes[0], attrs, 0)
    return F.avg_pool2d(padded(x[0], sizes[0], attrs, 0), *sizes) / F.avg_pool2d(inside, *sizes)


def gemm(x, attrs):
    assert attrs.get("alpha", 1) == attrs.get("beta", 1) == 1
    a, b = (m.t() if attrs.get(side) else m for m, side in zip(x, ("transA", "transB")))
    return a @ b + (x[2] if len(x) > 2 else 0)


OPS = {
    "Add": lambda x, a: x[0] + x[1],
    "AveragePool": average_pool,
    "BatchNormalization": lambda x, a: F.batch_norm(x[0], None, None, x[1], x[2], True, 0.1, a.get("epsilon", 1e-5)),
    "Concat": lambda x, a: torch.cat(x, a["axis"]),
    "Conv": convolution,
    "Dropout": lambda x, a: x[0],
    "Elu": lambda x, a: F.elu(x[0], a.get("alpha", 1.0)),
    "Flatten": lambda x, a: x[0].flatten(a.get("axis", 1)),
    "Gemm": gemm,
    "GlobalAveragePool": lambda x, a: x[0].mean((2, 3), keepdim=True),
    "Identity": lambda x, a: x[0],
    "LRN": lambda x, a: F.local_response_norm(x[0], a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0)),
    "MatMul": lambda x, a: x[0] @ x[1],
    "MaxPool": lambda x, a: max_pool(x, a)[0],
    "ReduceMean": lambda x, a: x[0].mean(tuple(x[1].tolist()), keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda x, a: F.relu(x[0]),
    "Reshape": lambda x, a: x[0].reshape([int(n) for n in x[1]]),
    "Squeeze": lambda x, a: x[0].reshape([n for i, n in enumerate(x[0].shape) if i not in x[1]]),
}


def branch_tensors(model):
    """By output of the ReLUs and maximum pools: the tensor that tells which way their elements go."""
    return {n.output[0]: n.output[0] if n.op_type == "Relu" else n.input[0] for n in model.graph.node
            if n.op_type in ("Relu", "MaxPool")}


class Branches:
    """ReLUs and maximum pools that go the way of another computation, whose `tensors` are those of branch_tensors()."""

    def __init__(self, model, tensors):
        self.names, self.tensors = branch_tensors(model), tensors
        self.flips, self.widest = 0, 0.0

    def compute(self, node, x, attrs):
        told = torch.from_numpy(self.tensors[self.names[node.output[0]]])
        if node.op_type == "Relu":
            y = x * (told > 0)
        else:
            _, at = max_pool([told], attrs)
            y = padded(x, attrs["kernel_shape"], attrs, -np.inf).flatten(2).gather(2, at.flatten(2)).reshape(at.shape)
        with torch.no_grad():
            off = (OPS[node.op_type]([x], attrs) - y).abs()
            self.flips += int((off > 0).sum())
            self.widest = max(self.widest, float(off.max() / x.abs().max()))
        return y


def gradients_of(model, x, target, names, dtype, branches=None, keep=()):
    """Gradients by name, and the values to keep, computed in `dtype`. The Softmax at the end is taken into the loss, as in
    training."""
    values = {}
    for tensor in model.graph.initializer:
        array = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        values[tensor.name] = array.to(dtype) if array.is_floating_point() else array
    for name in names:
        values[name].requires_grad_(True)
    values[model.graph.input[0].name] = torch.from_numpy(x).to(dtype)
    for node in model.graph.node:
        inputs = [values[name] for name in node.input if name]
        if node.op_type == "Softmax" and node.output[0] == model.graph.output[0].name:
            loss = -(F.log_softmax(inputs[0], 1) * torch.from_numpy(target).to(dtype)).sum(1).mean()
            break
        attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if branches and node.output[0] in branches.names:
            values[node.output[0]] = branches.compute(node, inputs[0], attrs)
        else:
            values[node.output[0]] = OPS[node.op_type](inputs, attrs)
    loss.backward()
    return {name: values[name].grad.numpy() for name in names}, {name: values[name].detach().numpy() for name in keep}


def worst(got, wanted):
    """The largest difference in a tensor, of its largest element; of all tensors the worst, with its name."""
    return max((np.abs(got[name] - wanted[name]).max() / max(np.abs(wanted[name]).max(), np.finfo(np.float32).tiny), name)
               for name in wanted)


def read_tensors(path):
    data, tensors = np.fromfile(path.with_suffix(".bin"), np.float32), {}
    for line in path.with_suffix(".txt").read_text().splitlines():
        name, *dims = line.split(" ")
        dims = [int(d) for d in dims]
        tensors[name], data = data[:np.prod(dims)].reshape(dims), data[np.prod(dims):]
    assert not data.size
    return tensors


def step(program, text, batch, seed):
    """The network, what the step saw and wanted, its gradients, and what its ReLUs and maximum pools went by."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "step.net").write_text(re.sub(r"(?m)^(\s*Dropout)\s+\S+", r"\1 0", text))
        command = [program, "--batch", str(batch), "--seed", str(seed), folder / "step.net", folder]
        subprocess.run(command, check=True)
        model = onnx.load(folder / "model.onnx")
        names, branches = set(branch_tensors(model).values()), {}
        if names:
            plain = (folder / "gradients.bin").read_bytes()
            subprocess.run(command + ["--tap=" + name for name in names], check=True)
            assert (folder / "gradients.bin").read_bytes() == plain, "the step with taps is another one"
            branches = read_tensors(folder / "taps")
        shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
        x = np.fromfile(folder / "input.bin", np.float32).reshape(batch, *shape)
        target = np.fromfile(folder / "target.bin", np.float32).reshape(batch, -1)
        return model, x, target, read_tensors(folder / "gradients"), branches


SMOOTH = ((r"\brelu\b", "elu"), (r"\bReLU\b", "ELU"), (r"\bMaxPooling", "AveragePooling"))


def smooth_error(program, text, batch, seed):
    for pattern, replacement in SMOOTH:
        text = re.sub(pattern, replacement, text)
    model, x, target, ours, _ = step(program, text, batch, seed)
    return worst(ours, gradients_of(model, x, target, ours, torch.float64)[0])


def check(program, network, batch, seed):
    smooth, smooth_where = smooth_error(program, network.read_text(), batch, seed)
    model, x, target, ours, our_branches = step(program, network.read_text(), batch, seed)
    single, branches = gradients_of(model, x, target, ours, torch.float32, keep=set(branch_tensors(model).values()))
    sides = (ours, our_branches), (single, branches)
    free, _ = gradients_of(model, x, target, ours, torch.float64)
    apart = [worst(got, free)[0] for got, _ in sides]
    del free
    line = "%-19s %4d %12s | %7.1e" % (network.stem, seed, "{:,}".format(sum(a.size for a in ours.values())), smooth)
    figures = []
    for (got, told), far in zip(sides, apart):
        taken = Branches(model, told)
        same, where = worst(got, gradients_of(model, x, target, ours, torch.float64, taken)[0])
        figures.append((same, taken.widest, where))
        line += " | %7.1e %6d %7.1e %7.1e" % (same, taken.flips, taken.widest, far)
    (same, widest, where), (own_same, own_widest, _) = figures
    fails = []
    if smooth > BOUND:
        fails.append("smooth: " + smooth_where)
    if same > max(BOUND, 2 * own_same) or widest > max(BOUND, 2 * own_widest):
        fails.append(where)
    print(line, *fails, flush=True)
    return not fails


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--step-gradients", default=ROOT / "build/tools/step-gradients")
    parser.add_argument("-b", "--batch", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1, help="each network with the seeds 1 to N")
    parser.add_argument("network", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    networks = args.network or [ROOT / "pipelines/networks" / (name + ".net") for name in NETWORKS.split()]
    print("%-19s %4s %12s | %7s" % ("network", "seed", "parameters", "smooth")
          + " | %7s %6s %7s %7s" % ("same", "flips", "widest", "free") * 2)
    results = [check(args.step_gradients, network, args.batch, seed) for network in networks for seed in range(1, args.seeds + 1)]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
