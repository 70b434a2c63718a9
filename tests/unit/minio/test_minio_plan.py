"""What minio_resources plans."""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils import _minio_plan as planning

ARN = "arn:minio:sqs:us-east-1:GEN3:webhook"
RULE = {"id": "r", "arn": ARN, "events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"], "prefix": "", "suffix": ""}


def rules(found, wanted, purge=False, arns=(ARN,)):
    current = planning.Current("us-east-1", arns, {"bucket": {"rules": found}})
    return planning._rules(current, {"name": "bucket", "notifications": wanted}, purge)


WANTED = {"id": "r", "target": "webhook/GEN3", "events": ["s3:ObjectCreated:Copy", "s3:ObjectCreated:Put"],
          "prefix": "", "suffix": ""}


@pytest.mark.parametrize("found", [RULE, {**RULE, "arn": "arn:minio:sqs::GEN3:webhook"}])
def test_a_rule_of_the_same_meaning_is_no_change(found):
    assert rules([found], [WANTED]) == []


@pytest.mark.parametrize("difference", [{"prefix": "a/"}, {"suffix": ".bam"}, {"events": ["s3:ObjectCreated:*"]}])
def test_a_rule_of_another_meaning_is_replaced(difference):
    change, = rules([RULE], [{**WANTED, **difference}])
    assert change.operation == "put_rules" and len(change.parameters["rules"]) == 1


@pytest.mark.parametrize("purge, left", [(False, {"foreign", "r"}), (True, {"r"})])
def test_foreign_rules_go_only_when_told(purge, left):
    change, = rules([{**RULE, "id": "foreign"}], [WANTED], purge)
    assert {rule["id"] for rule in change.parameters["rules"]} == left


def test_a_target_that_is_not_live_is_refused():
    with pytest.raises(ValueError, match="no such target"):
        rules([], [WANTED], arns=())


@pytest.mark.parametrize("text, number", [("10GiB", 10 * 2**30), ("0", 0), ("5 MB", 5 * 10**6), (7, 7)])
def test_a_size_is_read(text, number):
    assert planning.size(text) == number


@pytest.mark.parametrize("text", ["", "ten", "-1", "1XB"])
def test_no_size_is_refused(text):
    with pytest.raises(ValueError):
        planning.size(text)
