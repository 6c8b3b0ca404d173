# SPDX-License-Identifier: BSD-3-Clause
"""RESP over a plain socket. A reply is a pair (type byte, value) that loses nothing of what stood on the wire:

    ("+", b"OK")  ("-", b"ERR ...")  (":", b"1")  ("$", b"bytes" or None)  ("*", [...] or None)  ("%", [k, v, k, v ...])
    ("~", [...])  (">", [...])  (",", b"1.5")  ("#", b"t")  ("_", b"")  ("(", b"123")  ("=", b"txt:...")
"""
import contextlib
import select
import socket


def encode(args):
    """One command as a RESP array of bulk strings; str becomes UTF-8."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Connection:
    """A blocking connection. Commands may be sent ahead; replies come in order."""

    def __init__(self, port, host="127.0.0.1", timeout_s=60):
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.at = 0

    def close(self):
        self.socket.close()

    def send(self, *commands):
        """Sends commands (lists of arguments) without waiting."""
        self.send_bytes(b"".join(map(encode, commands)))

    def send_bytes(self, data):
        self.socket.sendall(data)

    def end_sending(self):
        """Nothing more will be sent; the server, if it has not ended yet, reads the end behind what was."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def call(self, *args):
        """Sends one command and returns its reply."""
        self.send(args)
        return self.read()

    def has_input(self):
        """Whether bytes wait to be read."""
        return self.at < len(self.buffer) or bool(select.select([self.socket], [], [], 0)[0])

    def read(self):
        """The next reply."""
        end = self.buffer.find(b"\r\n", self.at)
        while end < 0:
            self._fill()
            end = self.buffer.find(b"\r\n", self.at)
        kind, head = chr(self.buffer[self.at]), self.buffer[self.at + 1:end]
        self.at = end + 2
        if kind in "+-:,#_(":
            return kind, head
        if kind in "$=":
            size = int(head)
            if size < 0:
                return kind, None
            while len(self.buffer) - self.at < size + 2:
                self._fill()
            data = self.buffer[self.at:self.at + size]
            if self.buffer[self.at + size:self.at + size + 2] != b"\r\n":
                raise ValueError(f"a bulk string of {size} bytes without its end")
            self.at += size + 2
            return kind, data
        if kind in "*~>":
            return kind, None if head == b"-1" else [self.read() for _ in range(int(head))]
        if kind in "%|":
            return kind, [self.read() for _ in range(2 * int(head))]
        raise ValueError(f"not a reply: {self.buffer[self.at - 20:self.at + 20]!r}")

    def _fill(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer = self.buffer[self.at:] + data
        self.at = 0


def show(reply, limit=300):
    """A reply for people to read."""
    kind, value = reply
    if isinstance(value, list):
        text = kind + "[" + ", ".join(show(item) for item in value) + "]"
    else:
        text = kind + ("nil" if value is None else repr(value)[1:])
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"
