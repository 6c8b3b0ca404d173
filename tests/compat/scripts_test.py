#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The scripts may run in any order: each asks the build for all that it needs, whatever another one has asked for before,
and the bench programs say what to do when something is not built."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What a script tells cmake at the least. The build folder exists: another script has made it.
NEEDS = [
    (["tests/run.sh"], ["-DOURO_TESTS=ON", "-DOURO_BENCH=ON"]),
    (["bench/run.sh"], ["-DOURO_BENCH=ON"]),
]


def configures_with(script, folder):
    """What a script tells cmake, which a stand-in writes down and then fails."""
    stand_in = folder / "cmake"
    stand_in.write_text('#!/bin/sh\necho "cmake $*"\nexit 1\n')
    stand_in.chmod(0o755)
    run = subprocess.run([str(ROOT / script[0]), *script[1:]], capture_output=True, text=True, timeout=60, check=False,
                         env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
    return [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("cmake ")]


def main():
    passed = failed = 0

    def check(what, holds, seen):
        nonlocal passed, failed
        passed, failed = passed + holds, failed + (not holds)
        if not holds:
            print(f"FAILED {what}: {seen}")

    with tempfile.TemporaryDirectory() as folder:
        for script, options in NEEDS:
            told = configures_with(script, pathlib.Path(folder))
            check(" ".join(script), len(told) == 1 and set(options) <= set(told[0].split()), told)
        for program in ("bench/compare.py", "bench/promises.py"):
            command = [sys.executable, str(ROOT / program), "--server", f"{folder}/build/ouro-server"]
            run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            check(program, run.returncode == 1 and "bench/run.sh" in run.stderr and "Traceback" not in run.stderr, run.stderr)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
