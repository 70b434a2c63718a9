"""A bucket on MinIO from an empty lab to READY, over each route: site.yml, verify.yml, awkward names, reindex.yml, a second run.

The operator has the documented Roles and no more.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.gen3.uploads.plugins.module_utils._minio import info as _minio_info
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import Connection
from operator_rights import USER, assert_used, kubeconfig, unused
from plays import CONFIRM, REINDEX, SITE, TEARDOWN, VERIFY, counts_of_reindex, steps, run, succeed

BUCKET = "gen3-local"
LOCAL = {"ca_path": None, "validate_certs": True}
WAYS = {"sns": "ssj-topic → Gen3Queue → ", "sqs": "Gen3Queue → ", "dispatcher": ""}
CONTRACT = Path(__file__).resolve().parents[1] / "contracts" / "minio_events.jsonl"
RECORDED = {event["case"]: event["raw_key"] for event in map(json.loads, CONTRACT.read_text().splitlines())}
GUID = "0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11"
AWKWARD = ("key_plus", "key_literal_percent_2f", "key_double_quote", "key_newline_and_tab", "key_other_punctuation",
           "key_leading_and_trailing_space", "key_e_acute_decomposed", "key_900_bytes_unicode")


@dataclass
class Route:
    """A lab on which site.yml has run for one route, and what the check before it and the run itself have done."""

    name: str
    lab: Any
    environment: dict[str, str]
    early: Any = None
    predicted: Any = None
    real: Any = None
    calls: Any = None

    def play(self, playbook, *arguments, do=succeed, **variables):
        return do(self.lab, playbook, "-e", "@inventories/lab/minio.yml", "-e", f"uploads_minio_route={self.name}", *arguments,
                  variables=variables, environment=self.environment)

    def upload(self, name, content):
        return self.lab.upload(name, content, BUCKET, self.lab.minio_s3())

    @property
    def versions(self):
        """Of each object in the cluster that site.yml may write, when it was written last."""
        kinds = ("Secret", "ConfigMap", "Deployment", "Service", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy")
        return {(kind, each["metadata"]["name"]): each["metadata"]["resourceVersion"]
                for kind in kinds for each in self.lab.kube.list(kind)}

    @property
    def pods(self):
        return {pod["metadata"]["uid"] for pod in self.lab.kube.list("Pod") if "job-name" not in pod["metadata"]["labels"]}

    @property
    def rules(self):
        return self.lab.minio_s3().get_bucket_notification_configuration(Bucket=BUCKET).get("QueueConfigurations", [])


@pytest.fixture(scope="module", params=list(WAYS))
def route(request, lab, tmp_path_factory):
    lab.reset()
    lab.minio_s3().create_bucket(Bucket=BUCKET)
    made = Route(request.param, lab, kubeconfig(lab, tmp_path_factory.mktemp("operator"), "operator-role", "operator-role-minio"))
    made.early = [made.upload(f"früher {number} (a+b).txt", f"content {number}".encode()) for number in range(5)]
    with lab.calls(USER) as checking:
        made.predicted = made.play(SITE, "--check", "--diff")
    assert checking.writes == []
    with lab.calls(USER) as made.calls:
        made.real = made.play(SITE, "--diff")
    return made


def test_a_check_predicts_the_run_and_only_routes_over_aws_call_it(route):
    assert route.predicted.changes and route.predicted.changes == route.real.changes
    assert bool(route.calls.aws) == (route.name != "dispatcher")


def test_verify_follows_a_file_and_the_picture_shows_the_way(route, tmp_path):
    picture = tmp_path / "pipeline.html"
    with route.lab.calls(USER) as calls:
        play = route.play(VERIFY, uploads_verify_report=str(picture))
    seen = steps(play)
    assert list(seen) == ["configuration", "record", "upload", "notification_target", "job", "job_completed", "indexed", "metadata", "ready", "cleanup"]
    assert {step["state"] for step in seen.values()} == {"passed"}, seen
    assert seen["notification_target"]["evidence"][0].startswith("webhook/GEN3 is online")
    assert f"gen3-local on MinIO → event bridge → {WAYS[route.name]}ssjdispatcher in default → indexd" in picture.read_text()
    assert calls.writes == [], "the probe is on MinIO"
    assert bool(calls.aws) == (route.name != "dispatcher")


def test_awkward_names_are_indexed_with_their_own_content(route):
    """By real Jobs, each of which tells indexd the name that its INPUT_URL has."""
    files = {}
    for number, case in enumerate(AWKWARD):
        guid = route.lab.new_record()
        files[guid] = RECORDED[case].replace(GUID, guid), f"content {number}".encode()
        route.lab.minio_s3().put_object(Bucket=BUCKET, Key=files[guid][0], Body=files[guid][1])
    for guid, (key, content) in files.items():
        record = route.lab.wait_until_ready(guid)
        assert (record["urls"], record["size"]) == ([f"s3://{BUCKET}/{key}"], len(content))
        assert record["hashes"]["md5"] == hashlib.md5(content).hexdigest()


def test_reindex_makes_ready_what_was_there_before(route):
    options = {"uploads_reindex_min_age": 0, "uploads_reindex_rate": 50, "uploads_reindex_batch": 8}
    with route.lab.calls(USER) as calls:
        batches, counts = counts_of_reindex(route.play(REINDEX, **options))
    assert batches == -(-counts["seen"] // 8)
    assert counts == {**counts, "stuck": 5, "sent": 5, "without_record": 0, "without_guid": 0, "too_young": 0}
    assert {call["service"] for call in calls.aws if call["write"]} == {"sns": {"sns"}, "sqs": {"sqs"}, "dispatcher": set()}[route.name]
    assert route.name != "dispatcher" or calls.aws == []
    for number, guid in enumerate(route.early):
        assert route.lab.wait_until_ready(guid)["size"] == len(f"content {number}")
    assert counts_of_reindex(route.play(REINDEX, **options))[1]["stuck"] == 0


def test_a_second_run_changes_nothing(route):
    versions, pods = route.versions, route.pods
    with route.lab.calls(USER) as calls:
        second = route.play(SITE)
    assert second.changed == []
    assert calls.writes == []
    assert (route.versions, route.pods) == (versions, pods)


def test_the_status_of_the_route(route):
    """Nothing is wrong; then the bridge has put an event aside, or is away, which is named first, and that it shows nothing of itself."""
    def ask(do):
        play = route.play("playbooks/status.yml", do=do)
        return next(result for name, result in play.results if name == "Query all stations")

    healthy = ask(succeed)
    assert healthy["findings"] == []
    assert any(re.fullmatch("bridge +[0-9]+ events handed on, 0 put aside since its start", line) for line in healthy["table"]), healthy["table"]
    if route.name == "sqs":
        state = route.lab.state
        answer = requests.post(f"https://127.0.0.1:{state.settings['ports']['minio-events']}/events", data="no JSON", timeout=10,
                               auth=("minio", state.settings["bridge_token"]), verify=str(state.authority.certificate_file))
        (finding,) = ask(run)["findings"]
        assert answer.ok and finding["finding"] == "bridge-dead-letters" and "1 event aside since its start: not JSON (1)." in finding["sentence"]
    if route.name != "dispatcher":
        return
    replicas = {number: {"spec": {"replicas": number}} for number in (0, 1)}
    route.lab.kube.patch("Deployment", "event-bridge", replicas[0])
    route.lab.wait_for(lambda: not route.lab.kube.list("Pod", labelSelector="app=event-bridge"), what="the end of the bridge")
    guid = route.upload("waits.txt", b"waits")
    first, *others = ask(run)["findings"]
    assert first["finding"] == "target-stuck", first
    assert len(others) == 3 and all("could not be asked: https://127.0.0.1" in each["sentence"] for each in others), others
    route.lab.kube.patch("Deployment", "event-bridge", replicas[1])
    route.lab.wait_until_ready(guid)


def test_both_storages_at_once_what_is_missing_is_told_and_teardown(clean_lab, tmp_path):
    both = {"uploads_buckets": [{"name": "gen3-bucket", "storage": "s3"}, {"name": BUCKET, "storage": "minio"}]}
    route = Route("sns", clean_lab, kubeconfig(clean_lab, tmp_path, "operator-role", "operator-role-minio"))
    with clean_lab.calls(USER) as calls:
        from_site_to_teardown(clean_lab, route, both)
    assert unused("operator-role-minio", calls) == set()
    assert_used(calls, __name__)


def from_site_to_teardown(clean_lab, route, both):
    route.play(SITE, **both)
    for guid in (clean_lab.upload(), route.upload("sample.txt", b"sample")):
        clean_lab.wait_until_ready(guid)
    clean_lab.minio_s3().put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    drift = route.play(SITE, "--check", **both).changes
    assert [(change["resource"], change["attribute"]) for change in drift] == [(f"bucket {BUCKET}", "notifications")]
    route.play(SITE, **both)
    assert len(route.rules) == 1

    clean_lab.kube.patch("Deployment", "event-bridge", {"spec": {"replicas": 0}})
    clean_lab.wait_for(lambda: not clean_lab.kube.list("Pod", labelSelector="app=event-bridge"), what="the end of the bridge")
    play = route.play(VERIFY, do=run, uploads_selected_bucket=BUCKET, uploads_verify_timeout=3, **both)
    assert play.code != 0 and "webhook/GEN3 is offline" in play.message and "logs -n default deployment/event-bridge" in play.message
    assert steps(play)["cleanup"]["state"] == "passed" and "job" not in steps(play)

    clean_lab.minio_s3().create_bucket(Bucket="of-others")
    # Of the probe that the bridge did not take. The server's metrics are up to 10 seconds old.
    clean_lab.wait_for(lambda: _minio_info.read(Connection(LOCAL | clean_lab.minio_login), True)["targets"][0]["waiting"], what="metrics")
    refused = route.play(TEARDOWN, do=run, **both, **CONFIRM)
    assert "events wait in MinIO's queue" in refused.message and refused.changed == [] and len(route.rules) == 1
    route.play(TEARDOWN, **both, **CONFIRM, uploads_discard_messages=True)

    assert route.rules == []
    assert clean_lab.kube.get("Secret", "ssjdispatcher-creds") is None
    assert clean_lab.kube.get("Deployment", "event-bridge") is None
    assert {bucket["Name"] for bucket in clean_lab.minio_s3().list_buckets()["Buckets"]} == {BUCKET, "of-others"}
    assert route.play(TEARDOWN, **both, **CONFIRM, uploads_discard_messages=True).changed == []
