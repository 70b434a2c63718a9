# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the ``uploads_*`` variables: which parts a pipeline has, and what each role is given. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

TARGET = "webhook/GEN3"
"""The notification target with which MinIO sends its events to the bridge."""

INDEXER = "gen3-indexer"
FENCE = "gen3-fence"
"""Policies on MinIO: what the Jobs may do, and what fence may do."""


def settings(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the playbooks do and hand to the roles; no secret is among it.

    ``variables`` are, without their prefix, ``buckets``, ``selected_bucket``, ``object``, ``minio_route``, ``minio_endpoint_url``,
    ``queue_reader`` and ``bridge_location``; ``manage_server`` tells whether the role minio runs the server, and ``plan`` is the result
    of the role aws_messaging's preflight, empty before that.

    ``bucket`` describes the one that a playbook is about, and ``all_buckets`` what looks at the whole pipeline, in the same keys.
    ``channel`` has the ARNs and URLs of topic and queues, and is empty without AWS.
    """
    buckets = variables["buckets"]
    route, with_minio = variables["minio_route"], any(bucket["storage"] == "minio" for bucket in buckets)
    aws = with_aws(buckets, route)
    return {
        "with_minio": with_minio,
        "with_aws": aws,
        "with_queue_reader": aws and variables["queue_reader"] == "event_bridge",
        # None leaves the reader of the queue as it is.
        "dispatcher_reads_queue": {"ssjdispatcher": True, "event_bridge": False}.get(variables["queue_reader"]),
        "on_node": bool(variables["manage_server"]) or variables["bridge_location"] == "node",
        "channel": variables["plan"]["channels"][0] if aws and variables["plan"].get("channels") else {},
        # The queue's tag tells a later run with another inventory that this server still needs the channel.
        "senders": [variables["minio_endpoint_url"]] if with_minio and route != "dispatcher" else [],
        "s3_buckets": [_only(bucket, ("name", "account_id", "prefix", "suffix", "id", "take_over"))
                       for bucket in buckets if bucket["storage"] == "s3"],
        "minio_buckets": [_on_minio(bucket) for bucket in buckets if bucket["storage"] == "minio"],
        "dispatcher_buckets": [_only(bucket, ("name", "storage", "prefix", "suffix")) for bucket in buckets],
        "bucket": _selected(buckets, variables["selected_bucket"], variables["object"], route),
        "all_buckets": {"name": buckets[0]["name"], "storage": "minio" if with_minio else "s3", "needs_aws": aws},
    }


def with_aws(buckets: Iterable[Mapping[str, Any]], minio_route: str) -> bool:
    """Return whether anything of the pipeline is on AWS."""
    storages = {bucket["storage"] for bucket in buckets}
    return "s3" in storages or bool(storages) and minio_route != "dispatcher"


def minio_policies(policies: Iterable[Mapping[str, Any]], buckets: Iterable[Mapping[str, Any]], fence: bool) -> list[Mapping[str, Any]]:
    """Return the policies on MinIO, with those of the Jobs and, if it uploads, of fence for the ``buckets`` of the pipeline."""
    names = [bucket["name"] for bucket in buckets]
    own = [{"name": INDEXER, "grant": "indexer", "buckets": names}, {"name": FENCE, "grant": "fence", "buckets": names}]
    return [*policies, *own[:2 if fence else 1]]


def minio_users(users: Iterable[Mapping[str, Any]], indexer: Sequence[str | None], fence: Sequence[str | None]) -> list[Mapping[str, Any]]:
    """Return the users on MinIO, with those of the Jobs and, if it has a secret, of fence: each is given as its name and its secret."""
    own = [(*indexer, INDEXER), *([(*fence, FENCE)] if fence[1] else [])]
    return [*users, *({"name": name, "secret": secret, "policies": [policy]} for name, secret, policy in own)]


def _on_minio(bucket: Mapping[str, Any]) -> dict[str, Any]:
    return {**_only(bucket, ("name", "versioning", "object_lock", "quota")),
            "notifications": [{"target": TARGET, **_only(bucket, ("id", "prefix", "suffix", "take_over"))}]}


def _selected(buckets: Sequence[Mapping[str, Any]], selected: str | None, an_object: str | None, minio_route: str) -> dict[str, Any]:
    """Return the bucket that is selected, that of the object's URL, or the first; ``is_known`` tells whether it is one of ``buckets``."""
    in_url = re.match("s3://([^/]+)", an_object or "")
    name = selected or (in_url and in_url[1]) or buckets[0]["name"]
    found = next((bucket for bucket in buckets if bucket["name"] == name), {})
    route = minio_route if found.get("storage") == "minio" else "sns"
    return {"name": name, "is_known": bool(found), "storage": found.get("storage"), "route": route, "needs_aws": route != "dispatcher",
            "prefix": found.get("prefix") or "", "suffix": found.get("suffix") or ""}


def _only(bucket: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: bucket[key] for key in keys if bucket.get(key) is not None}
