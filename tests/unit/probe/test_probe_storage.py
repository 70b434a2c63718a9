"""Where a probe's object lies: the calls, and what MinIO says of its target."""

import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._probe import storage as _probe_storage
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import MinioError
from ansible_collections.gen3.uploads.plugins.modules import upload_probe

LOGIN = {"url": "https://minio.example:9000", "access_key": "root", "secret_key": "a-secret-of-minio", "ca_path": None,
         "validate_certs": True}


class Client:
    """A client of AWS."""

    def __init__(self):
        self.calls = []

    def put_object(self, **arguments):
        return {"VersionId": "v1"} if arguments["Key"] == "versioned" else {}

    def delete_object(self, **arguments):
        self.calls.append(arguments)


@pytest.mark.parametrize(("key", "version", "more"), [("versioned", "v1", {"VersionId": "v1"}), ("plain", None, {})])
def test_on_amazon_s3_the_version_that_was_put_is_removed(key, version, more):
    client = Client()
    storage = _probe_storage.AmazonS3(lambda service: client)
    assert storage.put("b", key, b"x") == version
    storage.remove("b", key, version)
    assert client.calls == [{"Bucket": "b", "Key": key, **more}]


INFO = {"sqsARN": ["arn:minio:sqs::GEN3:webhook"], "services": {"notifications": [{"webhook": [{"GEN3": {"status": "online"}}]}]}}


class Response:
    def __init__(self, status, text=""):
        self.status, self.data = status, text.encode()


@pytest.mark.parametrize(("name", "metrics", "said"), [
    ("webhook/GEN3", (200, 'minio_notify_target_queue_length{target_id="GEN3",target_name="webhook"} 2\n'), ("online", 2)),
    ("webhook/GEN3", (403, '{"Code": "AccessDenied"}'), ("online", None)),
    ("webhook/OTHER", (200, ""), (None, None)),
])
def test_what_minio_says_of_a_target(monkeypatch, name, metrics, said):
    server = _probe_storage.MinioServer(LOGIN)
    monkeypatch.setattr(server._connection.admin, "info", lambda: json.dumps(INFO))
    asked = []

    def request(method, url, headers=None):
        asked.append((url, headers))
        return Response(200) if url.endswith("/minio/health/cluster") else Response(*metrics)

    monkeypatch.setattr(server._connection.http, "request", request)
    assert server.target(name) == (name, *said)
    url, headers = asked[-1]
    assert url == "https://minio.example:9000/minio/v2/metrics/cluster"
    assert headers["Authorization"].startswith("Bearer ") and LOGIN["secret_key"] not in str(asked)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(MinioError, match="scheme, host and port"):
        _probe_storage.MinioServer({**LOGIN, "url": "minio.example"})


REQUIRED = {"steps": ["configuration"], "bucket": "b", "indexd_url": "http://indexd/index", "metadata_url": "http://mds"}
ON_MINIO = {f"minio_{name}": LOGIN[name] for name in ("url", "access_key", "secret_key")}


@pytest.mark.parametrize(("options", "names", "stations"), [
    ({"topic": "t", "queue": "q"}, 9, ["s3://b", "t", "q", "ssjdispatcher in default", "indexd"]),
    (ON_MINIO, 10, ["b on MinIO", "event bridge", "ssjdispatcher in default", "indexd"]),
])
def test_the_module_shows_the_steps_and_the_stations_of_the_storage(run_module, options, names, stations):
    result = run_module(upload_probe, **REQUIRED, **options)
    assert len(result["steps"]) == names and result["stations"] == stations and len(result["table"]) == 1 + names
    assert LOGIN["secret_key"] not in str(result)


@pytest.mark.parametrize(("options", "job"), [
    ({}, "indexing"), (ON_MINIO, "indexing-minio"), ({**ON_MINIO, "job_name": "mine"}, "mine")])
def test_each_storage_has_its_own_entry_of_jobs(monkeypatch, run_module, options, job):
    monkeypatch.setattr(upload_probe, "follow", lambda steps, probe, context: (probe, context.params["job_name"]))
    assert run_module(upload_probe, **REQUIRED, **options)["msg"] == job


@pytest.mark.parametrize(("options", "words"), [
    ({"steps": ["notification_target"]}, "minio_url"),
    ({"minio_url": LOGIN["url"]}, "minio_access_key"),
    ({**ON_MINIO, "minio_url": "minio.example"}, "scheme, host and port"),
])
def test_options_that_do_not_fit_are_refused(run_module, options, words):
    result = run_module(upload_probe, **{**REQUIRED, **options})
    assert result["failed"] and words in result["msg"]
