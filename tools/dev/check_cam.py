#!/usr/bin/env python3
"""Compares the maps of `sightline heatmap` with class activation maps that numpy computes from the ONNX file.

    check_cam.py [-s SIGHTLINE] [-n FRAMES] DATA [MODEL.onnx ...]

DATA is the folder with real networks, photographs and clips. The other side shares nothing with Sightline: onnx finds the
average and the weights, Pillow resizes in floats, ONNX Runtime gives the feature maps. Both read the same pixels: each
photograph, and FRAMES frames of each clip, as PNG files. Each map is that of the best class, and of one class besides.
For developers: needs Python with numpy, Pillow, onnx and onnxruntime. Prints a line a network with the worst correlation
and the largest difference (against the map's largest value); the exit status is 1 if a correlation is below 0.999.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image

TF = {"range": "-1..1"}
CAFFE = {"range": "0..255", "color": "bgr", "mean": "104,117,123"}
TORCH = {"mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"}
# How the networks of DATA/models want their pictures (its README); the short side is 256/224 of the input.
NETWORKS = {
    "winml_SqueezeNet_fp32": CAFFE,
    "songhan_squeezenet_v1.0_dc": CAFFE,
    "nns_mobilenet_v2_onnxzoo": TORCH,
    "coral_mobilenet_v1_0.25_128_quant": TF,
    "coral_mobilenet_v1_0.25_128_opset13": TF,
    "coral_mobilenet_v2_1.0_224_quant": TF,
    "akamaster_resnet20_cifar10": TORCH,
    "akamaster_resnet20_cifar10_slicepad": TORCH,
    "akamaster_resnet56_cifar10": TORCH,
    "mlcommons_pretrainedResnet_float": {"range": "0..255"},
    "mlcommons_vww_96_float": {},
}
PASSED = {"Softmax", "Flatten", "Reshape", "Dropout", "Squeeze", "Identity", "Add"}
LEAST = 0.999


class Head:
    """The features' name and the weights (classes, channels), None: the features are the maps."""

    def __init__(self, graph):
        made_by = {name: node for node in graph.node for name in node.output}
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.weights = None
        node = made_by[graph.output[0].name]
        while node.op_type != "GlobalAveragePool":
            flags = {a.name: a.i for a in node.attribute}
            if node.op_type in ("Gemm", "MatMul"):
                w = constants[node.input[1]]
                self.weights = w if flags.get("transB") else w.T
            elif node.op_type == "Conv":
                self.weights = constants[node.input[1]][:, :, 0, 0]
            elif node.op_type not in PASSED:
                sys.exit("%s stands before the average" % node.op_type)
            node = made_by[next(name for name in node.input if name not in constants)]
        self.features = node.input[0]

    def map(self, features, index):
        if self.weights is None:
            return features[index]
        return np.tensordot(self.weights[index].astype(np.float64), features, 1)


def prepare(path, rules, net):
    picture = Image.open(path).convert("RGB")
    short = int(rules["resize-size"])
    width, height = picture.size
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    planes = [np.asarray(plane.convert("F").resize(size, Image.BILINEAR), np.float64) for plane in picture.split()]
    left, top = round((size[0] - net) / 2), round((size[1] - net) / 2)
    rgb = np.stack(planes)[:, top:top + net, left:left + net]
    if rules.get("color") == "bgr":
        rgb = rgb[::-1]
    low, high = (float(x) for x in rules.get("range", "0..1").split(".."))
    mean, std = (np.array([float(x) for x in rules.get(k, d).split(",")])[:, None, None]
                 for k, d in (("mean", "0,0,0"), ("std", "1,1,1")))
    return ((rgb / 255 * (high - low) + low - mean) / std)[None].astype(np.float32)


def gather_photos(data, folder):
    for path in sorted((data / "photos/A").iterdir()):
        Image.open(path).convert("RGB").save(folder / ("photo-%s.png" % path.stem))
    return sorted(str(path) for path in folder.glob("*.png"))


def gather(data, frames, folder):
    """Photographs and frames of clips as PNG files."""
    gather_photos(data, folder)
    for path in sorted((data / "clips").iterdir()):
        if path.suffix in (".tsv", ".264", ".mjpeg"):
            continue
        subprocess.run(["gst-launch-1.0", "-q", "uridecodebin", "uri=" + path.resolve().as_uri(), "!", "videorate",
                        "drop-only=true", "!", "video/x-raw,framerate=[0/1,1/2]", "!", "videoconvert", "!", "pngenc",
                        "!", "multifilesink", "location=%s/clip-%s-%%03d.png" % (folder, path.stem),
                        "max-files=%d" % frames], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=300)
    return sorted(str(path) for path in folder.glob("*.png"))


def heatmaps(args, model, ini, pictures, target):
    out = subprocess.run([args.sightline, "heatmap", "-m", model, "--preprocess", ini, "-o", "-", *target, *pictures],
                         check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def check(args, model, pictures, folder):
    import onnxruntime # which check_explain.py does without
    network = onnx.load(model)
    head = Head(network.graph)
    network.graph.output.append(onnx.ValueInfoProto(name=head.features))
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    net = port.shape[2]
    rules = dict(NETWORKS[model.stem], resize="crop")
    rules["resize-size"] = str(round(net * 256 / 224))
    ini = folder / "rules.ini"
    ini.write_text("[sightline]\n" + "".join("%s=%s\n" % rule for rule in rules.items()))
    worst, farthest, same, where = 1.0, 0.0, 0, ""
    best = heatmaps(args, model, ini, pictures, [])
    other = heatmaps(args, model, ini, pictures, ["--target", "1"])
    for path, row, second in zip(pictures, best, other, strict=True):
        scores, features = session.run(None, {port.name: prepare(path, rules, net)})
        same += int(scores.reshape(-1).argmax()) == row["index"]
        for found in (row, second):
            want = head.map(features[0].astype(np.float64), found["index"]).reshape(-1)
            got = np.array(found["values"])
            if want.std() == 0 and got.std() == 0:
                continue
            correlation = np.corrcoef(got, want)[0, 1]
            farthest = max(farthest, float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-9)))
            if not correlation >= worst:
                worst, where = correlation, path
    print("%s %-38s %dx%d maps of %d pictures: worst correlation %.7f (%s), difference %.1e, same best class %d"
          % ("ok  " if worst >= LEAST else "FAIL", model.stem, best[0]["width"], best[0]["height"], len(best), worst,
             pathlib.Path(where).stem, farthest, same))
    return worst >= LEAST


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-n", "--frames", type=int, default=2)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path, nargs="*")
    args = parser.parse_args()
    models = args.model or [args.data / "models" / (name + ".onnx") for name in NETWORKS]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pictures = gather(args.data, args.frames, folder)
        ok = [check(args, model, pictures, folder) for model in models]
    sys.exit(0 if all(ok) else 1)


if __name__ == "__main__":
    main()
