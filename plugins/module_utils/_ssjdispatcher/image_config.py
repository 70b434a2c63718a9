# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Jobs are given of the services: addresses, users and passwords.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.env_value import unescape
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import INDEXING, Job, read_jobs


class ImageConfigError(UploadsError):
    """There is none: one sentence, and what to do."""

    def __init__(self, message: str, advice: str = "Run site.yml first.") -> None:
        super().__init__(message)
        self.advice = advice


def read_image_config(kube: Kube, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the ``imageConfig`` of the entry ``job_name`` in the key ``configuration_key`` of the Secret ``configuration_secret``.

    The same as the Job gets through its environment, so that a password that has gone stale shows. Raises ImageConfigError or KubeError.
    """
    where, jobs = read_entries(kube, params)
    configs = {job.name: job.fields.get("imageconfig") for job in jobs}
    # In a Secret of our own one entry takes both storages.
    for entry in (params["job_name"], INDEXING):
        if isinstance(configs.get(entry), Mapping):
            return json.loads(unescape(json.dumps(configs[entry])))
    raise ImageConfigError(f"JOBS in {where} has no entry {params['job_name']} with an imageConfig.")


def read_entries(kube: Kube, params: Mapping[str, Any]) -> tuple[str, list[Job]]:
    """Return where the configuration is, for messages, and the entries of JOBS in it. Raises ImageConfigError or KubeError."""
    name, key = params["configuration_secret"], params["configuration_key"]
    where = f"key {key} of Secret {params['namespace']}/{name}"
    secret = kube.get("Secret", name, params["namespace"])
    if secret is None or key not in (secret.get("data") or {}):
        raise ImageConfigError(f"There is no {where}.")
    return where, read_jobs(parse_secret_value(secret["data"][key], where))


def parse_secret_value(encoded: str, where: str) -> Mapping[str, Any]:
    """Return the JSON object in a Secret's value; the error never quotes it."""
    try:
        document = json.loads(base64.b64decode(encoded))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        raise ImageConfigError(f"The {where} is no JSON object.", "Repair it by hand; ssjdispatcher cannot start with it.")
    return document
