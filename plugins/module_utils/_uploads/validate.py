# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``uploads_*`` variables must have beside their types, in the words of the one who sets them. Pure.

No sentence quotes the value of a variable that may be a secret.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._minio import addresses
from ansible_collections.gen3.uploads.plugins.module_utils._minio.validate import login_problems
from ansible_collections.gen3.uploads.plugins.module_utils._uploads.settings import with_aws

TEXTS = (
    "uploads_aws_access_key_id", "uploads_aws_secret_access_key", "uploads_bridge_aws_access_key_id",
    "uploads_bridge_aws_secret_access_key", "uploads_bridge_token", "uploads_fence_aws_access_key_id",
    "uploads_fence_aws_secret_access_key", "uploads_fence_secret", "uploads_fence_user", "uploads_indexd_password",
    "uploads_indexd_user", "uploads_metadata_password", "uploads_metadata_user", "uploads_minio_indexer_secret",
    "uploads_minio_indexer_user", "uploads_queue", "uploads_queue_reader_aws_access_key_id", "uploads_queue_reader_aws_secret_access_key",
    "uploads_queue_reader_service_account", "uploads_topic")
"""Variables whose text may look like a number: YAML reads ``0123456701`` as an octal number and ``1e5`` as 100000.0."""

CREDENTIALS = {
    "secret_ref": ("uploads_aws_secret_ref",),
    "variables": ("uploads_aws_access_key_id", "uploads_aws_secret_access_key"),
}
"""What a value of uploads_aws_credentials needs."""

FOR_MINIO = {
    "uploads_minio_endpoint_url": "MinIO's address as the cluster's Jobs reach it, such as https://minio.example.org:9000",
    "uploads_bridge_token": "the token with which MinIO and the bridge know each other, for instance from `openssl rand -hex 32`",
    "uploads_minio_indexer_secret": "the secret of the MinIO user with which the Jobs read the objects",
}
"""What a bucket on MinIO needs, and what that is."""

MADE_BY_THE_PLAYBOOKS = {
    "minio_buckets": "uploads_buckets",
    "minio_notification_targets": "uploads_minio_targets",
    "minio_policies": "uploads_minio_policies",
    "minio_region": "uploads_minio_region",
    "minio_users": "uploads_minio_users",
}
"""Role variable -> the variable of the playbooks that it is made from; what the playbooks set wins over the inventory."""


def problems(variables: Mapping[str, Any], minio_hosts: Sequence[str], minio_host_variables: Sequence[str],
             is_file: Callable[[str], bool]) -> list[str]:
    """Return what keeps the playbooks from doing their work, in sentences; empty where nothing does.

    ``variables`` are the ``uploads_*`` that are set, of the right types where check.yml has a type for them; ``minio_hosts`` is
    the inventory's group minio, and ``minio_host_variables`` the names of its host's variables.
    """
    buckets = variables["uploads_buckets"]
    found = [*_texts(variables), *_buckets(buckets), *_aws(variables)]
    if any(bucket["storage"] == "minio" for bucket in buckets):
        found += _minio(variables, minio_hosts, minio_host_variables, is_file)
    return found


def _texts(variables: Mapping[str, Any]) -> list[str]:
    return [f"{name} is read by YAML as a number and not as it was written: put it into quotes."
            for name in TEXTS if isinstance(variables.get(name), (int, float))]


def _buckets(buckets: Sequence[Mapping[str, Any]]) -> list[str]:
    if not buckets:
        return ["uploads_buckets must name at least one bucket."]
    counts = Counter(bucket["name"] for bucket in buckets)
    return [*(f"uploads_buckets names the bucket {name} {count} times: each must be there only once."
              for name, count in counts.items() if count > 1),
            *(f"{key} of uploads_buckets[{position}] is read by YAML as a number and not as it was written: put it into quotes."
              for position, bucket in enumerate(buckets) for key in ("name", "prefix", "suffix", "id")
              if isinstance(bucket.get(key), (int, float)))]


def _aws(variables: Mapping[str, Any]) -> list[str]:
    through_the_bridge = variables.get("uploads_queue_reader") == "event_bridge"
    if not with_aws(variables["uploads_buckets"], variables.get("uploads_minio_route", "sns")):
        return ["uploads_queue_reader is event_bridge, but nothing here goes through a queue: leave it out."] if through_the_bridge else []
    found = []
    keys = ("uploads_queue_reader_aws_access_key_id", "uploads_queue_reader_aws_secret_access_key")
    if through_the_bridge and len(unset := [name for name in keys if not variables.get(name)]) == 1:
        found.append(f"Set {unset[0]} too, or neither of the two where the reader's ServiceAccount has a role in AWS.")
    if not variables.get("uploads_region"):
        found.append("Set uploads_region to the region of topic, queue and buckets, such as us-east-1.")
    choice = variables.get("uploads_aws_credentials")
    missing = [name for name in CREDENTIALS.get(choice, ()) if not variables.get(name)]
    if missing:
        found.append(f"Set {' and '.join(missing)} too: uploads_aws_credentials is {choice}.")
    return found


def _minio(variables: Mapping[str, Any], hosts: Sequence[str], host_variables: Sequence[str],
           is_file: Callable[[str], bool]) -> list[str]:
    found = []
    if len(hosts) != 1:
        found.append(f"A bucket with storage minio needs one host in the inventory's group minio, which has {len(hosts)}.")
    found += [f"Set {name}, {meaning}." for name, meaning in FOR_MINIO.items() if not variables.get(name)]
    location = variables.get("uploads_bridge_location") or ("cluster" if variables.get("uploads_minio_route") == "dispatcher" else "node")
    if location == "cluster" and not variables.get("uploads_bridge_url"):
        found.append("Set uploads_bridge_url to the address at which MinIO reaches the bridge in the cluster, such as "
                     "https://node.example.org:30443/events.")
    found += login_problems(variables.get("uploads_minio_users") or [], [], "uploads_minio_users")
    # MinIO reads it, and one address that it cannot read takes all its targets away.
    bridge_url = variables.get("uploads_bridge_url")
    if bridge_url and (problem := addresses.url_problem(str(bridge_url), ("http", "https"))):
        found.append(f"uploads_bridge_url {problem}.")
    ca_file = variables.get("uploads_minio_ca_file")
    if ca_file and not is_file(ca_file):
        found.append(f"There is no file {ca_file}, which uploads_minio_ca_file names. Where the role minio makes the authority "
                     "itself (minio_tls private_ca), run that role once before.")
    without_effect = [name for name in MADE_BY_THE_PLAYBOOKS if name in host_variables]
    if without_effect:
        found.append(f"{', '.join(without_effect)} would have no effect, as the playbooks make that themselves: set "
                     f"{', '.join(MADE_BY_THE_PLAYBOOKS[name] for name in without_effect)} instead.")
    return found
