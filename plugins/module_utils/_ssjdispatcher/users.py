# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users of indexd and of the metadata service the Jobs use, and where their passwords are. Pure.

A JOBS entry that works keeps its user: of indexd there are several (gen3-helm's own tooling uses ``ssj``, the runbook
``fence``, older commons ``gdcapi``), and any of them will do.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._k8s.env_value import escape, unescape
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import placeholders

DEFAULTS = {"indexd": "fence", "metadata": "gateway"}
"""Service -> its user where neither the operator nor the document names one."""

USER = "{user}"
"""What stands for the user's name in the sources of a password."""

Config = Mapping[str, Any]


def choose(jobs: Sequence[Config], existing: Mapping[str, Config], has_value: Callable[[Config], bool]) -> list[dict[str, Any]]:
    """Return the JOBS entries of a patch with their users, and with the sources of these users' passwords.

    ``existing`` is entry name -> the ``imageConfig`` that the document has. An entry without a ``username`` keeps the one that is
    there, or takes that of another entry of the patch, or the default. Where no source ``has_value`` for the user that an entry
    has, the patch leaves its password alone; a placeholder of the chart is no password. No password is ever in the result.
    """
    others = [existing[job["name"]] for job in jobs if job["name"] in existing]
    chosen = []
    for job in jobs:
        own = existing.get(job["name"], {})
        config = dict(job.get("imageConfig") or {})
        if "password" in config:
            config = _with_user("indexd", config, own, others, has_value)
        if "password" in (config.get("metadataService") or {}):
            service, *services = [_part(each, "metadataService") for each in (own, *others)]
            config["metadataService"] = _with_user("metadata", config["metadataService"], service, services, has_value)
        chosen.append({**job, "imageConfig": config} if config else dict(job))
    return chosen


def _with_user(service: str, config: Config, own: Config, others: Sequence[Config],
               has_value: Callable[[Config], bool]) -> dict[str, Any]:
    """Return a service's part of the patch; ``own`` and ``others`` are the same parts of live entries."""
    if config.get("username"):
        return {**config, "username": escape(config["username"]), "password": _for(config["password"], config["username"])}
    for live in (own, *others):
        user = live.get("username")
        if not isinstance(user, str) or not user:
            continue
        password = _for(config["password"], unescape(user))
        if any(has_value({"value_from": source}) for source in _sources(password)):
            return {**config, "username": user, "password": password}
        if live is own and live.get("password") and not placeholders.is_password(live["password"]):
            return {key: value for key, value in config.items() if key != "password"} | {"username": user}
    user = DEFAULTS[service]
    return {**config, "username": user, "password": _for(config["password"], user)}


def _part(config: Config, key: str) -> Config:
    return config[key] if isinstance(config.get(key), Mapping) else {}


def _sources(password: Any) -> list[Any]:
    sources = password.get("value_from") if isinstance(password, Mapping) else None
    return sources if isinstance(sources, list) else [sources] if sources else []


def _for(value: Any, user: str) -> Any:
    """Return the sources of a password for one user."""
    if isinstance(value, Mapping):
        return {key: _for(each, user) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for(each, user) for each in value]
    return value.replace(USER, user) if isinstance(value, str) else value
