"""``check``: whether a Job could read, told in one sentence."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest
from conftest import SECRETS, SOURCES, serve
from indexer import check
from object_store import ObjectStore, Request

MINUTE = 60


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Waits are free, but the time that they take passes."""
    clock = SimpleNamespace(now=0.0, time=time.time, monotonic=lambda: clock.now)

    def sleep(seconds):
        clock.now += seconds

    clock.sleep = sleep
    monkeypatch.setattr(check, "time", clock)
    return clock


def answering(store, *answers, skew=0):
    """Let the store answer so, in order, then as it does; ``skew`` is how far its clock is ahead."""
    left = list(answers)

    class Answering(Request):
        def do_GET(self):
            return self.refuse(*left.pop(0)) if left else super().do_GET()

        def date_time_string(self, timestamp=None):
            return formatdate(time.time() + skew, usegmt=True)

    store.RequestHandlerClass = Answering


@pytest.fixture
def run(store, capfd, tmp_path):
    """Run the check; returns exit code and sentence."""

    def run(s3=None, **environ):
        s3 = {"endpoint_url": store.url, "access_key_id": "minio-user", "secret_access_key": "s3-secret-key"} | (s3 or {})
        file = tmp_path / "termination-log"
        code = check.main({"CHECK_BUCKETS": "one,two", "CONFIG_FILE": json.dumps({"s3": s3}), "TERMINATION_LOG": str(file), **environ})
        sentence = file.read_text()
        assert capfd.readouterr() == (f"{sentence}\n", "")
        assert sentence and "\n" not in sentence and not [secret for secret in SECRETS if secret in sentence]
        return code, sentence

    return run


def test_each_bucket_is_asked_for_an_object_that_is_not_there(run, store):
    assert run() == (0, f"{store.url} lets this key read from one,two")
    assert len(store.credentials) == 2 and all(each.startswith("minio-user/") for each in store.credentials)


def test_an_object_of_that_name_is_good_too(run, store):
    class Existing(Request):
        def do_GET(self):
            self.send(200, b"x", {"Content-Length": "1"})

    store.RequestHandlerClass = Existing
    assert run()[0] == 0


REFUSALS = {
    "AccessDenied": (403, "needs s3:GetObject"),
    "InvalidAccessKeyId": (403, "the access key is not known there"),
    "SignatureDoesNotMatch": (403, "the secret access key is not right"),
    "NoSuchBucket": (404, "there is no such bucket"),
    "AuthorizationHeaderMalformed": (400, "set s3.region"),
    "RequestTimeTooSkewed": (403, "the clocks"),
}


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refusal(run, store, error):
    status, words = REFUSALS[error]
    answering(store, (status, error))
    code, sentence = run()
    assert code == 2 and sentence.startswith(f"cannot read s3://one from {store.url}") and words in sentence


@pytest.mark.parametrize("skew, direction", [(16 * MINUTE, "16 minutes ahead of"), (-90 * MINUTE, "90 minutes behind")])
@pytest.mark.parametrize("answer", [(404, "NoSuchKey"), (403, "RequestTimeTooSkewed"), (403, "AccessDenied")])
def test_clocks_that_differ_are_named_first(run, store, skew, direction, answer):
    answering(store, answer, skew=skew)
    code, sentence = run()
    assert code == 2 and direction in sentence


@pytest.mark.parametrize("skew", [14 * MINUTE, -14 * MINUTE])
def test_clocks_that_differ_by_less_will_do(run, store, skew):
    answering(store, skew=skew)
    assert run()[0] == 0


def test_a_server_that_starts_is_waited_for(run, store, clock):
    answering(store, (503, "ServerNotInitialized"), (503, "SlowDown"))
    assert run()[0] == 0
    assert clock.now == 3


def test_a_server_that_is_not_there(run, store, clock):
    store.server_close()
    code, sentence = run()
    assert code == 2 and "Could not connect" in sentence
    assert clock.now == 15


def test_patience_ends(run, store, clock, monkeypatch):
    """Attempts at a server that does not answer take long themselves."""
    answering(store, *[(503, "SlowDown")] * 9)
    monkeypatch.setattr(clock, "monotonic", itertools.count(0, 14).__next__)
    code, sentence = run()
    assert code == 2 and "SlowDown" in sentence
    assert clock.now == 1


def test_tls(run, authority, tmp_path):
    server = serve(ObjectStore(authority.server_context("127.0.0.1")))
    try:
        assert run({"endpoint_url": server.url, "ca_bundle": f"# März\n{authority.certificate_file.read_text()}"})[0] == 0
        code, sentence = run({"endpoint_url": server.url})
        assert code == 2 and "is s3.ca_bundle the certificate authority" in sentence
    finally:
        server.shutdown()
        server.server_close()


BAD_INPUT = {
    "no buckets": ({"CHECK_BUCKETS": ""}, "the environment lacks CHECK_BUCKETS"),
    "no configuration": ({"CONFIG_FILE": ""}, "the environment lacks CONFIG_FILE"),
    "no JSON": ({"CONFIG_FILE": "{"}, "CONFIG_FILE is not JSON"),
    "an unknown key": ({"CONFIG_FILE": '{"s3": {"endpoint": "https://minio"}}'}, "unknown keys: endpoint"),
}


@pytest.mark.parametrize("environ, words", BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input(run, environ, words):
    code, sentence = run(**environ)
    assert code == 2 and words in sentence


def test_the_command(store, tmp_path):
    """Without a file for the sentence, there is still the log."""
    s3 = {"endpoint_url": store.url, "access_key_id": "minio-user", "secret_access_key": "s3-secret-key"}
    done = subprocess.run(
        [sys.executable, "-m", "indexer", "check"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(SOURCES), "CHECK_BUCKETS": "one", "CONFIG_FILE": json.dumps({"s3": s3}),
             "TERMINATION_LOG": str(tmp_path / "none" / "log")})
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{store.url} lets this key read from one\n", "")
