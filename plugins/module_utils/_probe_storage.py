# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a probe's object lies: Amazon S3 or MinIO.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Protocol

from ansible_collections.gen3.uploads.plugins.module_utils import _minio_info
from ansible_collections.gen3.uploads.plugins.module_utils._minio_client import Connection, MinioError, attempt
from ansible_collections.gen3.uploads.plugins.module_utils._probe import Target, events_waiting

try:
    from botocore.exceptions import BotoCoreError, ClientError

    AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
except ImportError:  # reported by AnsibleAWSModule
    AWS_ERRORS = ()

STORAGE_ERRORS = (*AWS_ERRORS, MinioError)


class Storage(Protocol):
    """What the hops do with objects; both may raise one of ``STORAGE_ERRORS``."""

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
        self._access_key, self._secret_key = options["access_key"], options["secret_key"]

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Put an object; return its version, None in a bucket without versions."""
        with attempt(f"put an object at {self._connection.url}"):
            return self._connection.s3.put_object(
                bucket_name=bucket, object_name=key, data=BytesIO(content), length=len(content)).version_id

    def remove(self, bucket: str, key: str, version: str | None) -> None:
        """Remove that version of an object."""
        with attempt(f"remove an object at {self._connection.url}"):
            self._connection.s3.remove_object(bucket_name=bucket, object_name=key, version_id=version)

    def target(self, name: str) -> Target:
        """Return what the server says of the target ``type/id``; may raise MinioError."""
        said = _minio_info.read(self._connection)["targets"]
        status = next((each["status"] for each in said if f"{each['type']}/{each['id']}" == name), None)
        return Target(name, status, self._waiting(name))

    def _waiting(self, name: str) -> int | None:
        token = metrics_token(self._access_key, self._secret_key, time.time())
        with attempt(f"read the metrics of MinIO at {self._connection.url}"):
            answer = self._connection.http.request(
                "GET", f"{self._connection.url}/minio/v2/metrics/cluster", headers={"Authorization": f"Bearer {token}"})
        return events_waiting(answer.data.decode(), name)


def metrics_token(access_key: str, secret_key: str, now: float) -> str:
    """Return a token for a quarter of an hour, as MinIO's metrics want it: a JSON Web Token (minio ``cmd/jwt.go``)."""
    claims = {"exp": int(now) + 900, "iss": "prometheus", "sub": access_key}
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS512", "typ": "JWT"}, claims))
    return b".".join((signed, _encoded(hmac.digest(secret_key.encode(), signed, "sha512")))).decode()


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")
