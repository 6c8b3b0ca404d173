#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What CACHE.GET and its kin keep from a database, held against bounds, with a plain cache (GET, load, SET) of redis-server
beside it as the control:

    protect.py [--server PROGRAM] [--rival redis-server] [--only stampede|dead|stale|absent|avalanche|early] [--quick]

The database is played: it answers after a fixed time and counts. Plots of its load over time go to build/bench/protect/.
The last line is `N passed, N failed`; what the control does is told, not judged.
"""
import argparse
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/compat")]
import scenarios  # noqa: E402
from plot import lines  # noqa: E402
from promises import Report  # noqa: E402
from rivals import SERVER_CORE, require_built  # noqa: E402
from servers import Server  # noqa: E402

ROUNDS = 3


class Stage:
    """Plays a scenario on a fresh server of each kind."""

    def __init__(self, args):
        self.args = args
        self.report = Report()
        self.folder = ROOT / "build/bench/protect"
        self.folder.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def server(program):
        return Server(program, prefix=["taskset", "-c", SERVER_CORE])

    def play(self, scenario, *arguments):
        """What it counted, with protection and without."""
        found = []
        for program, guarded in ((self.args.server, True), (self.args.rival, False)):
            with self.server(program) as server:
                found.append(scenario(server, guarded, *arguments))
        return found

    def check(self, what, measured, bound, unit="", at_least=False):
        """A figure that is not there breaks its bound."""
        self.report.check(what, measured if measured is not None else float("-inf" if at_least else "inf"), bound, unit, at_least)

    def tell(self, text):
        print(f"       {text}", flush=True)

    def plot(self, name, title, ours, theirs):
        lines(self.folder / f"{name}.svg", title, {"ouro": ours["history"], "redis": theirs["history"]}, "seconds",
              "loads in flight")


def stampede(stage):
    """Loads of the worst of three rounds, times of the middle one."""
    rounds = [stage.play(scenarios.cold_key) for _ in range(ROUNDS)]
    ours, theirs = [ours for ours, _ in rounds], rounds[-1][1]
    stage.check("1 cold key, 1,000 at once: loads", max(each["loads"] for each in ours), 1)
    stage.check("1 cold key: clients that have the value", min(each["with_value"] for each in ours), 1000, at_least=True)
    stage.check("1 cold key: p99 since the load began, which takes 200", middle(ours, "p99_ms"), 220, "ms")
    stage.check("1 cold key: p99 since the database answered", middle(ours, "woken_ms"), 5, "ms")
    with stage.server(stage.args.rival) as server:
        published = scenarios.published(server)
    stage.tell(f"redis, every client loads: {theirs['loads']} loads, {theirs['most']} at once; its PUBLISH to as many takes "
               f"{published:.1f} ms")
    stage.plot("stampede", "a cold key, 1,000 clients at once", ours[-1], theirs)
    rounds = [stage.play(scenarios.stale_key) for _ in range(ROUNDS)]
    ours, theirs = [ours for ours, _ in rounds], rounds[-1][1]
    stage.check("1 key that has gone stale: loads", max(each["loads"] for each in ours), 1)
    stage.check("1 key that has gone stale: answers", min(each["answers"] for each in ours), 1000, at_least=True)
    stage.check("1 key that has gone stale: p99 of the others", middle(ours, "p99_ms"), 5, "ms")
    stage.tell(f"redis: {theirs['loads']} loads, nobody had a value before one was over")


def middle(rounds, name):
    return statistics.median(each[name] for each in rounds)


def dead(stage):
    with stage.server(stage.args.server) as server:
        found = scenarios.dead_loader(server)
    stage.check("2 the loader dies: loads after it", found["loads"], 1)
    stage.check("2 the loader dies: the second begins, lease 500", found["second_after_ms"], 550, "ms")
    stage.check("2 the loader dies: not before", found["second_after_ms"], 500, "ms", at_least=True)
    stage.check("2 the loader dies: its late SET is refused", found["late_set_refused"], True, at_least=True)
    stage.check("2 the loader dies: the value is the second's", found["value_intact"], True, at_least=True)


def stale(stage):
    ours, theirs = stage.play(scenarios.stale_set)
    stage.check("3 SET of what was read before a DEL: kept", ours["old_value_kept"], False)
    stage.tell(f"redis: the old value is {'kept' if theirs['old_value_kept'] else 'not kept'}")


def absent(stage):
    count = 100_000 if stage.args.quick else 1_000_000
    ours, theirs = stage.play(scenarios.absent_keys, count)
    stage.check(f"4 {count:,} absent keys, filter: loads", ours["loads"], count // 1000)
    stage.check("4 filter: present keys that were denied", ours["present_denied"], 0)
    stage.tell(f"redis: {theirs['loads']:,} loads")
    ours, theirs = stage.play(scenarios.repeated_absent_keys)
    in_time = ours["loads_in_first"] if ours["in_time"] else None
    stage.check("4 1,000 absent keys 20 times within PX: loads", in_time, ours["keys"])
    stage.check("4 the same behind PX: loads", ours["loads_after"], ours["keys"])
    stage.check("4 the same behind PX: loads, at least", ours["loads_after"], ours["keys"], at_least=True)
    stage.tell(f"redis: {theirs['loads_in_first']:,} loads, {theirs['loads_after']:,} behind it")
    ours, theirs = stage.play(scenarios.pushed_out)
    stage.check("4 as many absent keys as live ones: live ones lost", 100 * ours["lost"] / ours["resident"], 5, "%")
    stage.tell(f"redis, with an empty value for each: {100 * theirs['lost'] / theirs['resident']:.1f} % lost")


def avalanche(stage):
    ours, theirs = stage.play(scenarios.ends)
    stage.check("5 100,000 keys EX 60 JITTER 20: busiest second's ends", ours["busiest"], round(1.3 * 100_000 / 12))
    stage.tell(f"redis, without jitter: {theirs['busiest']:,} (written within {theirs['wrote_for_s']:.1f} s)")
    ours, theirs = stage.play(scenarios.cold_cache)
    stage.check("5 FLUSHALL under 20,000/s, LOADS 50: loads at once", ours["most"], 50)
    stage.check("5 FLUSHALL: 90 % hits again, after", ours["recovered_s"], ours["footprint_s"], "s")
    stage.check("5 FLUSHALL: reads a second that were answered", ours["rate"], 19_000, at_least=True)
    stage.tell(f"redis: {theirs['most']:,} loads at once, {theirs['loads']:,} loads for what {ours['loads']:,} did; 90 % after "
               f"{theirs['recovered_s']} s")
    stage.plot("avalanche", "FLUSHALL under 20,000 reads a second", ours, theirs)


def early(stage):
    count = 100 if stage.args.quick else 1000
    ours, theirs = stage.play(scenarios.busy_keys, count)
    # Where the clients themselves stood still for as long as a load takes, they did not read all the time.
    for _ in range(2):
        if ours["standstill_s"] < scenarios.BUSY_LOAD_SECONDS / 2:
            break
        stage.tell(f"the clients stood still for {ours['standstill_s'] * 1000:.0f} ms: once more")
        ours, theirs = stage.play(scenarios.busy_keys, count)
    stage.check(f"6 keys read 1,000/s, {count:,} ends, EARLY 1: misses", ours["misses"], 0)
    stage.check("6 EARLY 1: loads for each end", ours["loads_per_end"], 1.2)
    stage.check("6 EARLY 1: reads answered", ours["answers"] / max(1, theirs["answers"]), 0.9, at_least=True)
    stage.tell(f"redis: {theirs['misses']:,} misses, {theirs['loads_per_end']:.1f} loads for each end")
    stage.plot("early", "20 keys of 3 s, each read 1,000 times a second", ours, theirs)


PARTS = {part.__name__: part for part in (stampede, dead, stale, absent, avalanche, early)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default=str(ROOT / "build/release/ouro-server"))
    parser.add_argument("--rival", default="redis-server")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the absent keys and of the ends")
    args = parser.parse_args()
    require_built(args.server)
    stage = Stage(args)
    for name, part in PARTS.items():
        if args.only in (None, name):
            part(stage)
    print(f"{stage.report.passed} passed, {stage.report.failed} failed")
    return 1 if stage.report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
