#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""prometheus-redis-exporter: what it reads of a live server, scraped as Prometheus does."""
import re
import socket
import subprocess
import sys
import urllib.request

import redis

from checks import run, until

SERVER = f"redis://127.0.0.1:{sys.argv[-1]}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()


def scrape():
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    return dict(re.findall(r"^(redis_\w+(?:\{.*\})?) (\S+)$", text, re.M))


def is_up():
    try:
        return scrape().get("redis_up") == "1"
    except OSError:
        return False


def figures_of_the_server():
    client = redis.Redis(port=int(sys.argv[-1]))
    client.flushall()
    for n in range(100):
        client.set(f"key:{n}", n, ex=1000 if n < 40 else None)
    client.get("key:1")
    client.get("no such key")
    seen = scrape()
    assert float(seen['redis_db_keys{db="db0"}']) == 100 and float(seen['redis_db_keys_expiring{db="db0"}']) == 40
    assert float(seen["redis_keyspace_hits_total"]) >= 1 and float(seen["redis_keyspace_misses_total"]) >= 1
    assert float(seen["redis_connected_clients"]) >= 2 and float(seen["redis_memory_used_bytes"]) > 100_000
    assert float(seen["redis_uptime_in_seconds"]) >= 0 and float(seen["redis_config_maxclients"]) > 0
    assert float(seen['redis_commands_total{cmd="set"}']) >= 100
    assert float(seen['redis_commands_duration_seconds_total{cmd="set"}']) > 0
    assert any(name.startswith("redis_instance_info{") for name in seen)


def nothing_failed_to_be_read():
    seen = scrape()
    assert float(seen["redis_exporter_last_scrape_error{err=\"\"}"]) == 0, seen
    assert float(seen["redis_slowlog_length"]) >= 0


def counters_grow():
    client = redis.Redis(port=int(sys.argv[-1]))
    before = float(scrape()["redis_commands_processed_total"])
    for _ in range(1000):
        client.ping()
    assert float(scrape()["redis_commands_processed_total"]) >= before + 1000


if __name__ == "__main__":
    exporter = subprocess.Popen(["prometheus-redis-exporter", "-redis.addr", SERVER, "-web.listen-address", f"127.0.0.1:{PORT}"],
                                stderr=subprocess.DEVNULL)
    try:
        until(is_up)
        run(figures_of_the_server, nothing_failed_to_be_read, counters_grow)
    finally:
        exporter.terminate()
        exporter.wait()
