"""What follows from the variables of the playbooks: parts, buckets of each role, the bucket that a playbook is about."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._uploads.settings import minio_policies, minio_users, settings, with_aws

S3 = {"name": "one", "storage": "s3", "account_id": "123456789012", "prefix": "in/"}
MINIO = {"name": "two", "storage": "minio", "prefix": "in/", "suffix": ".bam", "versioning": "enabled", "quota": "1TiB"}
PLAIN = {"name": "three", "storage": "minio", "suffix": None}
CHANNEL = {"topic_arn": "arn:aws:sns:us-east-1:123456789012:uploads", "queue_url": "https://sqs/q"}


def derived(*buckets, **variables):
    return settings({"buckets": buckets, "selected_bucket": None, "object": None, "minio_route": "sns", "minio_endpoint_url": "https://m",
                     "queue_reader": "as_found", "bridge_location": "node", "manage_server": True, "plan": {"channels": [CHANNEL]},
                     **variables})


@pytest.mark.parametrize(("buckets", "route", "parts"), [
    ([S3], "sns", (False, True, CHANNEL, [])),
    ([S3], "dispatcher", (False, True, CHANNEL, [])),
    ([MINIO], "sns", (True, True, CHANNEL, ["https://m"])),
    ([MINIO], "sqs", (True, True, CHANNEL, ["https://m"])),
    ([MINIO], "dispatcher", (True, False, {}, [])),
    ([S3, MINIO], "dispatcher", (True, True, CHANNEL, [])),
])
def test_the_parts_follow_from_storages_and_route(buckets, route, parts):
    found = derived(*buckets, minio_route=route)
    assert tuple(found[name] for name in ("with_minio", "with_aws", "channel", "senders")) == parts
    assert with_aws(buckets, route) is parts[1] and with_aws([], route) is False


@pytest.mark.parametrize("plan", [{}, {"failed": True, "msg": "No right."}])
def test_before_the_plan_there_is_no_channel(plan):
    assert derived(S3, plan=plan)["channel"] == {}


@pytest.mark.parametrize(("reader", "with_reader", "reads"), [
    ("as_found", False, None), ("ssjdispatcher", False, True), ("event_bridge", True, False)])
def test_who_reads_the_queue(reader, with_reader, reads):
    found = derived(S3, queue_reader=reader)
    assert (found["with_queue_reader"], found["dispatcher_reads_queue"]) == (with_reader, reads)


def test_without_a_queue_nobody_reads_one():
    assert derived(MINIO, minio_route="dispatcher", queue_reader="event_bridge")["with_queue_reader"] is False


@pytest.mark.parametrize(("manage_server", "location", "on_node"), [
    (True, "node", True), (True, "cluster", True), (False, "node", True), (False, "cluster", False)])
def test_the_node_is_entered_for_the_server_or_the_bridge(manage_server, location, on_node):
    assert derived(MINIO, manage_server=manage_server, bridge_location=location)["on_node"] is on_node


def test_each_role_gets_its_buckets_without_what_it_does_not_know():
    found = derived(S3, MINIO, PLAIN)
    assert found["s3_buckets"] == [{"name": "one", "account_id": "123456789012", "prefix": "in/"}]
    assert found["minio_buckets"] == [
        {"name": "two", "versioning": "enabled", "quota": "1TiB",
         "notifications": [{"target": "webhook/GEN3", "prefix": "in/", "suffix": ".bam"}]},
        {"name": "three", "notifications": [{"target": "webhook/GEN3"}]}]
    assert found["dispatcher_buckets"] == [
        {"name": "one", "storage": "s3", "prefix": "in/"}, {"name": "two", "storage": "minio", "prefix": "in/", "suffix": ".bam"},
        {"name": "three", "storage": "minio"}]


@pytest.mark.parametrize(("selected", "an_object", "name"), [
    (None, None, "one"), ("three", None, "three"), (None, "s3://two/a/b", "two"), ("three", "s3://two/a", "three"),
    (None, "dg.1234/e9c6", "one"), (None, "a/s3://two/b", "one")])
def test_a_playbook_is_about_the_selected_bucket_that_of_the_url_or_the_first(selected, an_object, name):
    assert derived(S3, MINIO, PLAIN, selected_bucket=selected, object=an_object)["bucket"]["name"] == name


def test_what_is_known_of_the_bucket():
    common = {"prefix": "in/", "is_known": True}
    assert derived(S3, MINIO, minio_route="dispatcher")["bucket"] == {
        "name": "one", "storage": "s3", "route": "sns", "needs_aws": True, "suffix": "", **common}
    assert derived(S3, MINIO, minio_route="dispatcher", selected_bucket="two")["bucket"] == {
        "name": "two", "storage": "minio", "route": "dispatcher", "needs_aws": False, "suffix": ".bam", **common}
    assert derived(S3, selected_bucket="other")["bucket"]["is_known"] is False


@pytest.mark.parametrize(("buckets", "route", "whole"), [
    ([S3, MINIO], "dispatcher", {"name": "one", "storage": "minio", "needs_aws": True}),
    ([MINIO], "dispatcher", {"name": "two", "storage": "minio", "needs_aws": False}),
    ([S3], "sns", {"name": "one", "storage": "s3", "needs_aws": True})])
def test_what_looks_at_the_whole_pipeline_needs_all_of_its_parts(buckets, route, whole):
    assert derived(*buckets, minio_route=route)["all_buckets"] == whole


def test_policies_and_users_of_the_pipeline_come_after_those_of_others():
    other = {"name": "readers", "document": {}}
    indexer, fence = ({"name": f"gen3-{name}", "grant": name, "buckets": ["two", "three"]} for name in ("indexer", "fence"))
    assert minio_policies([other], [MINIO, PLAIN], True) == [other, indexer, fence]
    assert minio_policies([other], [MINIO, PLAIN], False) == [other, indexer]
    user = {"name": "ada", "secret": "x"}
    jobs, uploads = ({"name": name, "secret": f"s-{name}", "policies": [f"gen3-{name}"]} for name in ("indexer", "fence"))
    assert minio_users([user], ["indexer", "s-indexer"], ["fence", "s-fence"]) == [user, jobs, uploads]
    assert minio_users([user], ["indexer", "s-indexer"], ["fence", None]) == [user, jobs]
