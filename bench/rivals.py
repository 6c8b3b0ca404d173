# SPDX-License-Identifier: BSD-3-Clause
"""The servers that are compared, and where they run."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/compat"))
from servers import Server  # noqa: E402

SERVER_CORE = "0"
LOAD_CORES = f"1-{os.cpu_count() - 1}" if os.cpu_count() > 2 else "1" if os.cpu_count() == 2 else "0"


def pinned_server(program):
    return Server(program, prefix=["taskset", "-c", SERVER_CORE])
