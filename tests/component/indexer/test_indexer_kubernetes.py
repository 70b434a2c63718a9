"""The access key from a Secret, read as the pod's own service account."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import serve
from indexer import kubernetes
from indexer.configuration import Keys, SecretReference
from test_indexer_job import BODY, hashes

TOKEN = "a-service-account-token"
PATH = "/api/v1/namespaces/gen3/secrets/minio-reader"


class Api(ThreadingHTTPServer):
    """A Kubernetes API server with Secrets by path; ``failures`` are statuses to answer with first."""

    daemon_threads = True

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), ApiRequest)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        data = {"id": b"minio-reader", "secret": b"s3-secret-key\n", "empty": b"", "binary": b"\xff"}
        self.secrets = {PATH: {name: base64.b64encode(value).decode() for name, value in data.items()}}
        self.failures = []
        self.calls = []


class ApiRequest(BaseHTTPRequestHandler):
    """A call."""

    server: Api

    def do_GET(self):
        self.server.calls.append(self.path)
        status, document = 200, {"data": self.server.secrets.get(self.path)}
        if self.server.failures:
            status = self.server.failures.pop(0)
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            status = 401
        elif self.path not in self.server.secrets:
            status = 404
        body = json.dumps(document if status == 200 else {"message": "refused"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        """Keep no access log."""


@pytest.fixture
def api(authority):
    server = serve(Api(authority.server_context("127.0.0.1")))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def account(tmp_path, authority):
    """The directory that every pod has."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "namespace").write_text("gen3")
    (tmp_path / "ca.crt").write_bytes(authority.certificate_file.read_bytes())
    return tmp_path


@pytest.fixture
def in_pod(run, upload, api, account):
    """Return a function that runs the program in a pod; returns the GUID and the exit code."""
    run.s3 = {"endpoint_url": run.s3["endpoint_url"],
              "secret_ref": {"name": "minio-reader", "access_key_id_key": "id", "secret_access_key_key": "secret"}}

    def in_pod(**environ):
        guid, url = upload(BODY)
        return guid, run(url, **{"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.server_port),
                                 "SERVICE_ACCOUNT_DIRECTORY": str(account), **environ})

    return in_pod


def test_the_key_comes_from_the_secret(in_pod, commons, store, api, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # not for the API server
    guid, code = in_pod()
    assert code == 0
    assert commons.indexd.records[guid]["hashes"] == hashes(BODY)
    assert api.calls == [PATH]
    assert all(credential.startswith("minio-reader/") for credential in store.credentials)


def test_the_end_of_a_line_is_no_part_of_a_key(api, account):
    reference = SecretReference("minio-reader", "id", "secret")
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.server_port),
               "SERVICE_ACCOUNT_DIRECTORY": str(account)}
    assert kubernetes.read_keys(reference, environ) == Keys("minio-reader", "s3-secret-key")


def test_a_secret_of_another_namespace(in_pod, run, api):
    api.secrets["/api/v1/namespaces/other/secrets/minio-reader"] = api.secrets.pop(PATH)
    run.s3["secret_ref"]["namespace"] = "other"
    assert in_pod()[1] == 0


def test_the_api_comes_back(in_pod, api, waits):
    api.failures = [503, 429]
    assert in_pod()[1] == 0
    assert waits == [1, 2]


@pytest.mark.parametrize(("reference", "message"), [
    ({"name": "absent"}, "no such Secret"), ({"access_key_id_key": "absent"}, "binary, empty, id, secret"),
    ({"secret_access_key_key": "empty"}, "is empty"), ({"secret_access_key_key": "binary"}, "is not text")])
def test_a_wrong_reference(in_pod, run, commons, reference, message):
    run.s3["secret_ref"] |= reference
    assert in_pod()[1] == 2
    assert message in run.log
    assert commons.statuses == ["processing", "error"]


@pytest.mark.parametrize(("status", "message"), [(403, "Role must allow"), (401, "401")])
def test_a_refusal(in_pod, run, commons, api, status, message):
    api.failures = [status]
    assert in_pod()[1] == 2
    assert message in run.log
    assert commons.statuses == ["processing", "error"]


def test_no_token(in_pod, run, commons, account):
    (account / "token").unlink()
    assert in_pod()[1] == 2
    assert "automountServiceAccountToken" in run.log
    assert commons.statuses == ["processing", "error"]


def test_no_pod(in_pod, run):
    assert in_pod(KUBERNETES_SERVICE_HOST="")[1] == 2
    assert "this is no pod" in run.log


def test_an_api_server_of_another_authority(in_pod, run, account, tmp_path_factory):
    """The token must not be sent to it."""
    from lab.certificates import Authority

    (account / "ca.crt").write_bytes(Authority(tmp_path_factory.mktemp("other")).certificate_file.read_bytes())
    assert in_pod()[1] == 2
    assert "CERTIFICATE_VERIFY_FAILED" in run.log
