# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects around ssjdispatcher as the API server has them.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube, list_if_allowed
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import Owner, owners, targets
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.deployment import FLAVOURS


class Cluster:
    """The objects of a cluster, each read at most once."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace
        self.get = lru_cache(maxsize=None)(kube.get)
        self.list = lru_cache(maxsize=None)(kube.list)

    def find_deployment(self, name: str | None) -> Mapping[str, Any] | None:
        """Return the Deployment of that name, or the first under one of the usual names."""
        found = (self.get("Deployment", each, self.namespace) for each in ([name] if name else FLAVOURS))
        return next(filter(None, found), None)

    def config_map(self, name: str) -> Mapping[str, Any] | None:
        return self.get("ConfigMap", name, self.namespace)

    def secret(self, name: str, namespace: str | None) -> Mapping[str, Any] | None:
        return self.get("Secret", name, namespace or self.namespace)

    def owners(self, kind: str, name: str, namespace: str, key: str | None = None) -> list[Owner]:
        """Return who else writes to an object, or to a key of it; an ExternalSecret claims its Secret before that exists."""
        # Where one may not see ExternalSecrets, the owner references tell who manages the Secret.
        claims = list_if_allowed(self, "ExternalSecret", namespace) if kind == "Secret" else []
        return owners(self.get(kind, name, namespace), [claim for claim in claims if targets(claim, name, key)], key)
