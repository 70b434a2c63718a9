# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One batch of a reindex: pages of the bucket, the records of each page, an event for each object that is stuck.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils import _aws_call as aws
from ansible_collections.gen3.uploads.plugins.module_utils import _reindex as reindex
from ansible_collections.gen3.uploads.plugins.module_utils._probe_gen3 import Gen3Error, Send

_SHOWN = 100
"""How many keys of each kind a result names; their number is always told."""


class Pace:
    """Lets so many calls a second pass, evenly."""

    def __init__(self, rate: float):
        self._pause, self._next = 1 / rate, 0.0

    def wait(self) -> None:
        """Return when the next call may be made."""
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._pause


def run(module: AnsibleAWSModule, indexd: Send) -> dict[str, Any]:
    """Return the result of the module upload_reindex, or raise AwsError or Gen3Error."""
    options = module.params
    region = aws.required_region(module)
    s3, sns = aws.client(module, "s3"), aws.client(module, "sns")
    pace = Pace(options["rate"])
    counts = {"seen": 0, "stuck": 0, "sent": 0, "without_record": 0, "without_guid": 0, "too_young": 0}
    shown: dict[str, list[str]] = {"stuck": [], "without_record": [], "without_guid": []}
    marker: str | None = options["marker"]
    for page in _pages(s3, options, marker):
        found = reindex.review(page, _records(indexd, page), datetime.now(timezone.utc), options["least_age"])
        for kind in ("stuck", "without_record", "without_guid", "too_young"):
            counts[kind] += len(getattr(found, kind))
        for kind, keys in shown.items():
            keys += [each["Key"] for each in getattr(found, kind)[:_SHOWN - len(keys)]]
        if not module.check_mode:
            for each in found.stuck:
                pace.wait()
                _publish(sns, options["topic_arn"], reindex.event(options["bucket"], region, each))
                counts["sent"] += 1
        counts["seen"] += len(page)
        marker = page[-1]["Key"]
        if counts["seen"] >= options["batch"]:
            break
    else:
        marker = None
    return {"changed": counts["stuck"] > 0, "marker": marker, "counts": counts, **shown}


def _pages(s3: Any, options: Mapping[str, Any], marker: str | None) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the objects after a key, up to 1,000 at a time, as S3 lists them; a page that is empty is left out."""
    bucket = options["bucket"]
    start = {"StartAfter": marker} if marker else {}
    while True:
        with aws.attempt(f"list S3 bucket {bucket}", "s3:ListBucket", f"the bucket {bucket}"):
            answer = s3.list_objects_v2(Bucket=bucket, Prefix=options["prefix"], MaxKeys=min(options["batch"], 1000), **start,
                                        aws_retry=True)
        if answer.get("Contents"):
            yield answer["Contents"]
        if not answer.get("IsTruncated"):
            return
        start = {"ContinuationToken": answer["NextContinuationToken"]}


def _records(indexd: Send, page: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the records of a page by GUID, in one call; reading is public."""
    guids = sorted({guid for each in page if (guid := reindex.guid_of(each["Key"]))})
    if not guids:
        return {}
    status, answer = indexd("POST", "/bulk/documents", guids)
    if status != 200 or not isinstance(answer, list):
        raise Gen3Error(f"Reading {len(guids)} records from indexd's /bulk/documents was answered with HTTP {status}: check that "
                        "indexd_url ends with /index and leads to indexd.")
    return {record["did"]: record for record in answer}


def _publish(sns: Any, topic_arn: str, event: Mapping[str, Any]) -> None:
    with aws.attempt(f"publish to {topic_arn}", "sns:Publish", f"the topic {topic_arn}"):
        sns.publish(TopicArn=topic_arn, Subject="Amazon S3 Notification", Message=json.dumps(event), aws_retry=True)
