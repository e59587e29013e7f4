#!/usr/bin/env python3
"""Compares the gradients of one training step with PyTorch's.

    check_gradients.py [-s STEP_GRADIENTS] [-b BATCH] [--seeds N] [NETWORK.net ...]

Without networks: AlexNet, ZFNet, VGG, GoogLeNet, the Inception modules and the ResNets of pipelines/networks, at the sizes of
their publications. Dropout's rate is made 0 in a copy of the text, since the two draw different elements; all else is as
shipped, first contents are those that Sightline draws. PyTorch gets them, the input and the target from `step-gradients`
(built beside `sightline`), computes the graph of the ONNX file that this writes, and takes its own gradients, in float64 and
in float32. A figure is the largest difference in a tensor, of the largest element of the wanted one; printed is the worst
tensor's:

    smooth   ours from PyTorch's float64, with ELU for ReLU and means for maxima
    shipped  ours from PyTorch's float64, as shipped
    own      PyTorch's float32 from its float64, as shipped

The gradient jumps where a ReLU bends or another element of a window is the largest; among millions of elements rounding
takes some across, and all layers before such a one are off, in PyTorch's own float32 as in ours. `shipped` and `own` are those
of the seed, of --seeds, in which ours is closest. The exit status is 0 if every `smooth` is at most 1e-4. For developers:
needs Python with numpy, onnx and torch.
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
    return F.max_pool2d(padded(x[0], sizes[0], attrs, -np.inf), *sizes)


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
    "MaxPool": max_pool,
    "ReduceMean": lambda x, a: x[0].mean(tuple(x[1].tolist()), keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda x, a: F.relu(x[0]),
    "Reshape": lambda x, a: x[0].reshape([int(n) for n in x[1]]),
    "Squeeze": lambda x, a: x[0].reshape([n for i, n in enumerate(x[0].shape) if i not in x[1]]),
}


def gradients_of(model, x, target, names, dtype):
    """Gradients by name, computed in `dtype`. The Softmax at the end is taken into the loss, as in training."""
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
        values[node.output[0]] = OPS[node.op_type](inputs, attrs)
    loss.backward()
    return {name: values[name].grad.double().numpy() for name in names}


def worst(got, wanted):
    """The largest difference in a tensor, of its largest element; of all tensors the worst, with its name."""
    return max((np.abs(got[name] - wanted[name]).max() / max(np.abs(wanted[name]).max(), np.finfo(np.float32).tiny), name)
               for name in wanted)


SMOOTH = ((r"\brelu\b", "elu"), (r"\bReLU\b", "ELU"), (r"\bMaxPooling", "AveragePooling"))


def compare(program, text, batch, seed):
    """Our distance, PyTorch's own, the number of parameters and our worst tensor's name."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "step.net").write_text(re.sub(r"(?m)^(\s*Dropout)\s+\S+", r"\1 0", text))
        subprocess.run([program, "--batch", str(batch), "--seed", str(seed), folder / "step.net", folder], check=True,
                       stdout=subprocess.DEVNULL)
        model = onnx.load(folder / "model.onnx")
        shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
        x = np.fromfile(folder / "input.bin", np.float32).reshape(batch, *shape)
        target = np.fromfile(folder / "target.bin", np.float32).reshape(batch, -1)
        data, ours = np.fromfile(folder / "gradients.bin", np.float32), {}
        for line in (folder / "gradients.txt").read_text().splitlines():
            name, *dims = line.split(" ")
            dims = [int(d) for d in dims]
            ours[name], data = data[:np.prod(dims)].reshape(dims), data[np.prod(dims):]
        assert not data.size
    double = gradients_of(model, x, target, ours, torch.float64)
    own, _ = worst(gradients_of(model, x, target, ours, torch.float32), double)
    error, where = worst(ours, double)
    return error, own, sum(a.size for a in ours.values()), where


def check(program, network, batch, seeds):
    text = smooth_text = network.read_text()
    for pattern, replacement in SMOOTH:
        smooth_text = re.sub(pattern, replacement, smooth_text)
    smooth = compare(program, smooth_text, batch, 1)[0]
    shipped, own, n, where = min(compare(program, text, batch, seed) for seed in range(1, seeds + 1))
    print("%-20s %12s %9.1e %9.1e %9.1e   %s" % (network.stem, "{:,}".format(n), smooth, shipped, own, where), flush=True)
    return smooth <= BOUND


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--step-gradients", default=ROOT / "build/tools/step-gradients")
    parser.add_argument("-b", "--batch", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("network", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    networks = args.network or [ROOT / "pipelines/networks" / (name + ".net") for name in NETWORKS.split()]
    print("%-20s %12s %9s %9s %9s   %s" % ("network", "parameters", "smooth", "shipped", "own", "worst of shipped"))
    sys.exit(not all([check(args.step_gradients, network, args.batch, args.seeds) for network in networks]))


if __name__ == "__main__":
    main()
