"""verify.yml: an upload is followed to READY, or the step where it stopped is named; what it made is removed again."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import uuid

import pytest
import requests
from ansible_collections.gen3.uploads.plugins.modules import minio_resources, upload_probe
from lab.minio import TARGET
from plays import SITE, VERIFY, steps, run, succeed

QUICK = {"uploads_verify_timeout": 3}


@pytest.fixture
def deployed(clean_lab):
    """A lab on which site.yml has run."""
    succeed(clean_lab, SITE)
    return clean_lab


def leftovers(lab, play):
    """What a probe makes and has to remove: objects, records, its metadata object."""
    objects = lab.boto3("s3").list_objects_v2(Bucket="gen3-bucket").get("Contents", [])
    records = requests.get(f"{lab.state.settings['indexd_url']}/index", timeout=10).json()["records"]
    guids = {result["probe"]["guid"] for _, result in play.results if "guid" in (result.get("probe") or {})}
    addresses = [f"{lab.state.settings['mds_url']}/metadata/{guid}" for guid in guids]
    metadata = [address for address in addresses if requests.get(address, timeout=10).ok]
    return [*(each["Key"] for each in objects), *records, *metadata]


def test_each_step_is_shown_and_nothing_is_left(deployed, tmp_path):
    picture = tmp_path / "pipeline.html"
    with deployed.calls() as calls:
        play = succeed(deployed, VERIFY, variables={"uploads_verify_report": str(picture)})

    assert list(steps(play)) == ["configuration", "record", "upload", "job", "job_completed", "indexed", "metadata", "ready", "cleanup"]
    assert {step["state"] for step in steps(play).values()} == {"passed"}
    assert 0 < steps(play)["ready"]["after_upload"] < 60
    assert all(step["evidence"] for step in steps(play).values())
    table = next(result["msg"] for name, result in play.results if name == "Show the steps")
    assert len(table) == 10 and all("passed" in line for line in table[1:])

    assert leftovers(deployed, play) == []
    assert "ReceiveMessage" not in {call["action"] for call in calls.aws}
    assert calls.writes == ["s3 PUT object", "s3 DELETE object"], "the probe, and no configuration"

    html = picture.read_text()
    assert all(step["title"] in html for step in steps(play).values()) and "READY" in html
    assert 'name="viewport"' in html and "prefers-color-scheme" in html
    loads = re.search(r"""(src|href|url|@import)\s*[=(]?\s*["']?(https?:)?//""", html)
    assert not loads, "nothing is loaded from elsewhere"


def test_before_site_yml_the_first_step_says_so_and_nothing_is_made(clean_lab):
    with clean_lab.calls() as calls:
        play = run(clean_lab, VERIFY)
    assert play.code != 0 and "Run site.yml" in play.message and "Traceback" not in play.output
    assert calls.writes == [] and leftovers(clean_lab, play) == []


def stop_dispatcher(lab):
    lab.kube.patch("Deployment", "ssjdispatcher", {"spec": {"replicas": 0}})
    lab.wait_for(lambda: not lab.kube.list("Pod", labelSelector="app=ssjdispatcher"), what="the end of the pod")


def take_away_the_right_to_make_jobs(lab):
    lab.kube.delete("RoleBinding", "ssjdispatcher-jobs")


def take_away_the_indexing_image(lab):
    succeed(lab, SITE, variables={"uploads_s3_job_image": "registry.example.org/no-such-image:1"})


def change_indexds_password(lab):
    secret = lab.kube.get("Secret", "ssjdispatcher-creds")
    document = json.loads(base64.b64decode(secret["data"]["credentials.json"]))
    document["JOBS"][0]["imageConfig"]["password"] = "a-password-of-yesterday"
    lab.kube.patch("Secret", "ssjdispatcher-creds", {
        "data": {"credentials.json": base64.b64encode(json.dumps(document).encode()).decode()}})


@pytest.mark.parametrize(("damage", "step", "words", "evidence"), [
    (stop_dispatcher, "configuration", "Deployment default/ssjdispatcher has 0 replicas", "0 replicas"),
    (take_away_the_right_to_make_jobs, "configuration", "What site.yml makes is not there: RoleBinding default/ssjdispatcher-jobs", "create RoleBinding"),
    (take_away_the_indexing_image, "job_completed", "did not finish", "ErrImagePull"),
    (change_indexds_password, "record", "The user fence or its password is not accepted", "HTTP 403"),
])
def test_the_step_where_it_stopped_is_named_with_what_to_look_at(deployed, tmp_path, damage, step, words, evidence):
    damage(deployed)
    picture = tmp_path / "pipeline.html"
    play = run(deployed, VERIFY, variables={**QUICK, "uploads_verify_report": str(picture)})

    assert play.code != 0 and words in play.message and "Traceback" not in play.output
    assert play.message.startswith("The upload stopped at the step")
    seen = steps(play)
    assert seen[step]["state"] == "failed" and seen["cleanup"]["state"] == "passed" and "ready" not in seen
    assert any(evidence in line for line in seen[step]["evidence"])
    assert leftovers(deployed, play) == []
    html = picture.read_text()
    assert "Stopped" in html and seen[step]["title"] in html and "not reached" in html


def test_what_cannot_be_removed_is_named_and_the_steps_are_shown_all_the_same(deployed, tmp_path):
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::gen3-bucket/*"}]}
    deployed.boto3("s3").put_bucket_policy(Bucket="gen3-bucket", Policy=json.dumps(policy))
    picture = tmp_path / "pipeline.html"
    play = run(deployed, VERIFY, variables={"uploads_verify_report": str(picture)})
    assert play.code != 0 and "Left behind of the probe" in play.message and "object: " in play.message
    assert steps(play)["ready"]["state"] == "passed" and picture.exists()
    assert [name for name, _ in play.results].count("Show the steps") == 1
    assert len(leftovers(deployed, play)) == 1, "only the object"


def test_a_check_makes_no_probe_and_says_that_verify_has_to_run(deployed):
    with deployed.calls() as calls:
        play = run(deployed, VERIFY, "--check")
    assert play.code != 0 and "without --check" in play.message
    assert calls.writes == []


def test_a_bucket_whose_rule_asks_for_a_suffix_is_verified_too(clean_lab):
    bucket = {"uploads_buckets": [{"name": "gen3-bucket", "storage": "s3", "suffix": ".bam"}]}
    succeed(clean_lab, SITE, variables=bucket)
    assert steps(succeed(clean_lab, VERIFY, variables=bucket))["ready"]["state"] == "passed"


@contextlib.contextmanager
def listener(port):
    """Somebody who takes connections and never answers."""
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_probe_goes_to_minio_and_leaves_no_version_and_the_target_tells_whether_the_bridge_is_there(lab, run_module):
    lab.reset_minio()
    authority = str(lab.state.authority.certificate_file)
    login = {**lab.minio_login, "ca_path": authority}
    bucket = {"name": "gen3-local", "versioning": "enabled", "notifications": [{"target": TARGET}]}
    assert run_module(minio_resources, **login, buckets=[bucket])["changed"]
    s3 = lab.minio_s3(verify=authority)
    probe = {"guid": str(uuid.uuid4()), "made": []}

    def step(name, **more):
        return run_module(upload_probe, steps=[name], probe=probe, bucket="gen3-local", indexd_url="http://127.0.0.1:1/index",
                          metadata_url="http://127.0.0.1:1", **{f"minio_{key}": value for key, value in login.items()}, **more)

    result = step("upload")
    assert not result["failed"], result
    probe = result["probe"]
    assert s3.get_object(Bucket="gen3-local", Key=probe["key"])["ContentLength"] == probe["size"]

    away = step("notification_target")
    assert away["failed"] and "webhook/GEN3 is offline; events waiting for it: 1" in away["msg"] and "journalctl" in away["msg"]
    unknown = step("notification_target", minio_target="webhook/OTHER")
    assert unknown["failed"] and "webhook/OTHER is not known to MinIO" in unknown["msg"]
    with listener(lab.state.settings["ports"]["minio-events"]):
        there = step("notification_target")
    assert not there["failed"] and there["probe"]["steps"][-1]["evidence"][0].startswith("webhook/GEN3 is online; ")

    assert not step("cleanup")["failed"]
    assert "Versions" not in s3.list_object_versions(Bucket="gen3-local")
