"""Celery on Redis: one process (pool solo), as many prefetched as it likes, no results kept.

Its acks are early, as they are unless somebody asks for others: with them a message is lost when its worker dies.
"""

from __future__ import annotations

from benchmarks.bus.job import Job, Report, Tally, job
from celery import Celery
from celery.signals import task_postrun


def run(url: str, count: int, report: Report) -> None:
    app = Celery("bench", broker=url)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=100, worker_redirect_stdouts=False)
    tally = Tally(count)

    def handle(each: Job) -> None:
        """Typed: what comes is validated."""

    def count_it(**_: object) -> None:
        if tally.one():
            report(rate=tally.rate())

    task = app.task(name="handle", pydantic=True)(handle)
    task_postrun.connect(count_it)
    for n in range(count):
        task.delay(job(n).model_dump())
    app.worker_main(["worker", "--pool=solo", "--loglevel=ERROR", "--without-gossip", "--without-mingle"])
