"""A call of a playbook that would do nothing, or only half of it, is refused."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._uploads.invocation import left_out, problems

PARTS = ["aws", "minio", "bridge", "ssjdispatcher", "rules"]
CALL = {"core": "2.21.0", "tags": ["all"], "skip_tags": [], "parts": PARTS, "hosts": ["localhost", "node"],
        "needed": ["localhost", "node"]}


@pytest.mark.parametrize("call", [
    {}, {"core": "2.19.0rc1"}, {"tags": ["aws", "rules"]}, {"skip_tags": ["minio"]}, {"tags": ["tagged", "never"]},
    {"hosts": ["localhost"], "needed": ["localhost"]}, {"parts": []},
    {"hosts": ["localhost", "node", "another"]},
])
def test_a_call_that_does_its_work(call):
    assert problems(**{**CALL, **call}) == []


@pytest.mark.parametrize(("call", "words"), [
    ({"core": "2.18.9"}, ["needs ansible-core 2.19 or newer, and this is 2.18.9"]),
    ({"core": "2.9.27"}, ["this is 2.9.27"]),
    ({"tags": ["x"]}, ["--tags x names no part of this playbook: its parts are aws, minio, bridge, ssjdispatcher, rules."]),
    ({"tags": ["x", "aws", "y"]}, ["--tags x,y "]),
    ({"skip_tags": ["x"]}, ["--skip-tags x "]),
    ({"parts": [], "tags": ["aws"]}, ["--tags aws names no part of this playbook: it has no parts, so run it without tags."]),
    ({"tags": ["always"]}, ["--tags always selects no work of this playbook: name some of its parts, aws, "]),
    ({"tags": ["untagged", "never"]}, ["--tags untagged,never selects no work"]),
    ({"tags": ["tagged"], "parts": []}, ["--tags tagged selects no work of this playbook: run it without tags."]),
    ({"skip_tags": ["all"]}, ["--skip-tags all leaves nothing of this playbook to do"]),
    ({"skip_tags": ["aws", "tagged"]}, ["--skip-tags tagged leaves nothing"]),
    ({"hosts": ["node"]}, ["--limit leaves out localhost,", "with --limit localhost,node."]),
    ({"hosts": ["localhost"]}, ["--limit leaves out node,"]),
    ({"hosts": []}, ["leaves out localhost and node,"]),
])
def test_a_call_that_would_do_nothing_is_refused(call, words):
    found, = problems(**{**CALL, **call})
    assert all(each in found for each in words), found


def test_all_problems_are_told_at_once():
    assert len(problems("2.18.0", ["x"], ["y"], PARTS, [], ["localhost"])) == 4


@pytest.mark.parametrize(("tags", "skip_tags", "expected"), [
    (["all"], [], []),
    (["rules"], [], ["aws", "ssjdispatcher"]),
    (["rules", "aws"], [], ["ssjdispatcher"]),
    (["all"], ["ssjdispatcher"], ["ssjdispatcher"]),
    (["tagged"], [], []),
])
def test_parts_with_changes_that_the_tags_leave_out(tags, skip_tags, expected):
    assert left_out({"aws": True, "bridge": False, "ssjdispatcher": True}, tags, skip_tags) == expected
