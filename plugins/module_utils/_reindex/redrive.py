# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send the messages of a dead-letter queue back to their queue, but for those that ssjdispatcher cannot digest.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import dead_letters

HIDDEN = 300
"""Seconds for which a message that was received is not received again; a run that is killed leaves it hidden for as long."""


def run(sqs: Any, queue_url: str | None, dead_letter_queue_url: str, most: int, dry_run: bool) -> dict[str, Any]:
    """Return ``sent``, the objects of the messages sent back; ``left``, id -> why a message stays; and whether there may be ``more``.

    A message is deleted after it was sent: killed in between, it is sent twice, which does no harm. Those that stay, in a ``dry_run``
    all, are there for others again at the end. Raises AwsError.
    """
    sent: list[str] = []
    left: dict[str, str] = {}
    held: list[str] = []
    more = False
    try:
        for message in _messages(sqs, dead_letter_queue_url):
            problem = dead_letters.problem(message["Body"])
            if problem is None and not dry_run:
                _send_back(sqs, queue_url, dead_letter_queue_url, message)
            else:
                held.append(message["ReceiptHandle"])
            if problem is None:
                sent.append(dead_letters.location(message["Body"]))
            else:
                left[message["MessageId"]] = problem
            if len(sent) + len(left) >= most:
                more = True
                break
    finally:
        for handle in held:
            with aws.error_context(f"show a message of {dead_letter_queue_url} again", "sqs:ChangeMessageVisibility", dead_letter_queue_url):
                sqs.change_message_visibility(QueueUrl=dead_letter_queue_url, ReceiptHandle=handle, VisibilityTimeout=0, aws_retry=True)
    return {"sent": sent, "left": left, "more": more}


def _messages(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    """Yield each message once, until a look of some seconds finds none."""
    seen: set[str] = set()
    while True:
        with aws.error_context(f"receive from {url}", "sqs:ReceiveMessage", f"the queue {url}"):
            # Amazon SQS asks all its servers only where it may wait.
            response = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN, WaitTimeSeconds=2,
                                           MessageAttributeNames=["All"], aws_retry=True)
        fresh = [message for message in response.get("Messages", []) if message["MessageId"] not in seen]
        if not fresh:
            return
        seen.update(message["MessageId"] for message in fresh)
        yield from fresh


def _send_back(sqs: Any, queue_url: str | None, dead_letter_queue_url: str, message: dict[str, Any]) -> None:
    with aws.error_context(f"send a message to {queue_url}", "sqs:SendMessage", f"the queue {queue_url}"):
        sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"], MessageAttributes=message.get("MessageAttributes", {}), aws_retry=True)
    with aws.error_context(f"delete a message of {dead_letter_queue_url}", "sqs:DeleteMessage", f"the queue {dead_letter_queue_url}"):
        sqs.delete_message(QueueUrl=dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"], aws_retry=True)
