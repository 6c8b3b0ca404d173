# SPDX-License-Identifier: BSD-3-Clause
"""What a test found, counted: what does not hold is told, and the test goes on."""


class Check:
    def __init__(self):
        self.passed = self.failed = 0

    def holds(self, what, condition, seen=""):
        self.passed += bool(condition)
        self.failed += not condition
        if not condition:
            print(f"FAILED {what}: {seen}")
