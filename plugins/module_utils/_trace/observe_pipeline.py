# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking every station about the pipeline. What one cannot say stops no other.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core import served
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.model import Records
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._probe.steps import JOB_LABEL, Context
from ansible_collections.gen3.uploads.plugins.module_utils._trace.observe import Stations, handing_over
from ansible_collections.gen3.uploads.plugins.module_utils._trace.pipeline import JobCounts, Pipeline, Restarts

LATELY = timedelta(days=1)
"""What is longer ago is told no more."""


def observe(context: Context, endpoints: Sequence[str], job_limit: int, now: datetime,
            bridge_records: Callable[[], Records | None] = lambda: None) -> Pipeline:
    """Return what all stations say; ``endpoints`` are the URLs of the servers whose certificates and clocks are looked at."""
    stations = Stations()
    namespace = context.params["jobs_namespace"]

    def jobs() -> JobCounts:
        kube = context.kube()  # each call connects anew
        return count_jobs(kube.list("Job", namespace, JOB_LABEL), kube.list("Pod", namespace, JOB_LABEL), job_limit, now)

    readers = stations.ask("dispatcher", lambda: list(context.readers()), [])
    restarts = [each for _name, _deployment, pods in readers for each in restarts_of(pods, now)]
    ends = {url: stations.ask(f"certificate of {url}", lambda url=url: served.certificate_end(url), None)
            for url in endpoints if url.startswith("https://")}
    clocks = {url: stations.ask(f"clock of {url}", lambda url=url: served.clock_ahead(url), None) for url in endpoints}
    return Pipeline(
        restarts=restarts, jobs=stations.ask("Jobs", jobs, JobCounts(limit=job_limit)), certificates=_known(ends), clocks=_known(clocks), now=now,
        records=stations.ask("bridge", bridge_records, None), **handing_over(context, stations, readers))


def restarts_of(pods: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Restarts]:
    """Yield the pods of which a container has ended lately."""
    for pod in pods:
        for container in (pod.get("status") or {}).get("containerStatuses") or []:
            ended = (container.get("lastState") or {}).get("terminated") or (container.get("state") or {}).get("terminated")
            last = _time(ended.get("finishedAt")) if ended else None
            if last and container.get("restartCount") and now - last < LATELY:
                reason = f"container {container['name']} ended with exit code {ended.get('exitCode')} ({ended.get('reason')})"
                yield Restarts(pod["metadata"]["name"], container["restartCount"], reason, last)


def count_jobs(jobs: Iterable[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]], limit: int, now: datetime) -> JobCounts:
    """Return how many of the Jobs run and why others fail."""
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    for pod in pods:
        by_job.setdefault((pod["metadata"].get("labels") or {}).get("job-name", ""), []).append(pod)
    running, failing, example = [], Counter(), ""
    for job in jobs:
        name, state = job["metadata"]["name"], _probe.job_state(job)
        if state is None:
            running.append(_time(job["metadata"]["creationTimestamp"]))
        elif state == _probe.PASSED or now - _ended(job, now) > LATELY:
            continue
        reason = next(filter(None, map(failure, by_job.get(name, []))), None) or (_condition(job) if state else None)
        if reason:
            failing[reason] += 1
            example = example or name
    return JobCounts(running=len(running), oldest=min(filter(None, running), default=None), limit=limit, failing=dict(failing), example=example)


def failure(pod: Mapping[str, Any]) -> str | None:
    """Return in a word or two why a pod does not start or has failed, as Kubernetes says it; None for one that does neither."""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
        waiting = (state.get("waiting") or {}).get("reason")
        if ended.get("exitCode"):
            return ended["reason"] if ended.get("reason") not in (None, "Error") else f"exit code {ended['exitCode']}"
        if waiting and waiting not in ("ContainerCreating", "PodInitializing"):
            return waiting
    if any(each.get("type") == "PodScheduled" and each.get("status") == "False" for each in status.get("conditions") or []):
        return "not scheduled"
    return (status.get("reason") or "failed") if status.get("phase") == "Failed" else None


def _condition(job: Mapping[str, Any]) -> str:
    found = (each.get("reason") for each in job["status"].get("conditions") or [] if each.get("type") == "Failed")
    return next(filter(None, found), "failed")


def _ended(job: Mapping[str, Any], now: datetime) -> datetime:
    times = [_time(each.get("lastTransitionTime")) for each in job["status"].get("conditions") or [] if each.get("type") == "Failed"]
    return next(filter(None, times), now)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _known(said: Mapping[str, Any]) -> dict[str, Any]:
    return {url: value for url, value in said.items() if value is not None}
