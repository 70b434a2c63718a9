# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""credentials.json and job_images, before and after the changes that an operator asks for.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._json_document import plan as merge_plan
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import (
    ABSENT,
    DocumentError,
    is_empty_tree,
    merge,
    parse,
    remove,
    select,
)
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.path import parse_path
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.value_from import ValueSourceError, resolve
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import former, own_secret, users
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import validate as rules
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.cluster import Cluster
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.deployment import KeyOf
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.rbac import is_ours

OVERWRITE = "set ssjdispatcher_overwrite_externally_managed"
"""How the role's user lets a Secret be changed that somebody would take back."""


@dataclass
class Document:
    """A JSON document inside a Secret or ConfigMap.

    ``before`` and ``after`` are its contents without and with the ``changes``, which are empty where nothing is to be written. ``desired``
    has references where a value comes from a Secret. ``problem`` says why the changes cannot be made; then ``after`` is None.
    """

    desired: merge_plan.Desired
    text: str = field(default="", repr=False)
    before: dict[str, Any] = field(default_factory=dict, repr=False)
    after: dict[str, Any] | None = field(default=None, repr=False)
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problem: str | None = None

    @property
    def location(self) -> str:
        """What messages call it."""
        return f"{self.desired.key} of {self.desired.resource}"


@dataclass(frozen=True)
class Request:
    """What is asked of a document: ``defaults``, ``merge`` and ``remove`` (see ``jobs.credentials_changes``), and whether these put our
    part in place or take it away.

    ``sensitive`` are the secret settings by name. With ``overwrite`` a document is also changed that somebody would take back. ``deployed``
    are the objects (``kind/name``) with which our last restart has started ssjdispatcher.
    """

    present: bool
    defaults: Mapping[str, Any] = field(default_factory=dict)
    merge: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[Any] = ()
    sensitive: Mapping[str, Any] = field(default_factory=dict, repr=False)
    overwrite: bool = False
    deployed: Collection[str] = ()


def plan_document(cluster: Cluster, desired: merge_plan.Desired, request: Request) -> Document:
    """Return a document before and after the changes asked for, or the reason why these cannot be made."""
    document = Document(desired)
    current = cluster.get(desired.kind, desired.name, desired.namespace)
    try:
        document.text = merge_plan.text_of(desired, current)
        if not document.text and desired.kind == "Secret" and request.present:
            desired = replace(desired, start=_start(cluster, desired))
        document.before = parse(document.text or desired.start)
        if request.present:
            document.desired = _put_in_place(cluster, desired, document.before, request)
        else:
            document.desired = _take_away(cluster, desired, current, document, request)
        resolved = replace(document.desired, merge=resolve(document.desired.merge, cluster.secret, request.sensitive))
        document.after = merge_plan.after(resolved, document.text)
        owners = cluster.owners(desired.kind, desired.name, desired.namespace, desired.key)
        document.changes = merge_plan.plan(resolved, current, owners, request.overwrite, OVERWRITE)
        if document.changes:
            document.warnings = merge_plan.warnings(resolved, owners)
    except DocumentError as error:
        document.problem = f"Cannot merge into {document.location}: it {error}."
    except ValueSourceError as error:
        document.problem = f"In {document.location}: {error}"
    except merge_plan.MergeError as error:
        document.problem = str(error)
    return document


def _put_in_place(cluster: Cluster, desired: merge_plan.Desired, before: Mapping[str, Any], request: Request) -> merge_plan.Desired:
    """Return the document with our part in it; its defaults are for what it lacks at this moment."""
    def has_value(source: Mapping[str, Any]) -> bool:
        return _has_value(source, cluster, request.sensitive)

    patch = request.merge
    if "JOBS" in patch:
        patch = {**patch, "JOBS": users.choose(patch["JOBS"], _image_configs(before), has_value)}
    patch, defaults = (_in_their_case(each, before) for each in (patch, request.defaults))
    defaults = _missing(_missing(defaults, before, desired.list_keys), patch, desired.list_keys)
    patch = merge(patch, defaults, desired.list_keys)
    return replace(desired, merge=_choose_sources(patch, has_value), remove=list(request.remove))


def _take_away(cluster: Cluster, desired: merge_plan.Desired, current: Mapping[str, Any] | None, document: Document,
               request: Request) -> merge_plan.Desired:
    """Return the document without our part.

    Of a document of somebody else's that is what it was before our first change. Where that isn't kept and ssjdispatcher was never started
    with it by us, we have changed nothing: whatever is there is theirs, also under the names that we would use.
    """
    removed = {each[1]["name"] for each in request.remove if isinstance(each, list) and each[0] == "JOBS"}
    left = {job.name for job in rules.read_jobs(document.before)} - removed
    removals = [each for each in request.remove if not isinstance(each, Mapping)
                or not left.intersection(each.get("unless", ())) and _is_known(each, cluster, request.sensitive)]
    removals = resolve(removals, cluster.secret, request.sensitive)
    created_by_us = current is not None and is_ours(current)
    former_text = None if created_by_us else former.text_of(cluster.secret(former.FORMER_SECRET, desired.namespace), desired)
    if former_text is None:
        if not created_by_us and f"{desired.kind}/{desired.name}" not in request.deployed:
            return desired
        paths, replacements = _applicable(removals, document.before, created_by_us)
        return replace(desired, merge=replacements, remove=paths)
    ours = [path for path in map(_path_of, removals) if path and _is_ours(path, removals, document.before)]
    instead = {each["path"]: each["instead"] for each in removals if isinstance(each, Mapping) and "instead" in each}
    replacement = former.restore(document.text, former_text, ours, instead)
    return replace(desired, replacement=replacement) if replacement is not None else desired


def _path_of(removal: Any) -> Any:
    """Return the path of what is ours; None for what only goes with the rest of a document."""
    if not isinstance(removal, Mapping):
        return removal
    return None if removal.get("last") else removal["path"]


def _is_ours(path: Any, removals: Sequence[Any], document: Mapping[str, Any]) -> bool:
    """Tell whether the value at a path is one that we have put there, or none: somebody else's stays."""
    conditions = [each["value"] for each in removals if isinstance(each, Mapping) and each["path"] == path and "value" in each]
    unconditional = any(each == path or isinstance(each, Mapping) and each["path"] == path and not {"value", "last"} & set(each)
                        for each in removals)
    return unconditional or select(document, path) in (*conditions, ABSENT)


def _is_known(removal: Mapping[str, Any], cluster: Cluster, sensitive: Mapping[str, Any]) -> bool:
    """Tell whether the value that a removal is for can be had; where it cannot, nobody can tell that it is ours."""
    value = removal.get("value")
    return not isinstance(value, Mapping) or _has_value(value, cluster, sensitive)


def _in_their_case(patch: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the patch with the fields of its JOBS entries written as the document writes them.

    Go finds fields in any case, and of two the last one wins.
    """
    if "JOBS" not in patch or not isinstance(document.get("JOBS"), list):
        return patch
    named = {job["name"] for job in patch["JOBS"]}
    for entry in document["JOBS"]:
        other = next((key for key in entry if key.casefold() == "name" and key != "name"), None) if isinstance(entry, Mapping) else None
        if other and isinstance(entry[other], str) and entry[other] in named:
            raise DocumentError(f"spells the name of the entry {entry[other]} {other}, and entries are found by name: write it in lower case")
    entries = {entry["name"]: entry for entry in document["JOBS"] if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)}
    jobs = []
    for job in patch["JOBS"]:
        written = {key.casefold(): key for key in entries.get(job["name"], ())}
        jobs.append({written.get(key.casefold(), key): value for key, value in job.items()})
    return {**patch, "JOBS": jobs}


def _image_configs(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return entry name -> its ``imageConfig``, for the entries that have one."""
    configs = {job.name: job.fields.get("imageconfig") for job in rules.read_jobs(document)}
    return {name: config for name, config in configs.items() if isinstance(config, Mapping)}


def _start(cluster: Cluster, desired: merge_plan.Desired) -> str:
    """Return the text that a document of ours starts from, empty where there is none."""
    place = own_secret.former(KeyOf(desired.name, desired.key))
    if place is None:
        return ""
    return merge_plan.text_of(replace(desired, name=place.name, key=place.key), cluster.secret(place.name, desired.namespace))


def _choose_sources(patch: Any, has_value: Callable[[Mapping[str, Any]], bool]) -> Any:
    """Return the patch with the first source that has a value, where value_from is a list of sources."""
    if isinstance(patch, Mapping):
        if set(patch) == {"value_from"} and isinstance(patch["value_from"], (list, tuple)) and patch["value_from"]:
            sources = [{"value_from": source} for source in patch["value_from"]]
            return next(filter(has_value, sources), sources[0])
        return {key: _choose_sources(value, has_value) for key, value in patch.items()}
    return [_choose_sources(item, has_value) for item in patch] if isinstance(patch, list) else patch


def _has_value(source: Mapping[str, Any], cluster: Cluster, sensitive: Mapping[str, Any]) -> bool:
    try:
        resolve(source, cluster.secret, sensitive)
    except ValueSourceError:
        return False
    return True


def _missing(defaults: Mapping[str, Any], document: Mapping[str, Any], list_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return those of the defaults for which the document has no value; an empty string is none."""
    missing: dict[str, Any] = {}
    for key, value in defaults.items():
        current = document.get(key, ABSENT)
        if current is ABSENT or current == "":
            missing[key] = value
        elif isinstance(value, Mapping) and isinstance(current, Mapping):
            if inner := _missing(value, current, {}):
                missing[key] = inner
        elif key in list_keys:
            missing[key] = []
            for element in value:
                identity = {list_keys[key]: element[list_keys[key]]}
                found = select(document, [key, identity])
                missing[key].append(identity | _missing(element, {} if found is ABSENT else found, {}))
    return missing


def _applicable(removals: Sequence[Any], document: Mapping[str, Any], created_by_us: bool) -> tuple[list[Any], dict[str, Any]]:
    """Return the paths to remove, those whose condition holds, and what is written in their place.

    Nothing is written in place of what was the last in a document of ours, which goes as a whole.
    """
    paths, last, replaced, replacements = [], [], [], {}
    for removal in removals:
        if not isinstance(removal, Mapping):
            paths.append(removal)
        elif removal.get("last"):
            last.append(removal["path"])
        elif "former" not in removal and select(document, removal["path"]) == removal["value"]:
            paths.append(removal["path"])
            if "instead" in removal:
                replaced.append(removal["path"])
                key, name = parse_path(removal["path"])
                replacements[key] = {name: removal["instead"]}
    if created_by_us and is_empty_tree(remove(document, paths + last)):
        return paths + last, {}
    return [path for path in paths if path not in replaced], replacements
