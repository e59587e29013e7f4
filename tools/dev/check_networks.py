#!/usr/bin/env python3
"""Compares whole networks with ONNX Runtime, on noise and on a photograph.

    check_networks.py [-s SIGHTLINE] [-d cpu|ref] [-p PHOTO] [--scaled 1e-4] FOLDER ...

Each FOLDER holds a model.onnx. ONNX Runtime computes the outputs, `sightline check` compares: the largest difference has to
be at most 1e-4 of the largest number of each output. Two lines a network: result, difference, largest number. The exit
status is 1 if one fails. For developers: needs Python with numpy, Pillow, onnx and onnxruntime.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
from onnx import numpy_helper
from PIL import Image

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def noise(shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def photograph(path, shape):
    """The middle of the picture at the network's size, channels first, as most networks are trained."""
    n, channels, height, width = shape
    picture = Image.open(path).convert("RGB" if channels == 3 else "L")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.resize((width, height), Image.BILINEAR, box=(left, top, left + side, top + side))
    x = np.asarray(picture, np.float32).reshape(height, width, channels) / 255
    x = (x - MEAN) / STD if channels == 3 else x
    return np.repeat(x.transpose(2, 0, 1)[None], n, 0)


def write_case(case, model, feeds, session):
    case.mkdir()
    (case / "model.onnx").symlink_to(model)
    for i, feed in enumerate(feeds):
        folder = case / ("test_data_set_%d" % i)
        folder.mkdir()
        ports = [p.name for p in session.get_inputs()]
        for k, array in enumerate(feed[name] for name in ports):
            (folder / ("input_%d.pb" % k)).write_bytes(numpy_helper.from_array(np.ascontiguousarray(array)).SerializeToString())
        for k, array in enumerate(session.run(None, feed)):
            (folder / ("output_%d.pb" % k)).write_bytes(numpy_helper.from_array(array).SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-d", "--device", default="cpu")
    parser.add_argument("-p", "--photo")
    parser.add_argument("--scaled", default="1e-4")
    parser.add_argument("--half", action="store_const", const=["--half"], default=[])
    parser.add_argument("folder", nargs="+")
    args = parser.parse_args()
    failed = 0
    for folder in map(pathlib.Path, args.folder):
        model = (folder / "model.onnx").resolve()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        shape = [d if isinstance(d, int) else 1 for d in port.shape]
        inputs = {"noise": noise(shape)}
        if args.photo and len(shape) == 4 and shape[1] in (1, 3):
            inputs["photo"] = photograph(args.photo, shape)
        with tempfile.TemporaryDirectory() as scratch:
            for what, x in inputs.items():
                case = pathlib.Path(scratch) / ("%s-%s" % (folder.name, what))
                write_case(case, model, [{port.name: x}], session)
                run = subprocess.run([args.sightline, "check", "-d", args.device, "--rtol", "0", "--atol", "0", "--scaled",
                                      args.scaled, "--show", *args.half, os.fspath(case)], capture_output=True, text=True, check=False)
                print((run.stdout.splitlines() or [run.stderr.strip()])[0], flush=True)
                failed += run.returncode != 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
