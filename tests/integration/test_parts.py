"""Tags run a part of site.yml and never open the buckets' rules too early; a call that would do nothing is refused."""

from __future__ import annotations

import pytest
from plays import REINDEX, SITE, TEARDOWN, VERIFY, run, succeed

GEN3_VALUES, BUILD_INDEXER = "playbooks/gen3_values.yml", "playbooks/build_indexer.yml"


@pytest.mark.parametrize("playbook", [SITE, VERIFY, REINDEX, TEARDOWN, GEN3_VALUES, BUILD_INDEXER])
@pytest.mark.parametrize(("arguments", "words"), [
    (["--tags", "nonsense"], "--tags nonsense names no part of this playbook"),
    (["--limit", "lab-minio"], "--limit leaves out localhost"),
])
def test_a_call_that_would_do_nothing_is_refused(lab, playbook, arguments, words):
    play = run(lab, playbook, *arguments)
    assert play.code != 0 and words in play.message and len(play.results) == 1


def test_a_limit_without_minios_host_is_refused_where_a_bucket_is_there(lab):
    buckets = {"uploads_buckets": [{"name": "gen3-local", "storage": "minio"}]}
    play = run(lab, SITE, "--limit", "localhost", variables=buckets)
    assert play.code != 0 and "--limit leaves out lab-minio" in play.message


def test_each_part_is_a_tag_and_the_rules_come_last(clean_lab):
    with clean_lab.calls() as calls:
        succeed(clean_lab, SITE, "--tags", "aws")
    assert {write.split()[0] for write in calls.writes} <= {"sns", "sqs"} and calls.writes
    assert clean_lab.kube.get("Role", "ssjdispatcher-jobs") is None

    with clean_lab.calls() as calls:
        early = run(clean_lab, SITE, "--tags", "rules")
    assert early.code != 0 and "ssjdispatcher still has changes to make" in early.message and calls.writes == []

    succeed(clean_lab, SITE, "--tags", "ssjdispatcher")
    assert clean_lab.kube.get("Role", "ssjdispatcher-jobs") is not None
    succeed(clean_lab, SITE, "--tags", "rules")
    assert succeed(clean_lab, SITE).changed == []
