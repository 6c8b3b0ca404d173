# SPDX-License-Identifier: BSD-3-Clause
"""Runs named checks one after the other and prints the count."""
import sys
import time
import traceback


def run(*checks):
    failed = 0
    for check in checks:
        try:
            check()
        except Exception:  # a check that fails must not hide the others
            failed += 1
            print(f"FAILED {check.__name__}: {traceback.format_exc()}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def until(condition, seconds=20):
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)
