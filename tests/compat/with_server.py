#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a command while a server of its own is up: with_server.py --server PROGRAM -- COMMAND...; the port is its last argument.

An end of the server that is not orderly turns the result into a failure.
"""
import argparse
import subprocess
import sys

import servers


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    with servers.Server(args.server) as server:
        try:
            code = subprocess.run([*args.command, str(server.port)], timeout=300, check=False).returncode
        except subprocess.TimeoutExpired:
            code = 124
        ended = server.stop()
        if ended != 0:
            print(f"the server ended with {ended}:\n{server.log_tail()}\n0 passed, 1 failed")
    return code or ended


if __name__ == "__main__":
    sys.exit(main())
