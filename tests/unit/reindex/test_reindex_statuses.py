"""upload_reindex repairs the status of files that are indexed, which no Job looks at any more."""

from __future__ import annotations

import base64
import json
import threading
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core import json_http as http
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import statuses
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload
from ansible_collections.gen3.uploads.plugins.modules import upload_reindex
from lab.gen3 import Gen3, Refused, Request

NOT_RIGHT = [{"_upload_status": ""}, {"_upload_status": "not_uploaded"}, {"_upload_status": "processing"}, {"_upload_status": "error"}, {}]


class Commons(Gen3):
    """indexd and the metadata service; ``refuse`` may raise Refused for a call of ``calls``."""

    def __init__(self):
        super().__init__(0, lambda: {"indexd": {}, "metadata": {"gateway": self.password}})
        self.RequestHandlerClass = Call
        self.password, self.calls, self.refuse = "the-first-password", [], lambda _call: None
        self.url = f"http://127.0.0.1:{self.server_port}"


class Call(Request):
    server: Commons

    def _dispatch(self, service, rest, query, body):
        call = f"{self.command} {service}"
        self.server.calls.append(call)
        self.server.refuse(call)
        if " //" in self.requestline:  # which the real services do not know
            raise Refused(404, "no such path")
        return super()._dispatch(service, rest, query, body)


@pytest.fixture
def commons():
    commons = Commons()
    threading.Thread(target=commons.serve_forever, args=(0.01,), daemon=True).start()
    yield commons
    commons.shutdown()
    commons.server_close()


@pytest.fixture
def reindex(commons, monkeypatch, run_module):
    """Return ``put``, which puts an indexed file with a metadata object into a bucket on MinIO, ``run``, which runs the module, and ``give``,
    which sets the Jobs' password in the cluster's Secret."""
    objects, secrets = [], {}
    now = datetime.now(timezone.utc)

    def put(metadata, age=3600, hashes=None):
        guid = f"{len(objects):08d}-0d0f-4f0a-8f51-2f5c0b0e7a11"
        key = f"{guid}/x"
        objects.append(SimpleNamespace(object_name=key, size=5, etag="e", last_modified=now - timedelta(seconds=age)))
        commons.indexd.records[guid] = {"did": guid, "size": 5, "hashes": {"md5": "x"} if hashes is None else hashes}
        if metadata is not None:
            commons.metadata_service.objects[guid] = {**metadata, "other": 1}
        return key

    def give(password):
        config = {"metadataService": {"url": "http://revproxy-service/mds", "username": "gateway", "password": password}}
        text = json.dumps({"JOBS": [{"name": "indexing", "imageConfig": {}}, {"name": "indexing-minio", "imageConfig": config}]})
        secrets["ssjdispatcher-creds"] = {"data": {"credentials.json": base64.b64encode(text.encode()).decode()}}

    give(commons.password)
    monkeypatch.setattr(minio, "Connection", lambda _options: SimpleNamespace(s3=SimpleNamespace(list_objects=lambda **_how: iter(objects))))
    cluster = SimpleNamespace(get=lambda kind, name, namespace: secrets.get(name) if (kind, namespace) == ("Secret", "default") else None)
    monkeypatch.setattr(upload_reindex, "connect", lambda _module: cluster)
    monkeypatch.setattr(http, "time", SimpleNamespace(sleep=lambda _seconds: None, monotonic=iter(range(10_000)).__next__))
    options = {"bucket": "gen3-local", "minio_url": "http://minio", "minio_access_key": "root", "minio_secret_key": "secret-of-root",
               "bridge_url": f"{commons.url}/events", "bridge_token": "token", "indexd_url": f"{commons.url}/index",
               "metadata_url": f"{commons.url}/", "timeout": 60}

    def run(**more):
        result = run_module(upload_reindex, **{**options, **more})
        assert commons.password not in json.dumps(result)
        return result

    return SimpleNamespace(put=put, run=run, give=give)


def test_what_is_indexed_is_uploaded(commons, reindex):
    wrong = [reindex.put(each) for each in NOT_RIGHT]
    right = [reindex.put({"_upload_status": "uploaded"}), reindex.put(None), reindex.put({"_upload_status": "processing"}, age=10)]
    before = json.dumps(commons.metadata_service.objects)
    checked = reindex.run(_ansible_check_mode=True)
    assert (checked["changed"], checked["stale_status"], json.dumps(commons.metadata_service.objects)) == (True, wrong, before)
    assert {name: checked["counts"][name] for name in ("seen", "indexed", "stale_status", "status_set")} == {
        "seen": 8, "indexed": 7, "stale_status": 5, "status_set": 0}
    assert "PUT metadata" not in commons.calls
    result = reindex.run()
    assert (result["changed"], result["stale_status"], result["counts"]["status_set"], result["counts"]["stuck"]) == (True, wrong, 5, 0)
    objects = {**commons.metadata_service.objects}
    for key in wrong:
        assert objects.pop(key.split("/")[0]) == {"_upload_status": "uploaded", "other": 1}
    assert objects == {key.split("/")[0]: {"_upload_status": status, "other": 1} for key, status in zip(right[::2], ("uploaded", "processing"))}
    commons.calls.clear()
    again = reindex.run()
    assert (again["changed"], again["counts"]["stale_status"]) == (False, 0) and "PUT metadata" not in commons.calls


def test_a_file_without_hashes_keeps_its_status(commons, reindex):
    """Its Job tells it, once the event has been sent again."""
    reindex.put({"_upload_status": "processing"}, hashes={})
    checked = reindex.run(_ansible_check_mode=True)
    assert (checked["counts"]["stuck"], checked["counts"]["stale_status"]) == (1, 0) and commons.calls == ["POST bulk"]


def test_where_reading_takes_a_token_the_login_reads(commons, reindex):
    wrong = [reindex.put(each) for each in NOT_RIGHT]
    for _number in range(20):
        reindex.put({"_upload_status": "uploaded"})
        reindex.put(None)

    def refuse(call):
        if call == "GET metadata":
            raise Refused(403, "FORCE_AUTHZ_CHECK_FOR_METADATA_QUERIES")

    commons.refuse = refuse
    before = json.dumps(commons.metadata_service.objects)
    checked = reindex.run(_ansible_check_mode=True)
    assert checked["stale_status"] == wrong and json.dumps(commons.metadata_service.objects) == before
    assert commons.calls.count("GET metadata") <= statuses.CALLS_AT_ONCE  # tried once, not for each file
    assert reindex.run()["counts"]["status_set"] == 5 and reindex.run()["changed"] is False


def test_a_password_that_has_gone_stale_is_named_and_read_again_at_the_next_call(commons, reindex):
    reindex.put({"_upload_status": ""})
    commons.password = "made-by-helm-upgrade"
    stale = reindex.run()
    assert stale["failed"] and "The user gateway or its password is not accepted: site.yml takes the password from the cluster again" in stale["msg"]
    reindex.give(commons.password)
    assert reindex.run()["counts"]["status_set"] == 1


@pytest.mark.parametrize(("wrong", "words"), [
    ({"metadata_url": "{url}/elsewhere"}, "HTTP 404 (no such path). Check that metadata_url leads to the metadata service."),
    ({"metadata_url": "http://127.0.0.1:1"}, "GET http://127.0.0.1:1/metadata/"),
    ({"metadata_url": "http://127.0.0.1:1"}, "refused. Without metadata_url events alone are sent, and no status is looked at."),
    ({"configuration_secret": "none"}, "There is no key credentials.json of Secret default/none."),
    ({"job_name": "other", "configuration_key": "none"}, "There is no key none of Secret default/ssjdispatcher-creds."),
])
def test_what_is_wrong_is_one_sentence(commons, reindex, wrong, words):
    reindex.put({"_upload_status": ""})
    result = reindex.run(**{name: value.replace("{url}", commons.url) for name, value in wrong.items()})
    assert result["failed"] and words in result["msg"] and "Traceback" not in json.dumps(result)


def test_a_cluster_that_cannot_be_reached_is_one_sentence(reindex, monkeypatch):
    def connect(_module):
        raise KubeError("Cannot connect to Kubernetes.")

    monkeypatch.setattr(upload_reindex, "connect", connect)
    result = reindex.run()
    assert result["failed"] and result["msg"] == "Cannot connect to Kubernetes."


def test_without_its_address_no_status_is_looked_at(commons, reindex, monkeypatch):
    monkeypatch.setattr(upload_reindex, "connect", None)
    reindex.put({"_upload_status": ""})
    result = reindex.run(metadata_url=None)
    assert (result["changed"], result["counts"]["indexed"], result["counts"]["stale_status"]) == (False, 1, 0)
    assert commons.calls == ["POST bulk"]


def test_what_is_temporary_is_outlasted(commons, reindex):
    reindex.put({"_upload_status": ""})
    statuses_to_come = {"GET metadata": [503, 502], "PUT metadata": [500]}

    def refuse(call):
        if statuses_to_come.get(call):
            raise Refused(statuses_to_come[call].pop(0), "just now")

    commons.refuse = refuse
    assert reindex.run()["counts"]["status_set"] == 1
    assert commons.calls == ["POST bulk"] + ["GET metadata"] * 3 + ["PUT metadata"] * 2


def test_an_object_that_is_gone_by_then_is_not_counted(commons, reindex):
    reindex.put({"_upload_status": ""})

    def refuse(call):
        if call == "PUT metadata":
            commons.metadata_service.objects.clear()

    commons.refuse = refuse
    result = reindex.run()
    assert (result["changed"], result["stale_status"], result["counts"]["status_set"]) == (False, [], 0)


def test_statuses_are_read_a_few_at_once_and_once_a_guid():
    """All calls of four files wait for each other here; one after the other they would wait for ever."""
    together, asked = threading.Barrier(4, timeout=30), []

    def find(guid):
        asked.append(guid)
        together.wait()
        return {"_upload_status": "error"}

    uploads = [Upload(f"{number:08d}-0d0f-4f0a-8f51-2f5c0b0e7a11/{name}", 1, "e", datetime.now(timezone.utc))
               for number in range(4) for name in "ab"]
    assert len(statuses.stale(SimpleNamespace(find=find), uploads)) == 4
    assert sorted(asked) == sorted({upload.guid for upload in uploads})
