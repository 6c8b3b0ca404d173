#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The examples of bench/protect/examples do what they say: of fifty readers of a cold key one asks the database.

    cache_aside_test.py BUILD
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    passed = failed = 0
    for example in sorted((ROOT / "bench/protect/examples").glob("cache_aside.*")):
        run = subprocess.run([ROOT / "tests/compat/clients/run.sh", example, sys.argv[1]], capture_output=True, text=True,
                             timeout=300, check=False)
        good = run.returncode == 0 and run.stdout == "50 readers, 1 load\n"
        passed += good
        failed += not good
        if not good:
            print(f"{example.name}: exit code {run.returncode}\n{run.stdout}{run.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
