# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MinIO server says of itself.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import Connection, error_context


def read(connection: Connection, count_waiting: bool = False) -> dict[str, Any]:
    """Return the result of minio_info, or raise MinioError."""
    with error_context(f"read the state of MinIO at {connection.url}"):
        info = json.loads(connection.admin.info())
        health = connection.http.request("GET", f"{connection.url}/minio/health/cluster")
    metrics = _metrics(connection) if count_waiting else ""
    return {"changed": False, **summary(info, metrics), "healthy": health.status == 200}


def summary(info: Mapping[str, Any], metrics: str = "") -> dict[str, Any]:
    """Return what matters of the server's own account and of its metrics, if they were read. Pure."""
    statuses = {(kind, identifier): state.get("status", "unknown")
                for entry in (info.get("services") or {}).get("notifications") or []
                for kind, targets in entry.items() for target in targets for identifier, state in target.items()}
    targets = []
    for arn in sorted(info.get("sqsARN") or []):
        identifier, kind = arn.split(":")[4:6]
        targets.append({"arn": arn, "id": identifier, "type": kind,
                        "status": statuses.get((kind, identifier), "unknown"),
                        "waiting": events_waiting(metrics, kind, identifier)})
    return {
        "version": next((server.get("version") for server in info.get("servers") or []), None),
        "region": info.get("region") or "",
        "deployment_id": info.get("deploymentID"),
        "target_arns": [target["arn"] for target in targets],
        "targets": targets,
    }


def events_waiting(metrics: str, kind: str, identifier: str) -> int | None:
    """Return how many events wait for a target on all of MinIO's nodes, by its metrics; None if they do not say.

    The metric: minio ``cmd/metrics-v2.go``.
    """
    labels = {f'target_id="{identifier}"', f'target_name="{kind}"'}
    found = [float(value) for named, value in re.findall(r"^minio_notify_target_queue_length{(.*)} (\S+)$", metrics, re.MULTILINE)
             if labels <= set(named.split(","))]
    return int(sum(found)) if found else None


def metrics_token(access_key: str, secret_key: str, now: float) -> str:
    """Return a token for a quarter of an hour, as MinIO's metrics want it: a JSON Web Token (minio ``cmd/jwt.go``)."""
    claims = {"exp": int(now) + 900, "iss": "prometheus", "sub": access_key}
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS512", "typ": "JWT"}, claims))
    return b".".join((signed, _encoded(hmac.digest(secret_key.encode(), signed, "sha512")))).decode()


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def _metrics(connection: Connection) -> str:
    """Return the server's metrics, at most 10 seconds old (minio ``cmd/metrics-v2.go``), or raise MinioError."""
    token = metrics_token(connection.credentials.access_key, connection.credentials.secret_key, time.time())
    with error_context(f"read the metrics of MinIO at {connection.url}"):
        response = connection.http.request(
            "GET", f"{connection.url}/minio/v2/metrics/cluster", headers={"Authorization": f"Bearer {token}"})
    return response.data.decode()
