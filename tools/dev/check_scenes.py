#!/usr/bin/env python3
"""Measures the `scenes` network with ONNX Runtime, apart from the code that trained it.

    check_scenes.py BUILD/tools/scene-frames pipelines/models/scenes.onnx

Prints its accuracy on fresh scenes by difficulty and by size, on clips that went through video codecs,
and how well class activation maps find the shape. Needs onnx, onnxruntime, NumPy, Pillow, and
gst-launch-1.0 for the clips. A developer's tool.
"""
import argparse
import base64
import subprocess
import tempfile
import time

import numpy as np
import onnx
from onnx import helper, numpy_helper
import onnxruntime
from PIL import Image

CODECS = {
    "none": "identity",
    "JPEG, quality 50": "jpegenc quality=50 ! jpegdec",
    "JPEG, quality 20": "jpegenc quality=20 ! jpegdec",
    "VP8, 500 kbit/s": "vp8enc deadline=1 target-bitrate=500000 ! vp8dec",
    "VP8, 200 kbit/s": "vp8enc deadline=1 target-bitrate=200000 ! vp8dec",
    "H.264, 300 kbit/s": "x264enc bitrate=300 speed-preset=veryfast ! avdec_h264",
}


class Network:
    def __init__(self, path):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        self.about = {p.key.replace("sightline.", ""): p.value for p in model.metadata_props}
        self.labels = self.about["labels"].split("\n")
        pool = next(n for n in model.graph.node if n.op_type == "GlobalAveragePool")
        dense = next(n for n in model.graph.node if n.op_type == "Gemm")
        weights = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        self.weights = weights[dense.input[1]]  # classes x channels
        model.graph.output.append(helper.make_empty_tensor_value_info(pool.input[0]))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        self.plain = onnxruntime.InferenceSession(path, options)
        self.input = self.session.get_inputs()[0]
        self.size = self.input.shape[2]

    def prepare(self, picture):
        image = Image.fromarray(picture).resize((self.size, self.size), Image.BILINEAR)
        mean, std = (np.array(self.about[k].split(","), np.float32) for k in ("mean", "std"))
        return ((np.asarray(image, np.float32) / 255 - mean) / std).transpose(2, 0, 1)

    def run(self, pictures):
        """Scores (N x classes) and the features before pooling (N x channels x h x w)."""
        batch = np.stack([self.prepare(p) for p in pictures]).astype(np.float32)
        return self.session.run(None, {self.input.name: batch})

    def golden_error(self):
        picture = np.frombuffer(base64.b64decode(self.about["golden-input"]), np.uint8)
        expected = np.array(self.about["golden-output"].split(","), np.float64)
        scores, _ = self.run([picture.reshape(self.size, self.size, 3)])
        return np.abs(scores[0] - expected).max()

    def milliseconds(self):
        x = {self.input.name: np.zeros((1, 3, self.size, self.size), np.float32)}
        times = []
        for _ in range(300):
            begin = time.perf_counter()
            self.plain.run(None, x)
            times.append(1e3 * (time.perf_counter() - begin))
        return min(times), float(np.median(times))


def frames(tool, size, count, *more, codec=None):
    """Pictures (count x h x w x 3) and rows (label, x, y, width, height)."""
    width, height = map(int, size.split("x"))
    with tempfile.NamedTemporaryFile("r") as truth:
        command = [tool, "--size", size, "--count", str(count), "--truth", truth.name, *more]
        source = subprocess.Popen(command, stdout=subprocess.PIPE)
        stream = source
        if codec:
            stream = subprocess.Popen(
                ["gst-launch-1.0", "-q", *("fdsrc ! rawvideoparse format=rgb width=%d height=%d framerate=25/1 "
                 "! videoconvert ! %s ! videoconvert ! video/x-raw,format=RGB ! fdsink" %
                 (width, height, codec)).split()], stdin=source.stdout, stdout=subprocess.PIPE)
        raw = np.frombuffer(stream.stdout.read(), np.uint8)
        if source.wait() != 0 or stream.wait() != 0:
            raise SystemExit("no frames from %s" % command)
        rows = [line.split("\t") for line in truth]
    # GStreamer pads the rows of RGB to four bytes.
    stride = (width * 3 + 3) // 4 * 4 if codec else width * 3
    pictures = raw.reshape(-1, height, stride)[:, :, :width * 3].reshape(-1, height, width, 3)
    if len(pictures) != len(rows):
        raise SystemExit("%d frames for %d truths" % (len(pictures), len(rows)))
    return pictures, [(row[0], *map(float, row[1:])) for row in rows]


def right(network, pictures, rows):
    scores = np.concatenate([network.run(pictures[i:i + 100])[0] for i in range(0, len(rows), 100)])
    return np.array([network.labels[s.argmax()] == row[0] for s, row in zip(scores, rows)])


def localise(network, picture, row, fractions):
    """Whether the map's maximum lies in the box, and the IoU of the map's box at each threshold."""
    scores, features = network.run([picture])
    weights = network.weights[scores[0].argmax()]
    grid = np.tensordot(weights, features[0], 1).astype(np.float32)
    height, width = picture.shape[:2]
    full = np.asarray(Image.fromarray(grid).resize((width, height), Image.BILINEAR))
    _, x, y, w, h = row
    py, px = np.unravel_index(full.argmax(), full.shape)
    ious = []
    for fraction in fractions:
        ys, xs = np.nonzero(full >= full.min() + fraction * (full.max() - full.min()))
        x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
        both = max(0, min(x1, x + w) - max(x0, x)) * max(0, min(y1, y + h) - max(y0, y))
        ious.append(both / ((x1 - x0) * (y1 - y0) + w * h - both))
    return x <= px < x + w and y <= py < y + h, ious


def main():
    parser = argparse.ArgumentParser(description="measure the scenes network")
    parser.add_argument("frames", help="the scene-frames program of the build")
    parser.add_argument("model", help="the ONNX file")
    parser.add_argument("--count", type=int, default=1100, help="scenes in each row")
    args = parser.parse_args()
    network = Network(args.model)
    print("golden vector: largest difference %.2e" % network.golden_error())
    print("one picture, one thread: min %.3f ms, median %.3f ms" % network.milliseconds())

    for low in (0, 0.25, 0.5, 0.75):
        pictures, rows = frames(args.frames, "320x180", args.count, "--seed", "77", "--easiest", str(low),
                                "--hardest", str(low + 0.25))
        print("difficulty %.2f to %.2f: %.4f" % (low, low + 0.25, right(network, pictures, rows).mean()))
    for size in ("640x360", "640x480", "180x320", "128x128", "96x54"):
        pictures, rows = frames(args.frames, size, args.count // 2, "--seed", "78")
        print("size %s: %.4f" % (size, right(network, pictures, rows).mean()))
    for name, codec in CODECS.items():
        pictures, rows = frames(args.frames, "640x360", args.count, "--seed", "79", "--rate", "25",
                                "--turn", "0.4", "--hardest", "0.5", codec=codec)
        print("640x360 clip, %s: %.4f" % (name, right(network, pictures, rows).mean()))

    fractions = (0.3, 0.4, 0.5, 0.6)
    pictures, rows = frames(args.frames, "320x180", args.count, "--seed", "80")
    found = [localise(network, p, r, fractions) for p, r in zip(pictures, rows) if r[0] != "nothing"]
    print("map: maximum inside the box %.4f; box IoU of at least 0.5: %s" % (
        np.mean([inside for inside, _ in found]),
        ", ".join("%.3f at %.1f" % (np.mean([ious[i] >= 0.5 for _, ious in found]), f)
                  for i, f in enumerate(fractions))))


if __name__ == "__main__":
    main()
