# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patterns of ssjdispatcher's JOBS entries, understood as ssjdispatcher's Go understands them.

Go's regular expressions are those of RE2, so RE2's own binding judges them: Python's ``re`` takes patterns that crash
ssjdispatcher, refuses patterns that it takes, and disagrees on what some of them match.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
import traceback
from collections.abc import Sequence

try:
    import re2

    RE2_IMPORT_ERROR = None
except ImportError:
    RE2_IMPORT_ERROR = traceback.format_exc()

MEMORY = 256 << 20
"""Bytes that RE2 may use at most. Its default of 8 MiB refuses large patterns that Go, with its own limits, takes."""

MAX_GROUPS = 250
"""Go refuses expressions nested 1000 levels deep, and one pair of parentheses can make four of them."""

GO_DIFFERS = re.compile(r"\\Q.*?(?:\\E|\Z)|(?P<any_byte>\\C)|\\.|\(\?P?<(?P<name>[^>]*)>", re.DOTALL)
"""Tokens of what RE2 takes and Go does not: ``\\C``, and names of groups that are not ASCII (quoted text is neither)."""

ANCHOR = re.compile(r"(?:\(\?[isU]+\))?(?:\^|\\A)(?![*?{])")

TOKENS = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]])*\]|.", re.DOTALL)
"""Quoted text, an escape, a character class, or one character of a pattern."""

BUCKETS = re.compile(r"(?:\^|\\A)?s3://(?:\((?:\?:)?(?P<several>[a-z0-9.|\\-]+)\)|(?P<one>[a-z0-9.\\-]+))(?:/.*)?", re.DOTALL)
"""A pattern that names its buckets literally, and the rest of the path in any way."""


class PatternError(ValueError):
    """Go does not compile the pattern, so that ssjdispatcher would crash at its next message."""


def matches(pattern: str, path: str) -> bool:
    """Tell whether a pattern takes a path (``s3://bucket/key``, the key URL-encoded): anywhere in it, as Go's MatchString."""
    return _compile(pattern).search(path) is not None


def check(pattern: str) -> None:
    """Raise PatternError where Go would not compile the pattern."""
    _compile(pattern)


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
    """Return the buckets that a pattern names literally, such as ``^s3://(a|b)/.+``; None where it does not."""
    found = None if _has_alternatives(pattern) else BUCKETS.fullmatch(pattern)
    return (found["several"] or found["one"]).replace("\\", "").split("|") if found else None


def _has_alternatives(pattern: str) -> bool:
    """Tell whether there is a ``|`` outside parentheses."""
    depth = 0
    for token in TOKENS.findall(pattern):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "|" and depth == 0:
            return True
    return False


def _compile(pattern: str):
    # Go reads a lone surrogate of the JSON text as U+FFFD.
    pattern = pattern.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for token in GO_DIFFERS.finditer(pattern):
        if token["any_byte"]:
            raise PatternError("invalid escape sequence: \\C")
        if token["name"] and not re.fullmatch(r"\w+", token["name"], re.ASCII):
            raise PatternError(f"invalid named capture: {token[0]}")
    if pattern.count("(") > MAX_GROUPS:
        raise PatternError(f"more than {MAX_GROUPS} groups")
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        (text,) = error.args
        raise PatternError(text.decode() if isinstance(text, bytes) else str(text)) from None
