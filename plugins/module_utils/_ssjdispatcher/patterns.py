# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patterns of ssjdispatcher's JOBS entries, understood as ssjdispatcher's Go understands them.

Go's regular expressions are those of RE2, so RE2's own binding judges them: Python's ``re`` takes patterns that crash
ssjdispatcher, refuses patterns that it takes, and disagrees on what some of them match. Where the binding is not installed
(it has no wheel for every Python), the module ``automaton`` judges what it can read, and ``is_judged`` tells the rest.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.automaton import Automaton, UnsupportedPattern

try:
    import re2
except ImportError:
    re2 = None

MEMORY = 256 << 20
"""Bytes that RE2 may use at most. Its default of 8 MiB refuses large patterns that Go, with its own limits, takes."""

MAX_GROUPS = 250
"""Go refuses expressions nested 1000 levels deep, and one pair of parentheses can make four of them."""

GO_DIFFERS = re.compile(r"\\Q.*?(?:\\E|\Z)|(?P<any_byte>\\C)|\\.|\(\?P?<(?P<name>[^>]*)>", re.DOTALL)
"""Tokens of what RE2 takes and Go does not: ``\\C``, and names of groups that are not ASCII (quoted text is neither)."""

ANCHOR = re.compile(r"(?:\(\?[isU]+\))?(?:\^|\\A)(?![*?{])")

TOKENS = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]])*\]|.", re.DOTALL)
"""Quoted text, an escape, a character class, or one character of a pattern."""

BUCKET_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-"

MAX_NAME = 63
"""Characters that the name of a bucket may have."""

MAX_NAMED_STEPS = 20000
"""Characters of the names of a thousand buckets, about."""

PLAIN = frozenset("-_ABCDEFGHIJKLMNOPQRSTUVWXYZ" + BUCKET_CHARACTERS) - {"."}
"""Characters of keys that events carry as they are and that mean nothing in a pattern."""

EITHER = {".": "[.]", "/": "(/|%2F)", " ": "([+]|%20)", **{each: f"([{each}]|%{ord(each):X})" for each in "!'()*~"}}
"""Characters that events carry in one of several ways: MinIO escapes slashes and S3 does not, and so on."""


PLACEHOLDER = re.compile(r"s3://test-[0-9]+-upload/\*")
"""The pattern in the default values of gen3-helm's chart (helm/ssjdispatcher/values.yaml, ssjcreds.jobPattern)."""


class PatternError(ValueError):
    """Go does not compile the pattern, so that ssjdispatcher would crash at its next message."""


def for_buckets(buckets: Iterable[Mapping[str, Any]]) -> str:
    """Return the pattern that takes what is uploaded to these buckets, each with ``name`` and perhaps ``prefix`` and ``suffix``.

    Its one form has no backslash and no quotation mark, since the chart of gen3-helm pastes it into JSON as it is. Prefix and
    suffix are those of keys; the paths that it is for have them URL-encoded.
    """
    whole, parts = [], []
    for bucket in buckets:
        name = bucket["name"].replace(".", "[.]")
        if bucket.get("prefix") or bucket.get("suffix"):
            suffix = encoded(bucket.get("suffix") or "")
            parts.append(f"{name}/{encoded(bucket.get('prefix') or '')}" + (f".*{suffix}$" if suffix else ".+"))
        else:
            whole.append(name)
    if not parts:
        return f"^s3://({'|'.join(whole)})/.+"
    return f"^s3://({'|'.join(([f'({chr(124).join(whole)})/.+'] if whole else []) + parts)})"


def matches(pattern: str, path: str) -> bool:
    """Tell whether a pattern takes a path (``s3://bucket/key``, the key URL-encoded): anywhere in it, as Go's MatchString."""
    check(pattern)
    return _compiled(pattern).search(path) is not None if re2 else automaton(pattern).matches(path)


def check(pattern: str) -> None:
    """Raise PatternError where Go would not compile the pattern, as far as that can be told."""
    for token in GO_DIFFERS.finditer(pattern):
        if token["any_byte"]:
            raise PatternError("invalid escape sequence: \\C")
        if token["name"] and not re.fullmatch(r"\w+", token["name"], re.ASCII):
            raise PatternError(f"invalid named capture: {token[0]}")
    if pattern.count("(") > MAX_GROUPS:
        raise PatternError(f"more than {MAX_GROUPS} groups")
    if re2:
        _compiled(pattern)


def is_judged(pattern: str) -> bool:
    """Tell whether the functions here can judge a pattern: all of them with RE2, and without it what is plain."""
    return re2 is not None or automaton(pattern) is not None


@lru_cache(maxsize=None)
def automaton(pattern: str) -> Automaton | None:
    """Return the automaton of a pattern; None where it has something that is not read there."""
    try:
        return Automaton(pattern)
    except UnsupportedPattern:
        return None


def is_placeholder(pattern: str) -> bool:
    """Tell whether a pattern only stands where gen3-helm's user has set none: nobody wants its bucket."""
    return PLACEHOLDER.fullmatch(pattern) is not None


def winner(patterns: Sequence[str], path: str) -> int | None:
    """Return the index of the pattern that takes a path: the last that matches. None means that no Job is made."""
    return max((i for i, pattern in enumerate(patterns) if matches(pattern, path)), default=None)


def is_anchored(pattern: str) -> bool:
    """Tell whether a pattern begins with ``^`` (or ``\\A``) that holds for the whole of it.

    It does not with ``|`` outside parentheses (the anchor belongs to the first alternative alone), nor after the flag
    ``m`` (it then matches after a line feed too).
    """
    return ANCHOR.match(pattern) is not None and not _has_alternatives(pattern)


def named_buckets(pattern: str) -> list[str] | None:
    """Return the buckets that a pattern names letter by letter, such as ``^s3://(a|b)/.+``; None where it does not."""
    try:
        machine = Automaton(pattern, whole=True)
    except UnsupportedPattern:
        return None
    state = machine.start
    for character in "s3://":
        state = machine.step(state, character)
    names, waiting, steps = [], [(state, "")], 0
    while waiting:
        state, name = waiting.pop()
        steps += 1
        if steps > MAX_NAMED_STEPS or len(name) > MAX_NAME or not name and machine.accepts(state):
            return None
        if name and (machine.accepts(state) or machine.step(state, "/")):
            names.append(name)
        following = ((machine.step(state, character), name + character) for character in BUCKET_CHARACTERS)
        waiting += [each for each in following if each[0]]
    return sorted(names) or None


def encoded(text: str) -> str:
    """Return the pattern of a part of a key, as events carry it."""
    return "".join(each if each in PLAIN else EITHER.get(each) or quote(each, safe="") for each in text)


def _has_alternatives(pattern: str) -> bool:
    """Tell whether there is a ``|`` outside parentheses."""
    depth = 0
    for token in TOKENS.findall(pattern):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "|" and depth == 0:
            return True
    return False


def _compiled(pattern: str):
    # Go reads a lone surrogate of the JSON text as U+FFFD.
    pattern = pattern.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        (text,) = error.args
        raise PatternError(text.decode() if isinstance(text, bytes) else str(text)) from None
