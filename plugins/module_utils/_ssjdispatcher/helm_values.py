# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of gen3-helm's chart with which an upgrade leaves ssjdispatcher's configuration alone. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.own_secret import OWN_SECRET

WRITTEN_ANEW = ("helm", "flux-helm", "argocd")
"""Owners of a Secret or ConfigMap that write it anew from the chart."""


def advice(owners: Sequence[Mapping[str, Any]], image: str | None) -> dict[str, Any] | None:
    """Return the values, or None where no chart writes the documents; ``owners`` as in the result ``installation``."""
    if not any(owner["kind"] in ("Secret", "ConfigMap") and owner["manager"] in WRITTEN_ANEW for owner in owners):
        return None
    volume = {"name": "ssjdispatcher-creds-volume", "secret": {"secretName": OWN_SECRET}}
    return {"ssjdispatcher": {**({"indexing": image} if image else {}), "volumes": [volume]}}
