"""Which object is meant, and what the stations are asked."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Gen3Error
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload
from ansible_collections.gen3.uploads.plugins.module_utils._trace import observe

GUID = "9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
ENTRIES = [{"name": "usersync", "pattern": "^s3://b/user.yaml"}, {"name": "indexing", "pattern": "^s3://b/.+"}]


def upload(key, size=1):
    return Upload(key, size, "etag", NOW - timedelta(seconds=60))


@pytest.mark.parametrize(("wanted", "key"), [
    (GUID, f"{GUID}/a"), (f"{GUID}/", f"{GUID}/"), (f"{GUID}/b", f"{GUID}/b"), ("user.yaml", "user.yaml"), ("no", None)])
def test_the_object_that_is_meant(wanted, key):
    uploads = [upload(f"{GUID}/", 0), upload(f"{GUID}/a"), upload(f"{GUID}/b"), upload("user.yaml")]
    found = observe.find(uploads, wanted)
    assert (found and found.key) == key


def test_an_empty_folder_is_found_where_there_is_nothing_else():
    assert observe.find([upload(f"{GUID}/", 0)], GUID).is_folder


class Context:
    """Stations of which each answers, or fails with ``broken``."""

    def __init__(self, broken=None):
        self.broken = broken
        self.params = {"bucket": "b", "namespace": "n", "jobs_namespace": "n", "configuration_secret": "creds", "configuration_key": "c",
                       "job_name": "indexing", "queue": "q", "queue_url": "https://q", "drift": [], "refusals": ["No right."] if broken else []}
        self.bridge = None

    def answer(self, value):
        if self.broken:
            raise self.broken
        return value

    def kube(self):
        secret = {"data": {"c": base64.b64encode(json.dumps({"JOBS": ENTRIES}).encode()).decode()}}
        return SimpleNamespace(get=lambda *_: self.answer(secret), list=lambda *_: self.answer([]))

    def send(self, service, config):
        assert config == {}, "reading needs no login"
        return lambda *_arguments, **_more: self.answer((200, {"did": GUID, "size": None}))

    def metadata(self):
        return SimpleNamespace(upload_status=lambda guid: self.answer("processing"))

    def dispatcher_failures(self, readers=None):
        return self.answer([])

    def queue_depth(self):
        return None if self.broken else {"visible": 1, "in_flight": 0}

    def target(self):
        return self.answer(None)


def test_all_stations_are_asked():
    facts = observe.observe(Context(), f"s3://b/{GUID}/a", lambda prefix: [upload(f"{GUID}/a")], "image", 900, NOW)
    assert (facts.guid, facts.record["did"], facts.status, facts.entry, facts.own_entry) == (GUID, GUID, "processing", "indexing", "indexing")
    assert (facts.url, facts.age, facts.depth["visible"], facts.unknown) == (f"s3://b/{GUID}/a", 60, 1, {})


@pytest.mark.parametrize("error", [KubeError("No cluster."), Gen3Error("No answer.")])
def test_each_that_fails_is_told_and_stops_no_other(error):
    def listing(prefix):
        raise error

    facts = observe.observe(Context(error), GUID, listing, None, 900, NOW)
    assert set(facts.unknown) == {"object", "record", "status", "Job", "entry", "dispatcher", "queue", "target", "configuration"} - {"Job"}
    assert facts.guid == GUID and facts.unknown["configuration"] == "No right."


def test_an_entry_of_somebody_else_takes_the_file(monkeypatch):
    monkeypatch.setitem(globals(), "ENTRIES", [*ENTRIES, {"name": "bam", "pattern": r"^s3://b/.+\.bam$"}])
    assert observe.entries(Context(), f"s3://b/{GUID}/a.bam") == ("bam", "indexing")
    assert observe.entries(Context(), None) == (None, "indexing")
