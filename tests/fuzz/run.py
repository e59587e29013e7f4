#!/usr/bin/env python3
"""Builds the fuzz targets with clang, in a folder of their own, and lets each run for a while.

    run.py SOURCE FOLDER SECONDS TARGET=REPLAY[;SEEDER…]…

REPLAY is the target's replay program, which writes the seeds with the help of the SEEDERs; FOLDER keeps the build from
run to run, and what was found. One TAP case for each target: it fails if anything was found, and names the input. All
are skipped, with the reason, where clang has no libFuzzer.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "layers"))
import tap

OPTIONS = ["-Dfuzz=true", "-Dplugins=disabled", "-Dvulkan=disabled", "-Dintrospection=disabled",
           "-Db_sanitize=address,undefined", "-Db_lundef=false"]
FUZZER = ["-entropic=0", "-max_len=8192", "-timeout=20", "-rss_limit_mb=2048", "-malloc_limit_mb=512", "-verbosity=0"]


def skip(reason):
    tap.report([("fuzz", [], reason)])


def has_fuzzer(clang, folder):
    """Compiles and links the smallest of all targets."""
    source, program = os.path.join(folder, "probe.c"), os.path.join(folder, "probe")
    with open(source, "w") as file:
        file.write("int LLVMFuzzerTestOneInput (const char *d, long n) { return 0; }\n")
    return subprocess.run([clang, "-fsanitize=fuzzer,address,undefined", source, "-o", program],
                          capture_output=True).returncode == 0


def build(clang, source, folder, targets):
    """The build's last lines, if it failed."""
    compiler = " ".join(["ccache"] * bool(shutil.which("ccache")) + [clang])
    commands = [["ninja", "-C", folder] + [f"tests/fuzz/fuzz-{target}" for target in targets]]
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        commands.insert(0, ["meson", "setup", *OPTIONS, folder, source])
    for command in commands:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "CC": compiler})
        if done.returncode != 0:
            return done.stdout.splitlines()[-30:] + done.stderr.splitlines()[-10:]
    return None


def fuzz(target, programs, folder, found, seconds):
    """Name and what is wrong: the end of the fuzzer's report, and where the input is."""
    with tempfile.TemporaryDirectory() as corpus:
        words = os.path.join(corpus, "..", os.path.basename(corpus) + ".dict")
        replay, _, seeders = programs.partition(";")
        subprocess.run([replay, "--write", corpus, words], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "FUZZ_SEEDERS": seeders})
        done = subprocess.run([os.path.join(folder, f"tests/fuzz/fuzz-{target}"), f"-dict={words}",
                               f"-artifact_prefix={found}/{target}-", f"-max_total_time={seconds}", *FUZZER, corpus],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        os.unlink(words)
    return target, done.stdout.splitlines()[-60:] if done.returncode != 0 else [], None


def main():
    source, folder, seconds, *targets = sys.argv[1:]
    programs = dict(target.split("=", 1) for target in targets)
    os.makedirs(folder, exist_ok=True)
    clang = next((name for name in ("clang", "clang-19", "clang-14") if shutil.which(name)), None)
    if clang is None:
        skip("clang is not there")
    if not has_fuzzer(clang, folder):
        skip(f"{clang} has no libFuzzer (Debian: libclang-rt-14-dev, or -19-dev)")
    where, found = os.path.join(folder, "build"), os.path.join(folder, "found")
    os.makedirs(found, exist_ok=True)
    failure = build(clang, source, where, programs)
    if failure:
        tap.report([("build", failure, None)])
    os.environ.setdefault("ASAN_OPTIONS", "allocator_may_return_null=1:strict_string_checks=1")
    os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    os.environ["SIGHTLINE_THREADS"] = "1"
    each = int(seconds) // len(programs)
    tap.report([fuzz(target, its, where, found, each) for target, its in programs.items()])


if __name__ == "__main__":
    main()
