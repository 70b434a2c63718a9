"""The indexer stand-in: its reading of the inputs, its calls and its exit codes."""

from __future__ import annotations

import hashlib
from json import dumps

import boto3
import pytest
from lab import indexer
from moto import mock_aws

GUID = "0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11"
CONFIG = {"url": "http://indexd/index", "username": "fence", "password": "p", "unknown": 1,
          "metadataService": {"url": "http://revproxy/mds", "username": "gateway", "password": "q"}}
RECORD = f"GET http://indexd/index/{GUID}"
FILL = f"PUT http://indexd/index/blank/{GUID}?rev=r1"
STATUS = f"PUT http://revproxy/mds/metadata/{GUID}?merge=True"


@pytest.mark.parametrize(("url", "expected"), [
    ("s3://b/guid/f.txt", ("b", "guid/f.txt")), ("s3://b/guid%2Fmy+file%281%29.txt", ("b", "guid/my file(1).txt")),
    ("s3://b/a%252Fb", ("b", "a%2Fb")), ("s3://b//a/", ("b", "a"))])
def test_parse_url(url, expected):
    assert indexer.parse_url(url) == expected


@pytest.mark.parametrize("url", ["", "http://b/k", "s3:///k"])
def test_wrong_url(url):
    with pytest.raises(indexer.IndexingError):
        indexer.parse_url(url)


@pytest.mark.parametrize(("key", "expected"), [
    (f"{GUID}/f", GUID), (f"dg.1234/{GUID}/f", f"dg.1234/{GUID}"), (f"{GUID.upper()}/f", GUID.upper()),
    (f"a/{GUID}/{GUID}/f", f"a/{GUID}"), (GUID.replace("-", ""), GUID.replace("-", "")),
    (f"urn:uuid:{GUID}/f", f"urn:uuid:{GUID}"), (f"{{{GUID}}}/f", f"{{{GUID}}}")])
def test_guid(key, expected):
    assert indexer.guid_of(key) == expected


@pytest.mark.parametrize("key", [
    "f.txt", "00000000-0000-0000-0000-000000000000/f", f"{GUID}x/f", f"-{GUID[:-1]}/f", f"{{{GUID}/f", ""])
def test_no_guid(key):
    with pytest.raises(indexer.IndexingError):
        indexer.guid_of(key)


def test_hashes():
    hashes = indexer.hash_chunks([b"123", b"456789"])
    assert hashes.pop("crc") == "e3069283"  # the check value of CRC-32C
    assert hashes == {name: hashlib.new(name, b"123456789").hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}


class Server:
    """Answers in place of indexd and the metadata service; keeps (call, body, login)."""

    def __init__(self):
        self.answers = {RECORD: (200, {"rev": "r1", "size": None}), FILL: (200, {}), STATUS: (200, {})}
        self.calls = []

    def request(self, method, url, json=None, auth=None, timeout=None):
        self.calls.append((f"{method} {url}", json, auth))
        status, body = self.answers[f"{method} {url}"]
        if status is None:
            raise indexer.requests.ConnectionError("refused")
        response = indexer.requests.Response()
        response.status_code, response._content = status, dumps(body).encode()
        return response

    @property
    def statuses(self):
        return [body["_upload_status"] for call, body, _login in self.calls if call == STATUS]


@pytest.fixture
def server(monkeypatch):
    server, waits = Server(), []
    server.waits = waits
    monkeypatch.setattr(indexer.requests, "request", server.request)
    monkeypatch.setattr(indexer.time, "sleep", waits.append)
    return server


@pytest.fixture
def run(server):
    """Return a function that runs the indexer on an object that exists; returns its exit code."""
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="AKIA", aws_secret_access_key="x")
        s3.create_bucket(Bucket="lab-bucket")
        s3.put_object(Bucket="lab-bucket", Key=f'{GUID}/my "file".txt', Body=b"hello")
        yield lambda **environ: indexer.main({
            "INPUT_URL": f"s3://lab-bucket/{GUID}%2Fmy+%22file%22.txt", "CONFIG_FILE": dumps(CONFIG), "AWS_REGION": "",
            "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x", **environ})


def test_an_object_is_indexed(run, server):
    assert run() == 0
    calls = [call for call, _body, _login in server.calls]
    assert calls == [RECORD, STATUS, FILL, STATUS]
    assert server.statuses == ["processing", "uploaded"]
    _call, body, login = server.calls[2]
    assert login == (b"fence", b"p")
    assert (body["size"], body["urls"]) == (5, [f's3://lab-bucket/{GUID}/my "file".txt'])
    assert set(body["hashes"]) == {"md5", "sha1", "sha256", "sha512", "crc"}


@pytest.mark.parametrize("size", [0, 5])
def test_an_indexed_object_is_left_alone(run, server, size):
    server.answers[RECORD] = (200, {"rev": "r1", "size": size})
    assert run() == 0
    assert [call for call, _body, _login in server.calls] == [RECORD, STATUS]
    assert server.statuses == ["uploaded"]


def test_no_record(run, server):
    server.answers[RECORD] = (404, {})
    assert run() == 2
    assert server.statuses == []


@pytest.mark.parametrize("status", [400, 403, 409, 501])
def test_a_refused_update_is_reported_and_not_repeated(run, server, status):
    server.answers[FILL] = (status, {})
    assert run() == 2
    assert server.statuses == ["processing", "error"]
    assert server.waits == []


def test_a_missing_object(run, server):
    assert run(INPUT_URL=f"s3://lab-bucket/{GUID}/other") == 2
    assert server.statuses == ["processing", "error"]


@pytest.mark.parametrize("status", [None, 429, 500, 503])
def test_indexd_is_asked_six_times(run, server, status):
    server.answers[RECORD] = (status, {})
    assert run() == 2
    assert len(server.calls) == 6
    assert server.waits == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("status", [None, 403, 404])
def test_the_metadata_service_never_fails_the_indexing(run, server, status):
    server.answers[STATUS] = (status, {})
    assert run() == 0


@pytest.mark.parametrize("environ", [
    {"INPUT_URL": "s3://b/no-guid"}, {"CONFIG_FILE": "not json"}, {"CONFIG_FILE": "{}"}])
def test_unusable_inputs(run, environ):
    assert run(**environ) == 2
