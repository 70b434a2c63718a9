"""What is wrong with a pipeline: all findings, the worst first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.model import Records
from ansible_collections.gen3.uploads.plugins.module_utils._probe.model import Bridge, Target
from ansible_collections.gen3.uploads.plugins.module_utils._trace.pipeline import JobCounts, Pipeline, Restarts, findings, table

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
BRIDGE = Bridge("its log", "its metrics", "its dead letters")
URL = "https://minio.example.org:9000"
HEALTHY = Pipeline(
    queue="Gen3Queue", depth={"visible": 3, "in_flight": 1, "dead": 0}, target=Target("webhook/GEN3", "online", 0), bridge=BRIDGE,
    records=Records(1204, {}), jobs=JobCounts(running=3, limit=10), certificates={URL: NOW + timedelta(days=31)}, clocks={URL: timedelta(seconds=2)}, now=NOW)


def change(action="create", resource="SNS topic t", attribute=None):
    return {"action": action, "resource": resource, "attribute": attribute}


def restarts(count=7):
    return Restarts("ssjdispatcher-abc", count, "container ssjdispatcher ended with exit code 2 (Error)", NOW)


def names(facts):
    return [verdict.finding for verdict in findings(facts)]


def test_a_healthy_pipeline_has_none():
    assert findings(HEALTHY) == [] and findings(Pipeline()) == []


@pytest.mark.parametrize(("more", "finding", "words"), [
    ({"drift": [change()]}, "configuration-missing", "SNS topic t"),
    ({"drift": [change("update", "Deployment default/ssjdispatcher", "restart")]}, "configuration-differs", "Deployment default/ssjdispatcher restart"),
    ({"dispatcher": ["Deployment default/ssjdispatcher has 0 replicas."]}, "dispatcher-down", "0 replicas"),
    ({"restarts": [restarts()]}, "reader-restarts", "7 times, the last time at 2026-01-31 12:00 UTC: container ssjdispatcher ended"),
    ({"restarts": [restarts(1)]}, "reader-restarts", "once"),
    ({"jobs": JobCounts(failing={"OOMKilled": 1, "ErrImagePull": 3}, example="j")}, "jobs-fail",
     "4 Jobs do not come to their end: ErrImagePull (3), OOMKilled (1)"),
    ({"jobs": JobCounts(failing={"OOMKilled": 1}, example="j")}, "jobs-fail", "1 Job does not come to its end: OOMKilled (1)"),
    ({"jobs": JobCounts(running=11, oldest=NOW, limit=10)}, "jobs-full", "All 10 slots for Jobs are taken, the oldest since 2026-01-31 12:00 UTC"),
    ({"target": Target("webhook/GEN3", "offline", 4)}, "target-stuck", "offline"),
    ({"target": Target("webhook/GEN3", "online", 4)}, "target-stuck", "waiting for it: 4"),
    ({"depth": {"visible": 61, "in_flight": 0}}, "queue-waits", "61 waiting"),
    ({"depth": {"visible": 0, "in_flight": 0, "dead": 2}}, "dead-letters", "2 messages"),
    ({"records": Records(7, {"not JSON": 1})}, "bridge-dead-letters", "has put 1 event aside since its start: not JSON (1)"),
    ({"records": Records(7, {"not JSON": 1, "no entry": 3})}, "bridge-dead-letters", "4 events aside since its start: no entry (3), not JSON (1)"),
    ({"certificates": {URL: NOW + timedelta(days=29), "https://other": NOW + timedelta(days=90)}}, "certificate-ends", f"{URL} ends on 2026-03-01"),
    ({"certificates": {URL: NOW}}, "certificate-ended", f"{URL} has ended"),
    ({"clocks": {URL: timedelta(minutes=-16)}}, "clock-differs", "16 minutes behind"),
    ({"clocks": {URL: timedelta(minutes=16)}}, "clock-differs", "16 minutes ahead of"),
    ({"unknown": {"configuration": "An entry is in the way."}}, "not-compared", "with what site.yml makes: An entry is in the way."),
    ({"unknown": {"queue": "Access denied."}}, "not-asked", "The station queue could not be asked: Access denied."),
])
def test_each_is_found_and_no_other(more, finding, words):
    (verdict,) = findings(replace(HEALTHY, **more))
    assert verdict.finding == finding and words in verdict.sentence
    assert verdict.sentence[-1] == "." and verdict.remedy[-1] in ".?"


def test_all_are_told_the_worst_first():
    assert names(replace(HEALTHY, drift=[change("update"), change()], restarts=[restarts()], depth={"visible": 100, "in_flight": 0, "dead": 1})) == [
        "configuration-missing", "reader-restarts", "configuration-differs", "queue-waits", "dead-letters"]


def test_the_table_has_each_station():
    lines = table(replace(HEALTHY, drift=[change()], unknown={"Jobs": "No right."}))
    assert "Jobs        not known: No right." in lines and "change      create SNS topic t" in lines
    assert f"clock {URL}  +2 s" in lines and "bridge      1204 events handed on, 0 put aside since its start" in lines
