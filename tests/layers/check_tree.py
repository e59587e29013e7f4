#!/usr/bin/env python3
"""Habits of the tree that a program can see: names at the top, lengths, plain text, the C style.

    check_tree.py SOURCE-ROOT
"""

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import tap

# Agreed once for all: what else there is lies inside one of these.
FOLDERS = {"engine", "pipelines", "plugins", "shaders", "tests", "tools", ".ci", ".git"}
FILES = {
    "CONTRIBUTING.md", "LICENSE", "README.md", "meson.build", "meson_options.txt",
    ".clang-format", ".clang-tidy", ".editorconfig", ".gitattributes", ".gitignore",
}
TEXT = {".c", ".h", ".comp", ".glsl", ".py", ".sh", ".md", ".build", ".txt", ".net", ".pipeline", ".in"}
MAX_FILE = 800
MAX_FUNCTION = 90
# Tables of cases may be as long as there are cases.
TABLES = ("tests/*/cases*.c", "tests/*/*-cases.c", "tests/*/*-cases.h")
# Versions of clang-format disagree with each other; this one is Debian 12's.
CLANG_FORMAT = 14


def foreign_names(names, root):
    """Names at the top that are neither agreed nor ignored by git."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.strip("/") for line in lines if line and not line.startswith("#")]
    known = FOLDERS | FILES
    return [f"{n}: no such thing at the top" for n in names
            if n not in known and not any(fnmatch.fnmatch(n, i) for i in ignored)]


def top_names(root):
    """What git tracks at the top; where there is no git, what lies there."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True, text=True).stdout
        return sorted({name.split("/")[0] for name in listed.split("\0") if name})
    except (OSError, subprocess.CalledProcessError):
        return sorted(p.name for p in root.iterdir())


def check_file_length(path, text, exists):
    n = text.count("\n")
    if n > MAX_FILE and not any(fnmatch.fnmatch(path, table) for table in TABLES):
        yield f"{path}: {n} lines, {MAX_FILE} at most: split it"


def check_function_length(path, text, exists):
    """Functions stand between a brace at the left margin and its partner: the style has no others of that form."""
    if not path.endswith(".c"):
        return
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > MAX_FUNCTION:
                yield f"{path}:{start}: a function of {number - start - 1} lines, {MAX_FUNCTION} at most"
            start = None


def check_text(path, text, exists):
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith((" ", "\t", "\r")):
            yield f"{path}:{number}: white space at the end of the line"
        if "\t" in line.rstrip():
            yield f"{path}:{number}: a tab"
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"


def untested_families(root):
    """Families of the one list of operators without their source or their test."""
    text = (root / "engine/ops/meson.build").read_text(encoding="utf-8")
    listed = re.search(r"op_families = \[(.*?)\]", text, re.S)
    families = re.findall(r"'(\w+)'", listed[1]) if listed else []
    places = (f"{folder}/{family}.c" for family in families for folder in ("engine/ops", "tests/ops"))
    return [f"{place} is missing" for place in places if not (root / place).exists()] if families else ["no list"]


CHECKS = {
    "files are short": (check_file_length, {".c", ".h", ".comp", ".glsl", ".py"}),
    "functions are short": (check_function_length, {".c"}),
    "plain text": (check_text, TEXT),
}


def read_tree(root, suffixes):
    found = (p for folder in sorted(FOLDERS - {".git"}) for p in sorted((root / folder).rglob("*")))
    return {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8")
            for p in found if p.suffix in suffixes and p.is_file()}


def find_clang_format():
    """The program, or None and why there is none to use."""
    seen = []
    for name in (f"clang-format-{CLANG_FORMAT}", "clang-format"):
        if not (program := shutil.which(name)):
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        match = re.search(r"version (\d+)", said)
        if match and int(match[1]) == CLANG_FORMAT:
            return program, None
        seen.append(match[1] if match else "?")
    return None, f"clang-format {CLANG_FORMAT} wanted, " + (f"found {', '.join(seen)}" if seen else "found none")


def check_style(root):
    program, reason = find_clang_format()
    if not program:
        return [], reason
    files = [root / path for path in read_tree(root, {".c", ".h"})]
    run = subprocess.run([program, "--dry-run", "-Werror", *files], capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "-Wclang-format-violations" in line})
    if run.returncode and not wrong:
        return [run.stderr.strip()], None
    return [f"{Path(path).relative_to(root)}: run clang-format -i on it" for path in wrong], None


def checks(root):
    yield "names at the top", foreign_names(top_names(root), root), None
    for name, (check, suffixes) in CHECKS.items():
        files = read_tree(root, suffixes)
        yield name, [p for path, text in files.items() for p in check(path, text, files.__contains__)], None
    yield "every operator family is tested", untested_families(root), None
    yield "clang-format", *check_style(root)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tap.report(checks(Path(sys.argv[1])))
