# SPDX-License-Identifier: BSD-3-Clause
"""Starts servers of one's own on free loopback ports, and stops them by their process."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from resp import Connection


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A running server of any kind. A subclass says how it is started, and how one sees that it answers."""

    def __init__(self, program, *options, prefix=()):
        self.program = program
        self.options = options
        self.prefix = list(prefix)
        self.folder = tempfile.TemporaryDirectory(prefix="ouro-test-")
        self.log = pathlib.Path(self.folder.name) / "log"
        self.process = None
        self.port = 0
        self.start()

    def command(self):
        """What starts the program on self.port."""
        raise NotImplementedError

    def answers(self):
        """Whether it serves; OSError while it does not."""
        raise NotImplementedError

    def start(self):
        """Starts the program; tries another port when one was taken meanwhile."""
        for _ in range(5):
            self.port = free_port()
            with open(self.log, "ab") as out:
                self.process = subprocess.Popen([*self.prefix, *self.command(), *self.options], stdout=out,
                                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            deadline = time.monotonic() + 20
            while self.process.poll() is None and time.monotonic() < deadline:
                try:
                    if self.answers():
                        return
                except OSError:
                    time.sleep(0.02)
            self.stop()
        raise RuntimeError(f"{self.program} does not start:\n{self.log_tail()}")

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Asks the process to end and returns its exit code; a sanitizer's complaint shows there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def log_tail(self, lines=60):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def cpu_ns(self):
        """Nanoseconds of CPU that the process has used, all its threads."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total

    def resident_bytes(self):
        """Bytes of the process in memory."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()


class Server(Process):
    """Speaks RESP. `program` is a path; redis-server and ouro-server take the same arguments."""

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder.name, "--save", ""]

    def answers(self):
        connection = self.connect(timeout_s=20)
        try:
            return connection.call("PING")[0] == "+"
        finally:
            connection.close()

    def connect(self, **options):
        return Connection(self.port, **options)


class Memcached(Process):
    """memcached with one worker thread and without UDP; its text protocol is spoken by those who use it."""

    def command(self):
        # As root it insists on being told whose rights to take.
        user = ["-u", "root"] if os.geteuid() == 0 else []
        return [self.program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "1", *user]

    def answers(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(b"version\r\n")
            return connection.recv(100).startswith(b"VERSION")
