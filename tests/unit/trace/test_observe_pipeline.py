"""What the stations of a pipeline are asked, and how their answers are read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core import served
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.model import Records
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError
from ansible_collections.gen3.uploads.plugins.module_utils._trace import observe_pipeline
from test_observe import Context as FileContext

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def at(**ago):
    return (NOW - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def pod(name="indexing-abcde-1", job="indexing-abcde", waiting=None, ended=None, last=None, restarts=0, conditions=(), phase="Pending", reason=None):
    state = {"waiting": {"reason": waiting}} if waiting else {"terminated": ended} if ended else {"running": {}}
    container = {"name": "job-task", "state": state, "lastState": {"terminated": last} if last else {}, "restartCount": restarts}
    return {"metadata": {"name": name, "labels": {"job-name": job}},
            "status": {"phase": phase, "reason": reason, "containerStatuses": [container], "conditions": list(conditions)}}


def job(name="indexing-abcde", ended=None, reason="BackoffLimitExceeded", created=None):
    conditions = [{"type": "Failed", "status": "True", "reason": reason, "lastTransitionTime": ended}] if ended else []
    return {"metadata": {"name": name, "creationTimestamp": created or at(minutes=5)}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(("seen", "reason"), [
    (pod(), None),
    (pod(waiting="ContainerCreating"), None),
    (pod(waiting="ImagePullBackOff"), "ImagePullBackOff"),
    (pod(ended={"exitCode": 137, "reason": "OOMKilled"}), "OOMKilled"),
    (pod(ended={"exitCode": 1, "reason": "Error"}), "exit code 1"),
    (pod(ended={"exitCode": 0, "reason": "Completed"}), None),
    (pod(waiting="CrashLoopBackOff", last={"exitCode": 1, "reason": "Error"}), "exit code 1"),
    (pod(conditions=[{"type": "PodScheduled", "status": "False"}]), "not scheduled"),
    (pod(phase="Failed", reason="Evicted"), "Evicted"),
])
def test_why_a_pod_fails(seen, reason):
    assert observe_pipeline.failure(seen) == reason


def test_jobs_are_counted_by_reason_and_old_failures_forgotten():
    jobs = [job("a", created=at(minutes=9)), job("b"), job("c", ended=at(hours=2)), job("d", ended=at(days=2)), job("e", ended=at(hours=1))]
    pods = [pod("a-1", "a"), pod("b-1", "b", waiting="ErrImagePull"), pod("e-1", "e", ended={"exitCode": 1, "reason": "Error"})]
    counts = observe_pipeline.count_jobs(jobs, pods, 7, NOW)
    assert (counts.running, counts.oldest, counts.limit) == (2, NOW - timedelta(minutes=9), 7)
    assert counts.failing == {"ErrImagePull": 1, "BackoffLimitExceeded": 1, "exit code 1": 1} and counts.example == "b"


@pytest.mark.parametrize(("last", "number"), [
    ({"finishedAt": at(minutes=1), "exitCode": 2, "reason": "Error"}, 1), ({"finishedAt": at(days=2), "exitCode": 2, "reason": "Error"}, 0), (None, 0)])
def test_restarts_of_the_last_day(last, number):
    found = list(observe_pipeline.restarts_of([pod("ssjdispatcher-1", last=last, restarts=3)], NOW))
    assert [(each.pod, each.count) for each in found] == [("ssjdispatcher-1", 3)] * number


class Context(FileContext):
    def readers(self):
        return iter(self.answer([]))


def test_all_stations_are_asked(monkeypatch):
    monkeypatch.setattr(served, "certificate_end", lambda url: NOW)
    monkeypatch.setattr(served, "clock_ahead", lambda url: timedelta(0))
    facts = observe_pipeline.observe(Context(), ["https://minio", "http://bridge"], 10, NOW, lambda: Records(1, {}))
    assert facts.records == Records(1, {})
    assert facts.unknown == {} and list(facts.certificates) == ["https://minio"] and list(facts.clocks) == ["https://minio", "http://bridge"]


def test_each_that_fails_is_told_and_stops_no_other(monkeypatch):
    def broken(url):
        raise UploadsError("no answer")

    monkeypatch.setattr(served, "certificate_end", broken)
    monkeypatch.setattr(served, "clock_ahead", broken)
    facts = observe_pipeline.observe(Context(KubeError("No cluster.")), ["https://minio"], 10, NOW, lambda: broken("https://bridge"))
    assert facts.records is None and set(facts.unknown) == {"bridge", "Jobs", "dispatcher", "queue", "target", "configuration", "certificate of https://minio", "clock of https://minio"}
