# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the ``uploads_*`` variables that are set exist, and have the types and choices of the role uploads. Pure.

No sentence quotes the value of a variable that may be a secret.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

PREFIX = "uploads_"

RESULTS = frozenset({"uploads_batch", "uploads_followed", "uploads_minio_address", "uploads_minio_plan", "uploads_number",
                     "uploads_redrive", "uploads_status", "uploads_traced"})
"""What the playbooks themselves keep, which one that was run before in the same play may have left."""


def problems(variables: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the variables, in sentences; empty where nothing is.

    ``variables`` are all whose names begin with ``uploads_``; those that are None count as not set. ``options`` are those of the role's
    argument_specs.yml.
    """
    known = {name: value for name, value in variables.items() if name in options and value is not None}
    return [*_unknown(variables, options), *_secrets(known, options), *_types(known, options)]


def _unknown(variables: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(set(variables) - set(options) - RESULTS):
        near = get_close_matches(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in options], 1)
        advice = f"did you mean {PREFIX}{near[0]}?" if near else "give a variable of your own a name that begins otherwise."
        yield f"{name} is unknown; {advice}"


def _secrets(known: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Numbers are told by ``validate``, which knows how YAML has read them."""
    for name, value in known.items():
        if options[name].get("no_log") and not isinstance(value, (str, int, float)):
            yield f"{name} must be a text."


def _types(known: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """By Ansible's own validator; of lists of more users, targets and policies, which hold secrets, only that they are lists."""
    open_options = {name: option for name, option in options.items() if not option.get("no_log")}
    lists = {name for name, option in open_options.items() if option["type"] == "list" and "options" not in option}
    for name in sorted(lists & set(known)):
        if not isinstance(known[name], list):
            yield f"{name} must be a list."
    spec = {name: {**_plain(option), "required": False} for name, option in open_options.items() if name not in lists}
    found = ArgumentSpecValidator(spec).validate({name: _copy(value) for name, value in known.items() if name in spec})
    yield from map(_sentence, found.error_messages)


def _copy(value: Any) -> Any:
    """Return a value as plain data. The validator copies it, and with a dict or list as Ansible hands it over its whole template engine."""
    if isinstance(value, Mapping):
        return {name: _copy(each) for name, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def _sentence(message: str) -> str:
    """Return what the validator says as a sentence; of what it does not support it says the name alone.

    It quotes values, and what was put into the wrong variable may be a secret: only what looks like a choice is left.
    """
    message = re.sub(r", got: (?![a-z_]{1,12}(?: found in|\.?$)).*", "", message, flags=re.DOTALL)
    message = re.sub(r"(unable to convert to \w+): .*", r"\1", message, flags=re.DOTALL)
    message = re.sub(r"^(uploads_\S+)\. Supported", r"\1 is unknown. Supported", message.rstrip("."))
    return f"{message if message.startswith('uploads_') else message[0].upper() + message[1:]}."


def _plain(option: Mapping[str, Any]) -> dict[str, Any]:
    """Return an option as the validator takes it: without what is for readers, and without the default, which the role has."""
    plain = {key: option[key] for key in ("type", "elements", "choices", "required") if key in option}
    if "options" in option:
        plain["options"] = {name: _plain(each) for name, each in option["options"].items()}
    return plain
