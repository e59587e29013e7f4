#!/usr/bin/env python3
"""Shows that the checks of this folder can fail: each gets a sample that is right and samples that are not.

    test_checks.py SOURCE-ROOT
"""

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

import check_layers
import check_tree
import tap

# Files that exist in the sample tree, besides the one that is looked at.
TREE = {
    "engine/core/pool.h", "engine/core/pool.c", "engine/graph/graph.h", "engine/graph/op.h", "engine/plan/plan.h",
    "engine/kernels/gemm.h", "engine/cpu/cpu.h", "engine/vulkan/vulkan.h", "engine/include/sightline/model.h",
    "engine/odd/odd.h", "engine/session.h", "plugins/gstslinfer.h", "plugins/lib/frame.h", "plugins/lib/scene.h",
    "plugins/lib/include/sightline-gst/label-meta.h", "tools/cli.h", "shaders/types.glsl",
}

# file, line, part of the complaint (None: there must be none)
INCLUDES = (
    ("engine/core/pool.c", '#include "core/pool.h"', None),
    ("engine/core/pool.c", "#include <glib.h>", None),
    ("engine/core/pool.c", "#include <gst/gst.h>", "not for this folder"),
    ("engine/core/pool.c", "#include <core/pool.h>", "not for this folder"),
    ("engine/core/pool.c", '#include "pool.h"', 'write "core/pool.h"'),
    ("engine/core/pool.c", '#include "graph/graph.h"', "may only see: itself"),
    ("engine/core/pool.c", '  #  include "graph/graph.h" /* why */', "may only see: itself"),
    ("engine/core/pool.c", '// #include "graph/graph.h"', None),
    ("engine/core/pool.c", '/*\n#include "graph/graph.h"\n*/', None),
    ("engine/core/pool.c", '#include "core/gone.h"', "not in the tree"),
    ("engine/core/pool.c", "#include POOL_HEADER", "cannot tell"),
    ("engine/core/pool.c", '#include "sightline/model.h"', "write <sightline/model.h>"),
    ("engine/core/pool.c", '#include "include/sightline/model.h"', "reaches around"),
    ("engine/core/pool.c", '#include "../plugins/lib/frame.h"', "none of this part's business"),
    ("engine/graph/graph.c", '#include "kernels/gemm.h"', None),
    ("engine/kernels/gemm.c", '#include "graph/op.h"', "kernels/ includes"),
    ("engine/passes/fold.c", '#include "plan/plan.h"', "passes/ includes"),
    ("engine/cpu/run.c", '#include "plan/plan.h"', None),
    ("engine/cpu/run.c", '#include "vulkan/vulkan.h"', "cpu/ includes"),
    ("engine/vulkan/run.c", '#include "cpu/cpu.h"', "vulkan/ includes"),
    ("engine/vulkan/run.c", "#include <vulkan/vulkan.h>", None),
    ("engine/cpu/run.c", "#include <vulkan/vulkan.h>", "not for this folder"),
    ("engine/onnx/reader.c", '#include "graph/op.h"', None),
    ("engine/onnx/reader.c", '#include "plan/plan.h"', "onnx/ includes"),
    ("engine/program.c", '#include "vulkan/vulkan.h"', None),
    ("engine/plan/plan.c", '#include "session.h"', "plan/ includes"),
    ("engine/odd/odd.c", '#include "odd/odd.h"', "not in the table of layers"),
    ("engine/include/sightline/run.h", "#include <sightline/model.h>", None),
    ("engine/include/sightline/run.h", "#include <stdio.h>", "not for this folder"),
    ("engine/include/sightline/run.h", '#include "core/pool.h"', "not in the tree"),
    ("plugins/gstslclassify.c", '#include "gstslinfer.h"', None),
    ("plugins/gstslclassify.c", '#include "frame.h"', None),
    ("plugins/gstslclassify.c", "#include <sightline-gst/label-meta.h>", None),
    ("plugins/gstslclassify.c", '#include "../engine/core/pool.h"', "none of this part's business"),
    ("plugins/gstslclassify.c", '#include "../tools/cli.h"', "none of this part's business"),
    ("plugins/lib/frame.c", '#include "../gstslinfer.h"', "none of this part's business"),
    ("tools/classify.c", '#include "cli.h"', None),
    ("tools/classify.c", "#include <sightline/model.h>", None),
    ("tools/classify.c", '#include "../plugins/lib/scene.h"', "none of this part's business"),
    ("tools/dev/frames.c", '#include "../../plugins/lib/scene.h"', None),
    ("tools/dev/frames.c", '#include "../../plugins/lib/frame.h"', "none of this part's business"),
    ("shaders/conv2d.comp", '#include "types.glsl"', None),
    ("shaders/conv2d.comp", '#include "../engine/core/pool.h"', "none of this part's business"),
)

# check, file, text, part of the complaint (None: there must be none)
OTHERS = (
    (check_layers.check_own_header_first, "engine/core/pool.c", '#include "core/pool.h"\n#include <glib.h>', None),
    (check_layers.check_own_header_first, "engine/core/pool.c", '#include <glib.h>\n#include "core/pool.h"', "not the first"),
    (check_layers.check_pragma_once, "engine/core/pool.h", "/* Pool. */\n#pragma once\n", None),
    (check_layers.check_pragma_once, "engine/core/pool.h", "#ifndef POOL_H\n", "no #pragma once"),
    (check_layers.check_public_types, "engine/include/sightline/a.h", "/* no VkImage */", None),
    (check_layers.check_public_types, "engine/include/sightline/a.h", "void f (VkImage x);", ":1: VkImage"),
    (check_layers.check_quiet_engine, "engine/core/pool.c", 'x = g_strdup_printf ("exit (1)");', None),
    (check_layers.check_quiet_engine, "engine/core/pool.c", "\n  exit (1);", ":2: exit"),
    (check_layers.check_quiet_engine, "engine/core/pool.c", "fprintf (stderr, msg);", "fprintf"),
    (check_layers.check_quiet_engine, "tools/cli.c", "exit (1);", None),
    (check_tree.check_file_length, "engine/core/pool.c", "\n" * 800, None),
    (check_tree.check_file_length, "engine/core/pool.c", "\n" * 801, "801 lines"),
    (check_tree.check_function_length, "engine/core/pool.c", "f (void)\n{\n" + "  x;\n" * 90 + "}\n", None),
    (check_tree.check_function_length, "engine/core/pool.c", "f (void)\n{\n" + "  x;\n" * 91 + "}\n", ":2: "),
    (check_tree.check_text, "engine/core/pool.c", "int x;\n", None),
    (check_tree.check_text, "engine/core/pool.c", "int x; \n", ":1: "),
    (check_tree.check_text, "engine/core/pool.c", "int x;\n\tint y;\n", ":2: "),
    (check_tree.check_text, "engine/core/pool.c", "int x;\r\n", ":1: "),
    (check_tree.check_text, "engine/core/pool.c", "int x;", "newline"),
)

NAMES = (
    (["engine", "README.md", ".ci", "build", "build-sanitize", "demo-output"], None),
    (["engine", "src"], "src"),
    (["notes.txt"], "notes.txt"),
)

# Text of a public header, the symbols that it declares.
DECLARATIONS = (
    ("SL_API SlModel *sl_model_ref (SlModel *model);", {"sl_model_ref"}),
    ("SL_API const char *const *\nsl_list (void);\nint sl_hidden (void);", {"sl_list"}),
    ("SL_API extern const int sl_table[];", {"sl_table"}),
    ("#define SL_API __attribute__ ((visibility (\"default\")))", set()),
)

# Text of a header, and whether a strict compiler takes it as C, and as C++.
HEADERS = (
    ("#pragma once\nstruct A { int x; };\n", True, True),
    ("struct A { int x; };\n", False, False),
    ("#pragma once\nsize_t f (void);\n", False, False),
    ("#pragma once\nvoid f (int class);\n", True, False),
)

# A line of meson's log and the cases it counts for: passed, failed, skipped.
TESTS = (
    ({"result": "OK"}, (1, 0, 0)),
    ({"result": "FAIL"}, (0, 1, 0)),
    ({"result": "SKIP"}, (0, 0, 1)),
    ({"result": "OK", "stdout": "TAP version 13\n1..2\nok 1 /a/b\nok 2 /a/c\n"}, (2, 0, 0)),
    ({"result": "OK", "stdout": "ok 1 /a # SKIP no data\nok 2 /b\n1..2\n"}, (1, 0, 1)),
    ({"result": "OK", "stdout": "ok 1\nok 2\n1..2\n"}, (2, 0, 0)),
    ({"result": "FAIL", "stdout": "1..2\nok 1 /a\nnot ok 2 /b - error\n"}, (1, 1, 0)),
    ({"result": "OK", "stdout": "1..1\nnot ok 1 /a # TODO later\n"}, (1, 0, 0)),
    ({"result": "OK", "stdout": "1..1\n    ok 1 inner\n    ok 2 inner\nok 1 outer\n"}, (1, 0, 0)),
    ({"result": "OK", "stdout": "1..2\nok 1 #5 of them\nok 2 /a # Skipped: no data\n"}, (1, 0, 1)),
    ({"result": "FAIL", "stdout": "1..2\nnot ok 1 /a\n# why\n# ok 7\nok 2 /b\n"}, (1, 1, 0)),
    ({"result": "OK", "stdout": "okay then\nnot okay\n"}, (1, 0, 0)),
    ({"result": "FAIL", "stdout": "1..3\nok 1 /a\n"}, (1, 1, 0)),
    ({"result": "FAIL", "stdout": "1..3\nok 1 /a\nnot ok 2 /b\n"}, (1, 1, 0)),
    ({"result": "ERROR", "stdout": "1..3\nok 1 /a\nBail out! why\n"}, (1, 1, 0)),
    ({"result": "ERROR", "stdout": "1..3\nok 1 /a\nnot ok 2 /b - why\nBail out!\n"}, (1, 1, 0)),
    ({"result": "TIMEOUT", "stdout": "1..1\nok 1 /a\n", "returncode": 0}, (1, 1, 0)),
    ({"result": "ERROR", "stdout": "1..2\n"}, (0, 1, 0)),
    ({"result": "SKIP", "stdout": "1..0 # SKIP no display\n"}, (0, 0, 1)),
)


def judge(found, expected):
    """The problems of one sample: it has to be complained about as expected, or not at all."""
    if expected is None:
        return [f"complains: {found}"] if found else []
    return [] if any(expected in problem for problem in found) else [f"expected “{expected}”, found {found}"]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def count(counter, test):
    outcomes = [case.outcome for case in counter.cases_of({"name": "x", **test})]
    return tuple(outcomes.count(outcome) for outcome in ("passed", "failed", "skipped"))


def compiles(headers, text):
    """Whether the text passes as a header, in each language that has a compiler here."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sample.h").write_text(text, encoding="utf-8")
        for language, variable, flags in headers.LANGUAGES:
            if compiler := shutil.which({"CC": "cc", "CXX": "c++"}[variable]):
                yield language, not headers.compile_alone([compiler], [*flags, f"-I{folder}"], "sample.h")


def samples_of_headers(folder):
    symbols, headers = load(folder / "check_symbols.py"), load(folder / "check_headers.py")
    for number, (text, expected) in enumerate(DECLARATIONS, 1):
        found = symbols.declared_symbols(text)
        yield f"declared {number}", [] if found == expected else [f"{found}, not {expected}"], None
    yield "exports agree", list(symbols.compare({"sl_a"}, {"sl_a"})), None
    yield "exported only", judge(list(symbols.compare({"sl_a", "sl_b"}, {"sl_a"})), "sl_b is exported, but"), None
    yield "declared only", judge(list(symbols.compare({"sl_a"}, {"sl_a", "sl_b"})), "but not exported"), None
    for number, (text, c, cxx) in enumerate(HEADERS, 1):
        wrong = [language for language, good in compiles(headers, text) if good != (c if language == "C" else cxx)]
        yield f"header {number}", [f"misjudged in {language}" for language in wrong], None


def samples_of_families():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for place in ("engine/ops", "tests/ops"):
            (root / place).mkdir(parents=True)
        listing = root / "engine/ops/meson.build"
        listing.write_text("op_families = [\n  'conv',\n]\n", encoding="utf-8")
        (root / "engine/ops/conv.c").touch()
        found = check_tree.untested_families(root)
        yield "untested family", judge(found, "tests/ops/conv.c is missing"), None
        (root / "tests/ops/conv.c").touch()
        yield "tested family", judge(check_tree.untested_families(root), None), None
        listing.write_text("", encoding="utf-8")
        yield "no families", judge(check_tree.untested_families(root), "no list"), None


def samples(root):
    for path, line, expected in INCLUDES:
        found = list(check_layers.check_includes(path, line, TREE.__contains__))
        yield f"{path}: {line.strip().splitlines()[-1]}", judge(found, expected), None
    for check, path, text, expected in OTHERS:
        found = list(check(path, text, TREE.__contains__))
        yield f"{check.__name__}: {expected or 'nothing wrong'}", judge(found, expected), None
    for names, expected in NAMES:
        yield f"names: {' '.join(names)}", judge(check_tree.foreign_names(names, root), expected), None
    yield from samples_of_headers(root / "tests/headers")
    yield from samples_of_families()
    counter = load(root / "tools/count-tests.py")
    for number, (test, expected) in enumerate(TESTS, 1):
        counted = count(counter, test)
        yield f"counting {number}", [] if counted == expected else [f"{counted}, not {expected}: {test}"], None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tap.report(samples(Path(sys.argv[1])))
