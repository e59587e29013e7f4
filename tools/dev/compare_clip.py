#!/usr/bin/env python3
"""Compares `sightline classify` with ONNX Runtime on the very frames of a clip.

    compare_clip.py [-s SIGHTLINE] [-n FRAMES] MODEL CLIP ...

The other side is independent of Sightline: GStreamer writes the decoder's raw I420 frames, Pillow resizes each plane in
floats, NumPy converts the colours, ONNX Runtime runs the network. MODEL.onnx.ini says how pictures are prepared (resize=crop).
For developers: needs Python with numpy, Pillow and onnxruntime. Prints a line a clip; the exit status is 1 if any
score differs by more than 1e-3.
"""
import argparse
import configparser
import json
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
from PIL import Image

KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


def decode(clip, folder):
    """All frames as I420, and the caps they came with."""
    raw = folder + "/frames.raw"
    text = subprocess.run(
        ["gst-launch-1.0", "-v", "uridecodebin", "uri=file://" + clip,
         "!", "video/x-raw,format=I420", "!", "filesink", "location=" + raw],
        check=True, capture_output=True, text=True).stdout
    caps = [line for line in text.splitlines() if "FileSink" in line and "video/x-raw" in line][-1]

    def field(name, default):
        found = re.search(name + r"=\([a-z]+\)([^,\s]+)", caps)
        return found.group(1) if found else default
    width, height = int(field("width", 0)), int(field("height", 0))
    default = "bt709" if height > 576 else "bt601"
    return raw, width, height, field("colorimetry", default), field("chroma-site", "")


def planes_of(raw, index, width, height):
    """Y, U, V of one frame; GStreamer rounds luma rows up to 4 bytes and chroma rows likewise."""
    def up(n, to):
        return (n + to - 1) // to * to
    ys, cs = up(width, 4), up(up(width, 2) // 2, 4)
    yh, ch = up(height, 2), up(height, 2) // 2
    size = ys * yh + 2 * cs * ch
    frame = np.fromfile(raw, np.uint8, size, offset=index * size)
    if frame.size < size:
        return None
    y = frame[:ys * yh].reshape(yh, ys)[:height, :width]
    u, v = (frame[ys * yh + k * cs * ch:][:cs * ch].reshape(ch, cs)[:, :(width + 1) // 2] for k in range(2))
    return y, u, v[:(height + 1) // 2]


def colours(planes, size, width, height, colorimetry, site):
    """Resized planes as RGB 0..255; clamped after the conversion."""
    matrix = next((m for m in KR_KB if m in colorimetry), None)
    full = False
    if matrix is None:  # range:matrix:transfer:primaries as numbers
        numbers = colorimetry.split(":")
        full = numbers[0] == "1"
        matrix = {"3": "bt709", "4": "bt601", "6": "bt2020"}.get(numbers[1], "bt601")
    y, u, v = planes
    # A chroma sample that lies on a luma sample is a quarter of its own size away from the middle of its pixels.
    chroma = (width / 2, height / 2, 0.25 if site in ("mpeg2", "dv") else 0.0, 0.25 if site == "dv" else 0.0)
    out = []
    for plane, w, h, dx, dy in ((y, width, height, 0.0, 0.0), (u, *chroma), (v, *chroma)):
        padded = np.pad(plane.astype(np.float32), ((0, int(dy > 0)), (0, int(dx > 0))), "edge")
        box = (dx, dy, min(w + dx, padded.shape[1]), min(h + dy, padded.shape[0]))
        out.append(np.asarray(Image.fromarray(padded, "F").resize(size, Image.BILINEAR, box=box), np.float64))
    y, u, v = out
    kr, kb = KR_KB[matrix]
    kg = 1 - kr - kb
    if full:
        y, u, v = y / 255, (u - 128) / 255, (v - 128) / 255
    else:
        y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r, b = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    g = (y - kr * r - kb * b) / kg
    return np.clip(np.stack((r, g, b), -1) * 255, 0, 255)


def prepare(planes, rules, net, geometry):
    width, height, colorimetry, site = geometry
    short = int(rules["resize-size"])
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    rgb = colours(planes, size, width, height, colorimetry, site)
    left, top = round((size[0] - net) / 2), round((size[1] - net) / 2)
    rgb = rgb[top:top + net, left:left + net]
    if rules.get("color", "rgb") == "bgr":
        rgb = rgb[..., ::-1]
    low, high = (float(x) for x in rules.get("range", "0..1").split(".."))
    mean, std = (np.array([float(x) for x in rules.get(k, d).split(",")]) for k, d in (("mean", "0,0,0"), ("std", "1,1,1")))
    x = (rgb / 255 * (high - low) + low - mean) / std
    return x.transpose(2, 0, 1)[None].astype(np.float32)


def compare(args, session, rules, clip):
    with tempfile.TemporaryDirectory() as folder:
        raw, *geometry = decode(clip, folder)
        rows = [json.loads(line) for line in subprocess.run(
            [args.sightline, "classify", "-m", args.model, "-k", "100000", "-f", "jsonl", clip],
            stdout=subprocess.PIPE, text=True).stdout.splitlines()]
        port, worst, seen = session.get_inputs()[0], 0.0, 0
        for index in np.linspace(0, len(rows) - 1, min(args.frames, len(rows))).astype(int):
            planes = planes_of(raw, index, geometry[0], geometry[1])
            want = session.run(None, {port.name: prepare(planes, rules, port.shape[2], geometry)})[0].reshape(-1)
            if want.min() < 0 or abs(want.sum() - 1) > 1e-3:
                want = np.exp(want - want.max())
                want /= want.sum()
            got = np.zeros_like(want)
            for label in rows[index]["labels"]:
                got[label["index"]] = label["score"]
            worst, seen = max(worst, float(np.abs(got - want).max())), seen + 1
    print("%s %s: %d frames of %dx%d, largest difference of a score %.2g"
          % ("ok  " if worst <= 1e-3 else "FAIL", clip, seen, geometry[0], geometry[1], worst))
    return worst <= 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-n", "--frames", type=int, default=20)
    parser.add_argument("model")
    parser.add_argument("clip", nargs="+")
    args = parser.parse_args()
    rules = configparser.ConfigParser()
    rules.read(args.model + ".ini")
    session = onnxruntime.InferenceSession(args.model, providers=["CPUExecutionProvider"])
    ok = [compare(args, session, rules["sightline"], clip) for clip in args.clip]
    sys.exit(0 if all(ok) else 1)


if __name__ == "__main__":
    main()
