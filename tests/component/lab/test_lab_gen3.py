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
    server = Gen3(0, lambda: passwords, "PREFIX/")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def call(method, path, body=None, login=None):
        url = f"http://127.0.0.1:{server.server_port}{path}"
        return requests.request(method, url, json=body, auth=login, timeout=5)

    call.passwords = passwords
    call.url = f"http://127.0.0.1:{server.server_port}"
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
    ({"uploader": "u"}, None, 403), ({"uploader": "u"}, ("fence", "wrong"), 403),
    ({"uploader": "u"}, ("x", "right"), 403), ({}, FENCE, 201), ({"uploader": "u"}, FENCE, 201), ([], FENCE, 500)])
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
    (None, "wrong", 409), (("fence", "wrong"), "wrong", 409), (None, None, 403), (("fence", "wrong"), None, 403)])
def test_the_revision_is_checked_before_the_login(gen3, blank, login, rev, status):
    path = f"/index/blank/{blank['did']}?rev={rev or blank['rev']}"
    assert gen3("PUT", path, FILLED, login).status_code == status


def test_a_filled_record_is_refused_before_its_revision_is_checked(gen3, blank):
    path = f"/index/blank/{blank['did']}?rev={blank['rev']}"
    gen3("PUT", path, FILLED, FENCE)
    assert gen3("PUT", path, FILLED, FENCE).status_code == 400


@pytest.mark.parametrize(("body", "status"), [
    ({}, 200), ({**FILLED, "extra": 1}, 200), ({**FILLED, "hashes": {"sha3": "0"}}, 200), ({"hashes": FILLED["hashes"]}, 200),
    ({"size": "3", "hashes": {}}, 500), ({**FILLED, "urls": ["s3://a/b", "s3://a/b"]}, 500), ([], 500)])
def test_what_indexd_accepts_and_refuses(gen3, blank, body, status):
    assert gen3("PUT", f"/index/blank/{blank['did']}?rev={blank['rev']}", body, FENCE).status_code == status


def test_a_record_of_no_bytes_and_no_hashes_is_still_blank(gen3, blank):
    path = f"/index/blank/{blank['did']}"
    rev = gen3("PUT", f"{path}?rev={blank['rev']}", {"size": 0, "hashes": {}}, FENCE).json()["rev"]
    assert gen3("PUT", f"{path}?rev={rev}", FILLED, FENCE).status_code == 200


def test_a_body_must_be_called_json(gen3):
    for path in ("/index/blank/", "/bulk/documents"):
        url = f"{gen3.url}{path}"
        assert requests.post(url, data='{"uploader": "u"}', auth=FENCE, timeout=5).status_code == 415


def test_a_bulk_of_none_is_an_error_of_the_server(gen3, blank):
    assert gen3("POST", "/bulk/documents", [blank["did"], "none"]).json()[0]["did"] == blank["did"]
    assert gen3("POST", "/bulk/documents", ["none"]).json() == []
    assert [gen3("POST", "/bulk/documents", body).status_code for body in ([], {})] == [500, 500]


def test_a_list_has_its_limit(gen3, blank):
    gen3("POST", "/index/blank/", {"uploader": "u"}, FENCE)
    assert len(gen3("GET", "/index?limit=1").json()["records"]) == 1
    assert gen3("GET", "/index?limit=1025").status_code == 400


def test_a_guid_has_the_prefix_of_the_commons(gen3, blank):
    assert blank["did"].startswith("PREFIX/")
    assert gen3("GET", f"/index/{blank['baseid']}").json()["did"] == blank["did"]


def test_an_unknown_record(gen3):
    assert gen3("GET", "/index/none").status_code == 404
    assert gen3("PUT", "/index/blank/none?rev=x", FILLED).status_code == 404
    assert gen3("DELETE", "/index/none?rev=x", None, FENCE).status_code == 404


def test_deletion(gen3, blank):
    path = f"/index/{blank['did']}"
    assert gen3("DELETE", f"{path}?rev=wrong", None, FENCE).status_code == 409
    assert gen3("DELETE", path, None, FENCE).status_code == 400
    assert gen3("DELETE", f"{path}?rev={blank['rev']}").status_code == 403
    deleted = gen3("DELETE", f"{path}?rev={blank['rev']}", None, FENCE)
    assert (deleted.status_code, deleted.content) == (200, b"")
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


def test_errors_of_the_metadata_service_are_fastapis(gen3):
    assert gen3("GET", "/metadata/x").json() == {"detail": "Not found: x"}
    assert gen3("POST", "/metadata/x", {}, ("gateway", "wrong")).json() == {"detail": "Forbidden"}
    assert isinstance(gen3("POST", "/metadata/x", [], GATEWAY).json()["detail"], list)


def test_the_metadata_service_reads_logins_as_ascii(gen3):
    gen3.passwords["metadata"]["gateway"] = "é"
    assert gen3("POST", "/metadata/x", {}, ("gateway", "é".encode())).status_code == 401


@pytest.mark.parametrize("login", [None, ("gateway", "wrong"), FENCE])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_metadata_needs_its_own_login(gen3, method, login):
    assert gen3(method, "/metadata/x", {}, login).status_code == 403
