#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Cache-aside before a real database: how many queries MariaDB itself has counted when many readers want the same rows.

    mariadb.py [--server PROGRAM] [--rival redis-server] [--readers N]

By CACHE.GET (examples/cache_aside.py), and by GET, query, SET in redis-server. The database is one of its own, in a temporary
folder, and ends with the program. The last line is `N passed, N failed`.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import pymysql
import redis

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/compat"), str(ROOT / "bench/protect/examples")]
import cache_aside  # noqa: E402
from servers import Server  # noqa: E402

ROWS = 10
QUERY_SECONDS = 0.1


class MariaDb:
    """A database with one table of names, reached by a socket in its folder."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ouro-mariadb-")
        data, self.socket = self.folder.name + "/data", self.folder.name + "/socket"
        subprocess.run(["mariadb-install-db", "--user=root", f"--datadir={data}", "--auth-root-authentication-method=normal"],
                       stdout=subprocess.DEVNULL, check=True)
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking",
             "--max-connections=1000", f"--pid-file={self.folder.name}/pid"], stderr=subprocess.DEVNULL)
        with self.connect() as root:
            root.cursor().execute("CREATE DATABASE shop")
            root.cursor().execute("CREATE TABLE shop.names (id INT PRIMARY KEY, name TEXT)")
            rows = [(number, f"name {number}") for number in range(ROWS)]
            root.cursor().executemany("INSERT INTO shop.names VALUES (%s, %s)", rows)
            root.commit()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()

    def connect(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                return pymysql.connect(unix_socket=self.socket, user="root")
            except pymysql.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def queries(self):
        """SELECTs since its start, by its own count."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
            return int(cursor.fetchone()[1])

    def name_of(self, key):
        """A slow query."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT name FROM shop.names WHERE id = %s AND SLEEP(%s) = 0", (key.split(":")[1], QUERY_SECONDS))
            row = cursor.fetchone()
            return row and row[0]


def read_plainly(cache, key, load):
    value = cache.get(key)
    if value is None:
        value = load(key)
        if value is not None:
            cache.set(key, value, ex=60)
    return value


def count_queries(program, read, database, readers):
    """Every reader wants every row, and one that does not exist."""
    wrong = []
    with Server(program) as server:
        cache = redis.Redis(port=server.port, decode_responses=True)

        def play():
            for number in range(ROWS + 1):
                expected = f"name {number}" if number < ROWS else None
                if read(cache, f"name:{number}", database.name_of) != expected:
                    wrong.append(number)

        before = database.queries()
        threads = [threading.Thread(target=play) for _ in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return database.queries() - before, len(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default=str(ROOT / "build/release/ouro-server"))
    parser.add_argument("--rival", default="redis-server")
    parser.add_argument("--readers", type=int, default=200)
    args = parser.parse_args()
    with MariaDb() as database:
        ours, wrong = count_queries(args.server, cache_aside.read, database, args.readers)
        theirs, _ = count_queries(args.rival, read_plainly, database, args.readers)
    print(f"{args.readers} readers of {ROWS} rows and one that is not there: {ours} queries, {wrong} wrong answers; "
          f"without protection, in redis-server, {theirs} queries")
    failed = (ours != ROWS + 1) + (wrong > 0)
    print(f"{2 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
