"""What others keep in the same objects stays, byte for byte, after site.yml and after teardown.yml."""

from __future__ import annotations

import base64
import json

from plays import CONFIRM, SITE, TEARDOWN, run, succeed

ACCOUNT = "123456789012"
FOREIGN_RULES = {
    "TopicConfigurations": [{"Id": "thumbnails", "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:thumbnails",
                             "Events": ["s3:ReducedRedundancyLostObject"],
                             "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "thumbnails/"}]}}}],
    "QueueConfigurations": [{"Id": "removals", "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:removals",
                             "Events": ["s3:ObjectRemoved:*"]}],
    "LambdaFunctionConfigurations": [{"Id": "restored", "LambdaFunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:restored",
                                      "Events": ["s3:ObjectRestore:Post"]}],
    "EventBridgeConfiguration": {},
}
FOREIGN_STATEMENT = {"Sid": "Audit", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/audit"},
                     "Action": "sns:GetTopicAttributes", "Resource": f"arn:aws:sns:us-east-1:{ACCOUNT}:ssj-topic"}
RUNBOOK_STATEMENT = {"Sid": "__owner_statement", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SQS:*",
                     "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:Gen3Queue"}
# Odd layout, number literals and a foreign job: what a merge may not touch.
FOREIGN_DOCUMENT = '{ "JOBS" : [ {"name":"other", "pattern":"^s3://other/.+", "image": "x:1", "DeadLine":3600, "note":1.50} ],\n "EXTRA": 1e3 }'
FOREIGN_IMAGES = '{"other" :  "registry.example.org/other:1"}'


def plant(lab):
    """Put foreign state everywhere that site.yml touches."""
    sns, sqs, s3 = lab.boto3("sns"), lab.boto3("sqs"), lab.boto3("s3")
    for topic in ("thumbnails", "ssj-topic"):
        sns.create_topic(Name=topic)
    for queue in ("removals", "Gen3Queue", "audit"):
        sqs.create_queue(QueueName=queue)
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:ssj-topic"
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    policy["Statement"].append(FOREIGN_STATEMENT)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:audit")
    url = sqs.get_queue_url(QueueName="Gen3Queue")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [RUNBOOK_STATEMENT]})})
    s3.put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration=FOREIGN_RULES)
    lab.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": "ssjdispatcher-creds", "labels": {"team": "data"}, "annotations": {"note": "kept by hand"}},
        "data": {"credentials.json": base64.b64encode(FOREIGN_DOCUMENT.encode()).decode(),
                 "binary": base64.b64encode(bytes(range(256))).decode()}})
    images = lab.kube.get("ConfigMap", "manifest-ssjdispatcher")
    lab.kube.patch("ConfigMap", "manifest-ssjdispatcher", {"data": {**images["data"], "job_images": FOREIGN_IMAGES, "mine": " x\n"}})
    lab.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "theirs"},
                     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                     "subjects": [{"kind": "ServiceAccount", "name": "ssjdispatcher-sa", "namespace": "default"}]})


def foreign_state(lab):
    """Everything planted, as it is now, in a form that compares."""
    sns, sqs, s3, kube = lab.boto3("sns"), lab.boto3("sqs"), lab.boto3("s3"), lab.kube
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:ssj-topic"
    url = sqs.get_queue_url(QueueName="Gen3Queue")["QueueUrl"]
    queue_policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"].get("Policy", '{"Statement": []}')
    rules = s3.get_bucket_notification_configuration(Bucket="gen3-bucket")
    secret, images = kube.get("Secret", "ssjdispatcher-creds"), kube.get("ConfigMap", "manifest-ssjdispatcher")
    document = base64.b64decode(secret["data"]["credentials.json"]).decode()

    def theirs(statements):
        return [statement for statement in statements if not statement.get("Sid", "").startswith("Gen3Uploads")]

    return {
        "rules": {kind: [rule for rule in rules[kind] if rule["Id"] in ("thumbnails", "removals", "restored")]
                  for kind in FOREIGN_RULES if kind != "EventBridgeConfiguration"},
        "event bridge": "EventBridgeConfiguration" in rules,
        "topic": theirs(json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"]),
        "subscriptions": [each["Endpoint"] for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
                          if each["Endpoint"].endswith(":audit")],
        "queue": theirs(json.loads(queue_policy)["Statement"]),
        "binary": secret["data"]["binary"],
        "labels": secret["metadata"]["labels"],
        "note": secret["metadata"]["annotations"]["note"],
        "foreign job": [json.dumps(job) for job in json.loads(document)["JOBS"] if job["name"] == "other"],
        "literals": ("1.50" in document, "1e3" in document),
        "foreign image": json.loads(images["data"]["job_images"])["other"],
        "foreign key": images["data"]["mine"],
        "binding": {key: value for key, value in kube.get("RoleBinding", "theirs").items() if key in ("roleRef", "subjects")},
        "helm's binding": kube.get("RoleBinding", "ssjdispatcher-binding"),
    }


def test_foreign_state_outlasts_site_and_teardown(clean_lab):
    lab = clean_lab
    plant(lab)
    before = foreign_state(lab)
    assert before["event bridge"] and all(before["rules"].values())
    site = succeed(lab, SITE)
    assert foreign_state(lab) == before
    assert "__owner_statement" in site.output, "the open statement is warned about"
    lab.wait_until_ready(lab.upload())

    assert succeed(lab, SITE).changed == []

    succeed(lab, TEARDOWN, variables={**CONFIRM, "uploads_discard_messages": True})
    assert foreign_state(lab) == before
    assert lab.boto3("s3").get_bucket_notification_configuration(Bucket="gen3-bucket").items() >= FOREIGN_RULES.items()
    secret = lab.kube.get("Secret", "ssjdispatcher-creds")
    names = [job["name"] for job in json.loads(base64.b64decode(secret["data"]["credentials.json"]))["JOBS"]]
    assert names == ["other"]


def test_the_runbooks_statement_goes_when_it_is_named(clean_lab):
    plant(clean_lab)
    succeed(clean_lab, SITE, variables={"aws_messaging_remove_sids": ["__owner_statement"]})
    assert foreign_state(clean_lab)["queue"] == []
    assert foreign_state(clean_lab)["topic"]


def test_teardown_takes_away_all_that_site_made(clean_lab):
    lab = clean_lab
    before = {kind: {item["metadata"]["name"] for item in lab.kube.list(kind)}
              for kind in ("Secret", "ConfigMap", "Role", "RoleBinding", "ServiceAccount")}
    succeed(lab, SITE)
    lab.wait_until_ready(lab.upload())
    with lab.calls() as calls:
        refused = run(lab, TEARDOWN)
    assert refused.code != 0 and "uploads_teardown_confirm=ssj-topic" in refused.message and calls.writes == []

    succeed(lab, TEARDOWN, variables=CONFIRM)
    assert lab.boto3("sns").list_topics()["Topics"] == []
    assert lab.boto3("sqs").list_queues().get("QueueUrls", []) == []
    assert "TopicConfigurations" not in lab.boto3("s3").get_bucket_notification_configuration(Bucket="gen3-bucket")
    assert before == {kind: {item["metadata"]["name"] for item in lab.kube.list(kind)} for kind in before}

    assert succeed(lab, TEARDOWN, variables=CONFIRM).changed == []


def test_teardown_refuses_a_queue_that_holds_messages(clean_lab):
    lab = clean_lab
    succeed(lab, SITE)
    lab.kube.patch("Deployment", "ssjdispatcher", {"spec": {"replicas": 0}})
    lab.wait_for(lambda: not lab.kube.list("Pod", labelSelector="app=ssjdispatcher"), what="the end of the pod")
    lab.upload()
    with lab.calls() as calls:
        refused = run(lab, TEARDOWN, variables=CONFIRM)
    assert refused.code != 0 and "still holds" in refused.message and calls.writes == []
    succeed(lab, TEARDOWN, variables={**CONFIRM, "uploads_discard_messages": True})
    assert lab.boto3("sqs").list_queues().get("QueueUrls", []) == []
