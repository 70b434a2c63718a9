"""The verdict on a file: what each station says, and what is named first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._probe.model import Bridge, Target
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload
from ansible_collections.gen3.uploads.plugins.module_utils._trace.judge import Facts, judge, table

GUID = "9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11"
THEN = datetime(2026, 1, 1, tzinfo=timezone.utc)
BRIDGE = Bridge("its log", "its metrics", "its dead letters")
NOTHING = {"md5": "d41d8cd98f00b204e9800998ecf8427e"}


def upload(name="a.bam", size=3, guid=GUID):
    return Upload(f"{guid}/{name}", size, "etag", THEN)


def record(size=None, urls=(f"s3://b/{GUID}/a.bam",), **hashes):
    return {"did": GUID, "size": size, "hashes": hashes, "urls": list(urls) if size is not None else []}


def job(state=None):
    conditions = [{"type": state, "status": "True"}] if state else []
    return {"metadata": {"name": "indexing-abcde"}, "status": {"conditions": conditions}}


def change(action="create", resource="SNS topic t", attribute=None):
    return {"action": action, "resource": resource, "attribute": attribute}


STUCK = Facts(bucket="b", wanted=GUID, object=upload(), guid=GUID, record=record(), entry="indexing", own_entry="indexing", age=3600, min_age=900,
              queue="Gen3Queue", depth={"visible": 0, "in_flight": 0, "dead": 0})


@pytest.mark.parametrize(("more", "finding"), [
    ({}, "event-lost"),
    ({"age": 20}, "young"),
    ({"record": record(3, md5="x"), "status": "uploaded"}, "ready"),
    ({"record": record(3, md5="x"), "status": None}, "ready"),
    ({"record": record(3, md5="x"), "status": "processing"}, "stale-status"),
    ({"record": record(3, md5="x"), "unknown": {"status": "refused"}}, "ready"),
    ({"record": record(4, md5="x")}, "object-replaced"),
    ({"record": record(0, **NOTHING)}, "damaged"),
    ({"record": record(3, ["s3://b/another"], md5="x")}, "record-of-another"),
    ({"record": None}, "record-missing"),
    ({"object": None}, "object-missing"),
    ({"object": None, "record": record(3, md5="x")}, "object-deleted"),
    ({"object": upload("", 0)}, "folder"),
    ({"object": upload(guid="no-guid"), "guid": None, "record": None}, "no-guid"),
    ({"object": upload("a%b.bam"), "image": "quay.io/cdis/indexs3client:2025.12"}, "odd-name"),
    ({"job": job()}, "job-runs"),
    ({"job": job(), "pods": ["pod p: ErrImagePull"]}, "job-fails"),
    ({"job": job("Failed")}, "job-failed"),
    ({"job": job("Failed"), "dispatcher": ["0 replicas"]}, "job-failed"),
    ({"job": job("Complete")}, "event-lost"),
    ({"drift": [change()], "dispatcher": ["0 replicas"]}, "configuration-missing"),
    ({"drift": [change("update", "SNS subscription s", "raw delivery")]}, "configuration-differs"),
    ({"dispatcher": ["Deployment default/ssjdispatcher has 0 replicas."]}, "dispatcher-down"),
    ({"entry": None}, "no-pattern"),
    ({"entry": "usersync"}, "another-entry"),
    ({"target": Target("webhook/GEN3", "offline", 3), "bridge": BRIDGE}, "target-stuck"),
    ({"target": Target("webhook/GEN3", "online", 0), "bridge": BRIDGE}, "event-lost"),
    ({"depth": {"visible": 7, "in_flight": 0}}, "queue-waits"),
    ({"depth": {"visible": 0, "in_flight": 0, "dead": 2}}, "dead-letters"),
    ({"unknown": {"queue": "denied"}, "depth": None}, "unknown"),
    ({"unknown": {"object": "denied"}, "object": None, "dispatcher": ["It has 0 replicas."]}, "dispatcher-down"),
])
def test_the_verdict(more, finding):
    verdict = judge(replace(STUCK, **more))
    assert verdict.finding == finding
    assert verdict.sentence[-1] == "."
    assert verdict.remedy[-1] in ".?"


def test_the_table_has_each_station_and_says_what_could_not_be_asked():
    drift = [change(resource=f"SNS topic {number}") for number in range(30)]
    lines = table(replace(STUCK, drift=drift, unknown={"status": "The login is refused."}))
    assert len(lines) == 25
    assert any(line.startswith("status") and "not known: The login is refused." in line for line in lines)
    assert any(line.startswith("object") and f"s3://b/{GUID}/a.bam, 3 bytes" in line for line in lines)
    assert not any(line.startswith("target") for line in lines), "Amazon S3 has none"
