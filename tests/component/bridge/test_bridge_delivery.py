"""What leaves the bridge, and what does not."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import time
from urllib.parse import quote_plus, unquote_plus

import pytest
import requests
from bridge_engine import TOKEN

CREATIONS = {f"s3:ObjectCreated:{kind}" for kind in ("Put", "Post", "Copy", "CompleteMultipartUpload")}


@pytest.fixture
def event(recorded):
    """A harmless event, to be changed."""
    return copy.deepcopy(recorded["put_user_metadata_and_content_type"]["body"])


def s3_path(body):
    """The path that Amazon S3 would have reported."""
    s3 = body["Records"][0]["s3"]
    return f"s3://{s3['bucket']['name']}/{s3['object']['key'].replace('%2F', '/')}"


def test_every_recorded_creation_arrives_and_nothing_else(way, recorded):
    bridge, sink = way
    expected = {}
    for case, event in recorded.items():
        assert bridge.post(event["body"]).status_code == 200, case
        if event["body"]["EventName"] in CREATIONS:
            expected.setdefault(s3_path(event["body"]), set()).add(event["raw_key"])
    assert len(expected) > 40
    assert set(sink.paths) == set(expected)
    assert len(sink.paths) == sum(event["body"]["EventName"] in CREATIONS for event in recorded.values())
    for path, (raw_key,) in expected.items():
        assert unquote_plus(path.split("/", 3)[3]) == raw_key
    assert bridge.dead_letters == []
    assert bridge.counted == {("forward", ""): len(sink.paths), ("ignored", "other event"): len(recorded) - len(sink.paths)}


@pytest.mark.parametrize("route", ["sns", "sqs"])
def test_a_record_reads_like_one_of_s3(make_bridge, recorded, route):
    """All of it, but for the uploader's own metadata."""
    bridge, sink = make_bridge(route)
    event = copy.deepcopy(recorded["server_without_site_region"]["body"])
    record = event["Records"][0]
    record["s3"]["object"]["size"] = 50 << 40
    bridge.post(event)
    assert f'"size":{50 << 40}' in json.loads(sink.bodies[0])["Message"]
    del record["s3"]["object"]["userMetadata"]
    record["s3"]["object"]["key"] = record["s3"]["object"]["key"].replace("%2F", "/")
    assert sink.records == [{**record, "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": "us-east-1"}]


def test_only_slashes_are_decoded(way, event):
    bridge, sink = way
    raw = "a/b c+d%2Fe%20f/\u00e9<&>'.txt"
    event["Records"][0]["s3"]["object"]["key"] = quote_plus(raw)
    bridge.post(event)
    assert sink.paths == [f"s3://gen3-bucket/{quote_plus(raw, safe='/')}"]


@pytest.mark.parametrize(("name", "counted"), [
    ("ObjectCreated:Put", ("forward", "")),
    ("ObjectCreated:CompleteMultipartUpload", ("forward", "")),
    ("s3:ObjectCreated:Copy", ("forward", "")),
    ("ObjectCreated:PutTagging", ("ignored", "other event")),
    ("ObjectRemoved:Delete", ("ignored", "other event")),
    ("s3:Scanner:ManyVersions", ("ignored", "other event")),
    ("s3:TestEvent", ("ignored", "unknown event")),
    ("Created", ("ignored", "unknown event")),
])
def test_events_are_known_in_each_spelling_and_unknown_ones_counted_apart(way, event, name, counted):
    bridge, sink = way
    event["Records"][0]["eventName"] = name
    assert bridge.post(event).status_code == 200 and bridge.counted == {counted: 1}
    assert len(sink.paths) == (counted[0] == "forward")


def test_a_post_with_many_records_becomes_as_many_messages(way, event):
    bridge, sink = way
    keys = [f"guid%2F{number}" for number in range(3)]
    event["Records"] = [copy.deepcopy(event["Records"][0]) for _ in keys]
    for record, key in zip(event["Records"], keys):
        record["s3"]["object"]["key"] = key
    del event["Records"][1]["s3"]
    assert bridge.post(event).status_code == 200
    assert sorted(sink.paths) == ["s3://gen3-bucket/guid/0", "s3://gen3-bucket/guid/2"]
    assert len(sink.bodies) == 2 and len(bridge.dead_letters) == 1


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
def test_without_the_token_nothing_passes(way, event, token):
    bridge, sink = way
    assert bridge.post(event, token=token).status_code == 401
    assert bridge.post(b"no JSON", token=token).status_code == 401
    assert sink.requests == [] and bridge.dead_letters == [] and bridge.counted == {}
    assert bridge.post(event).status_code == 200


def test_without_the_token_nothing_is_read(way, event):
    """However much is sent, so that nobody takes the bridge over the limit of its memory."""
    bridge, sink = way
    before, sent = bridge.peak_memory, 64 * 2**20

    def body():
        for _ in range(64):
            yield bytes(2**20)

    for large in (bytes(sent), body()):
        with contextlib.suppress(requests.ConnectionError):  # it hangs up on who goes on
            assert requests.post(f"http://127.0.0.1:{bridge.ports[0]}/events", data=large, timeout=60).status_code == 401
    assert bridge.peak_memory - before < sent / 4
    assert bridge.post(event).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/ping", "/stats", "/version", "/events"])
def test_what_it_shows_of_itself_needs_the_token_too(way, path):
    bridge, _sink = way
    assert requests.get(f"http://127.0.0.1:{bridge.ports[0]}{path}", timeout=5).status_code == 401
    answers = {each: requests.get(f"http://127.0.0.1:{bridge.ports[1]}{each}", timeout=5).status_code for each in (path, "/ready")}
    assert answers.pop("/ready") == 200 and set(answers.values()) <= {404}


@pytest.mark.parametrize("authorization", [f"Basic {TOKEN}", f"Bearer {TOKEN}", TOKEN])
def test_the_token_alone_is_not_enough(way, event, authorization):
    bridge, sink = way
    assert bridge.post(event, token=None, headers={"Authorization": authorization}).status_code == 401
    assert sink.requests == []


def record_with(changes):
    """An event of which one record is replaced, or some of its parts."""
    def make(event):
        if not isinstance(changes, dict):
            event["Records"] = [changes]
        else:
            event["Records"][0] |= changes
        return event
    return make


def without_s3(event):
    del event["Records"][0]["s3"]
    return event


POISON = {
    "bad JSON": (lambda event: json.dumps(event).encode()[:-1], "not JSON"),
    "nothing": (lambda event: b"", "not JSON"),
    "null": (lambda event: b"null", "not JSON"),
    "1 MiB of noise": (lambda event: hashlib.shake_256(b"noise").digest(1 << 20), "too large"),
    "1 MiB of JSON": (lambda event: {**event, "padding": "x" * (1 << 20)}, "too large"),
    "a list": (lambda event: [event], "no records"),
    "an imitated verdict": (lambda event: [{"outcome": "forward", "reason": "", "record": event["Records"][0]}], "no records"),
    "text": (lambda event: b'"text"', "no records"),
    "no records": (lambda event: {"EventName": "s3:ObjectCreated:Put"}, "no records"),
    "no record": (lambda event: {"Records": []}, "no records"),
    "records are no list": (lambda event: {"Records": {"s3": {}}}, "no records"),
    "record is null": (record_with(None), "no event name"),
    "record is text": (record_with("text"), "no event name"),
    "record is a list": (record_with([[]]), "no event name"),
    "record is a number": (record_with(7), "no event name"),
    "event name is a number": (record_with({"eventName": 7}), "no event name"),
    "no s3": (without_s3, "no bucket name"),
    "s3 is null": (record_with({"s3": None}), "no bucket name"),
    "s3 is text": (record_with({"s3": "text"}), "no bucket name"),
    "no bucket": (record_with({"s3": {"object": {"key": "key"}}}), "no bucket name"),
    "bucket is a number": (record_with({"s3": {"bucket": {"name": 7}, "object": {"key": "key"}}}), "no bucket name"),
    "no object": (record_with({"s3": {"bucket": {"name": "gen3-bucket"}}}), "no object key"),
    "key is null": (record_with({"s3": {"bucket": {"name": "gen3-bucket"}, "object": {"key": None}}}), "no object key"),
    "key is empty": (record_with({"s3": {"bucket": {"name": "gen3-bucket"}, "object": {"key": ""}}}), "no object key"),
}


@pytest.mark.parametrize("route", ["sns", "dispatcher"])
def test_poison_is_put_aside(make_bridge, event, route):
    """All of it on one bridge: none may stop what comes after it."""
    bridge, sink = make_bridge(route)
    for name, (make, reason) in POISON.items():
        body = make(copy.deepcopy(event))
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        before = len(bridge.dead_letters)
        assert bridge.post(body).status_code == 200, name
        letters = bridge.dead_letters[before:]
        assert [letter["reason"] for letter in letters] == [reason], name
        assert (letters[0]["bytes"], letters[0]["sha256"]) == (len(body), hashlib.sha256(body).hexdigest()), name
    assert sink.requests == []
    assert bridge.counted["poison", "not JSON"] == 3
    assert bridge.post(event).status_code == 200 and len(sink.paths) == 1


def test_a_dead_letter_tells_which_object_it_was(make_bridge, recorded):
    bridge, sink = make_bridge("dispatcher")
    sink.patterns = ["^s3://other/"]
    event = recorded["versioned_put"]["body"]
    assert bridge.post(event).status_code == 200
    record, (letter,) = event["Records"][0], bridge.dead_letters
    assert letter["time"].startswith("20") and letter["reason"] == "no job pattern"
    assert (letter["event_name"], letter["event_time"]) == ("ObjectCreated:Put", record["eventTime"])
    bucket, thing = record["s3"]["bucket"], record["s3"]["object"]
    assert (letter["bucket"], letter["key"]) == (bucket["name"], thing["key"].replace("%2F", "/"))
    assert (letter["version_id"], letter["sequencer"]) == (thing["versionId"], thing["sequencer"])


def test_a_long_field_does_not_fill_the_dead_letters(make_bridge, event):
    bridge, _ = make_bridge("sns")
    event["Records"][0]["s3"]["object"]["key"] = ""
    event["Records"][0]["s3"]["bucket"]["name"] = "b" * 50000
    bridge.post(event)
    assert len(bridge.dead_letters[0]["bucket"]) == 1100


def test_what_is_secret_stays_here(way, event):
    """The token and the uploader's metadata: not in what is sent, nor in its headers, nor in the log or the dead letters."""
    bridge, sink = way
    secret = "uploaders-own-metadata"
    event["Records"][0]["s3"]["object"]["userMetadata"]["x-amz-meta-patient"] = secret
    headers = {"Cookie": f"session={secret}", "X-Api-Key": secret, "Aaa": secret, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    poison = without_s3(copy.deepcopy(event))
    poison["userMetadata"] = poison["Records"][0]["userMetadata"] = {"x-amz-meta-patient": secret}
    assert bridge.post(event, headers=headers, path=f"/events?aab={secret}").status_code == 200
    assert bridge.post(poison, headers=headers).status_code == 200
    assert bridge.post(json.dumps(event).encode()[:-1], headers=headers).status_code == 200
    assert bridge.post(event, headers=headers, token=f"{secret}-wrong").status_code == 401
    sink.fault = 403
    assert bridge.post(event, headers=headers).status_code == 502
    sink.down()
    assert bridge.post(event, headers=headers).status_code == 502
    places = {"sent": sink.said, "log": bridge.log, "dead letters": json.dumps(bridge.dead_letters)}
    assert {place: [word for word in (secret, TOKEN, "Bearer", "MessageAttribute", "a" * 32, "userMetadata") if word in text]
            for place, text in places.items()} == {place: [] for place in places}
    assert len(bridge.dead_letters) == 2


def test_other_paths_and_verbs_lead_nowhere(way, event):
    bridge, sink = way
    assert bridge.post(event, path="/").status_code == 404
    assert bridge.post(event, path="/events/ws").status_code == 404
    assert sink.requests == []


def test_old_dead_letters_make_room_for_new_ones(make_bridge, tmp_path):
    """The file of tomorrow, which held what is of long ago, is empty before its turn; that of today and the others stay."""
    directory, days = tmp_path / "dead-letters", 4
    directory.mkdir()
    today = int(time.time() // 86400)
    files = [directory / f"{day % (days + 1)}.jsonl" for day in range(today, today + days + 1)]
    for file in files:
        file.write_text("{}\n")
    bridge, sink = make_bridge("sns", event_bridge_dead_letter_days=days)
    deadline = time.monotonic() + 10
    while files[1].stat().st_size and time.monotonic() < deadline:
        time.sleep(0.05)
    assert bridge.post(b"no JSON").status_code == 200
    assert [file.read_text().count("\n") for file in files] == [2, 0, 1, 1, 1]
    assert sorted(directory.iterdir()) == sorted(files) and sink.requests == []
