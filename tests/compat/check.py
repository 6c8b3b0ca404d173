# SPDX-License-Identifier: BSD-3-Clause
"""What a test found, counted: what does not hold is told, and the test goes on."""
import concurrent.futures
import threading


class Check:
    def __init__(self):
        self.passed = self.failed = 0
        self.lock = threading.Lock()

    def holds(self, what, condition, seen=""):
        with self.lock:
            self.passed += bool(condition)
            self.failed += not condition
        if not condition:
            print(f"FAILED {what}: {seen}", flush=True)


def side_by_side(tests, at_once=4):
    """Runs tests that mostly wait, each on servers of its own. One that raises ends the program when all have run."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=at_once) as pool:
        for running in [pool.submit(test) for test in tests]:
            running.result()
