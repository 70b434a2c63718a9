"""reindex.yml: files uploaded before the pipeline was there, or whose events were lost, become READY."""

from __future__ import annotations

from plays import REINDEX, SITE, counts_of_reindex, run, succeed

OPTIONS = {"uploads_reindex_least_age": 0, "uploads_reindex_rate": 50, "uploads_reindex_batch": 4}


def test_what_was_uploaded_before_the_pipeline_becomes_ready(clean_lab):
    lab = clean_lab
    guids = [lab.upload(f"früher {number} (a+b).txt", f"content {number}".encode()) for number in range(10)]
    lab.boto3("s3").put_object(Bucket="gen3-bucket", Key="no-guid.txt", Body=b"x")
    lab.boto3("s3").put_object(Bucket="gen3-bucket", Key="9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11/orphan.txt", Body=b"x")
    early = run(lab, REINDEX, variables=OPTIONS)
    assert early.code and "Not as site.yml makes it: the way from the topic to the queue, ssjdispatcher. Run" in early.message
    succeed(lab, SITE)
    lab.wait_until_ready(lab.upload())

    with lab.calls() as calls:
        checked = succeed(lab, REINDEX, "--check", variables=OPTIONS)
    assert calls.writes == [] and counts_of_reindex(checked)[1]["stuck"] == 10
    part = run(lab, REINDEX, "--check", variables={**OPTIONS, "_uploads_most_batches": 2})
    assert part.code and "2 batches were looked at, and the bucket has more objects. Go on with -e" in part.message
    batches, counts = counts_of_reindex(succeed(lab, REINDEX, variables=OPTIONS))
    assert batches == 4  # of 13 objects
    assert counts == {"seen": 13, "stuck": 10, "sent": 10, "without_record": 1, "without_guid": 1, "too_young": 0, "folders": 0, "damaged": 0, "odd_names": 0,
                      "indexed": 1, "stale_status": 0, "status_set": 0}
    for number, guid in enumerate(guids):
        assert lab.wait_until_ready(guid)["size"] == len(f"content {number}")

    with lab.calls() as calls:
        again = succeed(lab, REINDEX, variables=OPTIONS)
    assert counts_of_reindex(again)[1]["stuck"] == 0 and calls.writes == []
