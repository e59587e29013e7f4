#!/usr/bin/env python3
"""Compares every operator with ONNX Runtime, or ONNX's own reference evaluator, on random nodes.

    check_ops.py [-s SIGHTLINE] [-n CASES] [--seed N] [-k FOLDER] [-v] [OP ...]

For each operator (all by default) CASES networks of one node are made: opsets 7 to 22, ranks 1 to 6, odd sizes, every
attribute, every type that the operator's schema allows and numpy has. Each becomes a folder in the form of ONNX's backend
test with the outputs of ONNX Runtime, or where that has no kernel those of onnx.reference, and `sightline check` runs them
with -d ref and -d cpu. What neither oracle can compute is counted, and shown with -v. The same seed makes the same cases;
-k keeps them. Prints a line an operator; the exit status is 1 if any result differs.
For developers: needs Python with numpy, onnx (1.16 or newer, for opset 21) and onnxruntime.
The generators are in check_ops_elements.py and so on; check_ops_draw.py says how to add one.
"""
import argparse
import collections
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy as np
import onnx
import onnx.reference
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import check_ops_draw as cases
import check_ops_elements  # noqa: F401 (fills cases.GENERATORS)
import check_ops_layers  # noqa: F401
import check_ops_quantized  # noqa: F401

# (rtol, atol) of `sightline check`, by the least precise type in a case.
TOLERANCES = {"float64": (1e-5, 1e-6), "float32": (1e-4, 2e-5), "float16": (4e-3, 4e-3), "bfloat16": (2e-2, 2e-2)}
IR_VERSION = 10
# Arguments of one command.
CHUNK = 400
# An oracle that does not know an operator or refuses an input throws one of its own exceptions.
ORACLE_ERRORS = (Exception,)


def type_name(array):
    return str(array.dtype)


def make_nodes(case, names, outputs):
    """The case's one node, in bfloat16 between casts where the case wants that and the outputs are known."""
    if case.nodes:
        return case.nodes
    results = [f"y{i}" for i in range(case.n_outputs)]
    before, after = [], []
    if case.bfloat16 and outputs is not None:
        for i, value in enumerate(case.inputs):
            if value is not None and value.array.dtype == np.float32:
                before.append(helper.make_node("Cast", [names[i]], [f"b{i}"], to=TensorProto.BFLOAT16))
                names[i] = f"b{i}"
        for i, y in enumerate(outputs):
            if y.dtype == np.float32:
                results[i] = f"c{i}"
                after.append(helper.make_node("Cast", [f"c{i}"], [f"y{i}"], to=TensorProto.FLOAT))
    return [*before, helper.make_node(case.op, names, results, domain=case.domain, **case.attrs), *after]


def make_model(case, outputs):
    """The network of a case; `outputs` are arrays, or None while they are not known."""
    names, graph_inputs, initializers = [], [], []
    for i, value in enumerate(case.inputs):
        names.append("" if value is None else f"x{i}")
        if value is None:
            continue
        if value.constant:
            initializers.append(numpy_helper.from_array(value.array, names[-1]))
            continue
        shape = [f"d{i}_{k}" for k in range(value.array.ndim)] if case.free else value.array.shape
        graph_inputs.append(helper.make_tensor_value_info(
            names[-1], helper.np_dtype_to_tensor_dtype(value.array.dtype), shape))
    infos = []
    for i in range(case.n_outputs):
        info = onnx.ValueInfoProto(name=f"y{i}")
        if outputs is not None:
            shape = [f"e{i}_{k}" for k in range(outputs[i].ndim)] if case.free else outputs[i].shape
            info = helper.make_tensor_value_info(f"y{i}", helper.np_dtype_to_tensor_dtype(outputs[i].dtype), shape)
        infos.append(info)
    nodes = make_nodes(case, names, outputs)
    graph = helper.make_graph(nodes, case.op, graph_inputs, infos, initializers)
    opsets = [helper.make_opsetid("", case.opset)]
    if case.domain:
        opsets.append(helper.make_opsetid(case.domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def feeds(case):
    return {f"x{i}": v.array for i, v in enumerate(case.inputs) if v is not None and not v.constant}


def run_onnxruntime(case, model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds(case))


def run_in_float32(case, _):
    """Where ONNX Runtime has no kernel for the case's floats: in float32, whose results become the case's type."""
    floats = {v.array.dtype for v in case.inputs if v is not None and v.array.dtype.kind == "f"}
    if len(floats) != 1 or floats == {np.dtype(np.float32)}:
        raise TypeError("not of one other type of floats")
    wider = dataclasses.replace(case, inputs=[
        dataclasses.replace(v, array=v.array.astype(np.float32)) if v is not None and v.array.dtype in floats else v
        for v in case.inputs])
    outputs = run_onnxruntime(wider, make_model(wider, None))
    return [y.astype(next(iter(floats))) if y.dtype == np.float32 else y for y in outputs]


def run_reference(case, model):
    return onnx.reference.ReferenceEvaluator(model).run(None, feeds(case))


# Names that generators give; the reference evaluator is asked last, since it has more mistakes (onnx 1.17).
ORACLES = {"onnxruntime": run_onnxruntime, "float32": run_in_float32, "reference": run_reference}


def ask_oracles(case):
    """Outputs and who gave them, or None and why there are none."""
    model = make_model(case, None)
    reasons = []
    for name in cases.ORACLES.get(case.op, ORACLES):
        try:
            outputs = [np.asarray(y) for y in ORACLES[name](case, model)]
            return outputs, name
        except ORACLE_ERRORS as error:  # pylint: disable=broad-exception-caught
            reasons.append(f"{name}: {str(error).strip().splitlines()[0][:150] if str(error).strip() else type(error)}")
    return None, "; ".join(reasons)


def is_usable(outputs):
    """Sightline refuses results that are not finite; so do these cases, and types that no tensor file holds."""
    return all(y.dtype.kind in "biu" or (y.dtype.kind == "f" and np.isfinite(y).all()) for y in outputs)


def tolerance_of(case, outputs):
    types = [type_name(a) for a in [v.array for v in case.inputs if v is not None] + outputs]
    worst = "float32" if case.oracle == "float32" else "float64"
    for name in ("float32", "float16", "bfloat16"):
        if name in types or name in case.through or (name == "bfloat16" and case.bfloat16):
            worst = name
    rtol, atol = TOLERANCES[worst]
    return rtol * case.slack, atol * case.slack


def write_case(folder, case, outputs):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(make_model(case, outputs).SerializeToString())
    k = 0
    for i, value in enumerate(case.inputs):
        if value is not None and not value.constant:
            (data / f"input_{k}.pb").write_bytes(numpy_helper.from_array(value.array, f"x{i}").SerializeToString())
            k += 1
    for i, y in enumerate(outputs):
        (data / f"output_{i}.pb").write_bytes(numpy_helper.from_array(y, f"y{i}").SerializeToString())


def describe(case):
    inputs = []
    for value in case.inputs:
        text = "-"
        if value is not None:
            text = ("!" if value.constant else "") + f"{type_name(value.array)}{list(value.array.shape)}"
            if value.array.size <= 6:
                text += "=" + ",".join(f"{v:.4g}" for v in value.array.flatten().astype(float))
        inputs.append(text.replace(" ", ""))
    how = " in bfloat16" if case.bfloat16 else ""
    return f"opset {case.opset} by {case.oracle}{how} {' '.join(inputs)} {case.attrs or ''}"


def make_cases(op, count, seed, root, verbose):
    """[(folder name, tolerance, case)] and how many had no oracle."""
    made, without, undrawn = [], 0, set()
    # Not hash(), which differs from run to run.
    rng = np.random.default_rng([seed, zlib.crc32(op.encode())])
    attempts, drawn = 0, set()
    while len(made) < count and attempts < 4 * count:
        attempts += 1
        case = cases.make(op, rng)
        if case is None:
            continue
        if not case.domain:
            schema = onnx.defs.get_schema(op, case.opset, "")
            undrawn |= {f"{name}/{schema.since_version}" for name in schema.attributes}
            drawn |= {f"{name}/{schema.since_version}" for name in case.attrs}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outputs, case.oracle = ask_oracles(case)
        if outputs is None:
            without += 1
            if verbose:
                print(f"  no oracle: {op}: {describe(case)}")
            continue
        if not is_usable(outputs):
            continue
        name = f"{op}_{len(made):03d}"
        write_case(root / name, case, outputs)
        made.append((name, tolerance_of(case, outputs), case))
    if verbose and undrawn - drawn:
        print(f"  never drawn: {op}: {', '.join(sorted(undrawn - drawn))} (attribute/version)")
    return made, without


def run_check(tool, device, root, made):
    """{folder name: (result, text)}"""
    results = {}
    by_tolerance = collections.defaultdict(list)
    for name, tolerance, _ in made:
        by_tolerance[tolerance].append(name)
    for (rtol, atol), names in by_tolerance.items():
        for first in range(0, len(names), CHUNK):
            part = names[first:first + CHUNK]
            run = subprocess.run([tool, "check", "-d", device, "--rtol", str(rtol), "--atol", str(atol),
                                  *[str(root / name) for name in part]], capture_output=True, text=True, check=False)
            for line in run.stdout.splitlines()[:-1]:
                result, name, *text = line.split(" ", 2)
                results[name] = (result, " ".join(text))
            for name in part:
                results.setdefault(name, ("fail", f"no result: {run.stderr.strip()[-200:]}"))
    return results


def plain(text):
    """A refusal without what differs from case to case."""
    text = re.sub(r"^\S*model\.onnx: ", "", text)
    text = re.sub(r"^node \S+ \([\w.]+\): ", "", text)
    return re.sub(r"'[^']*'", "…", text)


def report(op, made, without, results, verbose):
    """Prints the line of one operator; the number of differences."""
    wrong, refused = 0, collections.Counter()
    passed = dict.fromkeys(results, 0)
    details = []
    for name, _, case in made:
        for device, of in results.items():
            result, text = of[name]
            passed[device] += result == "pass"
            wrong += result == "fail"
            if result == "fail":
                details.append(f"  {name} on {device}: {describe(case)}: {text}")
            elif result == "unsupported" and device == "ref":
                refused[plain(text)] += 1
                if verbose:
                    details.append(f"  {name} refused: {describe(case)}: {text}")
    print(f"{op:26}{len(made):6}{passed['ref']:6}{passed['cpu']:6}{wrong:6}{without:6}  "
          + "; ".join(f"{n} x {text[:90]}" for text, n in refused.most_common(6)))
    for line in details if verbose else details[:6]:
        print(line)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-s", "--sightline", default="build/tools/sightline")
    parser.add_argument("-n", "--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-k", "--keep", type=pathlib.Path, help="keep the cases in this folder")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("ops", nargs="*", metavar="OP")
    args = parser.parse_args()
    if unknown := set(args.ops) - set(cases.GENERATORS):
        sys.exit(f"no cases of {', '.join(sorted(unknown))} (known: {', '.join(cases.GENERATORS)})")
    wrong = 0
    print(f"{'operator':26}{'cases':>6}{'ref':>6}{'cpu':>6}{'wrong':>6}{'none':>6}  refused by Sightline (none: no oracle)")
    with tempfile.TemporaryDirectory() as temporary:
        root = args.keep or pathlib.Path(temporary)
        for op in args.ops or cases.GENERATORS:
            for old in root.glob(f"{op}_[0-9][0-9][0-9]"):
                shutil.rmtree(old)
            made, without = make_cases(op, args.cases, args.seed, root, args.verbose)
            results = {device: run_check(args.sightline, device, root, made) for device in ("ref", "cpu")}
            wrong += report(op, made, without, results, args.verbose)
            sys.stdout.flush()
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
