"""The generated policies against golden documents, which were reviewed by hand statement by statement."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.gen3.uploads.plugins.lookup.policy import LookupModule
from ansible_collections.gen3.uploads.plugins.modules import upload_policy

GOLDEN = Path(__file__).parent / "golden"

NAMES = {
    "region": "us-east-1",
    "account_id": "123456789012",
    "topic": "ssj-topic",
    "queue": "Gen3Queue",
    "buckets": [{"name": "gen3-bucket"}],
}
TWO_ACCOUNTS = [
    {"name": "gen3-bucket"},
    {"name": "partner-bucket", "account_id": "210987654321"},
    {"name": "archive-bucket", "account_id": "123456789012"},
]
CASES = {
    "topic": {"kind": "topic"},
    "topic-cross-account": {"kind": "topic", "buckets": TWO_ACCOUNTS},
    "topic-aws-cn": {"kind": "topic", "region": "cn-north-1"},
    "topic-actions": {"kind": "topic", "topic_actions": ["SNS:Subscribe", "SNS:Publish"]},
    "queue": {"kind": "queue"},
    "queue-aws-us-gov": {"kind": "queue", "region": "us-gov-west-1"},
    "topic_key": {"kind": "topic_key", "buckets": TWO_ACCOUNTS},
    "queue_key": {"kind": "queue_key"},
    "dispatcher": {"kind": "dispatcher"},
    "dispatcher-key-id": {"kind": "dispatcher", "queue_kms_key": "1234abcd-12ab-34cd-56ef-1234567890ab"},
    "dispatcher-key-alias": {"kind": "dispatcher", "queue_kms_key": "alias/uploads"},
    "dispatcher-key-arn": {"kind": "dispatcher", "queue_kms_key": "arn:aws:kms:us-east-1:210987654321:key/1234abcd"},
    "job": {"kind": "job", "buckets": TWO_ACCOUNTS},
    "job-key": {"kind": "job", "bucket_kms_keys": ["arn:aws:kms:us-east-1:123456789012:alias/objects", "1234abcd"]},
    "job-aws-us-gov": {"kind": "job", "region": "us-gov-west-1"},
    "bridge_to_topic": {"kind": "bridge_to_topic", "topic_kms_key": "1234abcd"},
    "bridge_to_queue": {"kind": "bridge_to_queue"},
    "queue_reader": {"kind": "queue_reader"},
    "operator": {"kind": "operator", "buckets": TWO_ACCOUNTS},
    "operator-keys": {"kind": "operator", "topic_kms_key": "1234abcd", "queue_kms_key": "alias/queue"},
    "irsa_trust": {"kind": "irsa_trust", "oidc_provider": "https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE",
                   "service_accounts": ["default/ssjdispatcher-sa", "default/ssjdispatcher-job-sa"]},
    "pod_identity_trust": {"kind": "pod_identity_trust", "service_accounts": ["gen3/ssjdispatcher-sa", "default/ssjdispatcher-job-sa"]},
    "operator-aws-cn": {"kind": "operator", "region": "cn-northwest-1", "dead_letter_queue": "Dead"},
}


@pytest.mark.parametrize("case", CASES)
def test_policy_is_the_golden_document(run_module, case):
    result = run_module(upload_policy, **{**NAMES, **CASES[case]})
    assert result["policy"] == json.loads((GOLDEN / f"{case}.json").read_text())
    assert result["changed"] is False


def test_every_golden_document_has_its_case():
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_sids_are_ours_and_iam_accepts_them(case):
    for statement in json.loads((GOLDEN / f"{case}.json").read_text())["Statement"]:
        assert re.fullmatch("Gen3Uploads[A-Za-z0-9]+", statement["Sid"])


def test_the_text_is_the_policy_and_the_same_for_any_order_of_options(run_module):
    one = run_module(upload_policy, **{**NAMES, "kind": "topic", "buckets": TWO_ACCOUNTS})
    other = run_module(upload_policy, **{**NAMES, "kind": "topic", "buckets": TWO_ACCOUNTS[::-1]})
    assert json.loads(one["json"]) == one["policy"]
    assert one["json"] == other["json"]


def test_a_job_without_s3_buckets_needs_nothing(run_module):
    assert run_module(upload_policy, **{**NAMES, "kind": "job", "buckets": []})["policy"]["Statement"] == []


def test_statements_are_merged_into_an_existing_document(run_module):
    foreign = {"Sid": "theirs", "Effect": "Allow", "Principal": "*", "Action": "sns:Subscribe", "Resource": "*"}
    unwanted = {**foreign, "Sid": "unwanted"}
    result = run_module(
        upload_policy,
        **NAMES,
        kind="topic",
        existing=json.dumps({"Id": "x", "Statement": [foreign, unwanted]}),
        remove_sids=["unwanted"],
    )
    assert result["policy"] == {"Id": "x", "Statement": [foreign, *result["statements"]]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "topic", "topic": None}, "kind is topic but all of the following are missing: topic"),
        ({"kind": "dispatcher", "queue": None}, "kind is dispatcher but all of the following are missing: queue"),
        ({"kind": "topic", "account_id": "1234"}, "1234 is not a 12-digit account number"),
        ({"kind": "job", "buckets": [{"name": "b", "account_id": "x"}]}, "x is not a 12-digit account number"),
        ({"kind": "topic", "existing": "[]"}, "The document given as existing is not a policy"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(run_module, options, message):
    given = {name: value for name, value in {**NAMES, **options}.items() if value is not None}
    result = run_module(upload_policy, **given)
    assert result["failed"]
    assert message in result["msg"]


@pytest.mark.parametrize("count", [1, 38, 60, 1000])
def test_a_policy_that_iam_does_not_take_is_split(run_module, monkeypatch, count):
    warned = []
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.warn", lambda module, text: warned.append(text))
    buckets = [{"name": f"commons-{number:04}-of-the-consortium-upload"} for number in range(count)]
    result = run_module(upload_policy, **{**NAMES, "kind": "operator", "buckets": buckets})
    documents = result["policies"]
    assert all(len(json.dumps(document, separators=(",", ":"))) <= 6144 for document in documents)
    assert (documents == [result["policy"]]) == (len(result["json"]) <= 6144) == (not warned)

    def allowed(policies):
        return sorted((statement["Sid"], action, resource) for policy in policies for statement in policy["Statement"]
                      for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
                      for resource in ([statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]))

    assert allowed(documents) == allowed([result["policy"]])
    for document in documents:
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(sids) == len(set(sids))
    if count == 60:
        assert "IAM takes 6144" in warned[0] and len(documents) == 2


@pytest.mark.parametrize("case", CASES)
def test_the_lookup_returns_the_same_as_json(case):
    (text,) = LookupModule().run([], **{**NAMES, **CASES[case]})
    assert json.loads(text) == json.loads((GOLDEN / f"{case}.json").read_text())


@pytest.mark.parametrize(("more", "sentence"), [
    ({"kind": "irsa_trust", "service_accounts": ["default/a"]}, "oidc_provider"),
    ({"kind": "irsa_trust", "oidc_provider": "oidc.example.org"}, "without them nobody could take the role"),
    ({"kind": "pod_identity_trust", "service_accounts": ["a"]}, "service_accounts has a, which is not NAMESPACE/NAME."),
    ({"kind": "none"}, "kind"),
    ({"kind": "job", "bucket": "x"}, "bucket"),
])
def test_a_lookup_or_a_module_that_lacks_something_says_what(run_module, more, sentence):
    with pytest.raises(AnsibleError, match=re.escape(sentence)):
        LookupModule().run([], **{**NAMES, **more})
    if more["kind"] != "none" and "bucket" not in more:
        assert sentence in run_module(upload_policy, **{**NAMES, **more})["msg"]


def test_the_lookup_takes_no_terms():
    with pytest.raises(AnsibleError, match="by name only"):
        LookupModule().run(["job"], **{**NAMES, "kind": "job"})
