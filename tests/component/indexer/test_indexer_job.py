"""A whole run: the calls, the statuses that users see, and the exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from urllib.parse import quote

import google_crc32c
import pytest
from conftest import BUCKET, SOURCES
from lab.gen3 import Refused

BODY = b"123456789" * 1000


def hashes(body):
    """What the record must have, computed in the plainest way."""
    return {**{name: hashlib.new(name, body).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")},
            "crc": f"{google_crc32c.value(body):08x}"}


def test_an_object_is_indexed(run, upload, commons):
    guid, url = upload(BODY)
    revision = commons.indexd.records[guid]["rev"]
    assert run(url) == 0
    assert commons.calls == [f"GET /index/{guid}", f"PUT /metadata/{guid}?merge=True", f"PUT /index/blank/{guid}?rev={revision}",
                             f"PUT /metadata/{guid}?merge=True"]
    assert commons.statuses == ["processing", "uploaded"]
    record = commons.indexd.records[guid]
    assert (record["size"], record["hashes"], record["urls"]) == (len(BODY), hashes(BODY), [url])
    assert commons.metadata_service.objects[guid] == {"_upload_status": "uploaded", "other": 1}


def test_the_check_value_of_crc_32c(run, upload, commons):
    guid, url = upload(b"123456789")
    assert run(url) == 0
    assert commons.indexd.records[guid]["hashes"]["crc"] == "e3069283"


@pytest.mark.parametrize("name", ['say "hi".txt', "back\\slash", "no#1?", "a%2Fb", "100%25", "line\n", "漢字", " padded ", "folder/"])
@pytest.mark.parametrize("safe", ["", "/"])
def test_an_odd_key(run, upload, commons, name, safe):
    guid, _url = upload(BODY, name)
    assert run(f"s3://{BUCKET}/{quote(f'{guid}/{name}', safe=safe)}") == 0
    assert commons.indexd.records[guid]["urls"] == [f"s3://{BUCKET}/{guid}/{name}"]
    assert commons.indexd.records[guid]["hashes"] == hashes(BODY)


@pytest.mark.parametrize("prefix", ["dg.1234/", "my files/#1?/"])
def test_a_record_with_a_prefix(run, store, commons, prefix):
    guid = commons.blank(prefix)
    store.objects[BUCKET, f"{guid}/f"] = BODY
    assert run(f"s3://{BUCKET}/{quote(guid + '/f')}") == 0
    assert commons.indexd.records[guid]["size"] == len(BODY)
    assert commons.metadata_service.objects[guid]["_upload_status"] == "uploaded"


@pytest.mark.parametrize("size", [0, 5])
def test_an_indexed_object_is_left_alone(run, upload, store, commons, size):
    guid, url = upload(BODY)
    commons.indexd.records[guid]["size"] = size
    run.s3 = {"nonsense": True}
    assert run(url) == 0
    assert commons.statuses == ["uploaded"]
    assert commons.indexd.records[guid]["size"] == size
    assert store.credentials == []


def test_no_record(run, upload, commons):
    guid, url = upload(BODY)
    del commons.indexd.records[guid]
    assert run(url) == 2
    assert commons.statuses == []
    assert guid in run.log


def test_no_object(run, commons):
    assert run(f"s3://{BUCKET}/{commons.blank()}/f") == 2
    assert commons.statuses == ["processing", "error"]
    assert "NoSuchKey" in run.log


@pytest.mark.parametrize("login", [{"password": "wrong"}, {"username": "nobody"}])
def test_a_wrong_login_to_indexd(run, upload, commons, login, waits):
    guid, url = upload(BODY)
    commons.configuration |= login
    assert run(url) == 2
    assert commons.statuses == ["processing", "error"]
    assert commons.indexd.records[guid]["size"] is None
    assert "403" in run.log
    assert waits == []


@pytest.mark.parametrize("address", ["s3://b/no-guid", "s3://b/100%", ""])
def test_a_wrong_address(run, commons, address):
    assert run(address) == 2
    assert commons.calls == []


@pytest.mark.parametrize("text", ["", "{", "{}", '{"url": "http://127.0.0.1:1"}'])
def test_a_wrong_configuration(run, upload, commons, text):
    assert run(upload(BODY)[1], CONFIG_FILE=text) == 2
    assert commons.calls == []
    assert "CONFIG_FILE" in run.log


def test_a_wrong_object_store_is_told_to_users(run, upload, commons):
    """The stock image would leave `processing` behind in more than one such case."""
    run.s3 = {"endpoint": "http://127.0.0.1:1"}
    assert run(upload(BODY)[1]) == 2
    assert commons.statuses == ["processing", "error"]
    assert "unknown keys: endpoint" in run.log


@pytest.mark.parametrize("rev", [None, 5])
def test_a_record_without_revision(run, upload, commons, rev):
    guid, url = upload(BODY)
    commons.indexd.records[guid]["rev"] = rev
    assert run(url) == 2
    assert commons.statuses == []
    assert "no revision" in run.log


def test_a_record_that_is_none(run, upload, commons):
    guid, url = upload(BODY)
    commons.indexd.records[guid] = ["no", "object"]
    assert run(url) == 2
    assert guid in run.log


def refuse(status, path, method="PUT", times=1000):
    """Refuse calls whose path begins so."""
    left = [times]

    def refusal(request, _body):
        if request.command == method and request.path.startswith(path) and left[0]:
            left[0] -= 1
            raise Refused(status, "refused")

    return refusal


@pytest.mark.parametrize("status", [400, 401, 404, 409, 501])
def test_a_refused_update_is_not_repeated(run, upload, commons, status, waits):
    commons.refusals.append(refuse(status, "/index/blank"))
    assert run(upload(BODY)[1]) == 2
    assert commons.statuses == ["processing", "error"]
    assert str(status) in run.log
    assert waits == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_indexd_is_asked_six_times(run, upload, commons, status, waits):
    commons.refusals.append(refuse(status, "/index/", "GET"))
    assert run(upload(BODY)[1]) == 2
    assert len(commons.calls) == 6
    assert waits == [1, 2, 4, 8, 16]
    assert commons.statuses == []


def test_an_update_without_answer_is_told_to_users(run, upload, commons, waits):
    """Here the stock image crashes and leaves `processing` behind."""
    commons.refusals.append(refuse(500, "/index/blank"))
    assert run(upload(BODY)[1]) == 2
    assert commons.statuses == ["processing", "error"]
    assert waits == [1, 2, 4, 8, 16]


def test_indexd_comes_back(run, upload, commons):
    commons.refusals.append(refuse(503, "/index/", times=2))
    assert run(upload(BODY)[1]) == 0
    assert commons.statuses == ["processing", "uploaded"]


def fill_first(commons, guid, document):
    """Let another fill the record just before the update comes."""

    def refusal(request, _body):
        if request.path.startswith("/index/blank"):
            commons.indexd.records[guid].update(document, rev="00000000")

    commons.refusals.append(refusal)


def test_another_job_was_faster(run, upload, commons):
    """Events come more than once: the later Job must not turn `uploaded` into `error`."""
    guid, url = upload(BODY)
    fill_first(commons, guid, {"size": len(BODY), "hashes": hashes(BODY)})
    assert run(url) == 0
    assert commons.statuses == ["processing", "uploaded"]


def test_another_object_was_faster(run, upload, commons):
    guid, url = upload(BODY)
    fill_first(commons, guid, {"size": len(BODY), "hashes": hashes(b"other")})
    assert run(url) == 2
    assert commons.statuses == ["processing", "error"]


def test_the_revision_changed(run, upload, commons):
    guid, url = upload(BODY)
    fill_first(commons, guid, {})
    assert run(url) == 2
    assert commons.statuses == ["processing", "error"]
    assert "409" in run.log


@pytest.mark.parametrize("status", [403, 404, 500])
def test_the_metadata_service_never_fails_the_indexing(run, upload, commons, status):
    commons.refusals.append(refuse(status, "/metadata"))
    guid, url = upload(BODY)
    assert run(url) == 0
    assert commons.indexd.records[guid]["hashes"] == hashes(BODY)


def test_the_metadata_service_is_down(run, upload, commons, waits):
    commons.configuration["metadataService"]["url"] = "http://127.0.0.1:1"
    guid, url = upload(BODY)
    assert run(url) == 0
    assert commons.indexd.records[guid]["size"] == len(BODY)
    assert waits == [1, 2, 4, 8, 16] * 2


def test_a_failure_that_nobody_foresaw(run, upload, commons, monkeypatch, capfd):
    from indexer import __main__, job

    monkeypatch.setattr(job, "measure", lambda *_: 1 / 0)
    _guid, url = upload(BODY)
    assert __main__.main({"INPUT_URL": url, "CONFIG_FILE": json.dumps(commons.configuration)}) == 2
    assert commons.statuses == ["processing", "error"]
    assert "ZeroDivisionError" in capfd.readouterr().err


def start(commons, url, **more):
    """Start the program as the image does."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "INPUT_URL": url, "CONFIG_FILE": json.dumps(commons.configuration), **more}
    return subprocess.Popen([sys.executable, "-m", "indexer"], env=environment, stderr=subprocess.PIPE, text=True, cwd="/")


def test_the_program_itself(upload, commons, run):
    guid, url = upload(BODY)
    commons.configuration["s3"] = run.s3
    process = start(commons, url)
    assert process.wait(60) == 0, process.stderr.read()
    assert commons.indexd.records[guid]["hashes"] == hashes(BODY)
    process = start(commons, "s3://b/no-guid")
    assert process.wait(60) == 2


def test_a_pod_that_is_told_to_end(upload, commons, store, run):
    """Nothing comes from the store; the pod's grace period must be enough to tell the users."""
    _guid, url = upload(BODY)
    commons.configuration["s3"] = run.s3
    store.faults.append(lambda _request: time.sleep(60) or True)
    process = start(commons, url)
    deadline = time.monotonic() + 60
    while not store.ranges and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 2
    assert commons.statuses == ["processing", "error"]


@pytest.mark.parametrize("name", ["", "folder/", "folder_$folder$"])
def test_an_empty_folder_leaves_record_and_status_alone(run, upload, commons, name):
    """The real file of the same GUID is still to come."""
    guid, url = upload(b"", name)
    revision = commons.indexd.records[guid]["rev"]
    assert run(url) == 0 and "is an empty folder, not an upload" in run.log
    assert (commons.indexd.records[guid]["rev"], commons.indexd.records[guid]["size"], commons.statuses) == (revision, None, [])


def test_a_file_whose_name_ends_like_a_folder(run, upload, commons):
    guid, url = upload(BODY, "folder/")
    assert run(url) == 0
    assert commons.indexd.records[guid]["hashes"] == hashes(BODY)


@pytest.mark.parametrize("prefix", ["..", ".", "a/../..", "a/"])
def test_a_key_that_leads_elsewhere_is_in_no_call(run, commons, prefix):
    assert run(f"s3://{BUCKET}/{prefix}/{commons.blank()}/file") == 2
    assert "belongs to no record" in run.log and commons.calls == []


@pytest.mark.parametrize(("status", "statuses"), [("processing", ["processing", "error"]), ("uploaded", ["processing", "uploaded", "uploaded"])])
def test_a_pod_that_is_told_to_end_while_it_tells_its_status(upload, commons, run, status, statuses):
    """The call is already on its way when the signal comes, and is carried out."""
    _guid, url = upload(BODY)
    commons.configuration["s3"] = run.s3
    processes = []

    def end(_request, body):
        if isinstance(body, dict) and body.get("_upload_status") == status and processes:
            processes.pop().send_signal(signal.SIGTERM)
            time.sleep(0.5)

    commons.refusals.append(end)
    process = start(commons, url)
    processes.append(process)
    assert process.wait(30) == 2
    time.sleep(1)
    assert sorted(commons.statuses) == sorted(statuses) and commons.statuses[0] in ("processing", "error")
