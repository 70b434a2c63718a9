"""Nothing that works is taken away by a choice of AWS credentials that nobody made, or that has no effect."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.aws_credentials import CHOICES, problems, warnings

ARN = "arn:aws:iam::123456789012:role/ssjdispatcher"
KEYS = {"AWS": {"region": "us-east-1", "aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}}
BARE = {"AWS": {"region": "us-east-1"}}
NONE = {"ssjdispatcher-sa": (None, None), "ssjdispatcher-job-sa": (None, None)}
GIVEN = {"ssjdispatcher-sa": (ARN, None), "ssjdispatcher-job-sa": (ARN, None)}
ANNOTATED = {"ssjdispatcher-sa": (None, ARN), "ssjdispatcher-job-sa": (None, ARN)}


@pytest.mark.parametrize(("choice", "after", "roles"), [
    ("as_found", KEYS, NONE), ("as_found", KEYS, GIVEN), ("as_found", BARE, NONE), ("as_found", {}, NONE),
    ("irsa", BARE, GIVEN), ("irsa", BARE, ANNOTATED), ("irsa", BARE, {}),
    ("ambient", BARE, NONE), ("variables", KEYS, NONE), ("secret_ref", KEYS, NONE),
    ("irsa", {"AWS": None}, {"x": ("arn:aws-us-gov:iam::123456789012:role/path/of/role", None)}),
])
def test_what_works(choice, after, roles):
    assert list(problems(choice, after, after, roles)) == []


@pytest.mark.parametrize(("choice", "after", "roles", "words"), [
    ("irsa", BARE, NONE, "ssjdispatcher-sa and ssjdispatcher-job-sa has no IAM role"),
    ("irsa", BARE, {**GIVEN, "ssjdispatcher-job-sa": (None, None)}, "ServiceAccount ssjdispatcher-job-sa has no IAM role"),
    ("irsa", KEYS, ANNOTATED, "used before any role"),
    ("ambient", KEYS, NONE, "used before any role"),
    ("as_found", BARE, {"ssjdispatcher-sa": ("ssjdispatcher", None)}, "not the ARN of an IAM role"),
    ("irsa", BARE, {"ssjdispatcher-sa": ("arn:aws:iam::1234:role/x", None)}, "not the ARN of an IAM role"),
    ("irsa", BARE, {"ssjdispatcher-sa": ("arn:aws:iam::123456789012:user/x", None)}, "not the ARN of an IAM role"),
])
def test_what_does_not_is_refused(choice, after, roles, words):
    sentence, = problems(choice, after, after, roles)
    assert words in sentence


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(("after", "roles", "warned"), [(BARE, NONE, True), (KEYS, NONE, False), (BARE, ANNOTATED, False), (BARE, {}, False)])
def test_a_choice_that_was_not_made_and_finds_nothing_is_warned_about(choice, after, roles, warned):
    assert bool(list(warnings(choice, after, roles))) is (warned and choice == "as_found")
