# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a probe's object lies: Amazon S3 or MinIO.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Protocol

from ansible_collections.gen3.uploads.plugins.module_utils._minio import info as _minio_info
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import Connection, MinioError, error_context
from ansible_collections.gen3.uploads.plugins.module_utils._probe.model import Target

try:
    from botocore.exceptions import BotoCoreError, ClientError

    AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
except ImportError:  # reported by AnsibleAWSModule
    AWS_ERRORS = ()

STORAGE_ERRORS = (*AWS_ERRORS, MinioError)


class Storage(Protocol):
    """What the steps do with objects; both may raise one of ``STORAGE_ERRORS``."""

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Put an object; return its version, None in a bucket without versions."""

    def remove(self, bucket: str, key: str, version: str | None) -> None:
        """Remove that version of an object."""


class AmazonS3:
    """Objects in Amazon S3; ``client`` makes a client of AWS by its name."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Put an object; return its version, None in a bucket without versions."""
        return self._client("s3").put_object(Bucket=bucket, Key=key, Body=content).get("VersionId")

    def remove(self, bucket: str, key: str, version: str | None) -> None:
        """Remove that version of an object."""
        self._client("s3").delete_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))


class MinioServer:
    """Objects on a MinIO server, and what it says of its notification targets; ``options`` as _minio_client.CONNECTION."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._connection = Connection(options)

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Put an object; return its version, None in a bucket without versions."""
        with error_context(f"put an object at {self._connection.url}"):
            return self._connection.s3.put_object(
                bucket_name=bucket, object_name=key, data=BytesIO(content), length=len(content)).version_id

    def remove(self, bucket: str, key: str, version: str | None) -> None:
        """Remove that version of an object."""
        with error_context(f"remove an object at {self._connection.url}"):
            self._connection.s3.remove_object(bucket_name=bucket, object_name=key, version_id=version)

    def target(self, name: str) -> Target:
        """Return what the server says of the target ``type/id``; may raise MinioError."""
        said = _minio_info.read(self._connection, count_waiting=True)["targets"]
        found = next((each for each in said if f"{each['type']}/{each['id']}" == name), {})
        return Target(name, found.get("status"), found.get("waiting"))
