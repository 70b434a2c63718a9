# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converging channels: observe all, plan all, apply.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._channel import plan as planning
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._channel.api import Messaging, account_id
from ansible_collections.gen3.uploads.plugins.module_utils._channel.model import (
    Channel,
    channel,
    refuse_shared_names,
)


def converge(module: AnsibleAWSModule) -> dict[str, Any]:
    """Converge the channels of the module's options and return its result, or raise AwsError."""
    absent = module.params["state"] == "absent"
    plan = planning.plan_absent if absent else planning.plan_present
    warn = planning.removal_warnings if absent else planning.warnings
    try:
        region = aws.required_region(module)
        # Names are checked before the first call to AWS; the account number does not matter for that.
        refuse_shared_names([channel(options, Scope(region, "0" * 12)) for options in module.params["channels"]])
        scope = Scope(region, account_id(module))
        channels = [channel(options, scope) for options in module.params["channels"]]
        api = Messaging(module)
        found = [(each, api.observe(each, with_tags=absent or bool(each.tags))) for each in channels]
        changes = [change for each, current in found for change in plan(each, current)]
        for message in (message for each, current in found for message in warn(each, current)):
            module.warn(message)
    except ValueError as error:
        raise aws.AwsError(str(error)) from error
    created = {} if module.check_mode else {change.resource: api.apply(change) for change in changes}
    return {**outcome(changes), "channels": [
        _described(each, api, current, None if absent else planning.wish(each, current), created)
        for each, current in found
    ]}


def _described(wanted: Channel, api: Messaging, current: planning.Current, wish: planning.Wish | None,
               created: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what the result tells about one channel; ``wish`` is None if the channel goes away."""
    def url(name: str, queue: planning.Queue | None) -> str:
        return queue.url if queue else created.get(planning.queue_name(name)) or api.url(wanted, name)

    topic, queue, dead_letter_queue = (wish.topic, wish.queue, wish.dead_letter_queue) if wish else ({}, {}, {})
    subscriptions = current.topic.subscriptions if wish and current.topic else {}
    topic_key, queue_key = topic.get("KmsMasterKeyId"), queue.get("KmsMasterKeyId")
    return {
        "topic_arn": wanted.topic_arn,
        "queue_arn": wanted.queue_arn,
        "queue_url": url(wanted.queue, current.queue),
        "dead_letter_queue_arn": wanted.dead_letter_queue_arn,
        "dead_letter_queue_url": url(wanted.dead_letter_queue, current.dead_letter_queue),
        "subscription_arn": subscriptions.get(wanted.queue_arn) or created.get(planning.subscription_name(wanted)),
        "topic_policy": topic.get("Policy"),
        "queue_policy": queue.get("Policy"),
        "dead_letter_queue_policy": dead_letter_queue.get("Policy"),
        "dispatcher_policy": policy.document(policy.dispatcher(wanted.scope, wanted.queue_arn, queue_key)),
        "job_policy": policy.document(policy.job(wanted.scope, wanted.buckets, wanted.bucket_kms_keys)),
        "key_policy_statements": {
            "topic": policy.topic_key(wanted.scope, wanted.buckets) if topic_key else [],
            "queue": policy.queue_key(wanted.topic_arn) if queue_key else [],
        },
        "notification_rules": [{**bucket, "topic_arn": wanted.topic_arn} for bucket in wanted.buckets],
    }
