"""What was uploaded while everything failed is READY after one reindex: the whole lab behind the real MinIO and bridge."""

from __future__ import annotations

import os
import signal
import time

import pytest
import requests
from lab import processes
from minio_uploads import RESTART, Uploads, Watch, client, wait_while_there_is_progress, waiting
from outages import TIMES, at_random_moments
from plays import REINDEX, SITE, succeed

ON_MINIO = ("-e", "@inventories/lab/minio.yml", "-e", "uploads_minio_route=sns")
AT_ONCE = {"uploads_reindex_min_age": 0, "uploads_reindex_rate": 100}
BUCKET = "gen3-local"
UPLOADS = int(os.environ.get("GEN3_UPLOADS_TO_READY", 60))
SECONDS = max(20, UPLOADS / 10)
"""Over this time uploads and faults are spread."""


class Pipeline:
    """What the test asks of the lab."""

    def __init__(self, lab):
        self._lab, self._ready = lab, set()
        self._queue = lab.boto3("sqs").get_queue_url(QueueName="Gen3Queue")["QueueUrl"]

    def kill_bridge(self) -> None:
        """Kill the engine in its pod; the node starts it again, later each time."""
        pod, = self._lab.kube.list("Pod", labelSelector="app=event-bridge")
        file = self._lab.state.pods / pod["metadata"]["uid"] / "bento.pid"
        os.kill(self._lab.wait_for(lambda: processes.running(file), what="the start of the bridge"), signal.SIGKILL)

    def cut_the_way(self) -> None:
        """Kill what leads every pod to the topic and the queue, and the Jobs to MinIO and indexd; a second later it is back."""
        os.kill(self._lab.part_process("network"), signal.SIGKILL)
        time.sleep(1)
        with RESTART:
            self._lab.up()

    def ready(self, guids) -> set[str]:
        """Return those of the uploads that are READY; what is READY stays so."""
        bulk = f"{self._lab.state.settings['indexd_url']}/bulk/documents"
        waiting = list(set(guids) - self._ready)
        records = requests.post(bulk, json=waiting, timeout=30).json() if waiting else []  # indexd has no answer to none
        self._ready |= {record["did"] for record in records if record["size"] is not None
                        and self._lab.record(record["did"])["upload_status"] == "uploaded"}
        return self._ready

    def quiet(self) -> bool:
        """Whether no event is under way any more: in MinIO, in the queue, as a Job."""
        return not (waiting(self._lab) or self._messages() or self._jobs())

    def _messages(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._lab.boto3("sqs").get_queue_attributes(QueueUrl=self._queue, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def _jobs(self) -> int:
        return sum(not any(each["type"] in ("Complete", "Failed") and each["status"] == "True"
                           for each in job["status"].get("conditions", ())) for job in self._lab.kube.list("Job"))


@pytest.fixture
def hasty_lab(clean_lab):
    """A lab whose containers start again soon, as the bridge is killed again and again."""
    with clean_lab.back_off(1, 10):
        yield clean_lab


def test_every_upload_is_ready_in_the_end(hasty_lab, record_property):
    lab, begun = hasty_lab, time.monotonic()
    guids = [lab.new_record(f"{number}.txt") for number in range(UPLOADS)]
    keys = [f"{guid}/{number} a+b.txt" for number, guid in enumerate(guids)]
    assert all(lab.record(guid)["size"] is None for guid in guids)
    succeed(lab, SITE, *ON_MINIO)
    pipeline, set_up = Pipeline(lab), time.monotonic()

    with Watch(lab) as watch:
        uploads = Uploads(lab, watch, BUCKET, key=lambda number, attempt: keys[number])
        with uploads.writing(UPLOADS, SECONDS):
            at_random_moments(SECONDS, pipeline.kill_bridge, watch.kill_server, pipeline.cut_the_way)
    wait_while_there_is_progress(pipeline.quiet, lambda: (waiting(lab), len(pipeline.ready(guids))))
    ready, faults_over = set(pipeline.ready(guids)), time.monotonic()
    stuck = {key for guid, key in zip(guids, keys) if guid not in ready}
    play = succeed(lab, REINDEX, *ON_MINIO, variables=AT_ONCE)
    found = next(result["msg"][0] for name, result in play.results if name == "Report what was found")
    wait_while_there_is_progress(lambda: len(pipeline.ready(guids)) == UPLOADS, lambda: len(pipeline.ready(guids)))

    over = time.monotonic()
    summary = (
        f"{UPLOADS} uploads; bridge and MinIO each killed {TIMES} times, the way cut {TIMES} times; {uploads.refused.total()} attempts "
        f"refused; {len(uploads.early)} taken in MinIO's start-up windows; {len(ready)} READY before the reindex ({found}), {UPLOADS} "
        f"after it; set up {set_up - begun:.0f} s, faults and Jobs {faults_over - set_up:.0f} s, reindex {over - faults_over:.0f} s")
    record_property("summary", summary)
    print(summary)
    assert stuck <= set(uploads.early)
    s3 = client(lab)
    for number, guid in enumerate(guids):
        record = lab.record(guid)
        assert record["urls"] == [f"s3://{BUCKET}/{keys[number]}"]
        assert record["hashes"]["md5"] == s3.head_object(Bucket=BUCKET, Key=keys[number])["ETag"].strip('"')
