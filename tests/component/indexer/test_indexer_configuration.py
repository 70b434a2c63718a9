"""CONFIG_FILE: what is taken from it, and that a mistake is named without showing what is secret."""

from __future__ import annotations

import json

import pytest
from indexer import configuration
from indexer.configuration import Keys, S3Settings, SecretReference, Service
from indexer.errors import IndexingError

LOGIN = {"url": "http://indexd-service/index/", "username": "fence", "password": "hidden"}
DOCUMENT = {**LOGIN, "metadataService": {"url": "http://revproxy-service/mds", "username": "gateway", "password": "hidden"}, "other": {"a": 1}}
KEYS = {"access_key_id": "a", "secret_access_key": "b"}
REFERENCE = {"name": "minio", "access_key_id_key": "id", "secret_access_key_key": "secret"}


def test_the_services():
    parsed = configuration.parse(json.dumps(DOCUMENT))
    assert parsed.indexd == Service("http://indexd-service/index", "fence", "hidden")
    assert parsed.metadata_service == Service("http://revproxy-service/mds", "gateway", "hidden")
    assert parsed.s3 is None
    assert "hidden" not in repr(parsed)


@pytest.mark.parametrize(("text", "named"), [
    ('{"password": "hidden"', "JSON"), ("[]", "not an object"), ("null", "not an object"), (json.dumps(LOGIN), "metadataService"),
    (json.dumps({**DOCUMENT, "url": ""}), " url "), (json.dumps({**DOCUMENT, "url": 5}), " url "),
    (json.dumps({**DOCUMENT, "password": ["hidden"]}), " password "), (json.dumps({**DOCUMENT, "url": "indexd-service"}), " url "),
    (json.dumps({**DOCUMENT, "url": "http://fence:hidden@indexd-service"}), " url "),
    (json.dumps({**DOCUMENT, "url": "http://indexd-service:hidden"}), " url "),
    (json.dumps({**DOCUMENT, "metadataService": {"url": "ftp://mds"}}), "metadataService.url")])
def test_a_mistake(text, named):
    with pytest.raises(IndexingError, match=named) as caught:
        configuration.parse(text)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(("document", "expected"), [
    (None, S3Settings()), ({}, S3Settings()), ({"region": "", "endpoint_url": None}, S3Settings()),
    ({"endpoint_url": "https://minio:9000", "region": "eu", "addressing_style": "virtual", "ca_bundle": "PEM"},
     S3Settings("https://minio:9000", "eu", "virtual", "PEM")),
    ({"access_key_id": "a", "secret_access_key": "b"}, S3Settings(keys=Keys("a", "b"))),
    ({"secret_ref": REFERENCE}, S3Settings(keys=SecretReference("minio", "id", "secret"))),
    ({"secret_ref": {**REFERENCE, "namespace": "n"}}, S3Settings(keys=SecretReference("minio", "id", "secret", "n")))])
def test_the_object_store(document, expected):
    assert configuration.parse_s3(document) == expected


def test_buckets_that_are_not_listed_are_on_amazon_s3():
    document = {"endpoint_url": "https://minio:9000", "buckets": ["local"], **KEYS}
    on_minio = S3Settings("https://minio:9000", keys=Keys("a", "b"))
    assert configuration.parse_s3(document, "local") == configuration.parse_s3(document) == on_minio
    assert configuration.parse_s3(document, "cloud") == configuration.parse_s3({"buckets": []}, "cloud") == S3Settings()
    del document["buckets"]
    assert configuration.parse_s3(document, "any") == on_minio


@pytest.mark.parametrize(("document", "named"), [
    ({"buckets": "local"}, "s3.buckets"), ({"buckets": [1]}, "s3.buckets"),
    ("text", "s3 is not an object"), ({"endpoint": "http://minio"}, "endpoint"), ({"endpoint_url": "minio:9000"}, "s3.endpoint_url"),
    ({"addressing_style": "dns"}, "auto, path, virtual"), ({"region": 1}, "s3.region"), ({"access_key_id": "a"}, "both"),
    ({"secret_access_key": "hidden"}, "both"), ({"secret_ref": "minio"}, "s3.secret_ref"), ({"secret_ref": {"name": "minio"}}, "access_key_id_key"),
    ({"secret_ref": {**REFERENCE, "key": "x"}}, "unknown keys: key"), ({"secret_ref": REFERENCE, "access_key_id": "a"}, "both")])
def test_a_mistake_in_the_object_store(document, named):
    with pytest.raises(IndexingError, match=named) as caught:
        configuration.parse_s3(document)
    assert "hidden" not in str(caught.value)
