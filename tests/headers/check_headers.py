#!/usr/bin/env python3
"""Compiles every public header alone, as C and as C++, the way a stranger's program would.

    check_headers.py SOURCE-ROOT

CC and CXX are the compilers; without CXX the C++ half is skipped. GLib's and GStreamer's headers count as system
headers, so that only ours are held to the strictest reading of the languages.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import tap

# Folder of headers, the name they are included under, pkg-config modules behind them.
FAMILIES = (
    ("engine/include", "sightline", ["glib-2.0"]),
    ("plugins/lib/include", "sightline-gst", ["gstreamer-video-1.0"]),
)
LANGUAGES = (
    ("C", "CC", ["-x", "c", "-std=c11"]),
    ("C++", "CXX", ["-x", "c++", "-std=c++11"]),
)
STRICT = ["-fsyntax-only", "-pedantic-errors", "-Wall", "-Wextra", "-Wundef", "-Werror"]


def system_flags(modules):
    """What pkg-config says, as system folders; None if a module is missing."""
    run = subprocess.run(["pkg-config", "--cflags", *modules], capture_output=True, text=True)
    return None if run.returncode else [f.replace("-I", "-isystem", 1) for f in shlex.split(run.stdout)]


def compile_alone(compiler, flags, header):
    """Twice, since #pragma once has to hold."""
    source = f"#include <{header}>\n#include <{header}>\n"
    run = subprocess.run([*compiler, *flags, *STRICT, "-"], input=source, capture_output=True, text=True)
    return run.stderr.splitlines() or [f"{compiler[0]}: status {run.returncode}"] if run.returncode else []


def checks(root):
    includes = [f"-I{root / folder}" for folder, *_ in FAMILIES]
    for folder, name, modules in FAMILIES:
        system = system_flags(modules)
        headers = sorted((root / folder / name).glob("*.h"))
        if not headers:
            yield name, [f"{folder}/{name} holds no header"], None
        for header in headers:
            for language, variable, flags in LANGUAGES:
                compiler = shlex.split(os.environ.get(variable, ""))
                case = f"{name}/{header.name} in {language}"
                if system is None or not compiler:
                    yield case, [], f"no {' '.join(modules)}" if system is None else f"no {language} compiler"
                else:
                    yield case, compile_alone(compiler, flags + includes + system, f"{name}/{header.name}"), None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tap.report(checks(Path(sys.argv[1])))
