# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converging what a MinIO server holds: observe all, plan all, apply.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change, outcome
from ansible_collections.gen3.uploads.plugins.module_utils._minio.api import Server
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import Connection
from ansible_collections.gen3.uploads.plugins.module_utils._minio.model import Current
from ansible_collections.gen3.uploads.plugins.module_utils._minio.plan import plan, rules, senders, warnings


def converge(connection: Connection, options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Converge the options of minio_resources and return its result, or raise MinioError."""
    server = Server(connection)
    current = server.observe(options)
    changes = plan(current, options)
    sentences = warnings(current, changes)
    if not check_mode:
        changes = [made for change in changes if (made := _apply(server, change, current, options))]
    left = [name for name in senders(current, options) if name not in (options["remove_target_from"] or current.buckets)]
    return {**outcome(changes), "senders": left, "warnings": sentences}


def _apply(server: Server, change: Change, current: Current, options: Mapping[str, Any]) -> Change | None:
    """Make a change and return it, as far as it is still due.

    A bucket's rules are written as a whole, so they are read and planned again right before: others may have set theirs meanwhile.
    """
    if change.operation == "put_rules":
        bucket = change.parameters["bucket"]
        now = {**current.buckets.get(bucket, {}), "rules": server.rules(bucket)}
        again = rules(replace(current, buckets={**current.buckets, bucket: now}), options)
        change = next((each for each in again if each.parameters["bucket"] == bucket), None)
    if change:
        getattr(server, change.operation)(**change.parameters)
    return change
