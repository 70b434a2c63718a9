"""reindex.yml: files uploaded before the pipeline was there, or whose events were lost, become READY."""

from __future__ import annotations

import base64
import json

from plays import REINDEX, SITE, counts_of_reindex, run, succeed

OPTIONS = {"uploads_reindex_min_age": 0, "uploads_reindex_rate": 50, "uploads_reindex_batch": 4}


def test_what_was_uploaded_before_the_pipeline_becomes_ready(clean_lab):
    lab = clean_lab
    guids = [lab.upload(f"früher {number} (a+b).txt", f"content {number}".encode()) for number in range(10)]
    lab.boto3("s3").put_object(Bucket="gen3-bucket", Key="no-guid.txt", Body=b"x")
    lab.boto3("s3").put_object(Bucket="gen3-bucket", Key="9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11/orphan.txt", Body=b"x")
    early = run(lab, REINDEX, variables=OPTIONS)
    assert early.code and "Not as site.yml makes it: topic, queue and subscription, ssjdispatcher. Run" in early.message
    succeed(lab, SITE)
    lab.wait_until_ready(lab.upload())

    with lab.calls() as calls:
        checked = succeed(lab, REINDEX, "--check", variables=OPTIONS)
    assert calls.writes == [] and counts_of_reindex(checked)[1]["stuck"] == 10
    part = run(lab, REINDEX, "--check", variables={**OPTIONS, "_uploads_most_batches": 2})
    assert part.code and "2 batches were looked at, and the bucket has more objects. Go on with -e" in part.message
    batches, counts = counts_of_reindex(succeed(lab, REINDEX, variables=OPTIONS))
    assert batches == 4  # of 13 objects
    assert counts == {"seen": 13, "stuck": 10, "sent": 10, "without_record": 1, "without_guid": 1, "too_young": 0, "folders": 0, "damaged": 0,
                      "replaced": 0, "odd_names": 0, "indexed": 1, "stale_status": 0, "status_set": 0}
    for number, guid in enumerate(guids):
        assert lab.wait_until_ready(guid)["size"] == len(f"content {number}")

    with lab.calls() as calls:
        again = succeed(lab, REINDEX, variables=OPTIONS)
    assert counts_of_reindex(again)[1]["stuck"] == 0 and calls.writes == []


def put_without_an_event(lab, key):
    """Put an object while the bucket has no rule."""
    s3 = lab.boto3("s3")
    rules = s3.get_bucket_notification_configuration(Bucket="gen3-bucket")
    s3.put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration={})
    s3.put_object(Bucket="gen3-bucket", Key=key, Body=b"sample")
    rules.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration=rules)


def test_the_dead_letter_queue_is_sent_back_but_for_what_would_end_ssjdispatcher(clean_lab):
    lab = clean_lab
    succeed(lab, SITE)
    sqs = lab.boto3("sqs")
    dead = sqs.get_queue_url(QueueName="Gen3Queue-dlq")["QueueUrl"]
    guid = lab.new_record()
    key = f"{guid}/sample.txt"
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"Message": json.dumps(
        {"Records": [{"s3": {"bucket": {"name": "gen3-bucket"}, "object": {"key": key}}}]})}))
    poison = sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"Message": {}}))["MessageId"]
    put_without_an_event(lab, key)
    done = succeed(lab, REINDEX, variables={**OPTIONS, "uploads_reindex_min_age": 3600, "uploads_reindex_redrive": True})
    assert "These messages stay in the dead-letter queue" in done.output and poison in done.output
    assert lab.wait_until_ready(guid)["size"] == 6
    left = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]
    assert [message["MessageId"] for message in left] == [poison]


def change_password_of_gateway(lab):
    """Do what each helm upgrade does to the metadata service."""
    passwords = lab.state.passwords()
    passwords["metadata"]["gateway"] += "-anew"
    line = f"ADMIN_LOGINS=gateway:{passwords['metadata']['gateway']}\n"
    lab.kube.patch("Secret", "metadata-g3auto", {"data": {"metadata.env": base64.b64encode(line.encode()).decode()}})
    lab.state.passwords_file.write_text(json.dumps(passwords))


def test_what_was_indexed_with_an_old_password_becomes_uploaded(clean_lab):
    lab = clean_lab
    succeed(lab, SITE)
    ready = lab.upload()
    lab.wait_until_ready(ready)
    change_password_of_gateway(lab)
    guid = lab.upload()
    lab.wait_for(lambda: lab.record(guid)["size"] is not None, 60, "the indexing")
    early = run(lab, REINDEX, variables=OPTIONS)
    assert early.code and "Not as site.yml makes it: ssjdispatcher. Run" in early.message
    succeed(lab, SITE)

    def told(play):
        _batches, counts = counts_of_reindex(play)
        return {name: counts[name] for name in ("stuck", "indexed", "stale_status", "status_set")}

    with lab.calls() as calls:
        checked = succeed(lab, REINDEX, "--check", variables=OPTIONS)
    assert told(checked) == {"stuck": 0, "indexed": 2, "stale_status": 1, "status_set": 0}
    assert calls.writes == [] and lab.record(guid)["upload_status"] is None
    repaired = succeed(lab, REINDEX, variables=OPTIONS)
    assert told(repaired) == {"stuck": 0, "indexed": 2, "stale_status": 1, "status_set": 1}
    assert f"indexed with another _upload_status than uploaded: 1, set: 1 {guid}/sample.txt" in repaired.output
    assert lab.wait_until_ready(guid)["size"] == len(b"sample")
    assert told(succeed(lab, REINDEX, variables=OPTIONS)) == {"stuck": 0, "indexed": 2, "stale_status": 0, "status_set": 0}
