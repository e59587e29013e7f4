#!/usr/bin/env python3
"""Times `sightline bench` and ONNX Runtime in turn on the same networks, batch 1, the same number of threads.

    compare_speed.py [-s SIGHTLINE] [-t THREADS] [-r ROUNDS] MODEL ...

Slots of half a second are interleaved, so that a busy machine hurts both alike. Prints the smallest and the median time of a
run over all rounds in ms, and the ratio of the smallest: below 1 Sightline is faster. For developers: needs Python
with numpy and onnxruntime.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import numpy as np
import onnxruntime

SLOT = 0.5  # seconds


def open_peer(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    shape = [d if isinstance(d, int) else 1 for d in port.shape]
    return session, {port.name: np.random.default_rng(1).random(shape, np.float32)}


def time_peer(session, feed):
    times, end = [], time.perf_counter() + SLOT
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    return min(times), statistics.median(times)


def time_ours(tool, model, threads):
    out = subprocess.run([tool, "bench", model, "-d", "cpu", "--threads", str(threads), "--seconds", str(SLOT), "-f", "json"],
                         check=True, capture_output=True, text=True)
    row = json.loads(out.stdout)
    return row["min_ms"], row["median_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--sightline", default="sightline")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=7)
    parser.add_argument("model", nargs="+")
    args = parser.parse_args()
    print("%-40s %19s %19s %6s" % ("network", "ONNX Runtime %s" % onnxruntime.__version__, "Sightline", "ratio"))
    for model in args.model:
        session, feed = open_peer(model, args.threads)
        peer, ours = [], []
        for _ in range(args.rounds):
            peer.append(time_peer(session, feed))
            ours.append(time_ours(args.sightline, model, args.threads))
        best = [min(row[0] for row in rows) for rows in (peer, ours)]
        usual = [statistics.median(row[1] for row in rows) for rows in (peer, ours)]
        print("%-40s %8.3f / %8.3f %8.3f / %8.3f %6.2f"
              % (os.path.basename(model), best[0], usual[0], best[1], usual[1], best[1] / best[0]))


if __name__ == "__main__":
    main()
