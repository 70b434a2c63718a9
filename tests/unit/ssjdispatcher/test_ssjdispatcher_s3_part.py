"""The part s3 of imageConfig: what the preflight and the image's own program say of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate_s3 import LARGEST_BUNDLE, s3_problems, s3_warnings
from lab.certificates import Authority

PROGRAM = Path(__file__).resolve().parents[3] / "roles" / "indexer_image" / "files"
URL = {"endpoint_url": "https://minio.example.org:9000"}
REFERENCE = {"name": "minio-key", "access_key_id_key": "id", "secret_access_key_key": "key"}
KEYS = {"access_key_id": "AKIASECRET", "secret_access_key": "secret-value"}


@pytest.fixture(scope="module")
def refused_by_the_program():
    """Tell whether the indexing image refuses a part as it is, before it asks anything."""
    sys.path.insert(0, str(PROGRAM))
    try:
        from indexer.configuration import parse_s3
        from indexer.errors import IndexingError
    finally:
        sys.path.remove(str(PROGRAM))

    def refused(part):
        try:
            parse_s3(part)
        except IndexingError:
            return True
        return False

    return refused


GOOD = {
    "a URL alone": URL,
    "buckets": {**URL, "buckets": ["gen3-local"]},
    "keys": {**URL, **KEYS},
    "everything": {**URL, **KEYS, "region": "us-east-1", "addressing_style": "path"},
    "a Secret": {**URL, "secret_ref": REFERENCE},
    "a Secret elsewhere": {**URL, "secret_ref": {**REFERENCE, "namespace": "other"}},
    "empty and null": {**URL, "region": "", "ca_bundle": None, "access_key_id": "", "secret_ref": None},
    "http": {"endpoint_url": "http://10.0.0.1:9000/"},
}


@pytest.mark.parametrize("part", GOOD.values(), ids=GOOD)
def test_a_good_part(part, refused_by_the_program):
    assert list(s3_problems(part)) == [] and not refused_by_the_program(part)


BAD = {
    "no object": ("https://minio", "is no object"),
    "an unknown key": ({**URL, "endpoint": "https://minio"}, "unknown keys, endpoint"),
    "a number": ({**URL, "region": 1}, "no strings, of region"),
    "no scheme": ({"endpoint_url": "minio:9000"}, "not an http or https URL"),
    "no host": ({"endpoint_url": "https://:9000"}, "not an http or https URL"),
    "another scheme": ({"endpoint_url": "ftp://minio"}, "not an http or https URL"),
    "a bad port": ({"endpoint_url": "https://minio:99999"}, "not an http or https URL"),
    "port 0": ({"endpoint_url": "https://minio:0"}, "not an http or https URL"),
    "a login": ({"endpoint_url": "https://user:secret-value@minio"}, "without a login"),
    "brackets": ({"endpoint_url": "https://[minio"}, "not an http or https URL"),
    "a style": ({**URL, "addressing_style": "pth"}, "unknown addressing_style"),
    "buckets that are no list": ({**URL, "buckets": "gen3-local"}, "no list of names"),
    "one key": ({**URL, "access_key_id": "AKIASECRET"}, "has access_key_id alone"),
    "the other key": ({**URL, "secret_access_key": "secret-value"}, "has secret_access_key alone"),
    "two sources": ({**URL, **KEYS, "secret_ref": REFERENCE}, "both an access key and secret_ref"),
    "a reference that is none": ({**URL, "secret_ref": "minio-key"}, "a secret_ref that is no object"),
    "half a reference": ({**URL, "secret_ref": {"name": "minio-key"}}, "a secret_ref that lacks one of"),
    "a reference with more": ({**URL, "secret_ref": {**REFERENCE, "key": "k"}}, "unknown keys in secret_ref, key"),
}


@pytest.mark.parametrize("part, words", BAD.values(), ids=BAD)
def test_what_the_program_refuses(part, words, refused_by_the_program):
    (problem,) = s3_problems(part)
    assert words in problem and "secret-value" not in problem and "AKIASECRET" not in problem
    assert refused_by_the_program(part)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate in PEM."""
    return Authority(tmp_path_factory.mktemp("ca")).certificate_file.read_text()


@pytest.mark.parametrize("change", [str, lambda pem: f"# März\n{pem}\n{pem}", str.rstrip], ids=["one", "two", "no line feed"])
def test_a_certificate(certificate, change):
    assert list(s3_problems({**URL, "ca_bundle": change(certificate)})) == []


BUNDLES = {
    "text": (lambda pem: "not PEM", "without a certificate in PEM"),
    "not ASCII": (lambda pem: "é", "without a certificate in PEM"),
    "a broken certificate": (lambda pem: pem[:100] + pem[110:], "without a certificate in PEM"),
    "a key": (lambda pem: pem + "-----BEGIN PRIVATE KEY-----\nsecret-value", "a private key"),
    "too many": (lambda pem: pem * (LARGEST_BUNDLE // len(pem) + 1), "64 KiB"),
}


@pytest.mark.parametrize("change, words", BUNDLES.values(), ids=BUNDLES)
def test_no_certificate(certificate, change, words):
    (problem,) = s3_problems({**URL, "ca_bundle": change(certificate)})
    assert words in problem and "secret-value" not in problem


def test_without_a_url_amazon_would_be_asked():
    (problem,) = s3_problems({"region": "us-east-1"})
    assert "Amazon S3" in problem


@pytest.mark.parametrize("host, warned", [
    ("localhost", True), ("minio.localhost", True), ("127.0.0.1", True), ("127.9.9.9:9000", True), ("[::1]:9000", True),
    ("10.0.0.1", False), ("[2001:db8::1]", False), ("localhost.example.org", False)])
def test_a_host_that_is_the_pod_itself(host, warned):
    part = {"endpoint_url": f"https://{host}"}
    assert list(s3_problems(part)) == []
    assert bool(list(s3_warnings(part))) is warned
