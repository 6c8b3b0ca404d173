# SPDX-License-Identifier: BSD-3-Clause
"""CPU seconds of the server's process for each gigabyte of large values."""
import os
import socket
import statistics
import threading

from rivals import pinned_server
from resp import Connection, encode


def stream_large(server, operation, size, count, clients=4):
    """CPU seconds a gigabyte for GET or SET of `size` bytes by a few connections."""
    value = b"v" * size

    def work(number):
        connection = Connection(server.port, timeout_s=120)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        name = b"large:%d" % number
        request = encode([b"SET", name, value] if operation == "SET" else [b"GET", name])
        sink = bytearray(1 << 20)
        for _ in range(count):
            connection.socket.sendall(request)
            left = 5 if operation == "SET" else size + len(b"$%d\r\n\r\n" % size)
            while left > 0:
                left -= connection.socket.recv_into(sink)
        connection.close()

    before = server.cpu_ns()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (server.cpu_ns() - before) / 1e9 / (size * count * clients / 1e9)


def measure(args):
    rows = []
    size, count = 10_000_000, 10 if args.quick else 40
    samples = {}
    os.sched_setaffinity(0, {1} if os.cpu_count() == 2 else set(range(os.cpu_count())) - {0} or {0})
    servers = {"ouro": pinned_server(args.server), "redis": pinned_server(args.rival)}
    try:
        for _ in range(min(3, args.rounds) if args.quick else args.rounds):
            for operation in ("SET", "GET"):
                for name, server in servers.items():
                    samples.setdefault((operation, name), []).append(stream_large(server, operation, size, count))
    finally:
        for server in servers.values():
            server.stop()
        os.sched_setaffinity(0, set(range(os.cpu_count())))
    for operation in ("GET", "SET"):
        row = {"operation": f"{operation} of 10 MB"}
        for name in servers:
            row[name] = statistics.median(samples[operation, name])
        row["ratio"] = row["ouro"] / row["redis"]
        rows.append(row)
    return rows


def table(rows):
    lines = [f"{'CPU seconds a gigabyte':<32}{'ouro':>9}{'redis':>9}{'ratio':>7}"]
    lines += [f"{row['operation']:<32}{row['ouro']:>9.3f}{row['redis']:>9.3f}{row['ratio']:>7.2f}" for row in rows]
    return "\n".join(lines)
