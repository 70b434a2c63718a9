"""Reading from a store that misbehaves: the right hashes, or a clear error; never a wrong hash."""

from __future__ import annotations

import os
import threading

import boto3
import pytest
from conftest import BUCKET, serve
from moto.server import ThreadedMotoServer
from object_store import ObjectStore, cut_after, times
from test_indexer_address import GUID, minio_keys
from test_indexer_job import hashes

pytestmark = pytest.mark.usefixtures("small_ranges")
BODY = os.urandom(300_000)  # five ranges, the last one short


@pytest.fixture
def indexed(run, upload, commons):
    """Return a function that runs for an object, which must end well with the right hashes."""

    def indexed(body=BODY):
        guid, url = upload(body)
        assert run(url) == 0, run.log
        record = commons.indexd.records[guid]
        assert (record["size"], record["hashes"]) == (len(body), hashes(body))

    return indexed


@pytest.fixture
def refused(run, upload, commons):
    """Return a function that runs for an object, which must end with a message and no hash."""

    def refused(message, body=BODY):
        guid, url = upload(body)
        assert run(url) == 2
        assert message in run.log
        assert commons.statuses == ["processing", "error"]
        assert commons.indexd.records[guid]["size"] is None

    return refused


@pytest.mark.parametrize("size", [0, 1, 2, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 300_000])
def test_any_size(indexed, size):
    indexed(BODY[:size])


def test_every_byte_is_asked_for_once(indexed, store):
    indexed()
    ranges = sorted(store.ranges)
    assert [start for start, _end in ranges] == [0, *(end for _start, end in ranges[:-1])]
    assert ranges[-1][1] == len(BODY)


def test_a_compressed_object_is_hashed_as_it_is_stored(indexed, store):
    store.faults.append(lambda request: request.send_range(**{"Content-Encoding": "gzip"}) or True)
    indexed()


@pytest.mark.parametrize("reset", [False, True])
def test_connections_are_cut(indexed, store, reset):
    store.faults.append(times(4, cut_after(20_000, reset)))
    indexed()


def test_every_connection_is_cut(indexed, store):
    """As long as something comes, it goes on where the last answer ended."""
    store.faults.append(times(1000, cut_after(8_000)))
    indexed()
    assert len(store.ranges) >= len(BODY) // 8_000
    assert {8_000, 16_000} <= {start for start, _end in store.ranges}


def test_nothing_comes_any_more(refused, store, waits):
    store.faults.append(times(1000, cut_after(0)))
    refused("cannot read")
    assert waits[:5] and max(waits) == 8


def test_an_answer_that_is_short_but_whole(refused, store):
    store.faults.append(times(1000, lambda request: request.send_range(stop=request.start, length=0)))
    refused("the answer ended at byte")


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests"), (400, "RequestTimeout")])
def test_the_store_is_busy(indexed, store, status, code, waits):
    store.faults.append(times(3, lambda request: request.refuse(status, code)))
    indexed()
    assert 0.5 in waits


@pytest.mark.parametrize("fault", [lambda request: request.refuse(503, "SlowDown"), cut_after(0), cut_after(0, reset=True)])
def test_the_first_look_has_to_be_repeated(indexed, store, fault, waits):
    store.look_faults.append(times(3, fault))
    indexed()
    assert waits[:3] == [0.5, 1, 2]


def test_the_store_stays_busy(refused, store):
    store.faults.append(times(1000, lambda request: request.refuse(503, "SlowDown")))
    refused("SlowDown")


@pytest.mark.parametrize(("status", "code", "hint"), [
    (403, "AccessDenied", "s3:GetObject"), (404, "NoSuchKey", "gone"), (403, "RequestTimeTooSkewed", "clock")])
def test_a_refusal_in_the_middle(refused, store, waits, status, code, hint):
    store.faults.append(lambda request: request.start and not request.refuse(status, code))
    refused(hint)
    assert waits == []


def test_the_object_changes(refused, store):
    """The new content is of the same size; the bytes of both must not be mixed."""

    def change(request):
        store.objects[BUCKET, request.path[len(BUCKET) + 2:]] = os.urandom(len(BODY))

    store.faults.append(lambda request: request.start == 0 and change(request))
    refused("changed while it was read")


def test_the_object_changes_after_a_cut(refused, store):
    def change(request):
        cut_after(20_000)(request)
        store.objects[BUCKET, request.path[len(BUCKET) + 2:]] = BODY + b"more"

    store.faults.append(times(1, change))
    refused("changed while it was read")


def test_the_store_ignores_if_match(refused, store):
    def other_object(request):
        request.body, request.etag = os.urandom(len(BODY)), '"other"'

    store.faults.append(lambda request: request.start and other_object(request))
    refused("as it was")


def test_the_store_tells_another_size(refused, store):
    store.faults.append(lambda request: request.send_range(
        **{"Content-Range": f"bytes {request.start}-{request.end - 1}/{len(BODY) + 1}"}) or True)
    refused("something else")


def test_the_store_sends_another_range(refused, store):
    def shift(request):
        if request.start:
            request.start, request.end = request.start - 1, request.end - 1

    store.faults.append(shift)
    refused("something else")


def test_the_store_knows_no_ranges(refused, store):
    store.faults.append(lambda request: request.send(200, BODY, {"Content-Length": str(len(BODY))}) or True)
    refused("something else")


def test_the_store_is_down(run, upload, commons, waits):
    run.s3["endpoint_url"] = "http://127.0.0.1:1"
    assert run(upload(BODY)[1]) == 2
    assert commons.statuses == ["processing", "error"]
    assert waits == [0.5, 1, 2, 4, 8]


def test_keys_and_region_of_the_configuration(indexed, run, store):
    run.s3["region"] = "eu-1"
    indexed()
    assert all(credential.startswith("minio-user/") and "/eu-1/s3/" in credential for credential in store.credentials)


def test_keys_and_region_of_the_environment(run, upload, store, monkeypatch):
    """ssjdispatcher's own way, with and without an endpoint of ours."""
    del run.s3["access_key_id"], run.s3["secret_access_key"]
    environment = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "aws-secret-key", "AWS_REGION": "eu-west-1"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run(upload(BODY)[1], **environment) == 0
    run.s3 = None
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.url)
    assert run(upload(BODY)[1], **environment) == 0
    assert all(credential.startswith("AKIAENV/") and "/eu-west-1/s3/" in credential for credential in store.credentials)


class Sent(Exception):
    """A request would be sent now."""


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, "https://gen3-bucket.s3.amazonaws.com/k"), ({"region": "eu-west-1"}, "https://gen3-bucket.s3.eu-west-1.amazonaws.com/k"),
    ({"addressing_style": "path", "region": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com/gen3-bucket/k"),
    ({"endpoint_url": "https://minio:9000"}, "https://minio:9000/gen3-bucket/k"),
    ({"endpoint_url": "https://minio:9000", "addressing_style": "path"}, "https://minio:9000/gen3-bucket/k"),
    ({"endpoint_url": "https://minio:9000", "addressing_style": "virtual"}, "https://gen3-bucket.minio:9000/k")])
def test_where_requests_go(settings, expected):
    from indexer import configuration, s3

    def send(request, **_):
        raise Sent(request.url)

    client = s3.client(configuration.parse_s3({"access_key_id": "a", "secret_access_key": "b", **settings}), {"AWS_REGION": ""})
    client.meta.events.register("before-send.s3", send)
    with pytest.raises(Sent) as caught:
        client.get_object(Bucket=BUCKET, Key="k")
    assert str(caught.value) == expected


def test_no_keys_at_all(run, upload, commons):
    del run.s3["access_key_id"], run.s3["secret_access_key"]
    assert run(upload(BODY)[1]) == 2
    assert commons.statuses == ["processing", "error"]
    assert "credentials" in run.log


@pytest.fixture
def tls_store(authority, run):
    """The object store behind a certificate of a private authority."""
    server = serve(ObjectStore(authority.server_context("127.0.0.1")))
    run.s3["endpoint_url"] = server.url
    yield server
    server.shutdown()
    server.server_close()


def test_a_private_certificate_authority(run, commons, tls_store, authority):
    guid = commons.blank()
    tls_store.objects[BUCKET, f"{guid}/f"] = BODY
    run.s3["ca_bundle"] = authority.certificate_file.read_text()
    assert run(f"s3://{BUCKET}/{guid}/f") == 0, run.log
    assert commons.indexd.records[guid]["hashes"] == hashes(BODY)


@pytest.mark.parametrize(("bundle", "message"), [("", "ca_bundle"), ("no PEM", "no certificate in PEM")])
def test_an_unknown_certificate_authority(run, commons, tls_store, bundle, message, waits):
    guid = commons.blank()
    tls_store.objects[BUCKET, f"{guid}/f"] = BODY
    run.s3["ca_bundle"] = bundle
    assert run(f"s3://{BUCKET}/{guid}/f") == 2
    assert message in run.log
    assert waits == []
    assert tls_store.credentials == []


def test_ranges_are_read_ahead_and_no_more_than_that():
    """The readers wait for each other, so all are at work at once; and they are never further ahead than said."""
    from indexer import read_ahead

    together = threading.Barrier(read_ahead.IN_FLIGHT)
    started, seen = [], []

    def read(start, end):
        started.append(start)
        if start < read_ahead.IN_FLIGHT * read_ahead.RANGE:
            together.wait(10)
        yield start.to_bytes(4)
        yield bytes(end - start - 4)

    for chunk in read_ahead.read_ahead(read, 40 * read_ahead.RANGE):
        seen.append(chunk)
        assert len(started) <= (len(seen) - 1) // 2 + read_ahead.IN_FLIGHT
    assert [int.from_bytes(chunk) for chunk in seen[::2]] == list(range(0, 40 * read_ahead.RANGE, read_ahead.RANGE))


def test_a_hash_that_fails(monkeypatch):
    """It must neither be passed over nor stop the reader for ever."""
    from indexer import hashing

    class Broken:
        def update(self, _chunk):
            raise MemoryError("no room")

    monkeypatch.setitem(hashing.ALGORITHMS, "md5", Broken)
    with pytest.raises(MemoryError):
        hashing.hash_chunks([b"x"] * 100)


@pytest.mark.parametrize(("case", "key", "raw_key"), [
    pytest.param(*event, id=event[0]) for event in {event[2]: event for event in minio_keys()}.values()])
def test_every_recorded_key_of_minio(run, store, commons, case, key, raw_key):
    """The object with the true key is the one that gets indexed."""
    store.objects[BUCKET, raw_key] = case.encode()
    blank = commons.blank()
    if GUID not in raw_key:
        assert run(f"s3://{BUCKET}/{key}") == 2
        assert commons.calls == []
        return
    guid = raw_key.partition(GUID)[0] + GUID
    commons.indexd.records[guid] = {**commons.indexd.records[blank], "did": guid}
    assert run(f"s3://{BUCKET}/{key}") == 0, run.log
    record = commons.indexd.records[guid]
    assert (record["urls"], record["hashes"]) == ([f"s3://{BUCKET}/{raw_key}"], hashes(case.encode()))


def test_another_s3_server(run, commons):
    """Not everything here is our own idea of S3."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        run.s3["endpoint_url"] = "http://{}:{}".format(*server.get_host_and_port())
        s3 = boto3.client("s3", endpoint_url=run.s3["endpoint_url"], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        s3.create_bucket(Bucket=BUCKET)
        for body in (b"", BODY):
            guid = commons.blank()
            s3.put_object(Bucket=BUCKET, Key=f"{guid}/with space+.txt", Body=body)
            assert run(f"s3://{BUCKET}/{guid}%2Fwith+space%2B.txt") == 0, run.log
            assert commons.indexd.records[guid]["hashes"] == hashes(body)
    finally:
        server.stop()
