# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy statements of the upload pipeline, for topic, queues, keys and the identities that use them.

Pure: from names to statements. Every Sid begins with ``SID_PREFIX``; that is how statements of ours are recognised in
a document that others write to as well. Sids are alphanumeric, the only form that IAM accepts.

The service principals ``s3.amazonaws.com`` and ``sns.amazonaws.com`` are the same in every partition; ARNs are not.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import PROBE_FILE_NAME

SID_PREFIX = "Gen3Uploads"
TOPIC_ACTIONS = ("sns:Publish",)
"""What S3 needs on the topic."""
TOPIC_OWNER_SID = "__default_statement_ID"
"""Sid of the statement that SNS gives to every new topic."""
IDENTITY_POLICY_LIMIT = 6144
"""Characters of a managed policy of IAM, white space not counted (IAM and STS quotas)."""

Statement = dict[str, Any]


def topic(scope: Scope, topic_arn: str, buckets: Sequence[Mapping[str, Any]],
          actions: Iterable[str] = TOPIC_ACTIONS) -> list[Statement]:
    """Let S3 publish events of ``buckets`` (name, account_id or None) to the topic: one statement for each account.

    ``aws:SourceAccount`` is the account of the bucket: a bucket's name alone could be taken over by a stranger after
    the bucket was deleted.
    """
    return [
        {
            "Sid": f"{SID_PREFIX}PublishFromS3{account}",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": sorted(set(actions)),
            "Resource": topic_arn,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": [scope.bucket_arn(name) for name in names]},
            },
        }
        for account, names in _by_account(scope, buckets).items()
    ]


def topic_owner(scope: Scope, topic_arn: str) -> Statement:
    """Let the topic's own account publish and subscribe, as SNS lets it with every new topic."""
    return {
        "Sid": TOPIC_OWNER_SID,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:ListSubscriptionsByTopic", "SNS:Publish", "SNS:Subscribe"],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": scope.account_id}},
    }


def queue(queue_arn: str, topic_arn: str) -> list[Statement]:
    """Let SNS send to a queue what was published to the one topic; a dead-letter queue needs the same."""
    return [
        {
            "Sid": f"{SID_PREFIX}SendFromSns",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["sqs:SendMessage"],
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
    ]


def topic_key(scope: Scope, buckets: Sequence[Mapping[str, Any]]) -> list[Statement]:
    """Let S3 use the KMS key of the topic. Belongs into the policy of that key, which the key's owner writes."""
    return [
        {
            "Sid": f"{SID_PREFIX}EncryptFromS3",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": list(_by_account(scope, buckets))}},
        }
    ]


def queue_key(topic_arn: str) -> list[Statement]:
    """Let SNS use the KMS key of the queues. Belongs into the policy of that key, which the key's owner writes."""
    return [
        {
            "Sid": f"{SID_PREFIX}EncryptFromSns",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
    ]


def dispatcher(scope: Scope, queue_arn: str, queue_kms_key: str | None = None) -> list[Statement]:
    """Let ssjdispatcher receive from the queue."""
    return _receive(scope, ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], queue_arn, queue_kms_key)


def queue_reader(scope: Scope, queue_arn: str, queue_kms_key: str | None = None) -> list[Statement]:
    """Let the event bridge receive from the queue, and keep a message while ssjdispatcher has no free Job slot."""
    return _receive(scope, ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"], queue_arn, queue_kms_key)


def job(scope: Scope, buckets: Sequence[Mapping[str, Any]], bucket_kms_keys: Iterable[str] = ()) -> list[Statement]:
    """Let the indexing Jobs read the objects; without buckets in S3 they need nothing."""
    objects = sorted(f"{scope.bucket_arn(bucket['name'])}/*" for bucket in buckets)
    reading = [_allow("ReadObjects", ["s3:GetObject"], objects)] if objects else []
    return reading + [
        _use_key(scope, f"DecryptObjects{number}", ["kms:Decrypt"], key)
        for number, key in enumerate(sorted(set(bucket_kms_keys)), start=1)
    ]


def bridge_to_topic(scope: Scope, topic_arn: str, topic_kms_key: str | None = None) -> list[Statement]:
    """Let the event bridge in front of MinIO publish to the topic."""
    return _bridge(scope, "sns:Publish", topic_arn, topic_kms_key)


def bridge_to_queue(scope: Scope, queue_arn: str, queue_kms_key: str | None = None) -> list[Statement]:
    """Let the event bridge in front of MinIO send to the queue, without a topic."""
    return _bridge(scope, "sqs:SendMessage", queue_arn, queue_kms_key)


def irsa_trust(scope: Scope, oidc_provider: str, service_accounts: Iterable[str]) -> list[Statement]:
    """Let ServiceAccounts (``namespace/name``) of a cluster of EKS take the role, by the cluster's OIDC provider.

    ``aud`` and ``sub`` are both compared, as AWS's own guide to IRSA does: without ``sub`` any pod of the cluster could take the role.
    """
    provider = oidc_provider.removeprefix("https://").rstrip("/")
    subjects = [f"system:serviceaccount:{name.replace('/', ':')}" for name in sorted(set(service_accounts))]
    return [{
        "Sid": f"{SID_PREFIX}TrustServiceAccounts",
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:{scope.partition}:iam::{scope.account_id}:oidc-provider/{provider}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{provider}:aud": "sts.amazonaws.com", f"{provider}:sub": subjects}},
    }]


def pod_identity_trust(service_accounts: Iterable[str]) -> list[Statement]:
    """Let EKS Pod Identity give the role to ServiceAccounts (``namespace/name``), whose names it puts into the session's tags.

    A statement for each, since two conditions of one statement would take any name with any namespace.
    """
    return [{
        "Sid": f"{SID_PREFIX}TrustPodIdentity{number}",
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {
            "aws:RequestTag/kubernetes-namespace": name.partition("/")[0], "aws:RequestTag/kubernetes-service-account": name.partition("/")[2]}},
    } for number, name in enumerate(sorted(set(service_accounts)), start=1)]


def operator(scope: Scope, topic_arn: str, queue_arn: str, dead_letter_queue_arn: str, bucket_arns: Iterable[str],
             topic_kms_key: str | None = None, queue_kms_key: str | None = None) -> list[Statement]:
    """Let an operator run the playbooks: every action that the modules use, on exactly these objects.

    Reindexing publishes to the topic, or on MinIO's route sqs to the queue, which takes the keys of the encrypted ones.
    """
    keys = [("EncryptForTopic", topic_kms_key), ("EncryptForQueue", queue_kms_key)]
    return [
        _allow("ManageTopic", [
            "sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource",
        ], topic_arn),
        # IAM knows no resource type for these three, so that any other Resource would deny them.
        _allow("ManageSubscription", [
            "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe",
        ], "*"),
        _allow("ManageQueues", [
            "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags",
            "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue",
        ], sorted([queue_arn, dead_letter_queue_arn])),
        _allow("ManageNotifications", [
            "s3:GetBucketNotification", "s3:ListBucket", "s3:PutBucketNotification",
        ], sorted(bucket_arns)),
        _allow("ProbeUploads", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"],
               [f"{arn}/*/{PROBE_FILE_NAME}*" for arn in sorted(bucket_arns)]),
        _allow("Reindex", "sns:Publish", topic_arn),
        _allow("ReindexByQueue", "sqs:SendMessage", queue_arn),
        _allow("Redrive", ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"], dead_letter_queue_arn),
        *(_use_key(scope, sid, ["kms:Decrypt", "kms:GenerateDataKey*"], key) for sid, key in keys if key),
    ]


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """Return a policy document made of ``statements`` alone."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def split(policy: Mapping[str, Any], limit: int = IDENTITY_POLICY_LIMIT) -> list[dict[str, Any]]:
    """Return documents of at most ``limit`` characters that together allow what ``policy`` does; the policy itself if it is one.

    Resources are dealt out one by one, which changes the meaning of no statement that allows. A statement that is longer by itself
    stays whole.
    """
    if size(policy) <= limit:
        return [dict(policy)]
    documents: list[dict[str, Any]] = []
    for statement in policy["Statement"]:
        resources = statement.get("Resource")
        is_divisible = isinstance(resources, list) and statement.get("Effect") == "Allow"
        for part in ([{**statement, "Resource": [resource]} for resource in resources] if is_divisible else [statement]):
            extended = _extended(documents[-1], part) if documents else None
            if extended and size(extended) <= limit:
                documents[-1] = extended
            else:
                documents.append({**policy, "Statement": [part]})
    return documents


def size(policy: Mapping[str, Any]) -> int:
    """Return the characters of a policy as IAM counts them."""
    return len("".join(json.dumps(policy, ensure_ascii=False).split()))


def _extended(policy: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``policy`` with ``part``, whose resources join those of the last statement where that is the same otherwise."""
    *before, last = policy["Statement"]
    if isinstance(last["Resource"], list) and {**last, "Resource": part["Resource"]} == part:
        return {**policy, "Statement": [*before, {**last, "Resource": last["Resource"] + part["Resource"]}]}
    return {**policy, "Statement": [*before, last, part]}


def _by_account(scope: Scope, buckets: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    names: dict[str, set[str]] = {}
    for bucket in buckets:
        names.setdefault(bucket.get("account_id") or scope.account_id, set()).add(bucket["name"])
    return {account: sorted(names[account]) for account in sorted(names)}


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> Statement:
    return {"Sid": SID_PREFIX + sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _receive(scope: Scope, actions: Sequence[str], queue_arn: str, queue_kms_key: str | None) -> list[Statement]:
    statements = [_allow("Receive", actions, queue_arn)]
    if queue_kms_key:
        statements.append(_use_key(scope, "DecryptQueue", ["kms:Decrypt"], queue_kms_key))
    return statements


def _bridge(scope: Scope, action: str, resource: str, kms_key: str | None) -> list[Statement]:
    statements = [_allow("Forward", [action], resource)]
    if kms_key:
        statements.append(_use_key(scope, "EncryptForwarded", ["kms:Decrypt", "kms:GenerateDataKey*"], kms_key))
    return statements


def _use_key(scope: Scope, sid: str, actions: list[str], key: str) -> Statement:
    """Allow KMS actions on a key given by id, alias or ARN.

    IAM does not resolve an alias in ``Resource``; an alias is matched by the condition ``kms:ResourceAliases``.
    """
    alias = re.search(r"(?:^|:)(alias/.+)$", key)
    if alias:
        return {**_allow(sid, actions, scope.arn("kms", "key/*")),
                "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias.group(1)}}}
    return _allow(sid, actions, key if key.startswith("arn:") else scope.arn("kms", f"key/{key}"))
