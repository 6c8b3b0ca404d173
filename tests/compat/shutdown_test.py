#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How a server ends that has something to save, and what it leaves on the disk, beside redis-server.

    shutdown_test.py BUILD
"""
import argparse
import contextlib
import pathlib
import signal
import sys
import time

from check import Check
from servers import Server

KEYS = 20
KEY_DELAY_US = 250000  # five seconds for a file: none is whole by itself before a test has done what it does


class Saver(Server):
    """A server with save points, and with keys that take their time to save."""

    def __init__(self, program):
        super().__init__(program, "--save", "3600 1", "--enable-debug-command", "yes")
        self.client = self.connect()
        for number in range(KEYS):
            self.client.call("SET", f"key:{number}", "v")
        self.delay(KEY_DELAY_US)

    def delay(self, micros):
        self.client.call("CONFIG", "SET", "rdb-key-save-delay", micros)

    def files(self):
        """Those that hold data: not the log, nor the one that says whose folder it is."""
        return sorted(path.name for path in pathlib.Path(self.folder.name).glob("*.rdb"))

    def awaits(self, condition):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def is_saving(self):
        """Whether a file under a temporary name is there."""
        return self.awaits(lambda: any(name.startswith("temp-") for name in self.files()))

    def says(self, words):
        return self.awaits(lambda: words in self.log_tail())

    def exit_code(self):
        return self.process.wait(30)


def without_saving(check, program):
    """SHUTDOWN NOSAVE while a snapshot is written in the background: what is written of it goes."""
    with Saver(program) as server:
        server.client.call("BGSAVE")
        check.holds("a snapshot is written", server.is_saving(), server.files())
        with contextlib.suppress(OSError, EOFError):
            server.client.call("SHUTDOWN", "NOSAVE")
        check.holds("it ends with 0", server.exit_code() == 0, server.log_tail())
        check.holds("and leaves nothing", server.awaits(lambda: server.files() == []), server.files())


def interrupted_twice(check, program):
    """The first interrupt begins to save, the second does not wait for it."""
    with Saver(program) as server:
        server.process.send_signal(signal.SIGINT)
        check.holds("it saves before it ends", server.is_saving(), server.log_tail())
        began = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        check.holds("it ends with 1", server.exit_code() == 1, server.log_tail())
        check.holds("soon", time.monotonic() - began < KEYS * KEY_DELAY_US / 2e6)
        check.holds("and leaves nothing", server.files() == [], server.files())
        check.holds("and says why", server.says("You insist"), server.log_tail())


def terminated_twice(check, program):
    """Who supervises a server may say it more than once; that is no haste."""
    with Saver(program) as server:
        server.delay(KEY_DELAY_US // 10)
        server.process.send_signal(signal.SIGTERM)
        check.holds("it saves before it ends", server.is_saving(), server.log_tail())
        server.process.send_signal(signal.SIGTERM)
        check.holds("it ends with 0", server.exit_code() == 0, server.log_tail())
        check.holds("and has saved", server.files() == ["dump.rdb"], server.files())


def called_off(check, program):
    """An end that was asked for by a signal and has not begun may be called off."""
    with Saver(program) as server:
        answer = server.client.call("SHUTDOWN", "ABORT")
        check.holds("nothing to call off", answer == ("-", b"ERR No shutdown in progress."), answer)
        server.client.call("DEBUG", "PAUSE-CRON", "1")
        server.process.send_signal(signal.SIGTERM)
        check.holds("it has heard", server.says("SIGTERM"), server.log_tail())
        answer = server.client.call("SHUTDOWN", "ABORT")
        check.holds("it is called off", answer == ("+", b"OK"), answer)
        check.holds("and says so", server.says("Shutdown manually aborted"), server.log_tail())
        server.client.call("DEBUG", "PAUSE-CRON", "0")
        check.holds("it serves on", server.client.call("PING") == ("+", b"PONG"))
        # The one before does not count any more.
        server.delay(0)
        server.process.send_signal(signal.SIGINT)
        check.holds("it ends orderly", server.exit_code() == 0, server.log_tail())
        check.holds("and has saved", server.files() == ["dump.rdb"], server.files())


def just_before_a_rewrite(check, program):
    """A rewrite of the log that has been asked for and has not begun is none that the end waits for."""
    with Server(program, "--appendonly", "yes", "--rdb-key-save-delay", str(KEY_DELAY_US)) as server:
        client = server.connect()
        for number in range(KEYS):
            client.call("SET", f"key:{number}", "v")
        began = time.monotonic()
        client.send(["BGREWRITEAOF"])
        client.send(["SHUTDOWN", "NOW"])
        check.holds("it ends with 0", server.process.wait(30) == 0, server.log_tail())
        check.holds("soon", time.monotonic() - began < KEYS * KEY_DELAY_US / 2e6)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    args = parser.parse_args()
    check = Check()
    for program in (str(args.build.resolve() / "ouro-server"), "redis-server"):
        for case in (without_saving, interrupted_twice, terminated_twice, called_off, just_before_a_rewrite):
            before = check.failed
            case(check, program)
            if check.failed > before:
                print(f"   of {program}, {case.__name__}")
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
