#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""django-redis: Django's cache and its sessions."""
import sys
import threading

import django
from django.conf import settings

from checks import run, until

URL = f"redis://127.0.0.1:{sys.argv[-1]}/"


def cache_at(db, **options):
    return {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": URL + str(db),
            "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient", **options}}


settings.configure(
    CACHES={"default": cache_at(1), "packed": cache_at(2, COMPRESSOR="django_redis.compressors.zlib.ZlibCompressor")},
    SESSION_ENGINE="django.contrib.sessions.backends.cache", SECRET_KEY="secret", USE_TZ=True)
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402  (needs the settings)
from django.core.cache import cache, caches  # noqa: E402


def values_come_back():
    assert cache.set("key", {"a": [1, 2]}, timeout=100) is True
    assert cache.get("key") == {"a": [1, 2]} and 90 < cache.ttl("key") <= 100
    assert cache.add("key", "other") is False and cache.get("none", "default") == "default"
    assert cache.get_or_set("made", lambda: 7) == 7 and cache.get("made") == 7
    cache.set_many({f"m:{n}": n for n in range(50)})
    assert cache.get_many(["m:1", "m:49", "m:50"]) == {"m:1": 1, "m:49": 49}
    assert cache.delete("key") and cache.get("key") is None
    caches["packed"].set("text", "x" * 10_000)
    assert caches["packed"].get("text") == "x" * 10_000


def counters():
    cache.set("n", 1, timeout=None)
    assert cache.incr("n") == 2 and cache.decr("n", 5) == -3
    try:
        cache.incr("no such counter")
        raise AssertionError("it counts what does not exist")
    except ValueError:
        pass


def keys_by_pattern():
    cache.set_many({f"user:{n}": n for n in range(120)})
    assert len(cache.keys("user:*")) == 120 and len(list(cache.iter_keys("user:1*"))) == 31
    assert cache.delete_pattern("user:*", itersize=10) == 120 and cache.keys("user:*") == []


def lifetimes():
    cache.set("short", 1, timeout=0.05)
    until(lambda: cache.get("short") is None)
    cache.set("kept", 1, timeout=1)
    assert cache.persist("kept") and cache.ttl("kept") is None
    assert cache.expire("kept", timeout=50) and 40 < cache.ttl("kept") <= 50
    assert cache.touch("kept", 500) and cache.ttl("kept") > 400


def locks():
    inside, most = [], []

    def section():
        with cache.lock("lock", timeout=10, blocking_timeout=10):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=section) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 10


def sessions():
    session = SessionStore()
    session["user"] = 42
    session.save()
    assert SessionStore(session_key=session.session_key)["user"] == 42
    session.cycle_key()
    assert SessionStore(session_key=session.session_key)["user"] == 42
    session.flush()
    assert not SessionStore().exists(session.session_key or "none")


if __name__ == "__main__":
    run(values_come_back, counters, keys_by_pattern, lifetimes, locks, sessions)
