#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs clang-tidy over the product's sources and counts each file once.

    clang_tidy.py BUILD_FOLDER [FILE...]     the last line is `N passed, N failed`

The build folder has been built: ninja's log names what each object was made from. A file that passed is not looked at
again until something that it was made from changes, the configuration, or clang-tidy. As ccache does for objects, the
user's cache folder remembers this for every checkout, by an empty file whose name is the hash of all that counts.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ouro-clang-tidy"
# Longer than a branch lies still, short enough that the folder stays small: one entry a file and change.
KEEP_S = 30 * 24 * 3600
# The compile commands are gcc's; clang need not know all of its warning flags.
CLANG_TIDY = ["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option"]


def output_of(command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def product_sources():
    layers = ("datastructs", "persistence", "replication", "cluster", "server")
    listing = output_of(["git", "ls-files", *(f"{layer}/*.cc" for layer in layers)])
    return [name for name in listing.splitlines() if "/examples/" not in name]


def ingredients(build):
    """The source of each object -> all files that it was made from, itself first."""
    made_from = {}
    for block in output_of(["ninja", "-C", str(build), "-t", "deps"]).split("\n\n"):
        paths = [os.path.normpath(build / line.strip()) for line in block.splitlines() if line.startswith("    ")]
        # Headers are reached through links in the build folder; the source comes as it stands in the tree.
        if paths and "(VALID)" in block:
            made_from[paths[0]] = paths
    return made_from


@functools.lru_cache(maxsize=None)
def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def compile_commands(build):
    """The source -> its command, without what differs from checkout to checkout."""
    rows = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    return {row["file"]: row["command"].replace(str(build), "").replace(str(ROOT), "") for row in rows}


def memory_of(source, paths, command, version):
    """The file that stands in the cache if the source passed as it is now."""
    words = [version, digest(ROOT / ".clang-tidy"), digest(__file__), source, command, *map(digest, paths)]
    return CACHE / hashlib.sha256("\n".join(words).encode()).hexdigest()


def check(source, build, memory):
    """The findings of one file, and whether it passed."""
    if memory is not None and memory.exists():
        os.utime(memory)
        return [], True
    run = subprocess.run([*CLANG_TIDY, "-p", str(build), source], cwd=ROOT, capture_output=True, text=True, check=False)
    findings = [line for line in run.stdout.splitlines() if re.search(r": (?:warning|error): ", line)]
    if run.returncode != 0 and not findings:
        findings = [f"{source}: {run.stderr.strip()[-300:]}"]
    if run.returncode == 0 and memory is not None:
        memory.touch()
    return findings, run.returncode == 0


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    sources = sys.argv[2:] or product_sources()
    CACHE.mkdir(parents=True, exist_ok=True)
    for entry in CACHE.iterdir():
        if time.time() - entry.stat().st_mtime > KEEP_S:
            entry.unlink(missing_ok=True)
    made_from, commands = ingredients(build), compile_commands(build)
    version = output_of(["clang-tidy", "--version"])

    def check_source(source):
        path = str(ROOT / source)
        known = path in made_from and path in commands
        return check(source, build, memory_of(source, made_from[path], commands[path], version) if known else None)

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = list(pool.map(check_source, sources))
    for finding in sorted({line for findings, _ in outcomes for line in findings}):
        print(finding)
    passed = sum(good for _, good in outcomes)
    print(f"{passed} passed, {len(sources) - passed} failed")
    return 0 if passed == len(sources) else 1


if __name__ == "__main__":
    sys.exit(main())
