#!/usr/bin/env python3
"""Every case of ONNX's backend test passes, except those that cases.list names, each with its reason.

    check_cases.py SIGHTLINE DATA-FOLDER DEVICE

Runs `SIGHTLINE check` over DATA-FOLDER/onnx-node/*/*. It fails where a case fails (but those whose own numbers are
known to be wrong), where one is refused that is not listed, where a listed one passes (the list only shrinks), and
where fewer pass than the list says. Without a Vulkan device it is skipped, unless SIGHTLINE_TEST_VULKAN=require.
"""

import collections
import os
import re
import subprocess
import sys
from pathlib import Path

import tap

REASONS = ("opset", "type", "rank", "random generator", "run-time shape", "broken case")


def read_list(path):
    """{case: reason}, and how many cases pass."""
    reasons = {}
    passes = 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if match := re.fullmatch(r"passes (\d+)", line):
            passes = int(match[1])
            continue
        case, _, reason = line.partition(" ")
        reason = reason.strip()
        if not reason.startswith(REASONS):
            sys.exit(f"{path}:{number}: '{reason}' (expected one of: {', '.join(REASONS)})")
        if case in reasons:
            sys.exit(f"{path}:{number}: {case} stands twice")
        reasons[case] = reason
    return reasons, passes


def run_cases(tool, root, device):
    """{VERSION/CASE: (pass, fail or unsupported, what is wrong)}"""
    results = {}
    for version in sorted(p for p in root.iterdir() if p.is_dir()):
        folders = sorted(str(p) for p in version.iterdir() if p.is_dir())
        run = subprocess.run([tool, "check", "-d", device, *folders], capture_output=True, text=True, check=False)
        lines = run.stdout.splitlines()
        if len(lines) != len(folders) + 1:
            sys.exit(f"{version.name}: {len(folders)} cases, {len(lines) - 1} results: {run.stderr.strip()}")
        for line in lines[:-1]:
            result, name, *text = line.split(" ", 2)
            results[f"{version.name}/{name}"] = (result, " ".join(text))
    return results


def why_no_device(tool, device):
    """What the tool says where there is no such device; else nothing."""
    run = subprocess.run([tool, "check", "-d", device, "none"], capture_output=True, text=True, check=False)
    return run.stderr.strip() if f"no Vulkan device '{device}'" in run.stderr else ""


def judge(results, reasons, passes):
    problems = []
    for case, (result, text) in results.items():
        if result == "pass" and case in reasons:
            problems.append(f"{case} passes: take it off the list and count it")
        broken = reasons.get(case, "").startswith("broken case")
        if (result == "fail" and not broken) or (result != "pass" and case not in reasons):
            problems.append(f"{case}: {result}: {text}")
    problems += [f"{case} is listed but not there" for case in reasons if case not in results]
    count = sum(result == "pass" for result, _ in results.values())
    if count < passes:
        problems.append(f"{count} cases pass, expected {passes} or more")
    return count, problems


def main():
    tool, data, device = sys.argv[1:]
    root = Path(data) / "onnx-node"
    if not root.is_dir():
        tap.report([("cases", [], "no ONNX cases: SIGHTLINE_DATA names no folder with onnx-node")])
    why_not = why_no_device(tool, device)
    if why_not and os.environ.get("SIGHTLINE_TEST_VULKAN") != "require":
        tap.report([("cases", [], why_not)])
    reasons, passes = read_list(Path(__file__).with_name("cases.list"))
    results = run_cases(tool, root, device)
    count, problems = judge(results, reasons, passes)
    kinds = collections.Counter(next(r for r in REASONS if text.startswith(r)) for text in reasons.values())
    tap.report([(f"{count} of {len(results)} cases pass on {device}; not: "
                 + (", ".join(f"{n} {kind}" for kind, n in kinds.items()) or "none"), problems, None)])


if __name__ == "__main__":
    main()
