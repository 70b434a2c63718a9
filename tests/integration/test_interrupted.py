"""site.yml killed in the middle: the next run converges, and no event of an upload is lost."""

from __future__ import annotations

import json

import pytest
from plays import SITE, kill, start, succeed

TOPIC = "arn:aws:sns:us-east-1:123456789012:ssj-topic"


def topic_exists(lab):
    return any(topic["TopicArn"] == TOPIC for topic in lab.boto3("sns").list_topics()["Topics"])


def secret_is_merged(lab):
    return lab.kube.get("Secret", "ssjdispatcher-creds") is not None


def restart_is_recorded(lab):
    template = lab.kube.get("Deployment", "ssjdispatcher")["spec"]["template"]
    return "gen3.uploads" in json.dumps(template["metadata"].get("annotations", {}))


def rule_is_set(lab):
    return "TopicConfigurations" in lab.boto3("s3").get_bucket_notification_configuration(Bucket="gen3-bucket")


@pytest.mark.parametrize("moment", [topic_exists, secret_is_merged, restart_is_recorded])
def test_a_first_run_that_is_killed_is_made_good_by_the_next(clean_lab, moment):
    lab = clean_lab
    process = start(lab, SITE)
    lab.wait_for(lambda: moment(lab), timeout=120, what=moment.__name__)
    assert kill(process) > 1, "a module or worker was running"

    succeed(lab, SITE)

    assert succeed(lab, SITE).changed == []
    lab.wait_until_ready(lab.upload())


def test_an_upload_after_the_rule_is_indexed_although_the_run_is_killed(clean_lab):
    lab = clean_lab
    process = start(lab, SITE)
    lab.wait_for(lambda: rule_is_set(lab), timeout=120, what="the rule")
    kill(process)
    guid = lab.upload()

    assert succeed(lab, SITE).changed == []
    lab.wait_until_ready(guid)


def test_uploads_during_a_run_that_is_killed_are_indexed(clean_lab):
    lab = clean_lab
    succeed(lab, SITE)
    subscriptions = lab.boto3("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    # A running pipeline whose Secret has drifted: its rule sends events while site.yml restarts ssjdispatcher.
    lab.kube.patch("Secret", "ssjdispatcher-creds", {"data": {"credentials.json": None}})
    process = start(lab, SITE)
    lab.wait_for(lambda: "credentials.json" in (lab.kube.get("Secret", "ssjdispatcher-creds").get("data") or {}),
                 timeout=120, what="the merge")
    during = lab.upload("during.txt", b"put while site.yml runs")
    kill(process)
    between = lab.upload("between.txt", b"put before the next run")

    succeed(lab, SITE)

    for guid in (during, between, lab.upload()):
        lab.wait_until_ready(guid)
    assert lab.boto3("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"] == subscriptions
