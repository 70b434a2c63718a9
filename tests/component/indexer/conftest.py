"""The indexing image's program in this process, between an object store and the stand-in of indexd and the metadata service."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from lab.certificates import Authority
from lab.gen3 import Gen3, Request
from object_store import ObjectStore

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "roles" / "indexer_image" / "files"
sys.path.insert(0, str(SOURCES))

BUCKET = "gen3-bucket"
PASSWORDS = {"indexd": {"fence": "indexd-pässword"}, "metadata": {"gateway": "mds-password"}}
SECRETS = ("indexd-pässword", "mds-password", "s3-secret-key", "aws-secret-key", "a-service-account-token")


def serve(server):
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def store():
    """The object store; see object_store.py."""
    server = serve(ObjectStore())
    yield server
    server.shutdown()
    server.server_close()


class Commons(Gen3):
    """indexd and the metadata service, with every status that the latter was told; ``refusals`` are asked before each call."""

    def __init__(self):
        super().__init__(0, lambda: PASSWORDS)
        self.statuses, self.calls, self.refusals = [], [], []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.configuration = {
            "url": f"{self.url}/index", "username": "fence", "password": "indexd-pässword", "not": "ours",
            "metadataService": {"url": self.url, "username": "gateway", "password": "mds-password"}}

    def finish_request(self, request, client_address):
        CommonsRequest(request, client_address, self)

    def handle_error(self, request, client_address):
        """A caller that hangs up is no news."""

    def blank(self, prefix=""):
        """Make a blank record with metadata; returns its GUID."""
        _status, record = self.indexd.create_blank({"uploader": "u"})
        blank = self.indexd.records.pop(record["did"])
        guid = prefix + record["did"]
        self.indexd.records[guid] = {**blank, "did": guid}
        self.metadata_service.objects[guid] = {"_upload_status": "", "other": 1}
        return guid


class CommonsRequest(Request):
    """A call, noted."""

    server: Commons

    def _dispatch(self, service, rest, query, body):
        self.server.calls.append(f"{self.command} {self.path}")
        for refusal in self.server.refusals:
            refusal(self, body)
        answer = super()._dispatch(service, rest, query, body)
        if self.command == "PUT" and service == "metadata":
            self.server.statuses.append(body["_upload_status"])
        return answer


@pytest.fixture
def commons():
    """indexd and the metadata service."""
    server = serve(Commons())
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Make the waits between attempts free; returns them. No setting of this machine counts."""
    from indexer import http_calls, s3

    waits = []
    for module in (http_calls, s3):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waits.append))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE",
                 "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield waits
    for thread in threading.enumerate():  # the program itself ends without waiting for its readers
        if thread.name.startswith("reader"):
            thread.join(30)


@pytest.fixture
def small_ranges(monkeypatch):
    """Ranges and chunks of a size that a test can have several of."""
    from indexer import read_ahead, s3

    monkeypatch.setattr(read_ahead, "RANGE", 64 << 10)
    monkeypatch.setattr(s3, "CHUNK", 16 << 10)


class Runner:
    """Runs the program; ``log`` is what it printed."""

    def __init__(self, commons, store, capfd):
        self._commons, self._capfd = commons, capfd
        self.s3 = {"endpoint_url": store.url, "access_key_id": "minio-user", "secret_access_key": "s3-secret-key"}
        self.log = ""

    def __call__(self, url, **environ):
        from indexer import __main__

        configuration = self._commons.configuration | ({"s3": self.s3} if self.s3 is not None else {})
        code = __main__.main({"INPUT_URL": url, "CONFIG_FILE": json.dumps(configuration), "AWS_REGION": "", "AWS_ACCESS_KEY_ID": "",
                              "AWS_SECRET_ACCESS_KEY": "", **environ})
        self.log = "".join(self._capfd.readouterr())
        assert not [secret for secret in SECRETS if secret in self.log], "a secret was printed"
        assert "Traceback" not in self.log
        return code


@pytest.fixture
def run(commons, store, capfd):
    """Return a function that runs the program for an INPUT_URL; returns its exit code."""
    return Runner(commons, store, capfd)


@pytest.fixture
def upload(commons, store):
    """Return a function that uploads an object to a new blank record; returns the GUID and the object's URL."""

    def upload(body, name="file.bin"):
        guid = commons.blank()
        store.objects[BUCKET, f"{guid}/{name}"] = body
        return guid, f"s3://{BUCKET}/{guid}/{name}"

    return upload
