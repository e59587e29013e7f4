#!/usr/bin/env python3
"""Time to the first result, time a run, time a frame and peak memory of the built-in network and of SqueezeNet.

    benchmark.py SIGHTLINE DATA

SIGHTLINE is the built program, DATA the folder with real networks (SqueezeNet is left out, with the
reason, where it is not there). Rounds are interleaved; figures are medians of the rounds, times of a run also minima.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
CLIP = ("sltestsrc turn=1.5 num-buffers=250 ! video/x-raw,framerate=25/1 ! x264enc pass=qual quantizer=20 "
        "speed-preset=veryfast ! matroskamux ! filesink")


def bench(tool, model):
    out = subprocess.run([tool, "bench", *model, "--seconds", "1", "-f", "json"], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def frame_ms(tool, model, clip):
    start = time.perf_counter()
    option = ["-m", model[0]] if model else []
    out = subprocess.run([tool, "classify", "-q", "-f", "jsonl", *option, clip], check=True, capture_output=True, text=True)
    return (time.perf_counter() - start) * 1e3 / len(out.stdout.splitlines())


def main():
    tool, data = sys.argv[1:3]
    networks = {"scenes (built in)": []}
    squeezenet = os.path.join(data, "models", "winml_SqueezeNet_fp32.onnx")
    if os.path.exists(squeezenet):
        networks["SqueezeNet 1.1"] = [squeezenet]
    else:
        print("SqueezeNet is left out: %s is not there" % squeezenet)
    rows = {name: [] for name in networks}
    with tempfile.TemporaryDirectory() as folder:
        clip = os.path.join(folder, "clip.mkv")
        subprocess.run(["gst-launch-1.0", "-q", *CLIP.split(), "location=" + clip], check=True)
        for _ in range(ROUNDS):
            for name, model in networks.items():
                row = bench(tool, model)
                row["frame_ms"] = frame_ms(tool, model, clip)
                rows[name].append(row)
    print("%-18s %13s %11s %11s %16s %12s" % ("network", "first result", "run, min", "run, median", "640x360 frame", "peak memory"))
    for name, found in rows.items():
        def median(key):
            return statistics.median(row[key] for row in found)
        print("%-18s %10.1f ms %8.3f ms %8.3f ms %13.2f ms %8.1f MiB"
              % (name, median("first_result_ms"), min(row["min_ms"] for row in found), median("median_ms"), median("frame_ms"),
                 median("peak_memory_mb")))
    print("A frame's time is that of the whole command on a clip: start, decoding, labelling, writing. Device: %s, %d threads."
          % (found[0]["isa"], found[0]["threads"]))


if __name__ == "__main__":
    main()
