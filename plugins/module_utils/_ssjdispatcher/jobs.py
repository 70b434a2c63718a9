# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shall become of credentials.json and job_images so that ssjdispatcher indexes an operator's buckets. Pure.

Values from Secrets, and those of the options that Ansible never shows, are references here (``value_from``); they are fetched where
the documents are planned.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._k8s.env_value import escape
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import patterns
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.aws_credentials import KEYS
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.rbac import Access
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.settings import MINIO, S3, Settings
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import Bucket

STOCK_IMAGE = "quay.io/cdis/indexs3client:2025.12"
"""The image of an entry for Amazon S3 where neither the operator nor job_images names one."""

DEFAULT_REQUESTS = {"RequestCPU": "500m", "RequestMem": "0.5Gi"}

SENSITIVE = ("indexd_password", "metadata_password", "minio_secret_access_key", *KEYS)
"""The settings that are secret."""


def no_queue(region: str | None) -> str:
    """Return the URL that stands for no queue: ssjdispatcher does not start without one."""
    return f"https://sqs.{region or 'us-east-1'}.amazonaws.com/000000000000/unused"


def expected_buckets(settings: Settings) -> list[Bucket]:
    """Return the buckets with the JOBS entry that shall take their uploads."""
    if not settings.present:
        return []
    return [
        Bucket(bucket["name"], storage, settings.job_of(storage), bucket.get("prefix") or "", bucket.get("suffix") or "")
        for storage in (S3, MINIO) for bucket in settings.buckets_of(storage)
    ]


def access(settings: Settings) -> Access:
    """Return the rights that ssjdispatcher and its Jobs shall have."""
    reads_secret = MINIO in settings.storages and settings.minio_credentials == "secret_ref" and settings.minio_secret_ref
    return Access(
        role_arn=settings.irsa_role_arn,
        job_role_arn=settings.irsa_job_role_arn,
        image_pull_secrets=settings.image_pull_secrets,
        bind_cluster_admin=settings.bind_cluster_admin,
        job_secret=settings.minio_secret_ref["name"] if reads_secret else None,
    )


def sensitive_values(settings: Settings) -> dict[str, str]:
    """Return the secret settings that are set, by their names."""
    return {name: value for name in SENSITIVE if (value := getattr(settings, name))}


def credentials_changes(settings: Settings) -> dict[str, Any]:
    """Return ``defaults`` (for what the document lacks), ``merge`` and ``remove`` for credentials.json.

    A removal is a path; or a mapping of ``path`` and ``value``, which removes it only where it has this value, and with ``instead`` writes
    that in its place as long as anything else is left; or of ``path`` and ``last``, which removes it only if nothing else is left in a
    document that this collection created; or with ``former``, of which only the former value is put back. None of a mapping's happens
    while one of the entries ``unless`` is left.
    """
    if not settings.present:
        return {"defaults": {}, "merge": {}, "remove": _withdrawn_from_credentials(settings)}
    merge: dict[str, Any] = {"AWS": _aws(settings)} if settings.uses_aws else {}
    merge["SQS"] = _set(url=no_queue(settings.region) if settings.reads_queue is False else settings.queue_url)
    merge["JOBS"] = [_entry(settings, storage) for storage in settings.storages]
    keys = [f"AWS.{key}" for key in KEYS] if settings.uses_aws and settings.remove_aws_keys else []
    return {
        "defaults": {
            "SQS": {"url": no_queue(settings.region)},
            "JOBS": [{"name": settings.job_of(storage), **DEFAULT_REQUESTS} for storage in settings.storages],
        },
        "merge": merge,
        "remove": keys + (_stale_minio_part(settings) if MINIO in settings.storages else []),
    }


def images_changes(settings: Settings) -> dict[str, Any]:
    """Return ``defaults``, ``merge`` and ``remove`` for job_images."""
    images = {S3: settings.image, MINIO: settings.minio_image}
    if not settings.present:
        removals: list[dict[str, Any]] = []
        for storage in settings.storages or (S3, MINIO):
            path = [settings.job_of(storage)]
            removals += [{"path": path, "value": images[storage]}, {"path": path, "last": True}, {"path": path, "former": True}]
        return {"defaults": {}, "merge": {}, "remove": removals}
    return {
        "defaults": {settings.job_name: STOCK_IMAGE} if S3 in settings.storages else {},
        "merge": {settings.job_of(storage): images[storage] for storage in settings.storages if images[storage]},
        "remove": [],
    }


def minio_part(settings: Settings, *, by_value: bool = False) -> dict[str, Any]:
    """Return how the image of the role indexer_image is told where MinIO is; ``by_value`` with the secret itself."""
    if settings.minio_credentials == "secret_ref":
        keys: dict[str, Any] = {"secret_ref": dict(settings.minio_secret_ref or {})}
    else:
        secret = settings.minio_secret_access_key if by_value else _given("minio_secret_access_key", for_env=True)
        # The access key id is the name of a user and no secret.
        user = settings.minio_access_key_id
        keys = {"access_key_id": user if by_value or not user else escape(user), "secret_access_key": secret}
    return _set(endpoint_url=settings.minio_endpoint_url, region=settings.minio_region, ca_bundle=settings.minio_ca_certificate) | keys


def _entry(settings: Settings, storage: str) -> dict[str, Any]:
    """Return the JOBS entry of a storage."""
    config = _set(
        url=settings.indexd_url,
        username=settings.indexd_user,
        password=_password("indexd_password", settings.indexd_password, settings.indexd_password_from),
        metadataService=_set(
            url=settings.metadata_url,
            username=settings.metadata_user,
            password=_password("metadata_password", settings.metadata_password, settings.metadata_password_from),
        ),
    )
    if storage == MINIO:
        config["s3"] = minio_part(settings)
    pattern = patterns.for_buckets(settings.buckets_of(storage))
    return {"name": settings.job_of(storage), "pattern": pattern, "imageConfig": config,
            **_set(RequestCPU=settings.request_cpu, RequestMem=settings.request_memory, DeadLine=settings.deadline)}


def _password(name: str, value: str | None, sources: Any) -> dict[str, Any]:
    return {"value_from": [{"sensitive": name, "for_env": True}] if value else sources}


def _given(name: str, **options: Any) -> dict[str, Any]:
    return {"value_from": {"sensitive": name, **options}}


def _aws(settings: Settings) -> dict[str, Any]:
    """Return the block AWS: the region, and the keys where the operator gives some."""
    return _set(region=settings.region) | _aws_keys(settings)


def _aws_keys(settings: Settings) -> dict[str, Any]:
    if settings.aws_credentials == "variables":
        return {name: _given(name) for name in KEYS}
    reference = settings.aws_secret_ref
    if settings.aws_credentials != "secret_ref" or not reference:
        return {}
    location = {"secret": reference["name"], "namespace": reference.get("namespace") or settings.namespace}
    return {name: {"value_from": {**location, "key": reference.get(f"{name.removeprefix('aws_')}_key") or name}} for name in KEYS}


def _stale_minio_part(settings: Settings) -> list[list[Any]]:
    """Return the paths of what an earlier run with other credentials, or with a certificate, has written."""
    stale = ["secret_ref"] if settings.minio_credentials == "variables" else ["access_key_id", "secret_access_key"]
    stale += [] if settings.minio_ca_certificate else ["ca_bundle"]
    return [["JOBS", {"name": settings.minio_job_name}, "imageConfig", "s3", name] for name in stale]


def _withdrawn_from_credentials(settings: Settings) -> list[Any]:
    """Return what a removal takes out; without buckets, the entries of both storages."""
    unused = no_queue(settings.region)
    urls = [settings.queue_url, unused] if settings.queue_url else [unused]
    of_the_queue = [
        *({"path": "SQS.url", "value": url, "instead": unused} for url in urls),
        *({"path": f"AWS.{name}", "value": value} for name, value in _aws_keys(settings).items()),
        {"path": "AWS", "last": True},
        *_changed_aws(settings),
    ]
    needed_by = [settings.job_name, settings.minio_job_name] if settings.keep_queue else []
    return [
        *({**removal, "unless": needed_by} for removal in of_the_queue),
        *(["JOBS", {"name": settings.job_of(storage)}] for storage in settings.storages or (S3, MINIO)),
    ]


def _changed_aws(settings: Settings) -> list[dict[str, Any]]:
    """Return what is put back in the block AWS, and never removed: the region, and keys that were removed."""
    if not settings.uses_aws:
        return []
    region = [{"path": "AWS.region", "value": settings.region, "former": True}] if settings.region else []
    return [*region, *({"path": f"AWS.{name}", "value": None, "former": True} for name in KEYS)]


def _set(**values: Any) -> dict[str, Any]:
    """Return the values that are set."""
    return {name: value for name, value in values.items() if value is not None}
