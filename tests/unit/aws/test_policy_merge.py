"""Merging by Sid: others' statements stay, ours become what they should be, and nothing changes without need."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy_merge as merging

OURS = {
    "Sid": "Gen3UploadsSendFromSns",
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": ["sqs:SendMessage"],
    "Resource": "arn:aws:sqs:us-east-1:123456789012:q",
    "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:t"}},
}
FOREIGN = {"Condition": {}, "Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}


def policy(*statements, **other):
    return {**other, "Version": "2008-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(OURS, id="the same"),
        pytest.param({**OURS, "Action": "SQS:SendMessage"}, id="scalar, other case of the action"),
        pytest.param({**OURS, "Principal": {"Service": ["sns.amazonaws.com"]}}, id="principal as list"),
        pytest.param({**OURS, "Resource": [OURS["Resource"]]}, id="resource as list"),
        pytest.param(
            {**OURS, "Condition": {"arnEquals": {"AWS:SourceArn": [OURS["Condition"]["ArnEquals"]["aws:SourceArn"]]}}},
            id="condition key in other case",
        ),
        pytest.param(dict(reversed(OURS.items())), id="order of keys"),
    ],
)
def test_a_statement_that_means_the_same_stays_as_it_is(found):
    document = policy(FOREIGN, found, Id="x")
    assert json.dumps(merging.merge(document, [OURS])) == json.dumps(document)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({**OURS, "Effect": "Deny"}, id="effect"),
        pytest.param({**OURS, "Principal": "*"}, id="principal"),
        pytest.param({**OURS, "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]}, id="action"),
        pytest.param({**OURS, "Resource": "*"}, id="resource"),
        pytest.param({key: value for key, value in OURS.items() if key != "Condition"}, id="condition missing"),
        pytest.param({**OURS, "Condition": {"ArnLike": OURS["Condition"]["ArnEquals"]}}, id="operator"),
        pytest.param({**OURS, "NotAction": "sqs:Purge"}, id="an element too many"),
    ],
)
def test_a_statement_that_means_something_else_is_replaced_in_its_place(found):
    last = {**FOREIGN, "Sid": "last"}
    assert merging.merge(policy(FOREIGN, found, last), [OURS])["Statement"] == [FOREIGN, OURS, last]


def test_a_missing_statement_is_added_behind_those_of_others():
    assert merging.merge(policy(FOREIGN), [OURS])["Statement"] == [FOREIGN, OURS]


def test_statements_of_ours_that_are_no_longer_wanted_go():
    old = {**OURS, "Sid": "Gen3UploadsPublishFromS3210987654321"}
    assert merging.merge(policy(old, FOREIGN, OURS, OURS), [OURS])["Statement"] == [FOREIGN, OURS]


def test_statements_without_sid_belong_to_others():
    nameless = {key: value for key, value in OURS.items() if key != "Sid"}
    assert merging.merge(policy(nameless), [])["Statement"] == [nameless]


def test_remove_sids_removes_only_statements_of_others():
    assert merging.merge(policy(FOREIGN, OURS), [OURS], ["theirs", OURS["Sid"]])["Statement"] == [OURS]


def test_elements_of_the_document_stay():
    merged = merging.merge(policy(FOREIGN, Id="__default_policy_ID"), [OURS])
    assert (merged["Id"], merged["Version"]) == ("__default_policy_ID", "2008-10-17")


@pytest.mark.parametrize("text", [None, ""])
def test_no_text_is_an_empty_policy(text):
    assert merging.parse(text) == {"Version": "2012-10-17", "Statement": []}


def test_a_single_statement_is_read_as_a_list():
    assert merging.parse(json.dumps({"Statement": FOREIGN})) == {"Statement": [FOREIGN]}


@pytest.mark.parametrize("text", ["{", "[]", '"text"', '{"Statement": "text"}', '{"Statement": ["text"]}'])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(ValueError):
        merging.parse(text)


@pytest.mark.parametrize(
    ("statement", "is_open"),
    [
        ({"Effect": "Allow", "Principal": "*", "Action": "SQS:*"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sqs:*"]}, True),
        ({"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "*"}, True),
        ({"Effect": "Deny", "Principal": "*", "Action": "SQS:*"}, False),
        ({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"}, False),
        ({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "SQS:*"}, False),
        ({"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "SQS:*"}, False),
    ],
)
def test_open_statements_are_found(statement, is_open):
    assert bool(merging.open_to_everyone(policy(statement))) is is_open


@pytest.mark.parametrize(("principal", "source", "buckets"), [
    ({"Service": "s3.amazonaws.com"}, "arn:aws:s3:::a", [("a", None)]),
    # As Terraform's documentation has it, and AWS's own.
    ({"Service": "s3.amazonaws.com"}, "arn:aws:s3:*:*:a", [("a", None)]),
    ("*", "arn:aws:s3:::a", [("a", None)]),
    ({"AWS": "*"}, ["arn:aws:s3:*:*:a", "arn:aws:s3:::b"], [("a", None), ("b", None)]),
    ({"AWS": "*"}, "arn:aws:s3:::a-*", []),
    ({"AWS": "*"}, "arn:aws:sqs:us-east-1:123456789012:a", []),
    ({"AWS": "arn:aws:iam::123456789012:root"}, "arn:aws:s3:::a", []),
])
def test_the_buckets_that_a_statement_names(principal, source, buckets):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "SNS:Publish", "Condition": {"ArnLike": {"aws:SourceArn": source}}}
    assert merging.s3_buckets(statement) == buckets
