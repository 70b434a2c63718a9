# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converging what a MinIO server holds: observe all, plan all, apply.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._minio.api import Server
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import Connection, MinioError
from ansible_collections.gen3.uploads.plugins.module_utils._minio.plan import plan


def converge(connection: Connection, options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Converge the options of minio_resources and return its result, or raise MinioError."""
    server = Server(connection)
    try:
        changes = plan(server.observe(options), options)
    except ValueError as error:
        raise MinioError(str(error)) from error
    if not check_mode:
        for change in changes:
            getattr(server, change.operation)(**change.parameters)
    return outcome(changes)
