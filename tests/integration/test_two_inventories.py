"""Two inventories of one commons, a bucket on Amazon S3 and one on MinIO, that share topic, queue and ssjdispatcher."""

from __future__ import annotations

import json

import pytest
from operator_rights import kubeconfig
from plays import CONFIRM, OPERATOR, SITE, TEARDOWN, run, start, succeed

BUCKET = "gen3-local"
ON_MINIO = ["-e", "@inventories/lab/minio.yml", "-e", "uploads_minio_route=sns"]


@pytest.fixture
def play(clean_lab, tmp_path):
    """Run a playbook with one of the inventories, as the operator."""
    clean_lab.minio_s3().create_bucket(Bucket=BUCKET)
    environment = kubeconfig(clean_lab, tmp_path, "operator-role", "operator-role-minio")

    def play(inventory, playbook, do=succeed, **variables):
        arguments = ON_MINIO if inventory == "minio" else []
        return do(clean_lab, playbook, *arguments, variables=variables, environment={**OPERATOR, **environment})

    return play


def upload(lab, inventory):
    return lab.upload("sample.txt", b"sample", BUCKET, lab.minio_s3()) if inventory == "minio" else lab.upload()


def both_are_ready(lab):
    for guid in [upload(lab, inventory) for inventory in ("s3", "minio")]:
        lab.wait_until_ready(guid)


@pytest.mark.parametrize(("first", "second"), [("s3", "minio"), ("minio", "s3")])
def test_one_after_the_other_and_teardown_of_the_first(clean_lab, play, first, second):
    play(first, SITE)
    play(second, SITE)
    both_are_ready(clean_lab)
    assert play(first, SITE).changes == [] and play(second, SITE).changes == []

    refused = play(first, TEARDOWN, do=run, **CONFIRM)
    assert refused.code != 0 and refused.changed == [] and "uploads_keep_shared" in refused.message, refused.output
    play(first, TEARDOWN, **CONFIRM, uploads_keep_shared=True)
    guid = upload(clean_lab, second)
    clean_lab.wait_until_ready(guid)
    assert play(second, SITE).changes == []
    play(second, TEARDOWN, **CONFIRM)
    assert clean_lab.kube.get("Secret", "ssjdispatcher-creds") is None


@pytest.mark.parametrize("attempt", range(2))
def test_both_at_the_same_time(clean_lab, play, attempt):
    running = [play(inventory, SITE, do=start) for inventory in ("s3", "minio")]
    outputs = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], json.dumps(outputs)
    both_are_ready(clean_lab)
    # SNS has no conditional write. A run that is held up for more than a second between its last look at the topic's policy and its
    # write overwrites what the other has added, and the next run of that mends it.
    play("s3", SITE)
    assert play("minio", SITE).changes == [] and play("s3", SITE).changes == []
    both_are_ready(clean_lab)
