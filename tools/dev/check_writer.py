#!/usr/bin/env python3
"""Does what Sightline writes say the same as what it read? Asked of ONNX's checker and ONNX Runtime.

    check_writer.py build/tests/onnx/roundtrip MODEL.onnx...

Each network is read and written by `roundtrip`, checked by onnx.checker (as far as the installed version knows the opset),
and run before and after by ONNX Runtime on the same input: a backend test's, else random numbers. Where ONNX Runtime has
retired the original's operators, the backend test's stored outputs stand in for it. Needs onnx, onnxruntime and numpy.
Exit status 1 if any network differs or is refused by them; networks that Sightline does not read are listed and do not
count.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime as ort

# Of the largest output: an operator of another opset may be another kernel, which sums in another order.
TOLERANCE, TOLERANCE_HALF, TOLERANCE_STORED = 1e-5, 1e-3, 1e-3
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
         "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(int16)": np.int16, "tensor(int8)": np.int8,
         "tensor(uint8)": np.uint8, "tensor(uint16)": np.uint16, "tensor(uint32)": np.uint32,
         "tensor(uint64)": np.uint64, "tensor(bool)": np.bool_}


def load_pb(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


def load_stored(model_path, what):
    """Inputs or outputs of a backend test, in order; none where the network is not one."""
    folder = model_path.parent / "test_data_set_0"
    return [load_pb(folder / f"{what}_{i}.pb") for i in range(len(list(folder.glob(f"{what}_*.pb"))))]


def make_inputs(session, model_path):
    stored = load_stored(model_path, "input")
    if stored:
        return dict(zip([i.name for i in session.get_inputs()], stored))
    rng = np.random.default_rng(1)
    inputs = {}
    for port in session.get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else 1 for d in port.shape]
        inputs[port.name] = rng.uniform(0, 1, shape).astype(TYPES[port.type])
    return inputs


def open_session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def difference(before, after):
    """Largest difference against the largest value, infinite where shapes or types differ."""
    worst = 0.0
    for x, y in zip(before, after, strict=True):
        if x.shape != y.shape or x.dtype != y.dtype:
            return float("inf")
        x, y = x.astype(np.float64), y.astype(np.float64)
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        if not same.all():
            finite = np.isfinite(x)
            worst = max(worst, np.abs(x - y)[~same].max() / max(np.abs(x[finite]).max(initial=0), 1e-30))
    return worst


def check(roundtrip, path, written):
    run = subprocess.run([roundtrip, path, written], capture_output=True, text=True, check=False)
    if run.returncode:
        return "unread", run.stderr.strip()
    model = onnx.load(str(written))
    opset = model.opset_import[0].version
    known = opset <= onnx.defs.onnx_opset_version()
    if known:
        onnx.checker.check_model(model)
    if any(node.op_type == "Dropout" and len(node.input) > 2 for node in model.graph.node):
        return "random", "training-mode Dropout: no two runs are the same"
    session = open_session(written)
    inputs = make_inputs(session, path)
    try:
        expected = open_session(path).run(None, inputs)
        tolerance = TOLERANCE_HALF if any(y.dtype == np.float16 for y in expected) else TOLERANCE
    except Exception as error:
        expected, tolerance = load_stored(path, "output"), TOLERANCE_STORED
        if not expected:
            return "unrun", f"ONNX Runtime refuses the original: {str(error).splitlines()[0]}"
    worst = difference(expected, session.run(None, inputs))
    said = f"opset {opset}, {'checked' if known else 'newer than the checker'}, difference {worst:.1e}"
    return ("pass" if worst <= tolerance else "FAIL"), said


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in map(Path, sys.argv[2:]):
            try:
                verdict, said = check(sys.argv[1], path, Path(folder) / "written.onnx")
            except Exception as error:
                verdict, said = "FAIL", f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
            counts[verdict] = counts.get(verdict, 0) + 1
            name = path.parent.name if path.name == "model.onnx" else path.name
            print(f"{verdict:6} {name}: {said}")
    print(", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())))
    sys.exit(1 if "FAIL" in counts else 0)


if __name__ == "__main__":
    main()
