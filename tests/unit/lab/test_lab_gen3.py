"""The stand-ins for indexd and the metadata service: statuses, revisions, the order of the checks."""

from __future__ import annotations

import threading

import pytest
import requests
from lab.gen3 import Gen3

FENCE = ("fence", "right")
GATEWAY = ("gateway", "right")
FILLED = {"size": 3, "hashes": {"md5": "0" * 32}, "urls": ["s3://a/b"]}


@pytest.fixture
def gen3():
    """Return a function that calls the stand-in: (method, path, body, login) -> response."""
    passwords = {"indexd": {"fence": "right"}, "metadata": {"gateway": "right"}}
    server = Gen3(0, lambda: passwords)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def call(method, path, body=None, login=None):
        url = f"http://127.0.0.1:{server.server_port}{path}"
        return requests.request(method, url, json=body, auth=login, timeout=5)

    call.passwords = passwords
    yield call
    server.shutdown()
    server.server_close()


@pytest.fixture
def blank(gen3):
    """A blank record: {did, rev, baseid}."""
    answer = gen3("POST", "/index/blank/", {"uploader": "u", "file_name": "f"}, FENCE)
    assert answer.status_code == 201
    return answer.json()


def test_a_blank_record_has_neither_size_nor_hashes(gen3, blank):
    record = gen3("GET", f"/index/{blank['did']}").json()
    assert (record["size"], record["hashes"], record["urls"], record["rev"]) == (None, {}, [], blank["rev"])


@pytest.mark.parametrize(("body", "login", "status"), [
    ({"uploader": "u"}, None, 401), ({"uploader": "u"}, ("fence", "wrong"), 403),
    ({"uploader": "u"}, ("x", "right"), 403), ({}, FENCE, 400), ({"uploader": "u"}, FENCE, 201)])
def test_creation(gen3, body, login, status):
    assert gen3("POST", "/index/blank/", body, login).status_code == status


def test_no_user_at_all(gen3):
    gen3.passwords["indexd"] = {}
    answer = gen3("POST", "/index/blank/", {"uploader": "u"}, FENCE)
    assert answer.status_code == 403
    assert "No username / password configured" in answer.text


def test_filling_gives_a_new_revision(gen3, blank):
    answer = gen3("PUT", f"/index/blank/{blank['did']}?rev={blank['rev']}", FILLED, FENCE)
    assert answer.status_code == 200
    assert answer.json()["rev"] != blank["rev"]
    record = gen3("GET", f"/index/{blank['did']}").json()
    assert {name: record[name] for name in FILLED} == FILLED
    assert record["rev"] == answer.json()["rev"]


@pytest.mark.parametrize(("login", "rev", "status"), [
    (None, "wrong", 409), (("fence", "wrong"), "wrong", 409), (None, None, 401), (("fence", "wrong"), None, 403)])
def test_the_revision_is_checked_before_the_login(gen3, blank, login, rev, status):
    path = f"/index/blank/{blank['did']}?rev={rev or blank['rev']}"
    assert gen3("PUT", path, FILLED, login).status_code == status


def test_a_filled_record_is_refused_before_its_revision_is_checked(gen3, blank):
    path = f"/index/blank/{blank['did']}?rev={blank['rev']}"
    gen3("PUT", path, FILLED, FENCE)
    assert gen3("PUT", path, FILLED, FENCE).status_code == 400


@pytest.mark.parametrize("body", [{}, {"size": "3", "hashes": {}}, {**FILLED, "extra": 1},
                                  {**FILLED, "hashes": {"sha3": "0"}}])
def test_a_wrong_update(gen3, blank, body):
    assert gen3("PUT", f"/index/blank/{blank['did']}?rev={blank['rev']}", body, FENCE).status_code == 400


def test_an_unknown_record(gen3):
    assert gen3("GET", "/index/none").status_code == 404
    assert gen3("PUT", "/index/blank/none?rev=x", FILLED).status_code == 404
    assert gen3("DELETE", "/index/none?rev=x", None, FENCE).status_code == 404


def test_deletion(gen3, blank):
    path = f"/index/{blank['did']}"
    assert gen3("DELETE", f"{path}?rev=wrong", None, FENCE).status_code == 409
    assert gen3("DELETE", f"{path}?rev={blank['rev']}").status_code == 401
    assert gen3("DELETE", f"{path}?rev={blank['rev']}", None, FENCE).status_code == 200
    assert gen3("GET", path).status_code == 404


def test_metadata_is_merged_only_when_asked(gen3):
    path = "/metadata/a/b"
    assert gen3("PUT", f"{path}?merge=True", {"x": 1}, GATEWAY).status_code == 404
    assert gen3("POST", path, {"x": 1, "y": {"z": 1}}, GATEWAY).status_code == 201
    assert gen3("POST", path, {"x": 2}, GATEWAY).status_code == 409
    assert gen3("PUT", f"{path}?merge=True", {"y": {}, "s": 2}, GATEWAY).json() == {"x": 1, "y": {}, "s": 2}
    assert gen3("PUT", path, {"only": 1}, GATEWAY).json() == {"only": 1}
    assert gen3("GET", path).json() == {"only": 1}
    assert gen3("DELETE", path, None, GATEWAY).status_code == 200
    assert gen3("GET", path).status_code == 404


@pytest.mark.parametrize("login", [None, ("gateway", "wrong"), FENCE])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_metadata_needs_its_own_login(gen3, method, login):
    assert gen3(method, "/metadata/x", {}, login).status_code == 403
