# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator asks of ssjdispatcher: the options of the module ssjdispatcher. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

S3, MINIO = "s3", "minio"

INDEXD_PASSWORD_FROM = (
    {"secret": "indexd-service-creds", "key": "{user}", "for_env": True},
    {"secret": "indexd-creds", "key": "creds.json", "format": "json", "path": ["user_db", "{user}"], "for_env": True},
)
"""Where gen3-helm and cloud-automation keep the passwords of indexd's users."""

METADATA_PASSWORD_FROM = (
    {"secret": "metadata-g3auto", "key": "metadata.env", "format": "dotenv", "path": ["ADMIN_LOGINS", "{user}"], "for_env": True},
)


@dataclass(frozen=True)
class Settings:
    """The options of the module ssjdispatcher, whose documentation says what each means; an empty text counts as not set."""

    state: str = "present"
    keep_queue: bool = False
    namespace: str = "default"
    deployment: str | None = None
    wait_timeout: int = 300
    queue_url: str | None = None
    reads_queue: bool | None = None
    queue_reader: str | None = None
    region: str | None = None
    buckets: Sequence[Mapping[str, Any]] = ()
    job_name: str = "indexing"
    image: str | None = None
    request_cpu: str | None = None
    request_memory: str | None = None
    deadline: int | None = None
    replace_pattern: bool = False
    replace_queue: bool = False
    minio_job_name: str = "indexing-minio"
    minio_image: str | None = None
    minio_endpoint_url: str | None = None
    minio_region: str = "us-east-1"
    minio_ca_certificate: str | None = None
    minio_credentials: str = "variables"
    minio_access_key_id: str | None = None
    minio_secret_access_key: str | None = field(default=None, repr=False)
    minio_secret_ref: Mapping[str, str] | None = None
    minio_check: bool = True
    indexd_url: str = "http://indexd-service/index"
    indexd_user: str | None = None
    indexd_password: str | None = field(default=None, repr=False)
    indexd_password_from: Any = INDEXD_PASSWORD_FROM
    metadata_url: str = "http://revproxy-service/mds"
    metadata_user: str | None = None
    metadata_password: str | None = field(default=None, repr=False)
    metadata_password_from: Any = METADATA_PASSWORD_FROM
    aws_credentials: str = "as_found"
    remove_aws_keys: bool = False
    irsa_role_arn: str | None = None
    irsa_job_role_arn: str | None = None
    aws_secret_ref: Mapping[str, str] | None = None
    aws_access_key_id: str | None = field(default=None, repr=False)
    aws_secret_access_key: str | None = field(default=None, repr=False)
    image_pull_secrets: Sequence[str] = ()
    bind_cluster_admin: bool = False
    overwrite_externally_managed: bool = False
    variable_names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Settings:
        """Return the settings that a module's parameters hold."""
        return cls(**{each.name: None if params[each.name] == "" else params[each.name] for each in fields(cls)})

    @property
    def present(self) -> bool:
        return self.state == "present"

    @property
    def storages(self) -> list[str]:
        """The storages of the buckets: ``s3``, ``minio``, or both."""
        return [storage for storage in (S3, MINIO) if self.buckets_of(storage)]

    @property
    def uses_aws(self) -> bool:
        """Tell whether the block AWS of credentials.json is this operator's to set: without a queue and a bucket on S3 it is not."""
        return bool(self.queue_url) or S3 in self.storages

    def buckets_of(self, storage: str) -> list[Mapping[str, Any]]:
        """Return the buckets of one storage; a bucket that names none is on Amazon S3."""
        return [bucket for bucket in self.buckets if bucket.get("storage", S3) == storage]

    def job_of(self, storage: str) -> str:
        """Return the name of the JOBS entry of a storage."""
        return self.minio_job_name if storage == MINIO else self.job_name


def problems(settings: Settings, prefix: str = "") -> Iterator[str]:
    """Yield a sentence for each option that is needed and not set; ``prefix`` is what the user's names of the options begin with."""
    if not settings.present:
        return
    needs = []
    if S3 in settings.storages:
        needs.append(("a bucket with storage s3", ["queue_url"]))
    if MINIO in settings.storages:
        keys = {"secret_ref": ["minio_secret_ref"], "variables": ["minio_access_key_id", "minio_secret_access_key"]}
        needs.append(("a bucket with storage minio", ["minio_endpoint_url", *keys[settings.minio_credentials]]))
    if settings.uses_aws:
        keys = {"secret_ref": ["region", "aws_secret_ref"], "variables": ["region", "aws_access_key_id", "aws_secret_access_key"]}
        needs.append((f"{prefix}aws_credentials: {settings.aws_credentials}", keys.get(settings.aws_credentials, [])))
    for what, names in needs:
        for name in names:
            if not getattr(settings, name):
                yield f"{prefix}{name} is not set, and {what} needs it."


def in_the_users_words(sentence: str, variable_names: Mapping[str, str]) -> str:
    """Return a sentence with each variable of the role called as the user has set it: option -> variable, for those that come from it."""
    return re.sub(r"\bssjdispatcher_(\w+)", lambda found: variable_names.get(found[1], found[0]), sentence)
