"""Runs of the module ssjdispatcher on clusters that exist in memory, where others write at the same time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import client
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import check_job
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.converge import ROUNDS, SsjdispatcherError, configure
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.settings import Settings
from clusters import deployment, gen3_helm

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue"
UNUSED = "https://sqs.us-east-1.amazonaws.com/000000000000/unused"
S3 = Settings(queue_url=URL, region="us-east-1", buckets=[{"name": "gen3-bucket"}])
MINIO = Settings(buckets=[{"name": "local", "storage": "minio"}], minio_image="registry/indexer:1", minio_endpoint_url="https://minio:9000",
                 minio_access_key_id="gen3-indexer", minio_secret_access_key="minio-secret", minio_check=False)
SERVICE = {"url": "u", "username": "n", "password": "p"}
OTHER = {"name": "other", "pattern": "^s3://other/.+", "image": "x"}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(client, "_pause", lambda error_context: None)


@pytest.fixture
def cluster():
    return gen3_helm("fence-password", "ssj-password", "gateway-password")


def once(write):
    """Return what lets others write once, right before our first write of credentials.json."""
    done = []

    def before(verb, kind, name):
        if (kind, name) == ("Secret", "ssjdispatcher-creds") and not done:
            done.append(True)
            write()

    return before


def names(made):
    return [(change.action, change.resource) for change in made]


def test_a_check_a_run_and_a_run_with_nothing_to_do(cluster):
    _plan, predicted = configure(cluster, S3, check_mode=True)
    assert cluster.writes == []
    _plan, made = configure(cluster, S3, check_mode=False)
    assert names(made) == names(predicted) and made
    assert cluster.document()["SQS"] == {"url": URL}
    writes = len(cluster.writes)
    plan, again = configure(cluster, S3, check_mode=False)
    assert plan.converged and again == [] and len(cluster.writes) == writes


def test_a_default_is_one_at_the_moment_of_the_write(cluster):
    """The URL that stands for no queue does not replace the real one, which another run writes meanwhile."""
    cluster.credentials({"JOBS": []})
    cluster.before_write = once(lambda: cluster.credentials({"JOBS": [], "SQS": {"url": URL}}))
    configure(cluster, MINIO, check_mode=False)
    assert cluster.document()["SQS"] == {"url": URL}
    assert [job["name"] for job in cluster.document()["JOBS"]] == ["indexing-minio"]


def test_another_reads_the_queue_and_gives_it_back(cluster):
    """ssjdispatcher keeps a URL, without which it does not start; the pipeline's queue, which is still read, is not called lost."""
    configure(cluster, S3, check_mode=False)
    plan, made = configure(cluster, replace(S3, reads_queue=False), check_mode=False)
    assert (cluster.document()["SQS"], plan.starts_reading) == ({"url": UNUSED}, False) and made
    assert "no longer read" not in " ".join(plan.warnings)
    plan, again = configure(cluster, replace(S3, reads_queue=False), check_mode=False)
    assert plan.converged and again == []
    plan, _made = configure(cluster, S3, check_mode=False)
    assert plan.starts_reading and cluster.document()["SQS"] == {"url": URL}


def test_who_reads_the_queue_stays_unless_an_inventory_says_otherwise(cluster):
    """An inventory that does not speak of the reader, which another has deployed, lets it be; without it ssjdispatcher reads."""
    as_found = replace(S3, queue_reader="event-bridge-queue")
    plan, _made = configure(cluster, as_found, check_mode=False)
    assert (cluster.document()["SQS"], plan.read_by_another) == ({"url": URL}, False)
    cluster.put("Deployment", "event-bridge-queue")
    configure(cluster, replace(as_found, reads_queue=False), check_mode=False)
    plan, made = configure(cluster, as_found, check_mode=False)
    assert (cluster.document()["SQS"], plan.read_by_another, made) == ({"url": UNUSED}, True, [])
    plan, _made = configure(cluster, replace(as_found, reads_queue=True), check_mode=False)
    assert (cluster.document()["SQS"], plan.starts_reading) == ({"url": URL}, True)


def test_a_queue_of_others_that_nobody_reads_any_more_is_named(cluster):
    cluster.credentials({"JOBS": [], "SQS": {"url": f"{URL}2"}})
    plan, _made = configure(cluster, replace(S3, reads_queue=False), check_mode=True)
    assert "no longer read" in " ".join(plan.warnings) and not plan.starts_reading


def test_an_entry_that_comes_between_is_reviewed(cluster):
    cluster.credentials({"JOBS": [], "SQS": {"url": URL}})
    greedy = {"JOBS": [{"name": "greedy", "pattern": ".*", "image": "x"}], "SQS": {"url": URL}}
    cluster.images({"indexing": "i", "greedy": "x"})
    cluster.before_write = once(lambda: cluster.credentials(greedy))
    with pytest.raises(SsjdispatcherError, match="greedy"):
        configure(cluster, S3, check_mode=False)
    assert cluster.document() == greedy


def test_an_entry_that_comes_after_the_write_is_reviewed(cluster):
    """Before the buckets' rules are set, the whole is looked at once more."""
    cluster.images({"indexing": "i", "greedy": "x"})

    def before(verb, kind, name):
        if kind == "Deployment":
            document = cluster.document()
            document["JOBS"].append({"name": "greedy", "pattern": ".*", "image": "x"})
            cluster.credentials(document)

    cluster.before_write = before
    with pytest.raises(SsjdispatcherError, match="greedy"):
        configure(cluster, S3, check_mode=False)


def test_what_is_overwritten_at_once_is_written_again(cluster):
    cluster.credentials({"JOBS": [OTHER], "SQS": {"url": URL}})
    cluster.images({"indexing": "i", "other": "o"})
    undone = []

    def before(verb, kind, name):
        if kind == "Deployment" and not undone:
            undone.append(True)
            cluster.credentials({"JOBS": [OTHER], "SQS": {"url": URL}})

    cluster.before_write = before
    configure(cluster, S3, check_mode=False)
    assert [job["name"] for job in cluster.document()["JOBS"]] == ["other", "indexing"]


def test_a_fight_ends_with_a_sentence(cluster):
    cluster.credentials({"JOBS": [], "SQS": {"url": URL}})
    cluster.before_write = lambda verb, kind, name: kind == "Deployment" and cluster.credentials({"JOBS": [], "SQS": {"url": URL}})
    with pytest.raises(SsjdispatcherError, match=rf"Others keep changing .*Secret default/ssjdispatcher-creds.* {ROUNDS} rounds"):
        configure(cluster, S3, check_mode=False)


def test_what_was_there_before_comes_back(cluster):
    theirs = '{"SQS": {"url": "%s2"},"JOBS":[{"name":"indexing","pattern":"^s3://(gen3-bucket)/.+","x":1.0,"imageConfig":%s}]}\n' % (
        URL, json.dumps({**SERVICE, "metadataService": SERVICE}))
    cluster.credentials(theirs)
    cluster.images({"indexing": "theirs:1"})
    both = Settings(**{**vars(S3), "image": "ours:1"})
    configure(cluster, both, check_mode=False)
    assert cluster.document()["SQS"] == {"url": URL}
    absent = Settings(**{**vars(both), "state": "absent"})
    _plan, predicted = configure(cluster, absent, check_mode=True)
    _plan, made = configure(cluster, absent, check_mode=False)
    assert names(made) == names(predicted)
    assert cluster.document() == json.loads(theirs)
    assert json.loads(cluster.objects["ConfigMap", "manifest-ssjdispatcher", "default"]["data"]["job_images"]) == {"indexing": "theirs:1"}
    assert ("Secret", "ssjdispatcher-former", "default") not in cluster.objects
    assert cluster.objects["Deployment", "ssjdispatcher", "default"]["spec"]["template"]["metadata"] == {"annotations": {}}
    assert configure(cluster, absent, check_mode=False)[1] == []


def test_what_could_not_run_before_is_put_back_and_known_until_it_can(cluster):
    """Their document had no URL: ssjdispatcher is not restarted into a crash, and what is ours is still known."""
    broken = {"JOBS": [{"name": "indexing", "pattern": "*"}]}
    cluster.credentials(broken)
    cluster.former(json.dumps(broken))
    settings = Settings(**{**vars(S3), "replace_pattern": True})
    configure(cluster, settings, check_mode=False)
    absent = Settings(**{**vars(S3), "state": "absent"})
    plan, _made = configure(cluster, absent, check_mode=False)
    assert any("could not start with what is left: " in warning for warning in plan.warnings)
    assert cluster.document()["JOBS"] == broken["JOBS"]
    assert ("Secret", "ssjdispatcher-former", "default") in cluster.objects
    assert configure(cluster, absent, check_mode=False)[1] == []


def test_what_is_kept_stays_while_an_entry_of_ours_does(cluster):
    cluster.credentials({"JOBS": [OTHER], "SQS": {"url": URL}})
    cluster.images({"other": "x"})
    both = {**vars(MINIO), **{name: vars(S3)[name] for name in ("queue_url", "region")}, "buckets": [*S3.buckets, *MINIO.buckets]}
    configure(cluster, Settings(**both), check_mode=False)
    configure(cluster, Settings(**{**both, "buckets": S3.buckets, "state": "absent"}), check_mode=False)
    assert [job["name"] for job in cluster.document()["JOBS"]] == ["other", "indexing-minio"]
    assert ("Secret", "ssjdispatcher-former", "default") in cluster.objects
    configure(cluster, Settings(**{**both, "state": "absent"}), check_mode=False)
    assert cluster.document() == {"JOBS": [OTHER], "SQS": {"url": URL}}
    assert ("Secret", "ssjdispatcher-former", "default") not in cluster.objects


@pytest.mark.parametrize(("keep", "url"), [(True, URL), (False, UNUSED)])
def test_a_queue_that_stays_is_read_as_long_as_an_entry_of_ours_needs_it(cluster, keep, url):
    cluster.credentials({"JOBS": [OTHER], "SQS": {"url": UNUSED}})
    cluster.images({"other": "x"})
    keys = {"aws_credentials": "variables", "aws_access_key_id": "AKIA1", "aws_secret_access_key": "secret"}
    s3 = {**vars(S3), **keys}
    configure(cluster, Settings(**s3), check_mode=False)
    configure(cluster, MINIO, check_mode=False)
    configure(cluster, Settings(**{**s3, "state": "absent", "keep_queue": keep}), check_mode=False)
    assert cluster.document()["SQS"]["url"] == url and ("aws_access_key_id" in cluster.document().get("AWS", {})) is keep
    assert [job["name"] for job in cluster.document()["JOBS"]] == ["other", "indexing-minio"]
    assert ("RoleBinding", "ssjdispatcher-jobs", "default") in cluster.objects
    assert configure(cluster, MINIO, check_mode=False)[1] == []
    configure(cluster, Settings(**{**vars(MINIO), "state": "absent", "keep_queue": keep}), check_mode=False)
    assert ("RoleBinding", "ssjdispatcher-jobs", "default") not in cluster.objects
    assert [job["name"] for job in cluster.document()["JOBS"]] == ["other"]


@pytest.mark.parametrize("storage", ["s3", "minio"])
def test_a_removal_for_one_storage_does_not_take_the_entry_of_both(cluster, storage):
    deployment(cluster, mounts="ssjdispatcher-uploads")
    cluster.images({"indexing": "registry/indexer:1"})
    both = {**vars(MINIO), **{name: vars(S3)[name] for name in ("queue_url", "region")}, "buckets": [*S3.buckets, *MINIO.buckets]}
    configure(cluster, Settings(**both), check_mode=False)
    text = cluster.objects["Secret", "ssjdispatcher-uploads", "default"]["data"]["credentials.json"]
    one = Settings(**{**both, "buckets": S3.buckets if storage == "s3" else MINIO.buckets, "state": "absent"})
    left = "local" if storage == "s3" else "gen3-bucket"
    with pytest.raises(SsjdispatcherError, match=f"takes uploads to {left} too"):
        configure(cluster, one, check_mode=False)
    assert cluster.objects["Secret", "ssjdispatcher-uploads", "default"]["data"]["credentials.json"] == text
    configure(cluster, Settings(**{**both, "state": "absent"}), check_mode=False)
    assert ("Secret", "ssjdispatcher-uploads", "default") not in cluster.objects


def test_nothing_is_read_where_an_option_is_missing(cluster):
    with pytest.raises(SsjdispatcherError) as refused:
        configure(cluster, Settings(buckets=[{"name": "a"}, {"name": "b", "storage": "minio"}]), check_mode=False)
    assert len(refused.value.problems) == 4 and not cluster.reads


@pytest.mark.parametrize(("state", "found"), [
    ({}, (False, None)),
    ({"running": {}}, (False, None)),
    ({"waiting": {"reason": "ContainerCreating"}}, (False, "ContainerCreating")),
    ({"waiting": {"reason": "ErrImagePull", "message": "Failed to pull image"}}, (True, "Failed to pull image")),
    ({"terminated": {"exitCode": 0, "reason": "Completed", "message": "read"}}, (True, None)),
    ({"terminated": {"exitCode": 1, "message": "the clock is ahead\n"}}, (True, "the clock is ahead")),
    ({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, (True, "OOMKilled")),
])
def test_what_the_check_has_found(state, found):
    assert check_job.finding({"status": {"containerStatuses": [{"state": state}]}}) == found
    assert check_job.finding({}) == (False, None)


def test_the_check_leaves_nothing_behind(cluster, monkeypatch):
    ended = {"status": {"containerStatuses": [{"state": {"terminated": {"exitCode": 1, "message": "no such bucket"}}}]}}
    monkeypatch.setattr(cluster, "list", lambda *_arguments: [ended])
    assert check_job.run(cluster, "default", "i", "sa", {"secret_access_key": "s"}, ["local"], 1) == "no such bucket"
    assert not [name for kind, name, _ in cluster.objects if "minio-check" in name]
    assert [verb for verb, kind, name in cluster.writes] == ["delete", "create", "create", "delete", "delete"]
