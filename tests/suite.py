#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every test of one build folder and counts them; tests/run.sh builds first and calls this.

A step is a program. A GoogleTest program counts each of its cases, and those that it did not live to run count as
failed; any other program ends its output with a line `N passed, N failed`, else it counts as one failure.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COUNT_LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


@dataclasses.dataclass
class Step:
    name: str
    command: list
    gtest: bool = False
    # Steps that measure nothing and start no server run side by side; the others run alone.
    alone: bool = False
    timeout_s: int = 900
    environment: dict = dataclasses.field(default_factory=dict)
    # A program that says nothing when all is well: exit code 0 counts as one passed.
    quiet: bool = False


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    notes: list = dataclasses.field(default_factory=list)


def gtest_cases(program):
    """Names of the cases that a program has, without the disabled ones."""
    listing = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True,
                             timeout=60).stdout
    cases, suite = [], ""
    for line in listing.splitlines():
        word = line.split("#")[0].rstrip()
        if not word or word.startswith("Running main"):
            continue
        if not word.startswith(" "):
            suite = word
        elif "DISABLED_" not in suite + word:
            cases.append(suite + word.strip())
    return cases


def gtest_steps(build, drawn):
    """Every program that GoogleTest's main is linked to, the long ones cut into shards. drawn: how to draw by chance."""
    steps = []
    for program in sorted((build / "tests").glob("*_test")):
        shards = 6 if program.name == "model_test" else 1
        for shard in range(shards):
            command = [str(program)] + (drawn if program.name == "sim_test" else [])
            environment = {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(shard)} if shards > 1 else {}
            name = program.name + (f"-{shard + 1}of{shards}" if shards > 1 else "")
            steps.append(Step(name, command, gtest=True, environment=environment))
    return steps


def all_steps(args, build):
    """The list of what there is to run."""
    python, tests, sanitized = sys.executable, ROOT / "tests", args.preset == "sanitize"
    server = ["--server", str(build / "ouro-server")]
    seed = ["--seed", str(args.seed)] if args.seed is not None else []
    steps = []
    if not sanitized:
        steps.append(Step("tidy", [python, str(tests / "tidy/tidy.py")]))
        steps.append(Step("tidy_test", [python, str(tests / "tidy/tidy_test.py")]))
        steps.append(Step("scripts_test", [python, str(tests / "compat/scripts_test.py")]))
        if args.full or os.environ.get("CI"):
            command = [python, str(tests / "tidy/clang_tidy.py"), str(build)]
            steps.append(Step("clang_tidy", command, timeout_s=3600, alone=True))
    drawn = [f"--seed={args.seed}"] if args.seed is not None else []
    steps += gtest_steps(build, drawn + (["--rounds=500"] if args.full else []))
    if args.full:
        command = [str(build / "tests/sim_test"), "--gtest_filter=CacheLoads.*", "--rounds=10000"] + drawn
        steps.append(Step("sim_cache_loads", command, quiet=True))
    for fuzz in sorted((build / "tests").glob("*_fuzz")):
        corpus = tests / "fuzz/corpus" / fuzz.name.removesuffix("_fuzz")
        steps.append(Step(f"{fuzz.name}_corpus", [str(fuzz), str(corpus)], quiet=True))
        # Any bytes are an input: those of all fuzzers, in the folders below one.
        steps.append(Step(f"{fuzz.name}_all_corpora", [str(fuzz), str(corpus.parent)], quiet=True))
        if args.full:
            steps.append(Step(f"{fuzz.name}_mutated", [str(fuzz), str(corpus), "--seconds", "600"] + seed, quiet=True))
    if not sanitized:
        # Without the sanitizers' own run-time libraries a host cannot link what was built with them.
        steps.append(Step("install_test", [str(tests / "compat/install_test.sh"), str(build)], alone=True))
        # The load generator measures, so the sanitizers' build is without it.
        steps.append(Step("ouro_load_test", [python, str(tests / "compat/ouro_load_test.py"), str(build)], alone=True))
        # They have an allocator of their own, too.
        steps.append(Step("memory_return_test", [python, str(tests / "compat/memory_return_test.py"), str(build)]))
    steps.append(Step("busy_script_test", [python, str(tests / "compat/busy_script_test.py"), str(build)], alone=True))
    steps.append(Step("debugger_test", [python, str(tests / "compat/debugger_test.py"), str(build)], alone=True))
    commands = 2_000_000 if args.full else 60_000 if sanitized else 240_000
    command = [python, str(tests / "compat/differential.py"), "--commands", str(commands)] + server + seed
    steps.append(Step("differential", command, alone=True, timeout_s=3600 if args.full else 900))
    command = [python, str(tests / "compat/acl_differential.py"), "--commands", str(commands // 12)] + server + seed
    steps.append(Step("acl_differential", command, alone=True, timeout_s=3600 if args.full else 900))
    steps.append(Step("command_table_test", [python, str(tests / "compat/command_table_test.py"), str(build)], alone=True))
    command = [python, str(tests / "compat/dump_test.py"), "--rounds", "900" if args.full else "90"] + server + seed
    steps.append(Step("dump_test", command, alone=True, timeout_s=3600 if args.full else 900))
    steps.append(Step("migrate_test", [python, str(tests / "compat/migrate_test.py"), str(build)] + seed, alone=True))
    steps.append(Step("replication_test", [python, str(tests / "compat/replication_test.py"), str(build)] + seed, alone=True))
    steps.append(Step("failover_test", [python, str(tests / "compat/failover_test.py"), str(build)], alone=True))
    steps.append(Step("semi_sync_test", [python, str(tests / "compat/semi_sync_test.py"), str(build)], alone=True))
    steps.append(Step("election_test", [python, str(tests / "compat/election_test.py"), str(build)], alone=True))
    steps.append(Step("descriptor_limit_test", [python, str(tests / "compat/descriptor_limit_test.py"), str(build)], alone=True))
    steps.append(Step("follow_test", [python, str(tests / "compat/follow_test.py"), str(build)] + seed, alone=True))
    steps.append(Step("restart_test", [python, str(tests / "compat/restart_test.py"), str(build)], alone=True))
    steps.append(Step("snapshot_test", [python, str(tests / "compat/snapshot_test.py"), str(build)] + seed, alone=True))
    steps.append(Step("snapshot_exchange", [python, str(tests / "compat/snapshot_exchange.py"), str(build)] + seed, alone=True))
    steps.append(Step("aof_test", [python, str(tests / "compat/aof_test.py"), str(build)] + seed, alone=True))
    steps.append(Step("shutdown_test", [python, str(tests / "compat/shutdown_test.py"), str(build)], alone=True))
    if not sanitized:  # else its own report comes first
        steps.append(Step("crash_test", [python, str(tests / "compat/crash_test.py"), str(build)], alone=True))
    steps.append(Step("debug_restart_test", [python, str(tests / "compat/debug_restart_test.py"), str(build)], alone=True))
    steps.append(Step("log_start_test", [python, str(tests / "compat/log_start_test.py"), str(build)], alone=True))
    steps.append(Step("cache_test", [python, str(tests / "compat/cache_test.py"), str(build)], alone=True))
    steps.append(Step("redis7_test", [python, str(tests / "compat/redis7_test.py"), str(build)], alone=True))
    command = [python, str(tests / "compat/log_kill_test.py"), str(build), "--rounds", "50" if args.full else "10"] + seed
    steps.append(Step("log_kill_test", command, alone=True, timeout_s=900))
    command = [python, str(tests / "compat/log_replay_test.py"), str(build), "--rounds", "2000" if args.full else "90"] + seed
    steps.append(Step("log_replay_test", command, alone=True, timeout_s=3600 if args.full else 900))
    steps.append(Step("surroundings_test", [python, str(tests / "compat/surroundings_test.py"), str(build)], alone=True))
    steps.append(Step("info_test", [python, str(tests / "compat/info_test.py"), str(build)], alone=True))
    steps.append(Step("cache_rules_test", [python, str(tests / "compat/cache_rules_test.py"), str(build)], alone=True))
    steps.append(Step("cache_aside_test", [python, str(tests / "compat/cache_aside_test.py"), str(build)], alone=True))
    for client in sorted((tests / "compat/clients").glob("*_client.*")):
        steps.append(Step(client.stem, [str(tests / "compat/clients/run.sh"), str(client), str(build)], alone=True))
    return [step for step in steps if not args.only or args.only in step.name]


def count_gtest(step, report, text, returncode, outcome):
    """Counts from the program's own report; cases that are missing there did not live."""
    environment = {**os.environ, **step.environment}
    shards, index = int(environment.get("GTEST_TOTAL_SHARDS", 1)), int(environment.get("GTEST_SHARD_INDEX", 0))
    expected = [case for number, case in enumerate(gtest_cases(step.command[0])) if number % shards == index]
    finished = set()
    try:
        for suite in json.loads(report.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                if case.get("status") != "RUN":
                    continue
                name = f"{suite['name']}.{case['name']}"
                finished.add(name)
                if case.get("failures"):
                    outcome.failed += 1
                    outcome.notes.append(name)
                elif case.get("result") == "SKIPPED":
                    outcome.skipped += 1
                else:
                    outcome.passed += 1
    except (OSError, ValueError, KeyError):
        # The program died before it could report: what it printed says which cases came to an end.
        for verdict, name in re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] (\S+?)(?:, where.*)? \(\d+ ms\)$", text, re.M):
            finished.add(name)
            if verdict == "OK":
                outcome.passed += 1
            elif verdict == "SKIPPED":
                outcome.skipped += 1
            else:
                outcome.failed += 1
                outcome.notes.append(name)
    for name in expected:
        if name not in finished:
            outcome.failed += 1
            outcome.notes.append(f"{name} (did not finish)")
    if returncode != 0 and outcome.failed == 0:
        outcome.failed += 1
        outcome.notes.append(f"exit code {returncode}")


def run_step(step, logs):
    """Runs one program; its output goes to a file of the step's name."""
    outcome, started = Outcome(), time.monotonic()
    report = logs / f"{step.name}.json"
    report.unlink(missing_ok=True)
    command = step.command + ([f"--gtest_output=json:{report}"] if step.gtest else [])
    log = logs / f"{step.name}.log"
    with open(log, "w", encoding="utf-8") as out:
        try:
            returncode = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **step.environment}, timeout=step.timeout_s).returncode
        except subprocess.TimeoutExpired:
            returncode = -1
            out.write(f"\nstopped after {step.timeout_s} s\n")
        except OSError as error:
            returncode = -1
            out.write(f"\n{error}\n")
    outcome.seconds = time.monotonic() - started
    text = log.read_text(encoding="utf-8", errors="replace")
    if step.gtest:
        count_gtest(step, report, text, returncode, outcome)
        return outcome
    # What ends after the checks (a client's threads) may still say something behind the count.
    counts = COUNT_LINE.findall(text)
    counted = counts[-1] if counts else None
    if counted:
        outcome.passed, outcome.failed = int(counted[0]), int(counted[1])
    elif step.quiet and returncode == 0:
        outcome.passed = 1
    if (returncode != 0 and outcome.failed == 0) or outcome.passed + outcome.failed == 0:
        outcome.failed += 1
        outcome.notes.append(f"exit code {returncode}")
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="release")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    build = ROOT / "build" / args.preset
    logs = build / "test-logs"
    logs.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")

    steps = all_steps(args, build)
    total, lock = Outcome(), threading.Lock()

    def finish(step):
        outcome = run_step(step, logs)
        with lock:
            total.passed += outcome.passed
            total.failed += outcome.failed
            total.skipped += outcome.skipped
            skipped = f", {outcome.skipped} skipped" if outcome.skipped else ""
            counts = f"{outcome.passed:>6} passed {outcome.failed:>4} failed{skipped}"
            print(f"{step.name:<32} {counts}  {outcome.seconds:6.1f} s", flush=True)
            for note in outcome.notes[:20]:
                print(f"    FAILED {note}")
            if outcome.failed:
                tail = (logs / f"{step.name}.log").read_text(encoding="utf-8", errors="replace").splitlines()[-60:]
                print("\n".join("    | " + line for line in tail), flush=True)

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(finish, [step for step in steps if not step.alone]))
    for step in steps:
        if step.alone:
            finish(step)
    if total.skipped:
        print(f"{total.skipped} skipped (see the logs in {logs.relative_to(ROOT)})")
    if total.passed + total.failed == 0:
        print(f"no step has '{args.only}' in its name")
        total.failed = 1
    print(f"{total.passed} passed, {total.failed} failed")
    return 0 if total.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
