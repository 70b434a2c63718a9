# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging into a JSON document that others write to as well.

What a merge does not name stays as it is: values, order of keys and elements, and the literals of numbers (``1.0``,
``1e3``, integers of any size). A document that does not change keeps its very text. Pure functions, which never put
content into a message.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._json_document.path import Element, Step, format_path, parse_path

ABSENT: Any = object()
"""Stands for "no value here" in a Difference; JSON's null is a value."""


DEPTH = 200
"""Levels of objects and lists that a document may have: what works on it follows them by recursion."""


class DocumentError(ValueError):
    """The document or what is desired does not allow the merge; the message names paths, never content."""


class Number(float):
    """A number whose literal Python would write differently, such as ``1.0e3``; equal by value."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


@dataclass(frozen=True)
class Difference:
    """One path whose value differs; ``before`` or ``after`` is ABSENT where there is none."""

    path: str
    before: Any
    after: Any


def parse(text: str) -> dict[str, Any]:
    """Return the JSON object that a text holds, an empty one for an empty text.

    Raises DocumentError where the text is not JSON, not an object, or names a key twice.
    """
    if not text.strip():
        return {}
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_float=Number, parse_int=_integer, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        # Only the position: the message of the decoder is safe, the text is not.
        raise DocumentError(f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise DocumentError("is nested too deeply") from None
    if not isinstance(document, dict):
        raise DocumentError(f"holds {_kind(document)}, not a JSON object")
    if _depth(document) > DEPTH:
        raise DocumentError(f"is nested too deeply (more than {DEPTH} levels)")
    return document


def render(document: Mapping[str, Any], like: str = "") -> str:
    """Return the text of a document in the layout (indentation, separators, escapes, last line feed) of ``like``."""
    indented = re.search(r"\n([ \t]+)\S", like)
    style = _Style(
        indent=indented[1] if indented else None if like.strip() else "  ",
        colon=": " if indented or not like.strip() or re.search(r'":\s', like) else ":",
        comma=", " if re.search(r",\s", like) else ",",
        ascii_only=like.isascii() if like.strip() else False,
    )
    last = "\n" if like.endswith("\n") or not like.strip() else ""
    return "".join(_rendered(document, style, "\n")) + last


def merge(document: Mapping[str, Any], patch: Mapping[str, Any], list_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of the document with the patch merged into it.

    Objects are merged key by key. A list is replaced, unless ``list_keys`` holds its path (``JOBS``, or
    ``JOBS.steps`` for a list inside each element): then an element of the patch is merged into the element with the
    same value of that key, or appended. Any other value is replaced; null is a value like any other. Raises
    DocumentError rather than replace an object or a list by something else, and where an element is not unique.
    """
    _check_patch(patch, ())
    return _merge_object(document, patch, list_keys, ())


def remove(document: Mapping[str, Any], removals: Sequence[Any]) -> dict[str, Any]:
    """Return a copy of the document without the values at the given paths (see ``parse_path``); a missing one is fine.

    Raises DocumentError where a path's list has two elements of that name.
    """
    result: Any = document
    for removal in removals:
        result = _without(result, parse_path(removal), ())
    return dict(result)


def select(document: Any, path: Any) -> Any:
    """Return the value at a path, or ABSENT."""
    value = document
    for step in parse_path(path):
        if isinstance(step, Element):
            matches = _matches(value, step) if isinstance(value, list) else []
            value = value[matches[0]] if len(matches) == 1 else ABSENT
        elif isinstance(value, dict):
            value = value.get(step, ABSENT)
        else:
            return ABSENT
    return value


def differences(before: Any, after: Any, list_keys: Mapping[str, str]) -> list[Difference]:
    """Return what differs, path by path, in the order of the document; an empty list means that nothing changes."""
    return list(_differences(before, after, list_keys, ()))


def is_empty_tree(value: Any) -> bool:
    """Tell whether a document holds nothing but empty objects and lists."""
    if isinstance(value, dict):
        return all(map(is_empty_tree, value.values()))
    return isinstance(value, list) and all(map(is_empty_tree, value))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError(f"has the key {twice!r} twice in one object")
    return result


def _integer(text: str) -> int | Number:
    # Python does not convert integers of more than some thousand digits, and has no negative zero.
    return Number(text) if text == "-0" or len(text) > 4000 else int(text)


def _depth(document: Any) -> int:
    """Return how many levels of objects and lists there are."""
    depth, level = 0, [document]
    while level:
        depth += 1
        level = [value for each in level for value in (each.values() if isinstance(each, dict) else each) if isinstance(value, (dict, list))]
    return depth


def _check_patch(value: Any, path: tuple[Step, ...]) -> None:
    """Raise DocumentError for what YAML has and JSON has not: ``.nan``, ``.inf``, and a structure that contains itself."""
    if len(path) > DEPTH:
        raise DocumentError(f"would be nested too deeply (more than {DEPTH} levels)")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _check_patch(each, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for each in value:
            _check_patch(each, (*path, "[]"))
    elif isinstance(value, float) and not isinstance(value, Number) and not math.isfinite(value):
        raise DocumentError(f"cannot hold {value} at {format_path([step for step in path if step != '[]'])}, which is not a JSON number")


def _no_constant(name: str) -> Any:
    raise DocumentError(f"is not JSON ({name} is not a JSON number)")


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "null" if value is None else "a single value"


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: 1 equals 1.0, but neither equals true, and the order of an object's keys is no matter."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        try:
            return Decimal(_number(one)) == Decimal(_number(other))
        except InvalidOperation:  # an exponent that no program can work with
            return _number(one) == _number(other)
    return one == other


def _number(value: int | float) -> str:
    return value.text if isinstance(value, Number) else repr(value)


def _list_key(path: Sequence[Step], list_keys: Mapping[str, str]) -> str | None:
    return list_keys.get(".".join(step for step in path if isinstance(step, str)))


def _merge_value(current: Any, desired: Any, list_keys: Mapping[str, str], path: tuple[Step, ...]) -> Any:
    if _same(current, desired):
        return current
    if current is ABSENT or current is None:
        current = {} if isinstance(desired, Mapping) else [] if isinstance(desired, (list, tuple)) else None
    if _kind(current) != _kind(desired) and not (_is_leaf(current) and _is_leaf(desired)):
        raise DocumentError(f"holds {_kind(current)} at {format_path(path)} where {_kind(desired)} is to be merged")
    if isinstance(desired, Mapping):
        return _merge_object(current, desired, list_keys, path)
    if isinstance(desired, (list, tuple)):
        key = _list_key(path, list_keys)
        return _merge_list(current, desired, key, list_keys, path) if key else list(desired)
    return desired


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, (Mapping, list, tuple))


def _merge_object(
    current: Mapping, desired: Mapping, list_keys: Mapping[str, str], path: tuple[Step, ...]
) -> dict[str, Any]:
    result = dict(current)
    for key, value in desired.items():
        result[str(key)] = _merge_value(result.get(key, ABSENT), value, list_keys, (*path, str(key)))
    return result


def _merge_list(current: list, desired: Sequence, key: str, list_keys: Mapping[str, str], path: tuple[Step, ...]) -> list:
    result = list(current)
    seen: set[Any] = set()
    for item in desired:
        if not isinstance(item, Mapping) or not isinstance(item.get(key), str):
            raise DocumentError(f"can only merge elements that have a {key} at {format_path(path)}")
        element = Element(key, str(item[key]))
        if element in seen:
            raise DocumentError(f"is to get {format_path((*path, element))} twice")
        seen.add(element)
        position = _position(result, element, path)
        if position is None:
            result.append(_merge_object({}, item, list_keys, (*path, element)))
        else:
            result[position] = _merge_object(result[position], item, list_keys, (*path, element))
    return result


def _matches(items: list, element: Element) -> list[int]:
    return [i for i, item in enumerate(items) if isinstance(item, dict) and item.get(element.key) == element.value]


def _position(items: list, element: Element, path: tuple[Step, ...]) -> int | None:
    positions = _matches(items, element)
    if len(positions) > 1:
        raise DocumentError(f"has {format_path((*path, element))} {len(positions)} times; remove all but one by hand")
    return positions[0] if positions else None


def _without(value: Any, steps: tuple[Step, ...], path: tuple[Step, ...]) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(step, Element):
        place = _position(value, step, path) if isinstance(value, list) else None
    else:
        place = step if isinstance(value, dict) and step in value else None
    if place is None:
        return value
    result = value.copy()
    if rest:
        result[place] = _without(value[place], rest, (*path, step))
    else:
        del result[place]
    return result


def _differences(before: Any, after: Any, list_keys: Mapping[str, str], path: tuple[Step, ...]) -> Iterator[Difference]:
    if before is not ABSENT and after is not ABSENT and _same(before, after):
        return
    key = _list_key(path, list_keys)
    olds = {} if before is ABSENT else _parts(before, key)
    news = _parts(after, key)
    if olds is None or news is None or not (olds or news) or _reordered(olds, news):
        yield Difference(format_path(path), before, after)
        return
    for step in [*olds, *(step for step in news if step not in olds)]:
        yield from _differences(olds.get(step, ABSENT), news.get(step, ABSENT), list_keys, (*path, step))


def _parts(value: Any, key: str | None) -> dict[Step, Any] | None:
    """Return the values of an object or a list by the step that leads to each, or None where no step does."""
    if isinstance(value, dict):
        return value
    if key is None or not isinstance(value, list):
        return None
    parts = {
        Element(key, item[key]): item for item in value if isinstance(item, dict) and isinstance(item.get(key), str)
    }
    return parts if len(parts) == len(value) else None


def _reordered(olds: Mapping[Step, Any], news: Mapping[Step, Any]) -> bool:
    """Tell whether the elements that two lists have in common stand in another order."""
    common = [step for step in olds if step in news and isinstance(step, Element)]
    return common != [step for step in news if step in olds and isinstance(step, Element)]


@dataclass(frozen=True)
class _Style:
    indent: str | None
    colon: str
    comma: str
    ascii_only: bool


def _rendered(value: Any, style: _Style, line: str) -> Iterator[str]:
    if isinstance(value, (Mapping, list, tuple)) and value:
        opening, closing = "{}" if isinstance(value, Mapping) else "[]"
        inner = line if style.indent is None else line + style.indent
        separator = style.comma if style.indent is None else "," + inner
        yield opening if style.indent is None else opening + inner
        for i, item in enumerate(value):
            if i:
                yield separator
            if isinstance(value, Mapping):
                yield _string(item, style) + style.colon
                item = value[item]
            yield from _rendered(item, style, inner)
        yield closing if style.indent is None else line + closing
    elif isinstance(value, str):
        yield _string(value, style)
    else:
        yield value.text if isinstance(value, Number) else json.dumps(value)


def _string(value: str, style: _Style) -> str:
    # A lone surrogate is legal in JSON as an escape only.
    lone = any("\ud800" <= character <= "\udfff" for character in value)
    return json.dumps(value, ensure_ascii=style.ascii_only or lone)
