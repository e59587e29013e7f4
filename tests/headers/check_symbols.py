#!/usr/bin/env python3
"""Holds the symbols that the libraries export against the public headers: all that is declared, nothing else.

    check_symbols.py SOURCE-ROOT BUILD-ROOT
"""

import re
import subprocess
import sys
from pathlib import Path

import tap

# A library, the folder of its headers.
LIBRARIES = (
    ("engine/libsightline.so", "engine/include/sightline"),
    ("plugins/lib/libsightline-gst.so", "plugins/lib/include/sightline-gst"),
)
# The plugin is opened by name: nobody links it.
PLUGIN = "plugins/libgstsightline.so"
PLUGIN_SYMBOLS = {"gst_plugin_sightline_get_desc", "gst_plugin_sightline_register"}

# The name before the parenthesis of a declaration that SL_API marks, or before the semicolon of a variable.
DECLARED = re.compile(r"^SL_API\b[^;({]*?\b(\w+)\s*(?:\[\s*\]\s*)?[;(]", re.M)


def declared_symbols(text):
    return set(DECLARED.findall(text))


def exported_symbols(library):
    """Without those that sanitizers and coverage add."""
    run = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    names = {line.split()[-1].split("@")[0] for line in run.stdout.splitlines()}
    return {name for name in names if not name.startswith("__")}


def compare(exported, declared):
    yield from (f"{name} is exported, but declared in no public header" for name in sorted(exported - declared))
    yield from (f"{name} is declared in a public header, but not exported" for name in sorted(declared - exported))


def checks(source, build):
    for library, headers in LIBRARIES:
        declared = set()
        for header in (source / headers).glob("*.h"):
            declared |= declared_symbols(header.read_text(encoding="utf-8"))
        name = Path(library).name
        if not (build / library).exists():
            yield name, [f"{library} was not built"], None
            continue
        foreign = sorted(n for n in declared if not n.startswith("sl_"))
        yield f"{name}: names", [f"{n} does not begin with sl_" for n in foreign], None
        yield f"{name}: exports", list(compare(exported_symbols(build / library), declared)), None
    if (build / PLUGIN).exists():
        yield "plugin: exports", list(compare(exported_symbols(build / PLUGIN), PLUGIN_SYMBOLS)), None
    else:
        yield "plugin: exports", [f"{PLUGIN} was not built"], None


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tap.report(checks(Path(sys.argv[1]), Path(sys.argv[2])))
