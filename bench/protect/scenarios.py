# SPDX-License-Identifier: BSD-3-Clause
"""The misfortunes of a database behind a cache, each played on one server. A scenario returns what it counted; what it is held
against stands in protect.py."""
import random
import time

from world import Client, Database, Guarded, Loop, Unguarded

LOAD_SECONDS = 0.2
BUSY_LOAD_SECONDS = 0.1


class Scene:
    """A loop, its clients and a fresh server, all ended together."""

    def __init__(self, server, clients=1):
        self.loop = Loop()
        self.clients = [Client(self.loop, server.port) for _ in range(clients)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.close()


def quantile(samples, share):
    samples = sorted(samples)
    return samples[min(len(samples) - 1, int(len(samples) * share))]


def reader_of(guarded, database, **options):
    return Guarded(database, **options) if guarded else Unguarded(database, put=options.get("put", ("EX", 60)))


# ---- 1: everybody wants the same key

def cold_key(server, guarded, connections=1000):
    """All ask at once for a key that is not there."""
    with Scene(server, connections) as scene:
        database = Database(scene.loop, LOAD_SECONDS)
        reader = reader_of(guarded, database, get=("WAIT", 2000))
        arrivals, values = [], []

        def ask(client):
            def on_value(_, value):
                arrivals.append(client.arrived)
                values.append(value)

            reader.read(client, "hot", on_value)

        for client in scene.clients:
            ask(client)
        scene.loop.run(lambda: len(values) == connections)
        good = sum(value in ("value of hot", b"value of hot") for value in values)
        return {"loads": database.loads, "most": database.most, "with_value": good,
                "p99_ms": quantile([arrival - database.first_asked for arrival in arrivals], 0.99) * 1000,
                "woken_ms": quantile([arrival - database.answered for arrival in arrivals], 0.99) * 1000,
                "history": database.history}


def published(server, connections=1000):
    """What there is to compare waking with: a message to as many subscribers, milliseconds until 99 % have it."""
    with Scene(server, connections + 1) as scene:
        publisher, subscribers = scene.clients[0], scene.clients[1:]
        for client in subscribers:
            client.call("SUBSCRIBE", "channel")
        arrivals = []
        for client in subscribers:
            client.expect(lambda _, client=client: arrivals.append(client.arrived))
        begun = time.time()
        publisher.ask(("PUBLISH", "channel", "value of hot"), lambda _: None)
        scene.loop.run(lambda: len(arrivals) == connections)
        return quantile([arrival - begun for arrival in arrivals], 0.99) * 1000


def stale_key(server, guarded, connections=1000):
    """The key has ended a moment ago; while it is loaded everybody asks, one after the other."""
    with Scene(server, connections) as scene:
        database = Database(scene.loop, LOAD_SECONDS)
        reader = reader_of(guarded, database, get=("WAIT", 2000))
        first = scene.clients[0]
        first.call("SET", "hot", "old", "PX", 50, *(("STALE", 30_000) if guarded else ()))
        scene.loop.run_for(0.1)
        waits, states, asking = [], [], iter(scene.clients)

        def ask():
            client, begun = next(asking), time.time()

            def on_value(state, _):
                states.append(state)
                if state not in ("LOADED", "REFRESHED"):
                    waits.append(client.arrived - begun)

            reader.read(client, "hot", on_value)

        scene.loop.every(LOAD_SECONDS * 0.8 / connections, ask, time.monotonic() + LOAD_SECONDS * 0.8)
        scene.loop.run_for(LOAD_SECONDS * 2)
        return {"loads": database.loads, "answers": len(states), "p99_ms": quantile(waits, 0.99) * 1000 if waits else None}


# ---- 2: who was to load dies

def dead_loader(server, readers=20, lease_ms=500):
    """A loader takes the lease and dies; the others wait. Then the dead one's value comes after all."""
    with Scene(server, readers + 1) as scene:
        loop, database = scene.loop, Database(scene.loop, 0.05)
        reader = Guarded(database, get=("WAIT", 2000, "LEASE", lease_ms))
        doomed = Client(loop, server.port)
        begun = time.monotonic()
        old_token = doomed.call("CACHE.GET", "k", "LEASE", lease_ms)[1][2][1]
        doomed.close()
        states = []
        for client in scene.clients[1:]:
            reader.read(client, "k", lambda state, _: states.append(state))
        loop.run(lambda: database.loads > 0, 5)
        second_after = (time.monotonic() - begun) * 1000
        loop.run(lambda: len(states) == readers, 5)
        late = scene.clients[0].call("SET", "k", "late", "EX", 60, "LEASE", old_token)
        value = scene.clients[0].call("GET", "k")[1]
        return {"loads": database.loads, "second_after_ms": second_after, "late_set_refused": late[1] is None,
                "value_intact": value == b"value of k"}


# ---- 3: an old value must not come back

def stale_set(server, guarded):
    """A loader reads the database, the value changes and the key is deleted, the loader writes what it read."""
    with Scene(server) as scene:
        client = scene.clients[0]
        if guarded:
            token = client.call("CACHE.GET", "k")[1][2][1]
            client.call("DEL", "k")
            client.call("SET", "k", "old", "EX", 60, "LEASE", token)
        else:
            client.call("GET", "k")
            client.call("DEL", "k")
            client.call("SET", "k", "old", "EX", 60)
        return {"old_value_kept": client.call("GET", "k")[1] is not None}


# ---- 4: what does not exist

def absent_keys(server, guarded, count):
    """`count` keys exist, as many others are asked for once each."""
    with Scene(server) as scene:
        client, loop = scene.clients[0], scene.loop
        if guarded:
            client.call("CACHE.RULE", "SET", "", "LOADS", 0)
            client.call_all((("CACHE.KNOW", *(f"user:{i}" for i in range(at, min(at + 1000, count)))) for at in
                             range(0, count, 1000)), 10)
            client.call("CACHE.RULE", "SET", "", "FILTER", "ON")
            replies = client.call_all(("CACHE.GET", f"user:{i}") for i in range(count, 2 * count))
            loads = sum(reply[1][0][1] == b"LOAD" for reply in replies)
            replies = client.call_all(("CACHE.GET", f"user:{i}") for i in range(0, count, max(1, count // 10_000)))
            denied = sum(reply[1][0][1] == b"ABSENT" for reply in replies)
        else:
            replies = client.call_all(("GET", f"user:{i}") for i in range(count, 2 * count))
            loads, denied = sum(reply[1] is None for reply in replies), 0
        loop.turn()
        return {"loads": loads, "asked": count, "present_denied": denied}


def repeated_absent_keys(server, guarded, keys=1000, times=20, ms=1000):
    """The same keys that do not exist, again and again for less than their negative entries live, and once more behind that."""
    with Scene(server) as scene:
        database = Database(scene.loop, 0.001, has=lambda key: False)
        none = ("PX", ms)
        reader = Guarded(database, none=none) if guarded else Unguarded(database)
        answers = []

        def ask_all():
            begun = len(answers)
            for i in range(keys):
                reader.read(scene.clients[0], f"absent:{i}", lambda state, _: answers.append(state))
            scene.loop.run(lambda: len(answers) == begun + keys)

        began = time.monotonic()
        for _ in range(times):
            ask_all()
        within = time.monotonic() - began < ms / 1000
        first = database.loads
        scene.loop.run_for(ms / 1000)
        ask_all()
        return {"loads_in_first": first, "loads_after": database.loads - first, "keys": keys, "in_time": within}


def used_bytes(client):
    lines = client.call("INFO", "memory")[1].decode().split("\r\n")
    return next(int(line.split(":")[1]) for line in lines if line.startswith("used_memory:"))


def pushed_out(server, guarded, megabytes=64):
    """A cache full of live values meets as many keys that do not exist as it has, each noted as such."""
    with Scene(server) as scene:
        client = scene.clients[0]
        client.call("CONFIG", "SET", "maxmemory", f"{megabytes}mb")
        client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        resident = 0
        # Nearly full: nothing has been lost so far.
        while used_bytes(client) < 0.95 * megabytes * 1024 * 1024:
            client.call_all(("SET", f"live:{i}", "x" * 100) for i in range(resident, resident + 5000))
            resident += 5000
        if guarded:
            for at in range(0, resident, 1000):
                replies = client.call_all(("CACHE.GET", f"absent:{i}") for i in range(at, min(at + 1000, resident)))
                tokens = [reply[1][2][1] for reply in replies]
                client.call_all(("CACHE.NIL", f"absent:{at + i}", token, "PX", 600_000) for i, token in enumerate(tokens))
        else:
            client.call_all(("SET", f"absent:{i}", "", "PX", 600_000) for i in range(resident))
        replies = client.call_all(("EXISTS", f"live:{i}") for i in range(resident))
        return {"resident": resident, "lost": sum(reply[1] == b"0" for reply in replies)}


# ---- 5: many keys end at once, or all are gone

def ends(server, guarded, keys=100_000):
    """When keys end that were written in the same second for a minute each: how many in the busiest second."""
    with Scene(server) as scene:
        client = scene.clients[0]
        jitter = ("JITTER", 20) if guarded else ()
        began = time.monotonic()
        client.call_all(("SET", f"k:{i}", "v", "EX", 60, *jitter) for i in range(keys))
        wrote_for = time.monotonic() - began
        by_second = {}
        for reply in client.call_all(("PEXPIRETIME", f"k:{i}") for i in range(keys)):
            second = int(reply[1]) // 1000
            by_second[second] = by_second.get(second, 0) + 1
        return {"busiest": max(by_second.values()), "seconds": len(by_second), "wrote_for_s": wrote_for}


def cold_cache(server, guarded, rate=20_000, keys=5000, loads=50, load_seconds=0.05):
    """FLUSHALL under a steady rate of reads, before a database that bears twice the loads that are allowed at once."""
    with Scene(server, 20) as scene:
        loop, database = scene.loop, Database(scene.loop, load_seconds, bears=2 * loads)
        if guarded:
            scene.clients[0].call("CACHE.RULE", "SET", "", "LOADS", loads)
        reader = reader_of(guarded, database, put=("EX", 600))
        scene.clients[0].call_all(("SET", f"k:{i}", "v", "EX", 600) for i in range(keys))
        draw = random.Random(1)
        hits, asked = {}, {}  # by tenth of a second since the FLUSHALL
        flushed_at = None

        def ask():
            for _ in range(rate // 1000):
                client = draw.choice(scene.clients)
                reader.read(client, f"k:{draw.randrange(keys)}", on_value)

        def on_value(state, _):
            if flushed_at is None:
                return
            tenth = int((time.monotonic() - flushed_at) * 10)
            asked[tenth] = asked.get(tenth, 0) + 1
            hits[tenth] = hits.get(tenth, 0) + (state == "HIT")

        span = 3 * keys / (loads / load_seconds) + 1
        loop.every(0.001, ask, time.monotonic() + 1 + span)
        loop.run_for(1)
        database.began = flushed_at = time.monotonic()
        database.history.clear()
        scene.clients[0].call("FLUSHALL")
        loop.run_for(span)
        ratio = {tenth: hits[tenth] / asked[tenth] for tenth in sorted(asked)}
        # Reads of a tenth that waited for the loop count where they end, so its first ones may be from before.
        recovered = next((tenth for tenth in ratio if tenth > 1 and ratio[tenth] >= 0.9), None)
        reached = sum(asked.values()) / span
        return {"most": database.most, "loads": database.loads, "recovered_s": None if recovered is None else recovered / 10,
                "footprint_s": keys / (loads / load_seconds), "rate": reached, "history": database.history, "ratio": ratio}


# ---- 6: a key that is read all the time

def busy_keys(server, guarded, ends_wanted, keys=20, rate=1000, ttl_ms=3000):
    """Keys that end and are loaded again, each read at that rate, until so many of them have been replaced."""
    with Scene(server, 20) as scene:
        loop, database = scene.loop, Database(scene.loop, BUSY_LOAD_SECONDS)
        reader = reader_of(guarded, database, get=("EARLY", 1), put=("PX", ttl_ms))
        # The server measures how long a load takes: the first one of each key is ordinary.
        ready = []
        for i in range(keys):
            reader.read(scene.clients[i], f"k:{i}", lambda state, _: ready.append(state))
        loop.run(lambda: len(ready) == keys)
        loop.standstill = 0.0
        return count_busy(scene, reader, database, ends_wanted, keys, rate, ttl_ms)


def count_busy(scene, reader, database, ends_wanted, keys, rate, ttl_ms):
    loop = scene.loop
    began, loads_before = time.monotonic(), database.loads
    seen = {"misses": 0, "answers": 0}

    def ask():
        for i in range(keys):
            reader.read(scene.clients[i], f"k:{i}", on_value)

    def on_value(state, _):
        seen["answers"] += 1
        seen["misses"] += state not in ("HIT", "REFRESHED")

    span = ends_wanted / keys * ttl_ms / 1000
    loop.every(1 / rate, ask, time.monotonic() + span)
    loop.run_for(span)
    ends_passed = (time.monotonic() - began) / (ttl_ms / 1000) * keys
    return {"misses": seen["misses"], "answers": seen["answers"], "ends": ends_passed,
            "loads_per_end": (database.loads - loads_before) / ends_passed, "most": database.most, "history": database.history,
            "standstill_s": loop.standstill}
