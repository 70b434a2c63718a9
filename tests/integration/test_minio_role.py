"""The role minio for a server that somebody else runs: `minio_manage_server: false`."""

from __future__ import annotations

from plays import run, succeed

PLAY = "tests/integration/minio_role.yml"


def variables(lab, **more):
    login = lab.minio_login
    return {"minio_api_url": login["url"], "minio_root_user": login["access_key"], "minio_root_password": login["secret_key"], **more}


def test_it_converges_what_the_server_holds_and_leaves_the_server_alone(lab):
    lab.reset_minio()
    process = lab.part_process("minio")
    first = succeed(lab, PLAY, variables=variables(lab))
    assert len(first.changed) == 2 and {change["resource"] for change in first.changes} == {
        "policy uploader", "user uploader", "bucket gen3-bucket"}
    second = succeed(lab, PLAY, variables=variables(lab))
    assert second.changed == [] and succeed(lab, PLAY, "--check", variables=variables(lab)).changed == []
    assert lab.part_process("minio") == process


def test_a_wrong_login_and_a_target_that_is_not_live_are_named(lab):
    lab.reset_minio()
    refused = run(lab, PLAY, variables=variables(lab, minio_root_password="not-the-password"))
    assert refused.code and "SignatureDoesNotMatch" in refused.message
    without = [{"id": "OTHER", "type": "webhook", "options": {"endpoint": "http://127.0.0.1:1"}}]
    missing = run(lab, PLAY, variables=variables(lab, minio_notification_targets=without))
    assert missing.code and "not live: OTHER:webhook" in missing.message
