"""No upload is lost while the bridge, MinIO and the way to the topic fail at random moments."""

from __future__ import annotations

import os
import time
from collections import Counter
from urllib.parse import unquote_plus

from ansible_collections.gen3.uploads.plugins.modules import minio_resources
from bridge_process import BridgeProcess
from lab.minio import TARGET
from minio_uploads import Uploads, Watch, wait_while_there_is_progress, waiting
from outages import TIMES, at_random_moments, chance
from component.bridge.bridge_sinks import Topic

UPLOADS = int(os.environ.get("GEN3_UPLOADS", 1000))
SECONDS = max(20, UPLOADS / 100)
"""Over this time uploads and faults are spread."""


def test_every_upload_that_a_good_server_took_is_delivered(clean_lab, run_module, tmp_path, record_property):
    """Counted at a stand-in for SNS: what it has accepted."""
    lab = clean_lab
    result = run_module(minio_resources, **lab.minio_login, buckets=[{"name": "gen3-bucket", "notifications": [{"target": TARGET}]}])
    assert result["changed"], result
    topic = Topic().up()
    cuts: Counter[str] = Counter()
    coin = chance("ways to cut")

    def cut_the_way() -> None:
        """For a second it refuses connections, or answers that it cannot."""
        if coin.random() < 0.5:
            cuts["refused connections"] += 1
            topic.down()
            time.sleep(1)
            topic.up()
        else:
            cuts["answered 503"] += 1
            topic.fault = 503
            time.sleep(1)
            topic.fault = None

    begun = time.monotonic()
    try:
        with BridgeProcess(lab, tmp_path, **topic.variables, **topic.endpoint) as bridge, Watch(lab) as watch:
            def kill_the_bridge() -> None:
                bridge.kill()
                bridge.start()

            uploads = Uploads(lab, watch, "gen3-bucket", key=lambda number, attempt: f"{number}/{attempt} a+b.txt")
            with uploads.writing(UPLOADS, SECONDS):
                at_random_moments(SECONDS, kill_the_bridge, watch.kill_server, cut_the_way)
            written = time.monotonic()
            wait_while_there_is_progress(lambda: not waiting(lab), lambda: len(topic.bodies))
            delivered = [unquote_plus(path).removeprefix("s3://gen3-bucket/") for path in topic.paths]
    finally:
        topic.down()

    lost, lost_early = set(uploads.good) - set(delivered), set(uploads.early) - set(delivered)
    summary = (
        f"{UPLOADS} uploads in {written - begun:.0f} s, delivered after {time.monotonic() - begun:.0f} s; bridge and MinIO each killed "
        f"{TIMES} times, the way cut {TIMES} times {dict(cuts)}; {uploads.refused.total()} attempts refused; of {len(uploads.good)} on a "
        f"good server {len(lost)} lost; of {len(uploads.early)} in MinIO's start-up windows {len(lost_early)} lost; "
        f"{len(delivered) - len(set(delivered))} duplicates")
    record_property("summary", summary)
    print(summary)
    assert lost == set()
    assert uploads.taken == UPLOADS and len(uploads.good) > UPLOADS // 10
    assert bridge.dead_letters == []
