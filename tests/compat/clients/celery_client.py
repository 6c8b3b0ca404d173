#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Celery over Kombu: the server is broker and result store; the worker runs in a thread."""
import sys
import time

from celery import Celery, chain, chord, group
from celery.contrib.testing.worker import start_worker
from kombu import Connection, Exchange, Queue

from checks import run

URL = f"redis://127.0.0.1:{sys.argv[-1]}/0"
app = Celery("tasks", broker=URL, backend=URL)
app.conf.update(broker_connection_retry_on_startup=True, result_expires=60)


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def fail_twice(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0.05)
    return self.request.retries


@app.task
def fail():
    raise ValueError("on purpose")


def tasks_give_results():
    results = [add.delay(n, 1) for n in range(30)]
    assert [result.get(timeout=20) for result in results] == list(range(1, 31))


def failures_and_retries():
    assert fail_twice.delay().get(timeout=20) == 2
    failed = fail.delay()
    try:
        failed.get(timeout=20)
        raise AssertionError("it did not fail")
    except ValueError as error:
        assert "on purpose" in str(error)
    assert failed.state == "FAILURE"


def chains_groups_and_chords():
    assert chain(add.s(1, 2), add.s(3), add.s(4))().get(timeout=20) == 10
    assert group(add.s(n, n) for n in range(10))().get(timeout=20) == [2 * n for n in range(10)]
    assert chord((add.s(n, 0) for n in range(10)), total.s())().get(timeout=20) == 45


def a_task_with_a_countdown_waits():
    started = time.monotonic()
    assert add.apply_async((1, 1), countdown=1).get(timeout=20) == 2
    assert time.monotonic() - started >= 0.9


def kombu_queues_and_priorities():
    exchange = Exchange("media", "topic")
    queue = Queue("video", exchange, routing_key="video.#", max_priority=10)
    with Connection(URL) as connection:
        producer = connection.Producer(serializer="json")
        for n in range(5):
            producer.publish({"n": n}, exchange=exchange, routing_key="video.new", declare=[queue])
        producer.publish({"n": -1}, exchange=exchange, routing_key="audio.new", declare=[queue])
        seen = []
        box = connection.SimpleQueue(queue)
        while len(seen) < 5:
            message = box.get(timeout=10)
            seen.append(message.payload["n"])
            message.ack()
        assert seen == [0, 1, 2, 3, 4]
        box.close()


if __name__ == "__main__":
    with start_worker(app, pool="threads", concurrency=2, perform_ping_check=False, loglevel="ERROR"):
        checks = [tasks_give_results, failures_and_retries, chains_groups_and_chords, a_task_with_a_countdown_waits,
                  kombu_queues_and_priorities]
        run(*checks)
