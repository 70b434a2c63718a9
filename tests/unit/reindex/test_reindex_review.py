"""Which objects are stuck, and the events that tell again that they were uploaded."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import review as reindex
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import batch, events
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.progress import percent_done

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
UUID = "9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("case", json.loads((CONTRACTS / "guid_keys.json").read_text()), ids=lambda case: f"{case['why']}: {case['key']}")
def test_the_guid_is_what_the_indexing_image_finds(case):
    """Tests of the image hold its rule against the same table."""
    assert reindex.guid_of(case["key"]) == case["guid"]


@pytest.mark.parametrize("case", json.loads((CONTRACTS / "guid_keys.json").read_text()), ids=lambda case: f"{case['why']}: {case['key']}")
@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_folder_is_no_upload(case, size):
    found = reindex.review([reindex.Upload(case["key"], size, "etag", NOW)], {}, NOW, 900)
    assert bool(found.folders) == (case.get("folder", False) and size == 0)
    assert sum(map(len, vars(found).values())) == 1


def upload(key, age=3600):
    return reindex.Upload(key, 5, "etag", NOW - timedelta(seconds=age))


@pytest.mark.parametrize(("record", "age", "kind"), [
    ({"hashes": {}, "size": None}, 3600, "stuck"), ({"hashes": None}, 3600, "stuck"), ({"hashes": {}}, 10, "too_young"),
    ({"hashes": {"md5": "x"}, "size": 5}, 3600, "indexed"), ({"hashes": {"md5": "x"}, "size": 4}, 3600, "replaced"),
    ({"hashes": {"md5": "x"}, "size": 5}, 10, None),
    ({"hashes": {"md5": "d41d8cd98f00b204e9800998ecf8427e"}, "size": 0}, 3600, "damaged"),
    ({"hashes": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}, "size": 0}, 3600, "damaged"), (None, 3600, "without_record"),
])
def test_an_object_is_judged_by_its_record(record, age, kind):
    records = {UUID: record} if record else {}
    found = reindex.review([upload(f"{UUID}/x", age)], records, NOW, 900)
    assert {name for name, items in vars(found).items() if items} == ({kind} if kind else set())


def test_an_empty_file_has_a_right_record():
    record = {"hashes": {"md5": "d41d8cd98f00b204e9800998ecf8427e"}, "size": 0}
    found = reindex.review([reindex.Upload(f"{UUID}/x", 0, "etag", NOW)], {UUID: record}, NOW, 900)
    assert not any(vars(found).values())
    found = reindex.review([reindex.Upload(f"{UUID}/x", 0, "etag", NOW)], {UUID: record}, NOW, 0)
    assert {name for name, items in vars(found).items() if items} == {"indexed"}


def test_the_event_is_what_s3_publishes():
    record, = events.s3_event("bucket", "us-east-1", upload("dg/my file(1)+é.txt"), NOW)["Records"]
    assert record["s3"]["object"] == {"key": "dg/my+file%281%29%2B%C3%A9.txt", "size": 5, "eTag": "etag"}
    assert (record["s3"]["bucket"]["name"], record["eventSource"], record["eventName"]) == ("bucket", "aws:s3", "ObjectCreated:Put")


def recorded(name, wanted):
    return [case for case in map(json.loads, (CONTRACTS / name).read_text().splitlines()) if wanted(case)]


def within(event, whole):
    """Tell whether ``event`` holds nothing that ``whole`` has not, apart from values that differ from event to event."""
    if isinstance(event, dict):
        return all(key in whole and within(value, whole[key]) for key, value in event.items())
    if isinstance(event, list):
        return len(event) == len(whole) and all(map(within, event, whole))
    return True


PUTS = recorded("minio_events.jsonl", lambda case: case["body"]["EventName"] == "s3:ObjectCreated:Put")


@pytest.mark.parametrize("case", PUTS, ids=[case["case"] for case in PUTS])
def test_the_event_is_what_minio_sends(case):
    sent, = case["body"]["Records"]
    item = reindex.Upload(case["raw_key"], sent["s3"]["object"].get("size", 0), sent["s3"]["object"]["eTag"], NOW)
    event = events.minio_event(sent["s3"]["bucket"]["name"], sent["awsRegion"], item, NOW)
    record, = event.pop("Records")
    assert event.items() <= case["body"].items()
    assert {**record.pop("s3")["object"], "size": 0}.items() <= {**sent["s3"]["object"], "size": 0}.items()
    assert {**record, "eventTime": sent["eventTime"]}.items() <= sent.items()


def test_a_queue_gets_the_envelope_of_a_topic():
    case, = recorded("s3_sns_sqs_messages.jsonl", lambda case: case["case"] == "put_simple" and not case["raw_delivery"])
    delivered = json.loads(case["body"])
    event = events.s3_event("bucket", "us-east-1", upload("key"), NOW)
    envelope = events.envelope(event, "an-id", NOW)
    assert envelope.keys() - {"Subject"} <= delivered.keys()  # the emulator leaves the subject out
    assert (envelope["Type"], envelope["Timestamp"], envelope["Message"]) == ("Notification", "2026-01-01T00:00:00.000Z", json.dumps(event))
    assert event["Records"][0].keys() <= json.loads(delivered["Message"])["Records"][0].keys()


def test_the_records_of_a_page_are_read_by_a_few_calls_at_once():
    """All calls of a page of 1,000 wait for each other here; one after the other they would wait for ever."""
    together = threading.Barrier(4, timeout=30)
    asked = []

    def indexd(guids):
        asked.append(len(guids))
        together.wait()
        return 200, [{"did": guid} for guid in guids]

    guids = [f"guid {number}" for number in range(1000)]
    assert sorted(batch._records(indexd, guids)) == sorted(guids) and asked == [250] * 4
    assert batch._records(indexd, []) == {} and len(asked) == 4


@pytest.mark.parametrize(("image", "kind"), [("quay.io/cdis/indexs3client:2025.12", "odd_names"), ("registry/indexer:1", "stuck"), (None, "stuck")])
def test_a_name_that_the_image_never_indexes_is_reported_and_not_sent_again(image, kind):
    odd = reindex.Upload(f"{UUID}/100%.txt", 1, "etag", NOW - timedelta(days=1))
    found = vars(reindex.review([odd], {UUID: {"hashes": {}}}, NOW, 900, image))
    assert found[kind] == [odd] and sum(map(len, found.values())) == 1


@pytest.mark.parametrize(("key", "percent"), [
    (f"{UUID}/a", 60), (f"dg.ABCD/{UUID}/a", 60), (f"{UUID.upper()}/a", 60), (f"urn:uuid:{UUID}/a", 60), (f"{{{UUID}}}/a", 60),
    (f"00000001{UUID[8:]}/a", 0), (f"ffffffff{UUID[8:]}/a", 99),
    ("no-guid/a", None), (None, 100)])
def test_the_last_key_says_how_far_a_listing_has_come(key, percent):
    assert percent_done(key and reindex.Upload(key, 1, "etag", NOW)) == percent
