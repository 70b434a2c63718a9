"""The documents as they were: kept before the first change, put back by a removal."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.plan import Desired
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import former

WISH = Desired("Secret", "ssjdispatcher-creds", "default", "credentials.json")
UNUSED = {"SQS.url": "https://sqs/unused"}
OURS = [["JOBS", {"name": "indexing"}], ["JOBS", {"name": "indexing-minio"}], "SQS.url", "AWS.region"]
OTHER = {"name": "other", "pattern": "^s3://other/.+"}
THEIRS = {"name": "indexing", "pattern": "^s3://theirs/.+"}
MINE = {"name": "indexing", "pattern": "^s3://(gen3-bucket)/.+", "RequestCPU": "1"}


def document(*jobs, **more):
    return {"SQS": {"url": "https://sqs/ours"}, "JOBS": list(jobs), **more}


@pytest.mark.parametrize("text", [
    '{"SQS":{"url":"https://sqs/theirs"},  "JOBS":[{"name":"indexing","pattern":"^s3://theirs/.+","x":1.0}, {"name": "other"}]}\n',
    '{"JOBS": []}',
    '{"AWS": {"region": "r"}, "SQS": {"url": "https://sqs/theirs"}}',
], ids=["an entry of their own", "none", "no list"])
def test_the_very_text_comes_back(text):
    others = [each for each in json.loads(text).get("JOBS", []) if each["name"] != "indexing"]
    today = json.dumps(document(*others, MINE, AWS={"region": "us-east-1"}))
    assert former.restore(today, text, OURS, UNUSED) == text


@pytest.mark.parametrize(("today", "before", "after"), [
    (document(MINE, OTHER), document(THEIRS), document(THEIRS, OTHER)),
    (document(OTHER, MINE, {"name": "indexing-minio"}), document(THEIRS), document(OTHER, THEIRS)),
    (document(MINE, OTHER, AWS={"region": "b"}), document(AWS={"region": "a", "k": "v"}), document(OTHER, AWS={"region": "a"})),
], ids=["in its place", "and ours is gone", "a region"])
def test_what_others_have_changed_since_stays(today, before, after):
    assert json.loads(former.restore(json.dumps(today), json.dumps(before), OURS, UNUSED)) == after


@pytest.mark.parametrize(("before", "url"), [({"JOBS": [OTHER]}, "https://sqs/unused"), ({"JOBS": []}, None)])
def test_ssjdispatcher_can_start_as_long_as_there_are_entries(before, url):
    restored = json.loads(former.restore(json.dumps(document(*before["JOBS"], MINE)), json.dumps(before), OURS, UNUSED))
    assert restored.get("SQS", {}).get("url") == url


def test_an_unusable_former_document_is_none():
    assert former.restore(json.dumps(document(MINE)), "{,}", OURS, UNUSED) is None


def test_the_first_text_that_was_kept_stays():
    (create,) = former.keep(None, "default", {former.key_of(WISH): "{}"})
    assert create.parameters["manifest"]["metadata"]["annotations"] == {CREATED_BY: CREATED_BY_VALUE}
    secret = {**create.parameters["manifest"], "metadata": {"resourceVersion": "7", "annotations": {CREATED_BY: CREATED_BY_VALUE}}}
    assert former.text_of(secret, WISH) == "{}"
    assert former.keep(secret, "default", {former.key_of(WISH): '{"SQS": 1}'}) == []
    (update,) = former.keep(secret, "default", {"ConfigMap.c.job_images": '{"a": "b"}'})
    assert update.parameters["patch"] == {"metadata": {"resourceVersion": "7"}, "data": {
        "ConfigMap.c.job_images": base64.b64encode(b'{"a": "b"}').decode()}}
    assert update.after == {"ConfigMap.c.job_images": "<redacted>"}


def test_only_our_own_secret_is_forgotten():
    assert former.forget(None, "default") == former.forget({"metadata": {"resourceVersion": "1"}}, "default") == []
    secret = {"metadata": {"resourceVersion": "1", "annotations": {CREATED_BY: CREATED_BY_VALUE}}}
    assert [change.operation for change in former.forget(secret, "default")] == ["delete"]
