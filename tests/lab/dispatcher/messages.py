# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message from the queue means: the object paths it names, or that it crashes the program.

The rules are those of a Go program that decodes into untyped values: what it can decode but does not expect is a type
assertion that fails, which ends the process; what it cannot decode is ignored.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import re2


class Crash(Exception):
    """The real program would end here, by a Go panic."""


class NotJson(ValueError):
    """Go's encoding/json would refuse the text."""


def paths_of(body: str) -> list[str]:
    """Return the distinct ``s3://bucket/key`` paths of a message in order, undecoded; none for an ignored one."""
    try:
        envelope = decode(body)
    except NotJson:
        return []
    if envelope is None or isinstance(envelope, dict) and "Message" not in envelope:
        return []
    text = _expect(str, _expect(dict, envelope, "the message")["Message"], "Message")
    try:
        message = decode(text)
    except NotJson:
        return []
    if not isinstance(message, dict) or not all(value is None or isinstance(value, list) for value in message.values()):
        return []
    paths = [path for record in message.get("Records") or [] if (path := _path_of(record))]
    return list(dict.fromkeys(paths))


def _path_of(record: Any) -> str | None:
    """Return the path that one record names; None for a record that is skipped because a part is missing."""
    if record is None:
        return None
    if "s3" not in _expect(dict, record, "a record"):
        return None
    s3 = _expect(dict, record["s3"], "s3")
    if "bucket" not in s3 or "name" not in _expect(dict, s3["bucket"], "bucket"):
        return None
    if "object" not in s3 or "key" not in _expect(dict, s3["object"], "object"):
        return None
    bucket = _expect(str, s3["bucket"]["name"], "bucket.name")
    key = _expect(str, s3["object"]["key"], "object.key")
    return f"s3://{bucket}/{key}"


def winner(path: str, jobs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the last job whose pattern matches the path anywhere; every pattern must compile."""
    match = None
    for job in jobs:
        try:
            pattern = re2.compile(job.get("pattern", ""), _OPTIONS)
        except re2.error as error:
            raise Crash(f"regexp: Compile({job['pattern']!r}): {error}") from error
        if pattern.search(path):
            match = job
    return match


def decode(text: str) -> Any:
    """Decode JSON as Go does: no NaN, no number beyond a 64-bit float, half surrogate pairs become U+FFFD."""
    try:
        return _whole_characters(json.loads(text, parse_constant=_refuse, parse_float=_float, parse_int=_float))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} does not fit a 64-bit float")
    return number


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(item) for name, item in value.items()}
    return value


def _expect(kind: type, value: Any, name: str) -> Any:
    if not isinstance(value, kind):
        raise Crash(f"interface conversion: {name} is no {kind.__name__}")
    return value


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
