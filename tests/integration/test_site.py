"""site.yml: what a first run, a second run and a check see and write."""

from __future__ import annotations

import base64
import json

import pytest
from plays import SITE, run, succeed

QUEUE = "Gen3Queue"
TOPIC = "arn:aws:sns:us-east-1:123456789012:ssj-topic"


def dispatcher(lab):
    """The pods of ssjdispatcher, as uid -> restarts."""
    return {pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"].get("containerStatuses", []))
            for pod in lab.kube.list("Pod", labelSelector="app=ssjdispatcher")}


def credentials(lab):
    return json.loads(base64.b64decode(lab.kube.get("Secret", "ssjdispatcher-creds")["data"]["credentials.json"]))


@pytest.fixture
def deployed(clean_lab):
    """A lab on which site.yml has run."""
    succeed(clean_lab, SITE)
    return clean_lab


def test_a_check_on_an_empty_lab_predicts_the_real_run_and_writes_nothing(clean_lab):
    with clean_lab.calls() as calls:
        predicted = succeed(clean_lab, SITE, "--check", "--diff")
    assert calls.writes == []
    real = succeed(clean_lab, SITE, "--diff")
    assert predicted.changes and predicted.changes == real.changes
    assert predicted.changed == real.changed

    guid = clean_lab.upload("sample.txt", b"some content")
    record = clean_lab.wait_until_ready(guid)
    assert record["size"] == len(b"some content")


def test_a_second_run_writes_nothing_and_restarts_nothing(deployed):
    pods = dispatcher(deployed)
    with deployed.calls() as calls:
        second = succeed(deployed, SITE)
    assert second.changed == []
    assert "[DEPRECATION" not in second.output
    assert calls.writes == []
    assert len(calls.aws) <= 12, [call["action"] for call in calls.aws]
    assert dispatcher(deployed) == pods


def test_the_old_secret_put_back_is_merged_again_and_the_pods_roll(deployed):
    wanted = credentials(deployed)
    old = {**wanted, "SQS": {"url": wanted["SQS"]["url"]}, "JOBS": []}
    deployed.kube.patch("Secret", "ssjdispatcher-creds", {
        "data": {"credentials.json": base64.b64encode(json.dumps(old).encode()).decode()}})
    deployed.kube.patch("Deployment", "ssjdispatcher", {
        "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "by hand"}}}}})
    before = dispatcher(deployed)

    succeed(deployed, SITE)

    assert credentials(deployed)["JOBS"] == wanted["JOBS"]
    assert not set(dispatcher(deployed)) & set(before)
    deployed.wait_until_ready(deployed.upload())


def test_a_restart_that_a_failed_run_owes_is_made_up_for(clean_lab):
    lab = clean_lab
    succeed(lab, SITE)
    template = lab.kube.get("Deployment", "ssjdispatcher")["spec"]["template"]
    before = dispatcher(lab)
    # The Secret is to change, and the rollout that this needs cannot finish.
    container = {**template["spec"]["containers"][0], "image": "registry.example.org/no-such-image:1"}
    lab.kube.patch("Deployment", "ssjdispatcher", {"spec": {"template": {"spec": {"containers": [container]}}}})
    failed = run(lab, SITE, variables={"ssjdispatcher_wait_timeout": 5, "ssjdispatcher_request_cpu": "250m"})
    assert failed.code != 0 and "ErrImagePull" in failed.message
    assert credentials(lab)["JOBS"][0]["RequestCPU"] == "250m", "the Secret was merged before the rollout failed"
    # What `kubectl rollout undo` does: the old template, and with it the old pods, which have the old Secret.
    deployment = lab.kube.get("Deployment", "ssjdispatcher")
    deployment["spec"]["template"] = template
    lab.kube.request("PUT", "apis/apps/v1/namespaces/default/deployments/ssjdispatcher", deployment)

    def undone():
        return set(dispatcher(lab)) == set(before)
    lab.wait_for(undone, what="the end of the new pods")

    again = succeed(lab, SITE, variables={"ssjdispatcher_request_cpu": "250m"})

    assert [change["attribute"] for change in again.changes] == ["restart"]
    assert not set(dispatcher(lab)) & set(before)
    lab.wait_until_ready(lab.upload())


def remove_rule(lab):
    lab.boto3("s3").put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration={})
    return "S3 bucket gen3-bucket"


def remove_subscription(lab):
    sns = lab.boto3("sns")
    for subscription in sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    return "SNS subscription ssj-topic -> Gen3Queue"


def remove_topic_statement(lab):
    policy = {"Version": "2012-10-17", "Statement": []}
    lab.boto3("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(policy))
    return "SNS topic ssj-topic"


def remove_queue_statement(lab):
    sqs = lab.boto3("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    return "SQS queue Gen3Queue"


def test_drift_is_exactly_what_a_check_reports(deployed):
    for damage in (remove_rule, remove_subscription, remove_topic_statement, remove_queue_statement):
        resource = damage(deployed)
        check = succeed(deployed, SITE, "--check")
        assert [change["resource"] for change in check.changes] == [resource]
        assert succeed(deployed, SITE).changes == check.changes


def test_a_bucket_that_has_gone_is_an_error(deployed):
    deployed.boto3("s3").delete_bucket(Bucket="gen3-bucket")
    check = run(deployed, SITE, "--check")
    assert check.code != 0 and "gen3-bucket" in check.message and "Traceback" not in check.output


def test_throttling_and_server_errors_in_a_fifth_of_all_calls(clean_lab):
    with clean_lab.faults(aws=0.2, kubernetes=0.2, seed=7) as kubeconfig:
        environment = {"KUBECONFIG": str(kubeconfig), "K8S_AUTH_KUBECONFIG": str(kubeconfig)}
        succeed(clean_lab, SITE, environment=environment)
    assert succeed(clean_lab, SITE).changed == []
    clean_lab.wait_until_ready(clean_lab.upload())
