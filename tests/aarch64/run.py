#!/usr/bin/env python3
"""Builds the engine for 64-bit ARM and runs its tests under qemu's user emulation.

    run.py SOURCE FOLDER SUITE…

FOLDER keeps the build and what it needs from run to run. One TAP case for each test program of the suites; all
are skipped, with the reason, where there is no cross compiler, no emulator, or no GLib for ARM to be had.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "layers"))
import tap

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
CROSS = """[binaries]
c = {compiler}
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['{emulator}', '-L', '/usr/aarch64-linux-gnu', '-E', 'LD_LIBRARY_PATH={libraries}']

[properties]
pkg_config_libdir = '{libraries}/pkgconfig'
sys_root = '{root}'

[built-in options]
c_link_args = ['-Wl,-rpath-link={libraries}']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'armv8-a'
endian = 'little'
"""


def skip(reason):
    tap.report([("aarch64", [], reason)])


def write_if_changed(path, text):
    if not os.path.exists(path) or open(path).read() != text:
        with open(path, "w") as file:
            file.write(text)


def run(command, log):
    """Runs a command with its output at the end of the log; its last lines, if it failed."""
    # Networks and photographs would take an emulator many minutes, and say nothing that the cases do not.
    quick = {**os.environ, "SIGHTLINE_DATA": "/nonexistent"}
    with open(log, "a+") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                          env=quick).returncode == 0:
            return None
        file.seek(0)
        return file.read().splitlines()[-30:]


def programs(build, suites):
    """What ninja has to make for the tests of the suites, and no more."""
    tests = json.loads(subprocess.run(["meson", "introspect", "--tests", build], check=True, capture_output=True).stdout)
    inside = os.path.join(os.path.abspath(build), "")
    wanted = [word for test in tests for word in test["cmd"]
              if word.startswith(inside) and any(suite.split(":")[-1] in suites for suite in test["suite"])]
    return sorted({os.path.relpath(word, inside) for word in wanted})


def results(build, suites, log):
    """One TAP case for each test program, from meson's own log."""
    jobs = ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "-t", "10"]
    failure = run(jobs + [word for suite in suites for word in ("--suite", suite)], log)
    rows = os.path.join(build, "meson-logs", "testlog.json")
    for line in open(rows):
        row = json.loads(line)
        good = row["result"] in ("OK", "SKIP")
        reason = "as the program says" if row["result"] == "SKIP" else None
        yield row["name"], [] if good else row["stdout"].splitlines()[-20:] or [row["result"]], reason
    if failure and os.path.getsize(rows) == 0:
        yield "meson test", failure, None


def make(command, log):
    failure = run(command, log)
    if failure:
        tap.report([(" ".join(command[:2]), failure, None)])


def main():
    source, folder, *suites = sys.argv[1:]
    for program in (COMPILER, EMULATOR, "apt-get", "dpkg-deb"):
        if not shutil.which(program):
            skip(f"{program} is not there")
    os.makedirs(folder, exist_ok=True)
    log, build = os.path.join(folder, "log.txt"), os.path.join(folder, "build")
    open(log, "w").close()

    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libraries.sh")
    failure = run([script, os.path.join(folder, "glib")], log)
    if failure:
        skip("no GLib for ARM: " + failure[-1].replace("#", ""))
    root = os.path.join(folder, "glib", "root")
    compiler = ["ccache"] * bool(shutil.which("ccache")) + [COMPILER]
    cross = os.path.join(folder, "aarch64.ini")
    libraries = os.path.join(root, "usr", "lib", "aarch64-linux-gnu")
    write_if_changed(cross, CROSS.format(compiler=compiler, emulator=EMULATOR, root=root, libraries=libraries))
    if not os.path.exists(os.path.join(build, "build.ninja")):
        make(["meson", "setup", "--cross-file", cross, "-Dplugins=disabled", "-Dintrospection=disabled",
              "-Dvulkan=disabled", "-Dwerror=true", build, source], log)
    make(["ninja", "-C", build, "build.ninja"], log)
    make(["ninja", "-C", build, *programs(build, suites)], log)
    tap.report(results(build, suites, log))


if __name__ == "__main__":
    main()
