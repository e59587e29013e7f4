#!/usr/bin/env python3
"""Installs into a scratch folder and uses what is there: pkg-config files, headers, libraries, plugin, programs.

    check_install.py SOURCE-ROOT BUILD-ROOT

CC is the compiler, PREFIX where the build installs, SANITIZE the sanitizers that the libraries were built with (or
none).
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import tap

SUPPRESSIONS = Path(__file__).resolve().parent.parent / "lib/lsan.supp"
# A program, the pkg-config modules that it is built with.
PROGRAMS = (
    ("tests/headers/use-engine.c", ("sightline",)),
    ("tests/headers/use-elements.c", ("sightline-gst",)),
    ("tools/examples/watch.c", ("sightline-gst", "gstreamer-app-1.0")),
)
PYTHONS = (sys.executable, "/usr/bin/python3")  # one of them may have gi


def run(command, **more):
    """The problems: none if the command succeeds."""
    if not shutil.which(command[0]):
        return [f"{command[0]}: there is no such program"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode == 0:
        return []
    return [f"{shlex.join(map(str, command))}: status {done.returncode}", *done.stdout.splitlines()[-20:]]


class Stage:
    """The installed tree and the environment in which programs find it."""

    def __init__(self, build, folder):
        self.problems = run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", folder])
        prefix = os.environ["PREFIX"]
        self.root = folder / prefix.lstrip("/")
        libraries = sorted(self.root.rglob("libsightline.so"))
        self.lib = libraries[0].parent if libraries else self.root / "lib"
        self.env = dict(
            os.environ,
            LD_LIBRARY_PATH=str(self.lib),
            PKG_CONFIG_PATH=str(self.lib / "pkgconfig"),
            GST_PLUGIN_PATH=str(self.lib / "gstreamer-1.0"),
            GI_TYPELIB_PATH=str(self.lib / "girepository-1.0"),
            GST_REGISTRY=str(folder / "registry.bin"),
            # As the tests of elements have it: GStreamer's scanner is not built with a sanitizer.
            GST_REGISTRY_FORK="no",
            ASAN_OPTIONS="fast_unwind_on_malloc=0",
            LSAN_OPTIONS=f"print_suppressions=0:suppressions={SUPPRESSIONS}",
        )
        for module in self.root.rglob("*.pc"):
            text = module.read_text(encoding="utf-8")
            module.write_text(text.replace(f"prefix={prefix}", f"prefix={self.root}", 1), encoding="utf-8")

    def build_and_run(self, source, modules, program):
        query = subprocess.run(["pkg-config", "--cflags", "--libs", *modules], capture_output=True, text=True, env=self.env)
        if query.returncode:
            return query.stderr.splitlines()
        sanitize = os.environ.get("SANITIZE", "none")
        extra = [] if sanitize == "none" else [f"-fsanitize={sanitize}"]
        compiler = shlex.split(os.environ["CC"])
        command = [*compiler, "-std=gnu11", "-Wall", "-Werror", *extra, source, "-o", program, *shlex.split(query.stdout)]
        return run(command, env=self.env) or run([program], env=self.env)

    def run_python(self, source):
        """Problems, and why it was not run if it was not."""
        if not list(self.root.rglob("SightlineGst-0.typelib")):
            return [], "built without introspection"
        for python in PYTHONS:
            wants = [python, "-c", "import gi; gi.require_version('GstApp', '1.0')"]
            if os.path.exists(python) and not run(wants):
                return run([python, source], env=self.env), None
        return [], "no Python with gi and GstApp (Debian: python3-gi, gir1.2-gst-plugins-base-1.0)"

    def stray_paths(self, build):
        """Files that name the folder they were built in, which is gone on another machine."""
        texts = [p for p in self.root.rglob("*") if p.suffix in (".pc", ".h", ".pipeline", ".desktop", ".service")]
        return [f"{p.relative_to(self.root)} names the build folder" for p in texts
                if str(build) in p.read_text(encoding="utf-8")]


def checks(source, build, scratch):
    stage = Stage(build, scratch / "stage")
    yield "install", stage.problems, None
    for name, modules in PROGRAMS:
        program = scratch / Path(name).stem
        yield name, stage.build_and_run(source / name, modules, program), None
    yield "tools/examples/watch.py", *stage.run_python(source / "tools/examples/watch.py")
    # Our own programs find the libraries by themselves, wherever the tree is moved to.
    alone = {name: value for name, value in stage.env.items() if name != "LD_LIBRARY_PATH"}
    yield "sightline", run([stage.root / "bin/sightline", "devices"], env=alone), None
    yield "no path of the build", stage.stray_paths(build), None


def main(source, build):
    if not shutil.which("meson"):
        tap.report([("install", [], "meson is not in the search path")])
    with tempfile.TemporaryDirectory() as scratch:
        tap.report(checks(source, build, Path(scratch)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
