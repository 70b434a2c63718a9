# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MinIO server says of itself.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._minio_client import Connection, attempt


def read(connection: Connection) -> dict[str, Any]:
    """Return the result of minio_info, or raise MinioError."""
    with attempt(f"read the state of MinIO at {connection.url}"):
        said = json.loads(connection.admin.info())
        health = connection.http.request("GET", f"{connection.url}/minio/health/cluster")
    return {"changed": False, **summary(said), "healthy": health.status == 200}


def summary(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what matters of the server's own account. Pure."""
    statuses = {(kind, identifier): state.get("status", "unknown")
                for entry in (said.get("services") or {}).get("notifications") or []
                for kind, targets in entry.items() for target in targets for identifier, state in target.items()}
    targets = []
    for arn in sorted(said.get("sqsARN") or []):
        identifier, kind = arn.split(":")[4:6]
        targets.append({"arn": arn, "id": identifier, "type": kind,
                        "status": statuses.get((kind, identifier), "unknown")})
    return {
        "version": next((server.get("version") for server in said.get("servers") or []), None),
        "region": said.get("region") or "",
        "deployment_id": said.get("deploymentID"),
        "target_arns": [target["arn"] for target in targets],
        "targets": targets,
    }
