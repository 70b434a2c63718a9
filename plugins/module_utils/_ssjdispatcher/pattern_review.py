# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes which upload before and after a change of the JOBS entries. Pure.

Several commons and several kinds of Jobs may share one ssjdispatcher, and even one bucket. So whoever takes an upload today
takes it tomorrow: what an entry of ours would lose or newly take is a problem, which one consent turns into a warning. All
entries are compared as automata, and so no upload is overlooked because no sample of it was thought of.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import patterns
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.automaton import (
    Automaton,
    UnsupportedPattern,
    explore,
    states_after,
)
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import SAMPLE_GUID, Bucket, Findings, Job

CONSENT = "ssjdispatcher_replace_pattern"
"""The role's variable that allows what is a problem here otherwise."""

PATH = "^s3://[a-z0-9.-]+/([A-Za-z0-9!'()*+.~_/-]|%[0-9A-F][0-9A-F])*([A-Za-z0-9!'()*+.~_-]|%[0-9A-F][0-9A-F])$"
"""A path as ssjdispatcher sees it: the key is URL-encoded. One with a slash at its end is a folder, and no upload."""

ESCAPED = "%2F"
"""In the paths of MinIO's events; S3 leaves slashes as they are."""

CHARACTERS = "xabcdefghijklmnopqrstuvwyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_/:%+~!*'()"
"""What paths are made of; examples take the first that will do."""

GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

MAX_CASES = 50_000
"""How many cases are told apart before it is given up: some seconds."""


class Case(NamedTuple):
    """What is told apart of a path: the entries that take it, its bucket, and whether it is an upload as fence makes them."""

    before: str | None
    after: str | None
    bucket: str | None
    upload: bool
    intended: bool


@dataclass(frozen=True)
class Entries:
    """The JOBS entries before and after."""

    before: Sequence[Job]
    after: Sequence[Job]


def review(before: Sequence[Job], after: Sequence[Job], buckets: Sequence[Bucket], may_replace: bool) -> Findings:
    """Return what is lost, newly taken, or not got by the entries of ours (those that ``buckets`` name).

    Entries that Go does not decode or compile are left out: they are problems by themselves (``validate.review_credentials``).
    """
    found = Findings()
    entries = Entries(*([job for job in jobs if _is_sound(job)] for jobs in (before, after)))
    unset = [job for job in entries.before if patterns.is_placeholder(job.pattern)]
    entries = Entries([job for job in entries.before if job not in unset], entries.after)
    ours = sorted({bucket.job for bucket in buckets} & {job.name for job in entries.after})
    if not ours:
        return found
    comparison = _Comparison(entries, buckets, ours)
    try:
        cases = comparison.all_cases()
    except UnsupportedPattern as error:
        cases = comparison.sampled_cases()
        found.warnings.append(f"who takes which upload was tried with samples alone, because of {error}.")
    sentences = [sentence for name in ours for sentence in _changes(name, entries, buckets, cases)]
    sentences += _partial_takers(entries.after, buckets, cases)
    for sentence in sentences:
        if may_replace:
            found.warnings.append(f"{sentence}.")
        else:
            found.problems.append(f"{sentence}; if that is meant, allow it with {CONSENT}.")
    found.warnings += [sentence for name in ours for sentence in _remarks(name, entries, cases)]
    found.warnings += [
        f"{job.where} has the pattern {job.pattern}, which the chart of gen3-helm puts where none is set: it is replaced."
        for job in unset if job.name in ours
    ]
    return found


class _Comparison:
    """The patterns by which the cases are told apart, those of the entries and some of our own."""

    def __init__(self, entries: Entries, buckets: Sequence[Bucket], ours: Sequence[str]) -> None:
        self.entries, self.buckets = entries, buckets
        former = {job.name: job.pattern for job in entries.before if job.name in ours}
        self.names = {bucket.name for bucket in buckets}
        self.names |= {name for pattern in former.values() for name in patterns.named_buckets(pattern) or []}
        self.border = f"^s3://({'|'.join(map(re.escape, sorted(self.names)))})/"
        self.uploads = _uploads(buckets)
        self.intended = {name: _intended(pattern) for name, pattern in former.items()}
        self.minio = {bucket.name for bucket in buckets if bucket.storage == "minio"}
        jobs = [job.pattern for each in (entries.before, entries.after) for job in each]
        self.texts = list(dict.fromkeys(
            [PATH, ESCAPED, self.border, *jobs, *self.uploads.values(), *self.intended.values()]
        ))

    def all_cases(self) -> dict[Case, str]:
        """Return each case that occurs, with its shortest path; raise UnsupportedPattern where that cannot be told."""
        machines = [patterns.automaton(text) for text in self.texts]
        unread = [text for text, machine in zip(self.texts, machines) if machine is None]
        if unread:
            raise UnsupportedPattern(f"the pattern {' and '.join(unread)}")
        found: dict[Case, str] = {}
        alike: dict[tuple, list[tuple[set[str], str]]] = {}
        for bucket in (*sorted(self.names), None):
            # Buckets that all patterns treat alike have the same keys in the same cases.
            begin = f"s3://{bucket}/" if bucket else ""
            states = states_after(machines, begin)
            if states not in alike:
                alike[states] = list(self._keys(machines, begin))
            for taken, key in alike[states]:
                if case := self._case(taken, bucket):
                    found.setdefault(case, begin + key)
        return found

    def _keys(self, machines: Sequence[Automaton], begin: str) -> Iterator[tuple[set[str], str]]:
        """Yield which patterns take the keys that begin so, and the shortest of them."""
        frame, border = self.texts.index(PATH), self.texts.index(self.border)
        for states, path in explore(machines, CHARACTERS, begin, frame, border, MAX_CASES):
            taken = {text for text, machine, state in zip(self.texts, machines, states) if machine.accepts(state)}
            yield taken, path.removeprefix(begin)

    def sampled_cases(self) -> dict[Case, str]:
        """Return the cases of some paths."""
        samples = [*self.buckets, *(Bucket(name, "s3", "") for name in sorted(self.names))]
        judged = [text for text in self.texts if patterns.is_judged(text)]
        found: dict[Case, str] = {}
        for bucket in samples:
            for path in bucket.sample_paths:
                if case := self._case({text for text in judged if patterns.matches(text, path)}, bucket.name):
                    found.setdefault(case, path)
        return found

    def _case(self, taken: set[str], bucket: str | None) -> Case | None:
        """Return the case of a path that these patterns take; None where there is no such path."""
        if PATH not in taken or (ESCAPED in taken and bucket not in self.minio):
            return None
        before, after = (
            next((job.name for job in reversed(jobs) if job.pattern in taken), None)
            for jobs in (self.entries.before, self.entries.after)
        )
        return Case(before, after, bucket, self.uploads.get(bucket) in taken, self.intended.get(before) in taken)


def _changes(name: str, entries: Entries, buckets: Sequence[Bucket], cases: Mapping[Case, str]) -> Iterator[str]:
    """Yield what the entry would lose, and what it would newly take."""
    old, new = _entry(entries.before, name), _entry(entries.after, name)
    where = new.where
    pattern_of = {job.name: job.pattern for job in (*entries.before, *entries.after)}
    if old and old.pattern != new.pattern and "pattern" in old.fields:
        lost = {case: path for case, path in cases.items() if case.before == name != case.after}
        if not patterns.named_buckets(old.pattern) and (lost or patterns.automaton(old.pattern) is None):
            yield (
                f"{where} has the pattern {old.pattern or '(empty)'}, of which cannot be told which buckets it takes; it would"
                f" become {new.pattern}, and uploads that it no longer takes would be thrown away"
            )
        else:
            kept = {case.bucket for case in cases if case.after == name}
            gone = sorted({case.bucket for case in lost if case.bucket and case.after is None and case.intended})
            whole = [bucket for bucket in gone if bucket not in kept]
            if whole:
                yield (
                    f"{where} would no longer take the bucket {', '.join(whole)}, and uploads there would be thrown away; list"
                    " all buckets that it should take"
                )
            for bucket in gone:
                if bucket in kept:
                    path = [lost[case] for case in lost if case.bucket == bucket and case.after is None and case.intended][0]
                    yield (
                        f"{where} would no longer take all that it takes of the bucket {bucket}, such as {path}: its pattern"
                        f" {old.pattern} would become {new.pattern}; widen the bucket's prefix and suffix"
                    )
            for case, path in _first(lost, lambda case: case.after and case.intended):
                yield (
                    f"{where} would lose uploads such as {path} to the entry {case.after}, whose pattern"
                    f" {pattern_of[case.after] or '(empty)'} takes them too"
                )
    gained = {case: path for case, path in cases.items() if case.after == name != case.before}
    for case, path in _first(gained, lambda case: case.before):
        yield (
            f"{where} would take uploads such as {path} from the entry {case.before}, whose pattern is"
            f" {pattern_of[case.before] or '(empty)'}; narrow the bucket by prefix or suffix, or move {case.before} behind {name}"
        )
    partly = {case.bucket for case in cases if case.before == name and case.intended}
    listed = {bucket.name for bucket in buckets}
    if not (old and patterns.named_buckets(old.pattern)):
        partly = set()
    for bucket in sorted({case.bucket for case in gained if case.before is None and case.upload and case.bucket in partly}):
        path = [gained[case] for case in gained if case.bucket == bucket and case.before is None and case.upload][0]
        yield (
            f"{where} would take all uploads to the bucket {bucket}, where its pattern {old.pattern} takes a part of them"
            f" today, and not for instance {path}: they may be another commons'; give the bucket the prefix or suffix of yours"
        )
    for case, path in _first(gained, lambda case: case.before is None and case.bucket not in listed):
        yield f"{where} would take uploads such as {path}, which no entry takes today and which are in none of the buckets"


def _partial_takers(after: Sequence[Job], buckets: Sequence[Bucket], cases: Mapping[Case, str]) -> Iterator[str]:
    """Yield who takes a part of the uploads to a bucket of ours; who takes the samples is a problem of the document itself."""
    takers = [job.pattern for job in after]
    for bucket in buckets:
        if any(_name(after, _winner(takers, path)) != bucket.job for path in bucket.sample_paths):
            continue
        for case, path in cases.items():
            if case.bucket == bucket.name and case.upload and case.after not in (None, bucket.job):
                job = _entry(after, case.after)
                yield (
                    f"{job.where} with the pattern {job.pattern or '(empty)'} takes a part of the uploads to the bucket"
                    f" {bucket.name} (such as {path}), since the last entry that matches wins: {bucket.job} would not get them;"
                    f" narrow its pattern or move it before {bucket.job}"
                )
                break


def _remarks(name: str, entries: Entries, cases: Mapping[Case, str]) -> Iterator[str]:
    """Yield what the entry loses that its pattern hardly meant, and what it takes that is no upload."""
    old, new = _entry(entries.before, name), _entry(entries.after, name)
    if old is None or old.pattern == new.pattern or "pattern" not in old.fields:
        return
    named = patterns.named_buckets(old.pattern) or []
    for bucket in named:
        longer = f"s3://{bucket}-2/{SAMPLE_GUID}/sample.txt"
        if patterns.matches(old.pattern, longer) and not patterns.matches(new.pattern, longer):
            yield (
                f"the former pattern {old.pattern} of {new.where} also took buckets whose names go on after {bucket}, such as"
                f" {bucket}-2; if there are any, list them."
            )
    lost = {case: path for case, path in cases.items() if case.before == name != case.after and not case.intended}
    for case, path in _first(lost, lambda case: case.bucket):
        yield f"the former pattern {old.pattern} of {new.where} also took {path}, which it will not take any more."
    partly = {case.bucket for case in cases if case.before == name and case.intended}
    gained = {case: path for case, path in cases.items() if case.after == name and case.before is None}
    if not any(case.upload and case.bucket in partly for case in gained):
        for case, path in _first(gained, lambda case: case.bucket in partly):
            yield f"{new.where} takes more of the bucket {case.bucket} than its former pattern {old.pattern}, such as {path}."


def _entry(jobs: Sequence[Job], name: str | None) -> Job | None:
    return next((job for job in jobs if job.name == name), None)


def _first(cases: Mapping[Case, str], condition: Callable[[Case], object]) -> Iterator[tuple[Case, str]]:
    """Yield the first case of each pair of an entry and a bucket for which the condition holds."""
    seen = set()
    for case, path in cases.items():
        if condition(case) and (case.before, case.after) not in seen:
            seen.add((case.before, case.after))
            yield case, path


def _uploads(buckets: Sequence[Bucket]) -> dict[str, str]:
    """Return for each bucket the pattern of what fence uploads to it, <GUID>/<name>, within its prefix and suffix."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for bucket in buckets:
        alike.setdefault((bucket.storage, bucket.prefix, bucket.suffix), []).append(bucket.name)
    found = {}
    for (storage, prefix, suffix), names in alike.items():
        slash, rest = ("(/|%2F)" if storage == "minio" else "/"), ".*" if suffix else ".+"
        pattern = (
            f"^s3://({'|'.join(map(re.escape, names))})/{patterns.encoded(prefix)}{GUID}{slash}{rest}{patterns.encoded(suffix)}$"
        )
        found |= dict.fromkeys(names, pattern)
    return found


def _intended(pattern: str) -> str:
    """Return what was meant by a pattern that ends like a glob: s3://bucket/* takes s3://bucket-2/x too."""
    return re.sub(r"/\*\$?\Z", "/.+", pattern)


def _is_sound(job: Job) -> bool:
    if not isinstance(job.name, str) or not isinstance(job.pattern, str):
        return False
    try:
        patterns.check(job.pattern)
    except patterns.PatternError:
        return False
    return True


def _winner(takers: Sequence[str], path: str) -> int | None:
    return patterns.winner([taker for taker in takers if patterns.is_judged(taker)], path)


def _name(jobs: Sequence[Job], index: int | None) -> str | None:
    judged = [job for job in jobs if patterns.is_judged(job.pattern)]
    return None if index is None else judged[index].name
