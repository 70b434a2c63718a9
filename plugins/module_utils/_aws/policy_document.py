# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy that options describe: those of the module upload_policy, and of the lookup policy. Pure.

They are documented in ``plugins/doc_fragments/policy.py``. Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope, is_account_id

OF_RESOURCES = ("topic", "queue", "topic_key", "queue_key", "irsa_trust", "pod_identity_trust")
"""The kinds that belong to a topic, queue, key or role, which takes one document."""

OPTIONS: dict[str, dict[str, Any]] = dict(
    kind=dict(type="str", required=True, choices=[
        "topic", "queue", "topic_key", "queue_key", "dispatcher", "job", "bridge_to_topic", "bridge_to_queue", "queue_reader", "operator",
        "irsa_trust", "pod_identity_trust",
    ]),
    region=dict(type="str", required=True),
    account_id=dict(type="str", required=True),
    topic=dict(type="str"),
    queue=dict(type="str"),
    dead_letter_queue=dict(type="str"),
    buckets=dict(type="list", elements="dict", default=[], options=dict(
        name=dict(type="str", required=True),
        account_id=dict(type="str"),
    )),
    topic_actions=dict(type="list", elements="str", default=list(policy.TOPIC_ACTIONS)),
    topic_kms_key=dict(type="str", no_log=False),
    queue_kms_key=dict(type="str", no_log=False),
    bucket_kms_keys=dict(type="list", elements="str", default=[], no_log=False),
    service_accounts=dict(type="list", elements="str", default=[]),
    oidc_provider=dict(type="str"),
)
REQUIRED_IF = [
    *(("kind", kind, ["topic"]) for kind in ("topic", "queue", "queue_key", "bridge_to_topic", "operator")),
    *(("kind", kind, ["queue"]) for kind in ("queue", "dispatcher", "bridge_to_queue", "queue_reader", "operator")),
    ("kind", "irsa_trust", ["oidc_provider"]),
]


def problems(options: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the options beside their types, in sentences."""
    accounts = [options["account_id"], *(bucket["account_id"] for bucket in options["buckets"])]
    found = [f"{account} is not a 12-digit account number; put it in quotes to keep a leading zero."
             for account in accounts if account and not is_account_id(account)]
    found += [f"service_accounts has {name}, which is not NAMESPACE/NAME." for name in options["service_accounts"]
              if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+", name)]
    if options["kind"] in ("irsa_trust", "pod_identity_trust") and not options["service_accounts"]:
        found.append(f"{options['kind']} needs service_accounts: without them nobody could take the role.")
    return found


def statements(options: Mapping[str, Any]) -> list[policy.Statement]:
    """Return the statements that the options describe."""
    scope = Scope(options["region"], options["account_id"])
    topic_arn = scope.arn("sns", options["topic"])
    queue_arn = scope.arn("sqs", options["queue"])
    buckets = options["buckets"]
    dead_letter_queue = options["dead_letter_queue"] or f"{options['queue']}-dlq"
    generators = {
        "topic": lambda: policy.topic(scope, topic_arn, buckets, options["topic_actions"]),
        "queue": lambda: policy.queue(queue_arn, topic_arn),
        "topic_key": lambda: policy.topic_key(scope, buckets),
        "queue_key": lambda: policy.queue_key(topic_arn),
        "dispatcher": lambda: policy.dispatcher(scope, queue_arn, options["queue_kms_key"]),
        "queue_reader": lambda: policy.queue_reader(scope, queue_arn, options["queue_kms_key"]),
        "job": lambda: policy.job(scope, buckets, options["bucket_kms_keys"]),
        "bridge_to_topic": lambda: policy.bridge_to_topic(scope, topic_arn, options["topic_kms_key"]),
        "bridge_to_queue": lambda: policy.bridge_to_queue(scope, queue_arn, options["queue_kms_key"]),
        "operator": lambda: policy.operator(
            scope, topic_arn, queue_arn, scope.arn("sqs", dead_letter_queue), [scope.bucket_arn(bucket["name"]) for bucket in buckets],
            options["topic_kms_key"], options["queue_kms_key"]),
        "irsa_trust": lambda: policy.irsa_trust(scope, options["oidc_provider"], options["service_accounts"]),
        "pod_identity_trust": lambda: policy.pod_identity_trust(options["service_accounts"]),
    }
    return generators[options["kind"]]()
