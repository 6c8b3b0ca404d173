#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""RQ: jobs with results, failures, dependencies and a schedule, worked off in this process."""
import datetime
import sys
import time

import redis
from rq import Queue, Retry, SimpleWorker
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry

from checks import run

connection = redis.Redis(host="127.0.0.1", port=int(sys.argv[-1]))


def add(a, b):
    return a + b


def fail():
    raise ValueError("on purpose")


def fail_once(name):
    if connection.incr(name) == 1:
        raise ValueError("the first time")
    return "done"


def work(queue, **options):
    SimpleWorker([queue], connection=connection).work(burst=True, logging_level="CRITICAL", **options)


def jobs_run_and_give_results():
    queue = Queue("sums", connection=connection)
    jobs = [queue.enqueue(add, n, 1) for n in range(20)]
    assert len(queue) == 20 and jobs[0].get_status() == "queued"
    work(queue)
    assert [Job.fetch(job.id, connection=connection).result for job in jobs] == list(range(1, 21))
    assert len(FinishedJobRegistry(queue=queue)) == 20 and len(queue) == 0


def failures_are_kept_and_tried_again():
    queue = Queue("fails", connection=connection)
    job = queue.enqueue(fail)
    again = queue.enqueue(fail_once, "tries", retry=Retry(max=2))
    work(queue)
    assert job.get_status() == "failed" and "on purpose" in job.exc_info
    assert FailedJobRegistry(queue=queue).get_job_ids() == [job.id]
    again.refresh()
    assert again.result == "done"


def a_job_waits_for_another():
    queue = Queue("order", connection=connection)
    first = queue.enqueue(add, 1, 1)
    second = queue.enqueue(add, 2, 2, depends_on=first)
    assert second.get_status() == "deferred"
    work(queue)
    second.refresh()
    assert second.result == 4


def scheduled_jobs_come_due():
    queue = Queue("later", connection=connection)
    queue.enqueue_in(datetime.timedelta(seconds=1), add, 3, 4)
    registry = ScheduledJobRegistry(queue=queue)
    assert len(registry) == 1
    time.sleep(1.1)
    (job_id,) = registry.get_jobs_to_schedule()
    registry.remove(job_id)
    job = Job.fetch(job_id, connection=connection)
    queue.enqueue_job(job)
    work(queue)
    job.refresh()
    assert job.result == 7


if __name__ == "__main__":
    # RQ wants the functions of a module, not those of the program that runs.
    import rq_client as me

    run(me.jobs_run_and_give_results, me.failures_are_kept_and_tried_again, me.a_job_waits_for_another,
        me.scheduled_jobs_come_due)
