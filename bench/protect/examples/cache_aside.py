#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Cache-aside: fifty readers want a key that is not there, and one of them asks the database.  cache_aside.py PORT"""
import sys
import threading
import time

import redis


def read(cache, key, load):
    """The key's value, None if there is no such thing; load(key) asks the database."""
    while True:
        state, value, number = cache.execute_command("CACHE.GET", key, "WAIT", 2000)
        if state in ("HIT", "STALE", "ABSENT"):
            return value
        if state != "BUSY":
            break
        time.sleep(number / 1000)
    try:
        value = load(key)
    except Exception:
        cache.execute_command("CACHE.FAIL", key, number)
        raise
    if value is None:
        cache.execute_command("CACHE.NIL", key, number)
    else:
        cache.execute_command("SET", key, value, "EX", 60, "STALE", 30_000, "JITTER", 10, "LEASE", number)
    return value


if __name__ == "__main__":
    loads, values = [], []
    server = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
    ask_database = lambda key: (loads.append(key), time.sleep(0.2), f"what is known of {key}")[-1]
    readers = [threading.Thread(target=lambda: values.append(read(server, "user:42", ask_database))) for _ in range(50)]
    [reader.start() for reader in readers], [reader.join() for reader in readers]
    print(f"{values.count('what is known of user:42')} readers, {len(loads)} load")
