"""What would crash or silence ssjdispatcher, rule by rule."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import parse
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import (
    Bucket,
    region_in_force,
    region_of_queue,
    review_credentials,
    review_images,
    review_queue,
)

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue"
SECRETS = ["indexd-secret-value", "mds-secret-value", "AKIASECRETSECRET", "aws-secret-value"]
INDEXING = {
    "name": "indexing",
    "pattern": "^s3://gen3-bucket/.+",
    "imageConfig": {
        "url": "http://indexd-service/index",
        "username": "fence",
        "password": "indexd-secret-value",
        "metadataService": {"url": "http://mds", "username": "gateway", "password": "mds-secret-value"},
    },
    "RequestCPU": "500m",
    "RequestMem": "0.5Gi",
}
GOOD = {
    "AWS": {"region": "us-east-1", "aws_access_key_id": "AKIASECRETSECRET", "aws_secret_access_key": "aws-secret-value"},
    "SQS": {"url": URL},
    "JOBS": [{"name": "other", "pattern": "^s3://other/.+"}, INDEXING],
}
BUCKETS = [Bucket("gen3-bucket", "s3", "indexing")]


def changed(path, value):
    """Return GOOD with the value at a path of keys and indexes replaced; with the value None, taken away."""
    document = copy.deepcopy(GOOD)
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def review(document, buckets=BUCKETS, region="us-east-1"):
    # As the module does it: numbers keep their literals.
    return review_credentials(parse(json.dumps(document)), region, buckets)


def job(**fields):
    return changed(["JOBS", 0], {"name": "other", "pattern": "^s3://other/.+", **fields})


def test_a_good_document():
    found = review(GOOD)
    assert (found.problems, found.warnings) == ([], [])


NULL = json.loads("null")


@pytest.mark.parametrize(
    "document, words",
    [
        (changed(["SQS"], None), ["SQS.url is not a string", "does not start"]),
        (changed(["SQS"], "x"), ["SQS.url is not a string"]),
        (changed(["SQS", "url"], 3), ["SQS.url is not a string"]),
        (changed(["SQS", "url"], ""), ["SQS.url is empty"]),
        ({**GOOD, "sqs": GOOD["SQS"], "SQS": {}}, ["SQS.url is not a string"]),
        (changed(["SQS", "url"], URL.replace("us-east-1", "eu-west-1")), ["eu-west-1", "us-east-1"]),
        (changed(["AWS", "region"], "eu-west-1"), ["names the region us-east-1", "that of eu-west-1"]),
        (changed(["AWS"], "x"), ["AWS is a string", "crashes at start"]),
        (changed(["AWS"], []), ["AWS is an array"]),
        ({**GOOD, "AWS": NULL}, ["AWS is null"]),
        ({**GOOD, "AWS": {"region": NULL}}, ["AWS.region is null"]),
        (changed(["AWS", "aws_access_key_id"], 5), ["AWS.aws_access_key_id is a number"]),
        (changed(["AWS", "aws_secret_access_key"], None), ["without the other"]),
        (changed(["AWS", "aws_access_key_id"], ""), ["without the other"]),
        (changed(["AWS", "region"], None), ["keys but no region"]),
        (changed(["AWS", "region"], ""), ["keys but no region"]),
        (changed(["AWS", "aws_access_key_id"], "ASIASECRET"), ["temporary key", "session token"]),
        (changed(["JOBS"], {}), ["JOBS is an object", "exits at start"]),
        (changed(["JOBS"], "x"), ["JOBS is a string"]),
        (changed(["JOBS", 0], "x"), ["JOBS[0] is a string"]),
        ({**GOOD, "JOBS": [NULL, INDEXING]}, ["JOBS[0] is null"]),
        (job(name=3), ["name of JOBS[0] is a number", "make it a string"]),
        (job(NAME=3), ["NAME of JOBS[0] is a number"]),
        (job(pattern=["x"]), ["pattern of JOBS[0] is an array"]),
        (job(image={}), ["image of JOBS[0] is an object"]),
        (job(requestCpu=1), ["requestCpu of JOBS[0] is a number"]),
        (job(ServiceAccount=True), ["ServiceAccount of JOBS[0] is a boolean"]),
        (job(DeadLine="60"), ["DeadLine of JOBS[0] is a string", "whole number"]),
        (job(DeadLine=1.5), ["DeadLine of JOBS[0] is a number", "whole number"]),
        (job(DeadLine=60.0), ["DeadLine of JOBS[0] is a number"]),
        (job(deadline=2**63), ["deadline of JOBS[0] is a number"]),
        (job(DeadLine=True), ["DeadLine of JOBS[0] is a boolean"]),
        (job(DeadLine=-1), ["DeadLine of JOBS[name=other] is negative"]),
        (job(name=""), ["JOBS[0] has no usable name"]),
        ({**GOOD, "JOBS": [{"pattern": "^s3://other/.+"}, INDEXING]}, ["JOBS[0] has no usable name"]),
        (job(name="Other"), ["JOBS[name=Other] has no usable name"]),
        (job(name="a_b"), ["no usable name"]),
        (job(name="-a"), ["no usable name"]),
        (job(name="a-"), ["no usable name"]),
        (job(name="a" * 58), ["no usable name", "at most 57"]),
        (job(name="a\n"), ["no usable name"]),
        (job(pattern="*.bam"), ["*.bam", "JOBS[name=other]", "does not compile"]),
        (job(pattern="^s3://other/(?!tmp)"), ["does not compile"]),
        ({**GOOD, "JOBS": [{**INDEXING, "name": "x", "Name": "indexing"}, INDEXING]}, ["2 entries called indexing"]),
        (job(RequestCPU="1 core"), ["RequestCPU of JOBS[name=other] is no Kubernetes quantity"]),
        (job(requestmem="1GB"), ["RequestMem of JOBS[name=other] is no Kubernetes quantity"]),
        (changed(["JOBS", 1, "imageConfig"], None), ["lacks url, username, password, metadataService.url"]),
        (changed(["JOBS", 1, "imageConfig"], "x"), ["lacks url"]),
        (changed(["JOBS", 1, "imageConfig", "password"], None), ["imageConfig of JOBS[name=indexing] lacks password:"]),
        (changed(["JOBS", 1, "imageConfig", "url"], ""), ["lacks url:"]),
        (changed(["JOBS", 1, "imageConfig", "username"], 5), ["lacks username:"]),
        (changed(["JOBS", 1, "imageConfig", "metadataService"], None), ["lacks metadataService.url, metadataService.username"]),
        (changed(["JOBS", 1, "imageConfig", "metadataService"], "x"), ["lacks metadataService.url"]),
        (changed(["JOBS", 1, "imageConfig", "metadataService", "password"], None), ["lacks metadataService.password:"]),
        (changed(["JOBS", 1, "pattern"], "s3://gen3-bucket/.+"), ["JOBS[name=indexing] is not anchored"]),
        (changed(["JOBS", 1, "pattern"], "^s3://(gen3-bucket/.+"), ["JOBS[name=indexing] does not compile"]),
        (changed(["JOBS", 1, "pattern"], "^s3://elsewhere/.+"), ["no JOBS entry takes uploads to the bucket gen3-bucket"]),
        (changed(["JOBS"], []), ["no JOBS entry takes"]),
        ({**GOOD, "JOBS": NULL}, ["no JOBS entry takes"]),
        ({**GOOD, "JOBS": [INDEXING, {"name": "all"}]}, ["JOBS[name=all] with the pattern (empty) takes", "gen3-bucket"]),
        ({**GOOD, "JOBS": [INDEXING, {"name": "txt", "pattern": r"\.txt$"}]}, [r"JOBS[name=txt] with the pattern \.txt$"]),
        ({**GOOD, "JOBS": [INDEXING, {"name": "dg", "pattern": "^s3://[^/]+/dg"}]}, ["JOBS[name=dg]", "dg.TEST/"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_problem(document, words):
    (problem,) = review(document).problems
    assert all(word in problem for word in words), problem
    assert problem.endswith((".", ".+")) and not any(secret in problem for secret in SECRETS)


def test_keys_of_a_job_are_found_in_any_case():
    entry = {key.upper() if key != "imageConfig" else "IMAGECONFIG": value for key, value in INDEXING.items()}
    assert review({**GOOD, "JOBS": [entry]}).problems == []


def test_of_two_spellings_of_a_key_the_last_counts_as_in_go():
    entry = {"name": "other", "pattern": "*", "Pattern": "^s3://other/.+", "PATTERN": NULL}
    assert review(changed(["JOBS", 0], entry)).problems == []


def test_null_in_a_job_counts_as_absent():
    entry = {"name": "other", "pattern": "^s3://other/.+", "RequestCPU": NULL, "DeadLine": NULL, "image": NULL}
    assert review(changed(["JOBS", 0], entry)).problems == []


def test_only_entries_called_indexing_need_image_config():
    assert review(job(imageConfig={"anything": 1})).problems == []


def test_several_problems_are_all_found():
    document = {"SQS": {}, "JOBS": [{"name": "A", "pattern": "*", "RequestCPU": "x"}]}
    assert len(review(document).problems) == 4


@pytest.mark.parametrize("document", [{}, {"AWS": {"region": "eu-west-1"}}], ids=["no AWS block", "region alone"])
def test_without_keys_the_region_comes_from_the_environment(document):
    document = {**GOOD, "AWS": document.get("AWS", {})}
    (problem,) = review(document, region=None).problems
    assert "no region is in force" in problem
    assert review(document, region="us-east-1").problems == []


@pytest.mark.parametrize("region", [None, "us-east-1", "eu-west-1"])
def test_without_a_queue_no_region_counts(region):
    document = {**GOOD, "SQS": {"url": "https://sqs.us-east-1.amazonaws.com/000000000000/unused"}, "AWS": {}}
    assert review(document, region=region).problems == []


@pytest.mark.parametrize(
    "text", ["1", "0.5Gi", "500m", "1e3", "1E-2", "1E", "5.", ".5", "+1", "100Mi", "3k", "1Ei", "10n", ""],
)
def test_a_quantity(text):
    assert review(job(RequestCPU=text)).problems == []


@pytest.mark.parametrize("text", ["-1", "1KB", "1 Gi", "1gi", ".", "e3", "0,5", "1ki", "1e", "1.5.1", "Gi", "1Gi\n", "١"])
def test_no_quantity(text):
    assert len(review(job(RequestCPU=text)).problems) == 1


@pytest.mark.parametrize("storage, taken", [("s3", False), ("minio", True)])
def test_the_sample_keys_are_those_of_the_storage(storage, taken):
    late = {"name": "escaped", "pattern": "^s3://gen3-bucket/.+%2F"}
    problems = review({**GOOD, "JOBS": [INDEXING, late]}, [Bucket("gen3-bucket", storage, "indexing")]).problems
    assert bool(problems) is taken


def test_each_bucket_has_its_own_entry():
    minio = {"name": "indexing-minio", "pattern": "^s3://local/.+", "imageConfig": {"s3": {"endpoint_url": "https://minio"}}}
    buckets = [*BUCKETS, Bucket("local", "minio", "indexing-minio")]
    assert review({**GOOD, "JOBS": [INDEXING, minio]}, buckets).problems == []
    (problem,) = review({**GOOD, "JOBS": [INDEXING, {**minio, "pattern": "^s3://(local|gen3-bucket)/.+"}]}, buckets).problems
    assert "JOBS[name=indexing-minio]" in problem and "gen3-bucket" in problem


@pytest.mark.parametrize(
    "config, problem, warning",
    [
        ({"s3": {"endpoint_url": "https://minio:9000"}}, None, None),
        ({"s3": {"endpoint_url": "https://127.0.0.1:9000"}}, None, "its own pod"),
        ({"s3": {"endpoint": "https://minio", "endpoint_url": "https://minio"}}, "has unknown keys, endpoint:", None),
        ({"s3": NULL}, "is no object", None),
        ({}, None, "is missing"),
        (NULL, None, "is missing"),
    ],
)
def test_where_minio_is(config, problem, warning):
    minio = {"name": "indexing-minio", "pattern": "^s3://local/.+", "imageConfig": config}
    found = review({**GOOD, "JOBS": [INDEXING, minio]}, [Bucket("local", "minio", "indexing-minio")])
    for sentences, words in ((found.problems, problem), (found.warnings, warning)):
        assert [words in each for each in sentences] == ([True] if words else []), sentences
        assert all("the part s3 in imageConfig of JOBS[name=indexing-minio]" in each for each in sentences)
    # That of others means what they like.
    assert review({**GOOD, "JOBS": [INDEXING, minio]}, BUCKETS).problems == []


def test_a_bucket_listed_twice():
    (problem,) = review(GOOD, [*BUCKETS, Bucket("gen3-bucket", "minio", "indexing")]).problems
    assert "gen3-bucket is listed 2 times" in problem


@pytest.mark.parametrize(
    "document, words",
    [
        (job(pattern="s3://other/*"), "pattern s3://other/* of JOBS[name=other] is not anchored"),
        (job(pattern="s3://gen3-bucket/*"), "does not get them"),
        (job(pattern=""), "pattern (empty) of JOBS[name=other] is not anchored"),
        (changed(["SQS", "url"], "https://sqs.us-east-1.amazonaws.com/12345678901234/x"), "nothing can be received"),
        (changed(["SQS", "url"], "https://user:secret@host/x"), "SQS.url https://host/x is not the URL of a queue"),
    ],
)
def test_a_warning(document, words):
    found = review(document)
    assert found.problems == []
    assert any(words in warning for warning in found.warnings), found.warnings


def test_a_url_that_the_role_itself_writes_for_no_queue_is_no_news():
    found = review(changed(["SQS", "url"], "https://sqs.us-east-1.amazonaws.com/000000000000/unused"))
    assert (found.problems, found.warnings) == ([], [])


def test_the_queue_that_the_chart_puts_where_none_is_set_is_no_loss():
    former = {"SQS": {"url": "https://sqs.us-east-1.amazonaws.com/12345678901234/test-upload"}}
    assert review_queue(former, GOOD).warnings == []
    assert "no longer read" in " ".join(review_queue({"SQS": {"url": URL + "2"}}, {**GOOD, "JOBS": [INDEXING]}, ours=["indexing"]).warnings)


def test_another_region_for_the_jobs_of_others_is_said():
    former = {**GOOD, "AWS": {**GOOD["AWS"], "region": "us-west-2"}}
    (warning,) = review_queue(former, GOOD, ours=["indexing"]).warnings
    assert "AWS.region changes from us-west-2 to us-east-1" in warning and "JOBS[name=other]" in warning
    assert review_queue(former, {**GOOD, "JOBS": [INDEXING]}, ours=["indexing"]).warnings == []


def test_a_queue_that_the_entries_of_others_live_on_is_not_left():
    former = {"SQS": {"url": URL + "2"}}
    after, alone = GOOD, {**GOOD, "JOBS": [INDEXING]}
    (problem,) = review_queue(former, after, ours=["indexing"]).problems
    assert "JOBS[name=other] may live on them" in problem and "uploads_queue" in problem and "ssjdispatcher_replace_queue" in problem
    assert review_queue(former, after, ours=["indexing"], replace_queue=True).problems == []
    assert review_queue(former, after, pipeline=URL + "2", ours=["indexing"]).problems == []
    assert review_queue({}, after, ours=["indexing"]).problems == review_queue(former, alone, ours=["indexing"]).problems == []
    chart = {**GOOD, "JOBS": [INDEXING, {"name": "chart", "pattern": "s3://test-12345678901234-upload/*"}]}
    assert review_queue(former, chart, ours=["indexing"]).problems == []


@pytest.mark.parametrize(
    "url, region",
    [
        (URL, "us-east-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/q", "us-gov-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/q", "eu-west-1"),
        ("https://queue.amazonaws.com/123456789012/q", "us-east-1"),
        ("https://vpce-0a-b.sqs.eu-central-1.vpce.amazonaws.com/123456789012/q", "eu-central-1"),
        ("http://127.0.0.1:5000/123456789012/q", None),
        ("https://[bad/123456789012/q", None),
        ("no url", None),
    ],
)
def test_region_of_a_queue(url, region):
    assert region_of_queue(url) == region


@pytest.mark.parametrize(
    "aws, region",
    [
        ({"region": "a", "aws_access_key_id": "k", "aws_secret_access_key": "s"}, "a"),
        ({"region": "a", "aws_access_key_id": "k"}, "env"),
        ({"region": "a"}, "env"),
        ("x", "env"),
    ],
)
def test_region_in_force(aws, region):
    assert region_in_force({"AWS": aws}, "env") == region


@pytest.mark.parametrize(
    "images, words",
    [
        ({"indexing": "i", "other": "o"}, []),
        ({"indexing": "i"}, ["no image for JOBS[name=other]"]),
        ({"indexing": "i", "other": ""}, ["no image for JOBS[name=other]"]),
        ({"indexing": "i", "other": "o", "third": 3}, ["third has a number"]),
        ({"Indexing": "i", "other": "o"}, ["no image for JOBS[name=indexing]"]),
    ],
)
def test_images(images, words):
    problems = review_images(images, GOOD).problems
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, problems))


def test_without_job_images_each_entry_needs_an_image():
    document = {"JOBS": [{"name": "a", "Image": "x"}, {"name": "b", "image": ""}]}
    (problem,) = review_images(None, document).problems
    assert "JOBS[name=b] has no image" in problem


def test_a_new_queue_is_warned_about():
    other = changed(["SQS", "url"], "https://u:p@host/q")
    (warning,) = review_queue(other, GOOD, replace_queue=True).warnings
    assert f"from https://host/q to {URL}" in warning
    assert review_queue(GOOD, GOOD).warnings == []
    assert review_queue({}, GOOD).warnings == []
    unused = changed(["SQS", "url"], "https://sqs.us-east-1.amazonaws.com/000000000000/unused")
    assert review_queue(unused, GOOD).warnings == []
