# SPDX-License-Identifier: BSD-3-Clause
"""One thread that plays many clients of a cache, and the database behind it."""
import collections
import heapq
import itertools
import select
import socket
import struct
import time

from resp import Connection, encode


# Not named by Python: the kernel says when bytes arrived, so that a client's wait is not how long this process takes to come
# round to it.
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("qq")


class Loop:
    """Sockets and timers; time in seconds."""

    def __init__(self):
        self.standstill = 0.0  # the longest time that nobody was read or sent anything
        self.looked_at = time.monotonic()
        self.poll = select.epoll()
        self.clients = {}
        self.timers = []
        self.order = itertools.count()
        self.unsent = set()

    def close(self):
        for client in list(self.clients.values()):
            client.close()
        self.poll.close()

    def later(self, seconds, act):
        self.at(time.monotonic() + seconds, act)

    def at(self, when, act):
        heapq.heappush(self.timers, (when, next(self.order), act))

    def every(self, seconds, act, until):
        """Calls act at a steady rate until that time; what fell due meanwhile is made up for."""

        def tick(due):
            act()
            if due + seconds < until:
                self.at(due + seconds, lambda: tick(due + seconds))

        self.at(time.monotonic(), lambda: tick(time.monotonic()))

    def run(self, is_over, timeout_s=60):
        """Turns until that holds."""
        deadline = time.monotonic() + timeout_s
        while not is_over():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not over after {timeout_s} s")
            self.turn()

    def run_for(self, seconds):
        end = time.monotonic() + seconds
        self.at(end, lambda: None)
        self.run(lambda: time.monotonic() >= end, seconds + 60)

    def turn(self):
        self.standstill = max(self.standstill, time.monotonic() - self.looked_at)
        while self.timers and self.timers[0][0] <= time.monotonic():
            heapq.heappop(self.timers)[2]()
        for client in self.unsent:
            client.flush()
        self.unsent.clear()
        wait = max(0, self.timers[0][0] - time.monotonic()) if self.timers else 0.1
        ready = self.poll.poll(min(wait, 0.1))
        self.looked_at = time.monotonic()
        for number, _ in ready:
            if number in self.clients:
                self.clients[number].take_input()


class Incomplete(Exception):
    """The rest of a reply has not come yet."""


class Client(Connection):
    """A connection that waits for nothing. What is sent within a turn leaves together."""

    def __init__(self, loop, port):
        super().__init__(port)
        self.loop = loop
        self.arrived = 0.0  # when the bytes that are being read did, by time.time()
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.unsent = []
        self.waiting = collections.deque()  # what to call with each reply
        self.number = self.socket.fileno()
        loop.clients[self.number] = self
        loop.poll.register(self.number, select.EPOLLIN)

    def close(self):
        if self.loop.clients.pop(self.number, None):
            self.loop.poll.unregister(self.number)
        self.loop.unsent.discard(self)
        super().close()

    def ask(self, command, then):
        """Sends it; then(reply) when the reply has come."""
        self.unsent.append(encode(command))
        self.waiting.append(then)
        self.loop.unsent.add(self)

    def expect(self, then):
        """then(reply) with what comes next, unasked for."""
        self.waiting.append(then)

    def flush(self):
        self.socket.sendall(b"".join(self.unsent))
        self.unsent.clear()

    def take_input(self):
        data, messages, _, _ = self.socket.recvmsg(1 << 18, 64, socket.MSG_DONTWAIT)
        if not data:
            raise ConnectionError("the server closed the connection")
        for _, kind, content in messages:
            if kind == SO_TIMESTAMPNS:
                seconds, nanos = TIMESPEC.unpack(content)
                self.arrived = seconds + nanos / 1e9
        self.buffer = self.buffer[self.at:] + data
        self.at = 0
        while self.at < len(self.buffer):
            begin = self.at
            try:
                reply = self.read()
            except Incomplete:
                self.at = begin
                return
            self.waiting.popleft()(reply)

    def _fill(self):
        raise Incomplete

    def call(self, *args):
        """Sends one command and turns the loop until its reply has come."""
        replies = []
        self.ask(args, replies.append)
        self.loop.run(lambda: replies)
        return replies[0]

    def call_all(self, commands, at_once=1000):
        """The replies of many commands, sent so many at a time."""
        replies, commands = [], iter(commands)
        while batch := list(itertools.islice(commands, at_once)):
            wanted = len(replies) + len(batch)
            for command in batch:
                self.ask(command, replies.append)
            self.loop.run(lambda: len(replies) == wanted)
        return replies


class Database:
    """Answers after a fixed time while no more than `bears` ask at once, and else after as many times that as there are too
    many. Counts who asks, and when."""

    def __init__(self, loop, seconds, has=lambda key: True, bears=10 ** 9):
        self.loop, self.seconds, self.has, self.bears = loop, seconds, has, bears
        self.loads = self.in_flight = self.most = 0
        self.first_asked = self.answered = 0.0  # by time.time(): when it was first asked, and answered the last time
        self.began = time.monotonic()
        self.history = [(0.0, 0)]  # seconds since the start, loads in flight from then on

    def load(self, key, then):
        """then(value) when it is loaded; None if there is no such thing."""
        self.first_asked = self.first_asked or time.time()
        self.loads += 1
        self.change(1)

        def done():
            self.change(-1)
            self.answered = time.time()
            then(f"value of {key}" if self.has(key) else None)

        self.loop.later(self.seconds * max(1, self.in_flight / self.bears), done)

    def change(self, by):
        self.in_flight += by
        self.most = max(self.most, self.in_flight)
        self.history.append((time.monotonic() - self.began, self.in_flight))


class Guarded:
    """Reads by CACHE.GET: who is told to loads, the others wait, take what is stale or are turned away."""

    def __init__(self, database, get=(), put=("EX", 60), none=("PX", 5000)):
        self.database, self.get, self.put, self.none = database, get, put, none

    def read(self, client, key, then):
        """then(state, value): the state of the reply; LOADED after a load, REFRESHED if there was a value meanwhile."""

        def on_reply(reply):
            if reply[0] == "-":
                raise ValueError(f"CACHE.GET {key}: {reply[1].decode()}")
            (_, state), (_, value), (_, number) = reply[1]
            if state != b"LOAD":
                then(state.decode(), value)
            else:
                how = "LOADED" if value is None else "REFRESHED"
                self.database.load(key, lambda loaded: self.fill(client, key, number, loaded, lambda _: then(how, loaded)))

        client.ask(("CACHE.GET", key, *self.get), on_reply)

    def fill(self, client, key, token, value, then):
        if value is None:
            client.ask(("CACHE.NIL", key, token, *self.none), then)
        else:
            client.ask(("SET", key, value, *self.put, "LEASE", token), then)


class Unguarded:
    """Reads by GET: who finds nothing loads. What does not exist is kept as an empty value if `none` says how long."""

    def __init__(self, database, put=("EX", 60), none=()):
        self.database, self.put, self.none = database, put, none

    def read(self, client, key, then):
        def on_reply(reply):
            if reply[1] is not None:
                then("HIT", reply[1])
            else:
                self.database.load(key, on_loaded)

        def on_loaded(value):
            if value is not None:
                client.ask(("SET", key, value, *self.put), lambda reply: then("LOADED", value))
            elif self.none:
                client.ask(("SET", key, "", *self.none), lambda reply: then("LOADED", None))
            else:
                then("LOADED", None)

        client.ask(("GET", key), on_reply)
