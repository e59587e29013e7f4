#!/usr/bin/env python3
"""Who may include whom: reads the #include lines of the tree and holds them against the tables below.

    check_layers.py SOURCE-ROOT

The tables are the rules of CONTRIBUTING.md ("Code map") in one more form; change both together. Tests may include
anything and are not read.
"""

import os
import re
import sys
from pathlib import Path, PurePosixPath

import tap

# A folder of engine/ includes itself and what stands above it, never what stands beside it. "." are the files right
# beneath engine/: model.c, program.c, run.c, device.c and what they share.
ENGINE_LAYERS = (
    ("core",), ("kernels",), ("graph",), ("image",), ("ops",), ("grad",), ("passes",), ("plan",),
    ("dispatch",), ("ref", "cpu", "vulkan"), ("onnx",), ("net",), (".",), ("explain",), ("data",), ("train",),
)
# Folders that see less than their place would allow.
ENGINE_NARROWER = {
    "onnx": {"core", "graph", "image"},
    "data": {"core", "image"},
    "net": {"core", "graph"},
    "dispatch": {"core", "kernels", "graph", "image", "plan"},
}

C_LIBRARY = (
    r"(assert|ctype|dirent|dlfcn|errno|fcntl|fenv|float|ftw|glob|inttypes|limits|locale|malloc|math|poll|pthread|sched"
    r"|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|time|unistd)\.h"
    r"|(arpa|linux|net|netinet|sys)/.*\.h"
)
INTRINSICS = r"(cpuid|\w+intrin|arm_neon|arm_sve)\.h|asm/hwcap\.h"
GLIB = r"glib(-object|-unix)?\.h|glib/.*|gio/.*"
GST = r"gst/.*"
DRAWING = r"cairo(-\w+)?\.h|pango/.*"
JSON = r"json-glib/.*"
PUBLIC = r"sightline/[a-z0-9-]+\.h"
PUBLIC_GST = r"sightline-gst/[a-z0-9-]+\.h"
PLAIN_TYPES = r"(stdbool|stddef|stdint)\.h"

# What stands in <…>: the longest folder that matches a file decides.
ANGLED = {
    "engine": (GLIB, C_LIBRARY, INTRINSICS, PUBLIC),
    "engine/data": (GLIB, C_LIBRARY, PUBLIC, r"zlib\.h"),
    "engine/vulkan": (GLIB, C_LIBRARY, PUBLIC, r"vulkan/.*|volk\.h"),
    "engine/include": (GLIB, PLAIN_TYPES, PUBLIC),
    "plugins": (GLIB, C_LIBRARY, GST, DRAWING, JSON, PUBLIC, PUBLIC_GST),
    "plugins/lib": (GLIB, C_LIBRARY, GST, DRAWING, JSON, PUBLIC, PUBLIC_GST, r"archive(_entry)?\.h"),
    "plugins/lib/include": (GLIB, PLAIN_TYPES, GST, PUBLIC, PUBLIC_GST),
    "tools": (GLIB, C_LIBRARY, GST, DRAWING, JSON, PUBLIC, PUBLIC_GST),
    "shaders": (),
}
# What stands in "…": folders that it is looked up from besides the file's own, and folders that it may lie in.
QUOTED = {
    "engine": (("engine",), ("engine",)),
    "engine/include": ((), ()),
    "engine/dispatch": (("engine", "."), ("engine", "shaders")),
    "plugins": (("plugins", "plugins/lib"), ("plugins",)),
    "plugins/lib": (("plugins/lib",), ("plugins/lib",)),
    "plugins/lib/include": ((), ()),
    "tools": (("tools",), ("tools",)),
    # Developers' programs, never installed: they share the scene that the test source draws.
    "tools/dev": (("tools",), ("tools", "plugins/lib/scene.h")),
    "shaders": (("shaders",), ("shaders",)),
}
# Headers that the build writes, by the name they are included under: one for each shader.
GENERATED = re.compile(r"shaders/[a-z0-9_]+\.h")

# Public headers hide what is behind them; the engine speaks through return values alone.
VULKAN_TYPE = re.compile(r"\b(Vk[A-Z]\w*|VK_\w+)")
PRINTS_OR_EXITS = re.compile(
    r"(?<![\w.>])(v?printf|puts|putchar|perror|g_print|g_printerr|exit|_exit|abort)\s*\("
    r"|(?<![\w.>])v?fprintf\s*\(\s*std(out|err)\b"
)

INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[ \t]*(.*?)[ \t]*$", re.M)
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, strings):
    """The text without comments (and strings), line numbers unchanged."""

    def replace(match):
        found = match[0]
        keep = found[0] in "\"'" and not strings
        return found if keep else "\n" * found.count("\n") or " "

    return COMMENT_OR_STRING.sub(replace, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def rule_for(table, path):
    """The entry of the longest folder in the table that holds the file."""
    folders = [f for f in table if path.startswith(f + "/")]
    return table[max(folders, key=len)] if folders else None


def engine_layer(path):
    """"core" for engine/core/pool.c, "." for engine/model.c, None for public headers and other places."""
    parts = PurePosixPath(path).parts
    if parts[0] != "engine" or parts[1] == "include":
        return None
    return parts[1] if len(parts) > 2 else "."


def layers_below(layer):
    """Layers that `layer` may include besides itself, or None if no such layer is in the table."""
    above = set()
    for group in ENGINE_LAYERS:
        if layer in group:
            return ENGINE_NARROWER.get(layer, above)
        above.update(group)
    return None


def check_quoted(path, name, exists):
    """What is wrong with #include "name" in the file, or None. `exists` knows the files of the tree."""
    if re.fullmatch(f"{PUBLIC}|{PUBLIC_GST}", name):
        return f'"{name}" is public: write <{name}>'
    roots, allowed = rule_for(QUOTED, path)
    folder = str(PurePosixPath(path).parent)
    places = [os.path.normpath(f"{root}/{name}") for root in (*roots, folder)]
    target = next((p for p in places if exists(p)), None)
    if target is None and GENERATED.fullmatch(name) and exists(name[:-2] + ".comp"):
        return None
    if target is None:
        return f'"{name}" is not in the tree, nor in the table of generated headers'
    if not any(target == a or target.startswith(a + "/") for a in allowed):
        return f'"{name}" is {target}, which is none of this part\'s business'
    if not target.startswith("engine/"):
        return None
    if f"engine/{name}" != target:
        return f'"{name}" hides the layer: write "{target[len("engine/"):]}"'
    mine, its = engine_layer(path), engine_layer(target)
    if its is None:
        return f'"{name}" reaches around <sightline/…>'
    below = layers_below(mine)
    if below is None:
        return f"engine/{mine}/ is not in the table of layers"
    if its != mine and its not in below:
        return f'{mine}/ includes "{name}", but may only see: {", ".join(sorted(below)) or "itself"}'
    return None


def check_include(path, what, exists):
    """What is wrong with one #include, or None."""
    if match := re.fullmatch(r"<([^<>]+)>", what):
        allowed = rule_for(ANGLED, path)
        if any(re.fullmatch(pattern, match[1]) for pattern in allowed):
            return None
        return f"<{match[1]}> is not for this folder"
    if match := re.fullmatch(r'"([^"]+)"', what):
        return check_quoted(path, match[1], exists)
    return f"cannot tell what {what} is: name the file"


def check_includes(path, text, exists):
    code = blank(text, strings=False)
    for match in INCLUDE.finditer(code):
        if problem := check_include(path, match[1], exists):
            yield f"{path}:{line_of(code, match.start())}: {problem}"


def check_own_header_first(path, text, exists):
    stem = PurePosixPath(path).stem
    if not path.endswith(".c") or not exists(path[:-2] + ".h"):
        return
    first = INCLUDE.search(blank(text, strings=False))
    if not first or PurePosixPath(first[1].strip('<>"')).name not in (f"{stem}.h", f"{stem}-private.h"):
        yield f"{path}: its own header is not the first that it includes"


def check_pragma_once(path, text, exists):
    if path.startswith("shaders/"):  # glslc does not know it
        return
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.M):
        yield f"{path}: no #pragma once"


def check_public_types(path, text, exists):
    if "/include/" not in path:
        return
    code = blank(text, strings=True)
    for match in VULKAN_TYPE.finditer(code):
        yield f"{path}:{line_of(code, match.start())}: {match[1]} in a public header"


def check_quiet_engine(path, text, exists):
    if not path.startswith("engine/"):
        return
    code = blank(text, strings=True)
    for match in PRINTS_OR_EXITS.finditer(code):
        yield f"{path}:{line_of(code, match.start())}: {match[0].split('(')[0].strip()}: the engine returns errors"


CHECKS = {
    "includes follow the layers": check_includes,
    "own header first": check_own_header_first,
    "pragma once": check_pragma_once,
    "no Vulkan types in public headers": check_public_types,
    "the engine neither prints nor exits": check_quiet_engine,
}


def problems(check, files, exists):
    return [problem for path, text in files.items() for problem in check(path, text, exists)]


def read_tree(root):
    suffixes = {".c", ".h", ".comp", ".glsl"}
    found = (p for folder in ("engine", "plugins", "tools", "shaders") for p in sorted((root / folder).rglob("*")))
    return {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in found if p.suffix in suffixes}


def main(root):
    files = read_tree(root)
    tap.report((name, problems(check, files, files.__contains__), None) for name, check in CHECKS.items())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
