"""INPUT_URL: the object's true key, and the record it belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from indexer import address
from indexer.errors import IndexingError

GUID = "0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11"
CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


def lines(name):
    return [json.loads(line) for line in (CONTRACTS / name).read_text().splitlines()]


def minio_keys():
    return [(event["case"], event["body"]["Records"][0]["s3"]["object"]["key"], event["raw_key"]) for event in lines("minio_events.jsonl")]


def aws_keys():
    for message in lines("s3_sns_sqs_messages.jsonl"):
        event = message["body"]
        while isinstance(event, str):
            event = json.loads(event)
        event = json.loads(event["Message"]) if "Message" in event else event
        if message["raw_key"] is not None:
            yield f"{message['case']}-{message['raw_delivery']}", event["Records"][0]["s3"]["object"]["key"], message["raw_key"]


@pytest.mark.parametrize(("key", "raw_key"), [pytest.param(key, raw, id=case) for case, key, raw in [*minio_keys(), *aws_keys()]])
def test_every_recorded_key(key, raw_key):
    """As MinIO escapes it, and with the slashes that Amazon S3 and the event bridge keep."""
    assert address.parse(f"s3://gen3-bucket/{key}") == address.Address("gen3-bucket", raw_key)
    assert address.parse(f"s3://gen3-bucket/{key.replace('%2F', '/')}") == address.Address("gen3-bucket", raw_key)


@pytest.mark.parametrize("escape", [quote, quote_plus])
@pytest.mark.parametrize("key", [f"{GUID}/%2F", f"{GUID}/100%25", f"{GUID}/s3://x?#", f"/{GUID}//f/"])
def test_a_key_is_unescaped_once(escape, key):
    assert address.parse(f"s3://b/{escape(key)}").key == key


@pytest.mark.parametrize("url", [
    "", "s3://", "s3://b", "s3://b/", "s3:///k", "http://b/k", "b/k", f"s3://b/{GUID}/100%.txt", f"s3://b/{GUID}/%zz",
    f"s3://b/{GUID}/%ff.txt"])
def test_a_wrong_url(url):
    with pytest.raises(IndexingError, match="INPUT_URL"):
        address.parse(url)


@pytest.mark.parametrize("case", json.loads((CONTRACTS / "guid_keys.json").read_text()), ids=lambda case: f"{case['why']}: {case['key']}")
def test_guid(case):
    """Tests of reindex hold its rule against the same table."""
    found = address.Address("b", case["key"])
    assert found.may_be_folder == case.get("folder", False)
    if case["guid"]:
        assert found.guid == case["guid"]
    else:
        with pytest.raises(IndexingError, match="UUID"):
            _ = found.guid
