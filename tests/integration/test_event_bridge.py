"""The role event_bridge in the cluster: the real engine behind a node port, as MinIO reaches it."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest
import requests
from lab.seed import secret, tls_secret
from plays import run

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
TOPIC = "arn:aws:sns:us-east-1:123456789012:ssj-topic"
TOKENS = ("token-of-the-bridge-in-the-cluster-01234567", "another-token-of-the-bridge-0123456789abcd")
AWS = {
    "event_bridge_location": "cluster", "event_bridge_url": "https://127.0.0.1/events", "event_bridge_topic_arn": TOPIC,
    "event_bridge_aws_access_key_id": "AKIAOFTHEBRIDGE00001", "event_bridge_aws_secret_access_key": "secret/key+of-the-bridge",
}
NAME, MARK = "event-bridge", "gen3.uploads/created-by"
KINDS = ("Deployment", "Service", "NetworkPolicy", "ConfigMap", "Secret", "PersistentVolumeClaim")


@pytest.fixture
def event():
    """What MinIO posts of an upload."""
    lines = (CONTRACTS / "minio_events.jsonl").read_text().splitlines()
    return next(event["body"] for event in map(json.loads, lines) if event["case"] == "put_uuid_key")


class Role:
    """The role on a lab."""

    def __init__(self, lab, directory):
        self.lab, self._directory = lab, directory
        self.port = lab.state.settings["ports"]["minio-events"]

    def __call__(self, *arguments, entries=("main",), environment=None, **variables):
        """Run entry points of the role in one play. Its variables are in a file, as Ansible shows those of its command line."""
        settings = {
            "event_bridge_route": "dispatcher", "event_bridge_token": TOKENS[0], "event_bridge_wait_timeout": 60,
            "event_bridge_image": f"lab.example.org/bento@sha256:{'0' * 64}", "event_bridge_service_type": "NodePort",
            "event_bridge_node_port": self.port, "event_bridge_tls_secret": "event-bridge-tls",
            "event_bridge_allowed_addresses": ["127.0.0.1/32"]}
        tasks = [{"ansible.builtin.import_role": {"name": "gen3.uploads.event_bridge", "tasks_from": entry}} for entry in entries]
        file = self._directory / "play.json"
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": {**settings, **variables}, "tasks": tasks}]))
        return run(self.lab, str(file), *arguments, environment=environment)

    def post(self, body, token=TOKENS[0]):
        """Post as MinIO does, which comes again while the node's port does not lead to the new pod yet; returns the status."""
        authority = str(self.lab.state.authority.certificate_file)

        def answer():
            with contextlib.suppress(requests.ConnectionError):
                return requests.post(f"https://127.0.0.1:{self.port}/events", json=body, verify=authority, timeout=60,
                                     auth=("minio", token)).status_code
            return None

        return self.lab.wait_for(answer, what="an answer of the bridge")

    @property
    def objects(self):
        """(kind, name) -> what the role has made in the cluster."""
        return {(kind, each["metadata"]["name"]): each for kind in KINDS for each in self.lab.kube.list(kind, "default")
                if MARK in each["metadata"].get("annotations", {})}

    @property
    def versions(self):
        """Of each object, when it was written last. Kubernetes itself writes to the claim, some time after its pod has started."""
        return {key: each["metadata"]["resourceVersion"] for key, each in self.objects.items() if key[0] != "PersistentVolumeClaim"}

    @property
    def pods(self):
        """The names of the bridge's pods."""
        return [pod["metadata"]["name"] for pod in self.lab.kube.list("Pod", "default", labelSelector=f"app={NAME}")]

    @property
    def dead_letters(self):
        """What lies on the volumes."""
        return [json.loads(line) for file in self.lab.state.volumes.glob("*/*.jsonl") for line in file.read_text().splitlines()]


@pytest.fixture
def role(clean_lab, tmp_path):
    return Role(clean_lab, tmp_path)


def subscribed_queue(lab):
    """Make the topic with a queue; returns its URL."""
    queue = lab.boto3("sqs").create_queue(QueueName="Gen3Queue")["QueueUrl"]
    lab.boto3("sns").create_topic(Name="ssj-topic")
    lab.boto3("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:Gen3Queue")
    return queue


def received(lab, queue):
    """The message that lies in the queue, and the key of its object."""
    message, = lab.boto3("sqs").receive_message(
        QueueUrl=queue, WaitTimeSeconds=10, MessageAttributeNames=["All"])["Messages"]
    record, = json.loads(json.loads(message["Body"])["Message"])["Records"]
    return message, record["s3"]["object"]["key"]


def test_a_life_from_an_empty_cluster_over_another_route_to_the_end(role, event):
    """Check mode tells each step; a run with nothing to do writes nothing; one change, however large, is one new pod."""
    lab = role.lab
    lab.kube.create(secret("ssjdispatcher-creds", {"credentials.json": json.dumps(
        {"SQS": {"url": "https://sqs.us-east-1.amazonaws.com/123456789012/unused"}, "JOBS": []})}))
    lab.wait_for(lambda: lab.kube.get("Deployment", "ssjdispatcher")["status"].get("availableReplicas"), what="ssjdispatcher")

    with lab.calls() as calls:
        predicted = role("--check")
    assert predicted.code == 0 and calls.writes == [], predicted.output
    done = role()
    assert done.code == 0, done.output
    assert predicted.changes == done.changes != []
    assert set(role.objects) == {*((kind, NAME) for kind in KINDS), ("NetworkPolicy", f"{NAME}-to-ssjdispatcher")}
    key = event["Records"][0]["s3"]["object"]["key"].replace("%2F", "/")
    assert (role.post(event), role.post(event, TOKENS[1])) == (200, 401)
    assert [(letter["reason"], letter["key"]) for letter in role.dead_letters] == [("no job pattern", key)]

    versions, pods = role.versions, role.pods
    with lab.calls() as calls:
        again = role(entries=("main", "verify"))
    assert again.code == 0 and again.changed == [] and calls.writes == [], again.output
    assert (role.versions, role.pods) == (versions, pods)

    queue = subscribed_queue(lab)
    other = {**AWS, "event_bridge_route": "sns", "event_bridge_token": TOKENS[1]}
    predicted, moved = role("--check", **other), role(**other)
    assert moved.code == 0, moved.output
    assert predicted.changes == moved.changes != []
    assert len(role.pods) == 1 and role.pods != pods
    assert len(lab.kube.list("ReplicaSet", "default", labelSelector=f"app={NAME}")) == 2
    assert ("NetworkPolicy", f"{NAME}-to-ssjdispatcher") not in role.objects
    assert (role.post(event, TOKENS[1]), role.post(event)) == (200, 401)
    message, published = received(lab, queue)
    assert published == key and "MessageAttributes" not in message

    removed = role(**other, entries=("absent", "absent"))
    assert removed.code == 0 and len(removed.changed) == 1, removed.output
    assert set(role.objects) == {("PersistentVolumeClaim", NAME)}
    assert len(role.dead_letters) == 1


def test_the_queue_gets_the_event_and_nobody_the_secrets(role, event):
    queue = role.lab.boto3("sqs").create_queue(QueueName="Gen3Queue")["QueueUrl"]
    settings = {**AWS, "event_bridge_route": "sqs",
                "event_bridge_queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue"}
    shown = role("-vvvv", "--diff", environment={"ANSIBLE_STDOUT_CALLBACK": "default"}, **settings)
    assert shown.code == 0, shown.output
    assert role.post(event) == 200 and role.post({"Records": "none"}) == 200
    message, key = received(role.lab, queue)
    assert key == event["Records"][0]["s3"]["object"]["key"].replace("%2F", "/") and "MessageAttributes" not in message
    log = "".join(file.read_text() for file in role.lab.state.logs.glob(f"pod-{NAME}-*.log"))
    places = {"output": shown.output, "log": log, "dead letters": json.dumps(role.dead_letters), "message": json.dumps(message),
              "objects": json.dumps([each for (kind, _), each in role.objects.items() if kind != "Secret"])}
    secrets = [TOKENS[0], AWS["event_bridge_aws_secret_access_key"]]
    secrets += [base64.b64encode(value.encode()).decode()[:-4] for value in secrets]
    assert {place: [value for value in secrets if value in text] for place, text in places.items()} == {place: [] for place in places}
    assert len(role.dead_letters) == 1 and log


def test_a_certificate_that_does_not_fit_is_refused_before_anything_is_written(role):
    """A pod with it would end again and again."""
    authority = role.lab.state.authority
    certificate, key = authority.server_certificate("event-bridge", "127.0.0.1")[0], authority.server_certificate("another", "127.0.0.1")[1]
    role.lab.kube.apply(tls_secret("unfit", certificate, key))
    with role.lab.calls() as calls:
        unfit, missing = role(event_bridge_tls_secret="unfit"), role(event_bridge_tls_secret="missing")
    assert unfit.code != 0 and "tls.key of Secret default/unfit does not fit tls.crt of Secret default/unfit" in unfit.message
    assert missing.code != 0 and "There is no Secret default/missing" in missing.message
    assert calls.writes == [] and key.read_text().splitlines()[1] not in unfit.output


def test_what_others_made_is_neither_taken_over_nor_removed(role):
    """A Service of the bridge's name that somebody else made."""
    foreign = {"kind": "Service", "metadata": {"name": NAME}, "spec": {"ports": [{"port": 80}], "selector": {"app": "other"}}}
    role.lab.kube.create(foreign)
    with role.lab.calls() as calls:
        refused = role()
    assert refused.code != 0 and "Service default/event-bridge: not made by this role" in refused.message, refused.output
    assert calls.writes == []

    role.lab.kube.create({"kind": "ConfigMap", "metadata": {"name": NAME, "annotations": {MARK: "event_bridge"}}, "data": {}})
    removed = role(entries=("absent",))
    assert removed.code == 0 and "Service default/event-bridge was not made by this role, and stays" in removed.output
    assert role.objects == {}
    assert role.lab.kube.get("Service", NAME)["spec"]["selector"] == {"app": "other"}
