"""What cannot be delivered now is MinIO's to keep: it gets no 2xx, and sends the event again."""

from __future__ import annotations

import signal
import time

import pytest
from bridge_engine import ROUTES
from bridge_sinks import HANGS

STATUSES = {"sns": (400, 403, 500, 503), "sqs": (400, 403, 500, 503), "dispatcher": (400, 404, 429, 500, 503)}


@pytest.fixture
def event(recorded):
    return recorded["put_uuid_key"]["body"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_destination_that_fails(make_bridge, event, route):
    """Throttled, denied, broken: each in time for MinIO, and each over as soon as it is."""
    bridge, sink = make_bridge(route)
    for status in STATUSES[route]:
        sink.fault, started = status, time.monotonic()
        assert bridge.post(event).status_code == 502, status
        assert time.monotonic() - started < 50, status
        sink.fault = None
        accepted = len(sink.paths)
        assert bridge.post(event).status_code == 200, status
        assert len(sink.paths) == accepted + 1, status
    assert bridge.dead_letters == []


@pytest.mark.parametrize("route", ROUTES)
def test_a_destination_that_does_not_answer(make_bridge, event, route):
    """MinIO is told before it gives up by itself; what was under way may arrive twice, and never is lost."""
    bridge, sink = make_bridge(route, answer_within="1s")
    sink.fault = HANGS
    assert bridge.post(event).status_code == 408
    sink.fault = None
    statuses = [bridge.post(event).status_code for _ in range(3)]
    assert statuses[-1] == 200
    assert len(sink.paths) >= statuses.count(200)


@pytest.mark.parametrize("route", ROUTES)
def test_a_destination_that_is_away_and_comes_back(make_bridge, event, route):
    """It need not be there at the start either."""
    bridge, sink = make_bridge(route, sink_up=False)
    assert bridge.post(event).status_code == 502
    sink.up()
    assert bridge.post(event).status_code == 200
    sink.down()
    assert bridge.post(event).status_code == 502
    sink.up()
    assert bridge.post(event).status_code == 200
    assert len(sink.paths) == 2


def test_dead_letters_that_cannot_be_written(make_bridge, tmp_path):
    """Poison, too, is not lost: MinIO keeps it until there is room."""
    obstacle = tmp_path / "dead-letters"
    obstacle.write_text("no directory")
    bridge, _ = make_bridge("sns")
    assert bridge.post(b"poison").status_code == 502
    obstacle.unlink()
    assert bridge.post(b"poison").status_code == 200
    assert len(bridge.dead_letters) == 1


def test_poison_is_taken_while_the_destination_is_away(make_bridge):
    bridge, _ = make_bridge("sqs", sink_up=False)
    assert bridge.post(b"poison").status_code == 200


def test_jobs_that_run_leave_no_slot(make_bridge, event):
    """The dispatcher makes its caller wait while more than its limit run."""
    bridge, dispatcher = make_bridge("dispatcher")
    dispatcher.jobs = [{"status": status} for status in ["Running"] * 9 + ["Unknown"] * 2 + ["Completed", "Failed"] * 9]
    response = bridge.post(event)
    assert response.status_code == 502 and "11 Jobs run" in response.text
    assert dispatcher.paths == []
    dispatcher.jobs.pop()
    dispatcher.jobs[0]["status"] = "Completed"
    assert bridge.post(event).status_code == 200
    assert len(dispatcher.paths) == 1


def test_the_dispatchers_limit_is_a_variable(make_bridge, event):
    bridge, dispatcher = make_bridge("dispatcher", event_bridge_dispatcher_job_limit=2)
    dispatcher.jobs = [{"status": "Running"}] * 3
    assert bridge.post(event).status_code == 502


@pytest.mark.parametrize("patterns", [[], ["^s3://other/"], ["^s3://gen3-bucket$", ",]"]])
def test_what_no_job_would_take_is_not_posted(make_bridge, event, patterns):
    """The dispatcher would answer 200 and do nothing."""
    bridge, dispatcher = make_bridge("dispatcher")
    dispatcher.patterns = patterns
    assert bridge.post(event).status_code == 200
    assert dispatcher.paths == []
    assert [letter["reason"] for letter in bridge.dead_letters] == ["no job pattern"]
    assert bridge.counted == {("poison", "no job pattern"): 1}


def test_a_pattern_that_does_not_compile_is_the_operators_to_repair(make_bridge, event):
    """The dispatcher would end at it, or drop the connection."""
    bridge, dispatcher = make_bridge("dispatcher")
    dispatcher.patterns = ["("]
    assert bridge.post(event).status_code == 502
    assert dispatcher.paths == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_engine_that_is_killed(make_bridge, event, number):
    """It keeps nothing that could be lost."""
    bridge, sink = make_bridge("sns")
    assert bridge.post(event).status_code == 200
    bridge.process.send_signal(number)
    bridge.process.wait(15)
    bridge.start()
    assert bridge.post(event).status_code == 200
    assert len(sink.paths) == 2


def test_an_event_of_an_own_bucket_is_kept_until_a_pattern_takes_it(make_bridge, event):
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    bridge, sink = make_bridge("dispatcher", event_bridge_buckets=[bucket])
    sink.patterns = ["^s3://other/"]
    assert bridge.post(event).status_code == 502 and bridge.dead_letters == [] and sink.paths == []
    sink.patterns = [f"^s3://({bucket})/.+"]
    assert bridge.post(event).status_code == 200 and len(sink.paths) == 1
