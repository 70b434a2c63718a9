# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where events enter the pipeline: each function returns another that sends the event of an upload there.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import events
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload
from ansible_collections.gen3.uploads.plugins.module_utils._core.json_http import CallError, Post

Send = Callable[[Upload], None]


def topic(sns: Any, topic_arn: str, bucket: str, region: str) -> Send:
    """Publish as Amazon S3 does."""

    def send(upload: Upload) -> None:
        event = events.s3_event(bucket, region, upload, _now())
        with aws.error_context(f"publish to {topic_arn}", "sns:Publish", f"the topic {topic_arn}"):
            sns.publish(TopicArn=topic_arn, Subject=events.SUBJECT, Message=json.dumps(event), aws_retry=True)

    return send


def queue(sqs: Any, queue_url: str, bucket: str, region: str) -> Send:
    """Send what a topic would."""

    def send(upload: Upload) -> None:
        message = events.envelope(events.s3_event(bucket, region, upload, _now()), str(uuid.uuid4()), _now())
        with aws.error_context(f"send a message to {queue_url}", "sqs:SendMessage", f"the queue {queue_url}"):
            sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(message), aws_retry=True)

    return send


def bridge(post: Post, url: str, bucket: str, region: str) -> Send:
    """Send to the event bridge as MinIO does, by ``post``, which knows the token."""

    def send(upload: Upload) -> None:
        status, _answer = post(events.minio_event(bucket, region, upload, _now()))
        if status == 401:
            raise CallError(f"The event bridge at {url} does not accept the token: give the one that site.yml gave to MinIO and to "
                            "the bridge.")
        if not 200 <= status < 300:
            raise CallError(f"The event bridge at {url} answered the event of {upload.key} with HTTP {status}: look at the bridge's "
                            "log and at what it delivers to, then run this again, which sends only what is still not indexed.")

    return send


def _now() -> datetime:
    return datetime.now(timezone.utc)
