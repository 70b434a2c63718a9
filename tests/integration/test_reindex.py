"""reindex.yml: files uploaded before the pipeline was there, or whose events were lost, become READY."""

from __future__ import annotations

import pytest
from plays import SITE, run, succeed

REINDEX = "playbooks/reindex.yml"
OPTIONS = {"uploads_reindex_least_age": 0, "uploads_reindex_rate": 50, "uploads_reindex_batch": 4}


def sent(play):
    """The counts of all batches, added up."""
    result = next(result for name, result in play.results if name.startswith("Send what is stuck"))
    counts = [batch["counts"] for batch in result["results"]]
    return len(counts), {key: sum(each[key] for each in counts) for key in counts[0]}


def test_what_was_uploaded_before_the_pipeline_becomes_ready(clean_lab):
    lab = clean_lab
    guids = [lab.upload(f"früher {number} (a+b).txt", f"content {number}".encode()) for number in range(10)]
    lab.boto3("s3").put_object(Bucket="gen3-bucket", Key="no-guid.txt", Body=b"x")
    lab.boto3("s3").put_object(Bucket="gen3-bucket", Key="9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11/orphan.txt", Body=b"x")
    early = run(lab, REINDEX, variables=OPTIONS)
    assert early.code and "Run site.yml first" in early.message
    succeed(lab, SITE)
    lab.wait_until_ready(lab.upload())

    with lab.calls() as calls:
        checked = succeed(lab, REINDEX, "--check", variables=OPTIONS)
    assert calls.writes == [] and sent(checked)[1]["stuck"] == 10
    batches, counts = sent(succeed(lab, REINDEX, variables=OPTIONS))
    assert batches == 4  # of 13 objects
    assert counts == {"seen": 13, "stuck": 10, "sent": 10, "without_record": 1, "without_guid": 1, "too_young": 0}
    for number, guid in enumerate(guids):
        assert lab.wait_until_ready(guid)["size"] == len(f"content {number}")

    with lab.calls() as calls:
        again = succeed(lab, REINDEX, variables=OPTIONS)
    assert sent(again)[1]["stuck"] == 0 and calls.writes == []


@pytest.mark.parametrize("route", ["sqs", "dispatcher"])  # sns: the topic as above, the listing as here
def test_what_was_on_minio_before_the_pipeline_becomes_ready(clean_lab, route):
    lab, s3 = clean_lab, clean_lab.minio_s3()
    s3.create_bucket(Bucket="gen3-local")
    guids = [lab.upload(f"früher {number} (a+b).txt", f"content {number}".encode(), "gen3-local", s3) for number in range(5)]
    lab.upload("excluded.tmp", b"x", "gen3-local", s3)
    on_minio = ("-e", "@inventories/lab/minio.yml")
    variables = {**OPTIONS, "uploads_minio_route": route, "uploads_bridge_ca_file": str(lab.state.authority.certificate_file),
                 "uploads_buckets": [{"name": "gen3-local", "storage": "minio", "suffix": ".txt"}]}
    succeed(lab, SITE, *on_minio, variables=variables)

    with lab.calls() as calls:
        batches, counts = sent(succeed(lab, REINDEX, *on_minio, variables=variables))
    assert batches == 2 and counts == {"seen": 6, "stuck": 5, "sent": 5, "without_record": 0, "without_guid": 0, "too_young": 0}
    assert {call["service"] for call in calls.aws if call["write"]} == ({"sqs"} if route == "sqs" else set())
    assert route == "sqs" or calls.aws == []
    for number, guid in enumerate(guids):
        assert lab.wait_until_ready(guid)["size"] == len(f"content {number}")
    assert sent(succeed(lab, REINDEX, *on_minio, variables=variables))[1]["stuck"] == 0
