# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regular expressions as automata, by which one can tell what several patterns take and where they differ. Pure.

It reads the part of RE2's syntax that patterns of paths are made of, in Go's meaning, and refuses the rest: what it reads
needs no library to be judged. Go's MatchString finds a pattern anywhere in a text, and so does ``Automaton``.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
import string
from collections import deque
from collections.abc import Iterator, Sequence

OTHER = "\x80"
"""Stands for all characters that are not ASCII."""

ALL = frozenset(map(chr, range(129)))

MAX_STATES = 4000
"""Positions of a pattern: one for each of its characters, repetitions written out, and some around them."""

MAX_DEPTH = 50
"""Of groups in groups."""

DIGITS, LETTERS = frozenset(string.digits), frozenset(string.ascii_letters)
WORD, SPACE = DIGITS | LETTERS | {"_"}, frozenset("\t\n\f\r ")
PERL = {"d": DIGITS, "w": WORD, "s": SPACE, "D": ALL - DIGITS, "W": ALL - WORD, "S": ALL - SPACE}
POSIX = {
    "alnum": DIGITS | LETTERS, "alpha": LETTERS, "digit": DIGITS, "lower": frozenset(string.ascii_lowercase),
    "upper": frozenset(string.ascii_uppercase), "word": WORD, "xdigit": frozenset(string.hexdigits),
}

State = frozenset


class UnsupportedPattern(ValueError):
    """The pattern has something that is not read here, or is no pattern at all."""


class Automaton:
    """What a pattern takes. A state is a set of positions in the pattern; the empty one takes nothing any more."""

    def __init__(self, pattern: str, whole: bool = False) -> None:
        """Read a pattern, or raise UnsupportedPattern. With ``whole``, it must match all of a text and not a part of it."""
        self._free: list[list[int]] = []  # steps that need no character
        self._at_start: list[list[int]] = []
        self._at_end: list[list[int]] = []
        self._moves: list[tuple[frozenset[str], int] | None] = []
        self.sets: set[frozenset[str]] = set()
        begin, self._accept = _Reader(pattern, self).read()
        self._whole = whole
        self._anywhere = State() if whole else self._closure([begin], self._free)
        self.start = self._closure([begin], self._free, self._at_start)
        self._known: dict[tuple[State, str], State] = {}

    def step(self, state: State, character: str) -> State:
        """Return the state after one more character."""
        known = self._known.get((state, character))
        if known is None:
            if self.is_settled(state):
                known = state
            else:
                moves = filter(None, (self._moves[position] for position in state))
                known = self._closure([there for characters, there in moves if character in characters], self._free)
                known |= self._anywhere
                if self.is_settled(known):
                    known = State([self._accept])
            self._known[state, character] = known
        return known

    def accepts(self, state: State) -> bool:
        """Tell whether a text that ends in this state is taken."""
        return self._accept in state or self._accept in self._closure(state, self._free, self._at_end)

    def is_settled(self, state: State) -> bool:
        """Tell whether whatever follows is taken."""
        return self._accept in state and not self._whole

    def is_decided(self, state: State) -> bool:
        """Tell whether whatever follows is taken, or nothing that follows is."""
        return self.is_settled(state) or not state and not self._anywhere

    def matches(self, text: str) -> bool:
        """Tell whether a text is taken."""
        state = self.start
        if not text:
            return self._accept in self._closure(state, self._free, self._at_start, self._at_end)
        for character in text:
            state = self.step(state, character if character < OTHER else OTHER)
        return self.accepts(state)

    def new(self, characters: frozenset[str] | None = None) -> int:
        """Make a position; with characters, one that they lead from to the position after it."""
        if len(self._free) >= MAX_STATES:
            raise UnsupportedPattern("too large")
        for steps in (self._free, self._at_start, self._at_end):
            steps.append([])
        self._moves.append(None if characters is None else (characters, len(self._free)))
        if characters is not None:
            self.sets.add(characters)
        return len(self._free) - 1

    def join(self, here: int, there: int, condition: str = "") -> None:
        """Let a position lead to another without a character: always, or at the text's ``start`` or ``end`` alone."""
        {"": self._free, "start": self._at_start, "end": self._at_end}[condition][here].append(there)

    def _closure(self, positions, *steps: list[list[int]]) -> State:
        """Return the positions that can be reached, as far as something begins there."""
        reached, waiting = set(positions), list(positions)
        while waiting:
            here = waiting.pop()
            for each in steps:
                for there in each[here]:
                    if there not in reached:
                        reached.add(there)
                        waiting.append(there)
        return State(each for each in reached if self._moves[each] or self._at_end[each] or each == self._accept)


class _Reader:
    """Reads a pattern from left to right into an automaton; a part is the pair of the positions around it."""

    def __init__(self, pattern: str, machine: Automaton) -> None:
        self.pattern, self.machine, self.at = pattern, machine, 0
        self.ignore_case = self.dot_all = False
        self.names: set[str] = set()
        self.depth = 0

    def read(self) -> tuple[int, int]:
        """Return where the pattern begins and ends."""
        if self._take("(?"):
            flags, closed, rest = self.pattern[2:].partition(")")
            if closed and flags and set(flags) <= set("isU"):
                self.ignore_case, self.dot_all, self.at = "i" in flags, "s" in flags, len(flags) + 3
            else:
                self.at = 0
        part = self._alternatives()
        if self.at < len(self.pattern):
            raise UnsupportedPattern("an unexpected )")
        return part

    def _take(self, text: str) -> bool:
        taken = self.pattern.startswith(text, self.at)
        self.at += len(text) if taken else 0
        return taken

    def _next(self) -> str:
        if self.at >= len(self.pattern):
            raise UnsupportedPattern("it ends too early")
        self.at += 1
        return self.pattern[self.at - 1]

    def _alternatives(self) -> tuple[int, int]:
        begin, end = self.machine.new(), self.machine.new()
        while True:
            first, last = self._sequence()
            self.machine.join(begin, first)
            self.machine.join(last, end)
            if not self._take("|"):
                return begin, end

    def _sequence(self) -> tuple[int, int]:
        begin = end = self.machine.new()
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self._take("\\Q"):
                text, closed, _rest = self.pattern[self.at:].partition("\\E")
                self.at += len(text) + len(closed)
                parts = [self._character(frozenset(_ascii(each))) for each in text]
            else:
                parts = [self._repeated()]
            for first, last in parts:
                self.machine.join(end, first)
                end = last
        return begin, end

    def _repeated(self) -> tuple[int, int]:
        start = self.at
        part = self._atom()
        end = self.at
        least, most = self._quantifier()
        if (least, most) == (1, 1):
            return part
        if self.pattern[start] in "^$" or self.pattern[start:end] in ("\\A", "\\z"):
            raise UnsupportedPattern("a repeated anchor")
        self._take("?")  # lazy or not, it takes the same
        after = self.at
        if self._quantifier() != (1, 1) or self.pattern.startswith("{", self.at):
            raise UnsupportedPattern("a repeated repetition")
        # The first copy has been read; the others are read anew from the same text.
        begin = last = self.machine.new()
        copies = max(least, 1) if most is None else most
        exits = [begin] if least == 0 else []
        for number in range(copies):
            if number:
                self.at = start
                part = self._atom()
            self.machine.join(last, part[0])
            last = part[1]
            if number + 1 >= least:
                exits.append(last)
        if most is None:
            self.machine.join(last, part[0])
        finish = self.machine.new()
        for each in exits:
            self.machine.join(each, finish)
        self.at = after
        return begin, finish

    def _quantifier(self) -> tuple[int, int | None]:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        if not self.pattern.startswith("{", self.at):
            return 1, 1
        text, closed, _rest = self.pattern[self.at + 1:].partition("}")
        low, comma, high = text.partition(",")
        if not closed or not low.isascii() or not low.isdigit() or (high and not (high.isascii() and high.isdigit())):
            raise UnsupportedPattern("a brace that repeats nothing")
        least, most = int(low), (int(high) if high else None) if comma else int(low)
        if least > 1000 or (most is not None and (most > 1000 or most < least)) or most == 0:
            raise UnsupportedPattern("a repetition out of bounds")
        self.at += len(text) + 2
        if (least, most) == (1, 1):
            raise UnsupportedPattern("a repetition that repeats nothing")
        return least, most

    def _atom(self) -> tuple[int, int]:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return self._character(self._class())
        if character == ".":
            return self._character(ALL if self.dot_all else ALL - {"\n"})
        if character in "^$":
            return self._anchor("start" if character == "^" else "end")
        if character in "*+?{":
            raise UnsupportedPattern("a repetition of nothing")
        if character == "\\":
            if self.pattern[self.at:self.at + 1] in ("A", "z"):
                return self._anchor("start" if self._next() == "A" else "end")
            return self._character(self._escape())
        return self._character(frozenset(_ascii(character)))

    def _group(self) -> tuple[int, int]:
        if self._take("?"):
            if not self._take(":"):
                if not (self._take("P<") or self._take("<")):
                    raise UnsupportedPattern("a group of a kind that is not read")
                name, closed, _rest = self.pattern[self.at:].partition(">")
                if not closed or not re.fullmatch(r"\w+", name, re.ASCII) or name in self.names:
                    raise UnsupportedPattern("the name of a group")
                self.names.add(name)
                self.at += len(name) + 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnsupportedPattern("nested too deeply")
        part = self._alternatives()
        self.depth -= 1
        if not self._take(")"):
            raise UnsupportedPattern("a ( without its )")
        return part

    def _anchor(self, condition: str) -> tuple[int, int]:
        begin, end = self.machine.new(), self.machine.new()
        self.machine.join(begin, end, condition)
        return begin, end

    def _character(self, characters: frozenset[str]) -> tuple[int, int]:
        if self.ignore_case:
            characters |= {each.swapcase() for each in characters if each in LETTERS}
        begin = self.machine.new(characters)
        return begin, self.machine.new()

    def _escape(self) -> frozenset[str]:
        character = self._next()
        if character in PERL:
            return PERL[character]
        if character in "tnrf":
            return frozenset({"t": "\t", "n": "\n", "r": "\r", "f": "\f"}[character])
        if character >= OTHER or character.isalnum() or character == "_":
            raise UnsupportedPattern(f"\\{character}")
        return frozenset(character)

    def _class(self) -> frozenset[str]:
        negated, found, first = self._take("^"), set(), True
        while first or not self._take("]"):
            first = False
            if self._take("[:"):
                name, closed, _rest = self.pattern[self.at:].partition(":]")
                if not closed or name.removeprefix("^") not in POSIX:
                    raise UnsupportedPattern("a class of characters")
                self.at += len(name) + 2
                members = POSIX[name.removeprefix("^")]
                found |= ALL - members if name.startswith("^") else members
                continue
            low = self._member()
            if len(low) == 1 and self.pattern.startswith("-", self.at) and not self.pattern.startswith("-]", self.at):
                self.at += 1
                high = self._member()
                (begin,), end = low, next(iter(high))
                if len(high) != 1 or end < begin:
                    raise UnsupportedPattern("a range of characters")
                low = frozenset(map(chr, range(ord(begin), ord(end) + 1)))
            found |= low
        if self.ignore_case:
            found |= {each.swapcase() for each in found if each in LETTERS}
        return ALL - found if negated else frozenset(found)

    def _member(self) -> frozenset[str]:
        character = self._next()
        return self._escape() if character == "\\" else frozenset(_ascii(character))


def _ascii(character: str) -> str:
    if character >= OTHER:
        raise UnsupportedPattern("a character that is not ASCII")
    return character


def explore(
    machines: Sequence[Automaton], alphabet: str, begin: str, frame: int, border: int, limit: int
) -> Iterator[tuple[tuple[State, ...], str]]:
    """Yield all states that the machines can be in together after ``begin``, each with the shortest text that leads there.

    The texts are made of the characters of ``alphabet``, of which the first that will do is taken. Only those are followed in
    which the machine number ``frame`` is still alive, and not those that enter what the machine number ``border`` takes for
    certain. Raise UnsupportedPattern after ``limit`` states.
    """
    start = states_after(machines, begin)
    inside = machines[border].is_settled(start[border])
    # The others say the same of all that follows: with many buckets that are most.
    live = [number for number, (machine, state) in enumerate(zip(machines, start))
            if number in (frame, border) or not machine.is_decided(state)]
    steps = [machines[number].step for number in live]
    frame, edge = live.index(frame), live.index(border)
    sets = list({each for number in live for each in machines[number].sets})
    kinds: dict[tuple[bool, ...], str] = {}
    for character in alphabet:
        kinds.setdefault(tuple(character in each for each in sets), character)
    first = tuple(start[number] for number in live)
    seen, waiting = {first}, deque([(first, begin)])
    while waiting:
        states, text = waiting.popleft()
        whole = list(start)
        for number, state in zip(live, states):
            whole[number] = state
        yield tuple(whole), text
        for character in kinds.values():
            following = tuple(step(state, character) for step, state in zip(steps, states))
            if following[frame] and following not in seen and inside == machines[border].is_settled(following[edge]):
                if len(seen) >= limit:
                    raise UnsupportedPattern("the number of cases")
                seen.add(following)
                waiting.append((following, text + character))


def states_after(machines: Sequence[Automaton], text: str) -> tuple[State, ...]:
    """Return the states of the machines after a text."""
    states = tuple(machine.start for machine in machines)
    for character in text:
        states = tuple(machine.step(state, character) for machine, state in zip(machines, states))
    return states
