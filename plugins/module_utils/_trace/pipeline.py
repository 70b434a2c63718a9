# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the pipeline, whichever file it is about: from what its stations say to sentences and what to do. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.model import Records
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe

HANDED_OVER = ("configuration", "dispatcher", "entry", "target", "queue")
"""The stations before a Job."""

EXPIRY = timedelta(days=30)
"""How long before its end a certificate is told."""

SKEW = timedelta(minutes=5)
"""How much clocks may differ: S3 refuses signatures that are off by 15 minutes."""

BACKLOG = 60
"""How many messages a queue may hold: ssjdispatcher takes one a second, so more is a minute and longer."""


@dataclass(frozen=True)
class Restarts:
    """A pod of ssjdispatcher, or of who reads in its place, that has ended ``count`` times, the last time at ``last`` for a ``reason``."""

    pod: str
    count: int
    reason: str
    last: datetime


@dataclass(frozen=True)
class JobCounts:
    """The Jobs that there are: how many run, since when the oldest does, how many ssjdispatcher allows, and the failing ones by reason.

    ``example`` is the name of one that fails.
    """

    running: int = 0
    oldest: datetime | None = None
    limit: int = 10
    failing: Mapping[str, int] = field(default_factory=dict)
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What the stations say. ``unknown`` tells by station why it could not be asked; what it would say is then None or empty.

    ``drift`` are the changes that site.yml would make; ``dispatcher`` says why nobody reads. ``certificates`` has by URL when the
    certificate that is served there ends, and ``clocks`` by how much its server's clock is ahead. ``records`` is None where the bridge shows no counts.
    """

    drift: Sequence[Mapping[str, Any]] = ()
    dispatcher: Sequence[str] = ()
    restarts: Sequence[Restarts] = ()
    jobs: JobCounts = JobCounts()
    queue: str | None = None
    depth: Mapping[str, int] | None = None
    target: _probe.Target | None = None
    bridge: _probe.Bridge | None = None
    records: Records | None = None
    certificates: Mapping[str, datetime] = field(default_factory=dict)
    clocks: Mapping[str, timedelta] = field(default_factory=dict)
    now: datetime | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """One sentence and what to do; ``finding`` is its name."""

    finding: str
    sentence: str
    remedy: str


def findings(facts: Pipeline) -> list[Verdict]:
    """Return all that is wrong, the worst first; a station that could not be asked is a finding too."""
    found = [verdict for verdict in (rule(facts) for rule in RULES) if verdict]
    return [*found, *(_not_asked(station, reason.rstrip(".")) for station, reason in facts.unknown.items())]


def _not_asked(station: str, reason: str) -> Verdict:
    if station == "configuration":
        return Verdict("not-compared", f"Not all could be compared with what site.yml makes: {reason}.", "Mend that; site.yml would stop there too.")
    return Verdict("not-asked", f"The station {station} could not be asked: {reason}.", "Mend that, and ask again.")


def configuration_missing(facts: Pipeline) -> Verdict | None:
    """A part of what site.yml makes is not there."""
    if missing := _probe.missing(facts.drift):
        return Verdict("configuration-missing", f"What site.yml makes is not there: {', '.join(missing)}.", "Run site.yml, then reindex.yml.")
    return None


def nobody_reads(facts: Pipeline) -> Verdict | None:
    """ssjdispatcher, or who reads in its place, does not run."""
    if facts.dispatcher:
        return Verdict("dispatcher-down", " ".join(facts.dispatcher), "Uploads wait until it runs.")
    return None


def target_stuck(facts: Pipeline) -> Verdict | None:
    """MinIO does not get rid of its events."""
    advice = _probe.target_advice(facts.target, facts.bridge) if facts.target and facts.bridge else []
    if facts.target and advice:
        return Verdict("target-stuck", f"{_probe.target_evidence(facts.target)}.", f"{' '.join(advice).rstrip('.')}.")
    return None


def queue_stuck(facts: Pipeline, bearable: int = 0) -> Verdict | None:
    """More messages wait than are ``bearable``."""
    depth = facts.depth or {}
    if depth.get("visible", 0) + depth.get("in_flight", 0) <= bearable:
        return None
    return Verdict("queue-waits", f"{_probe.queue_evidence(depth)}; the event of a file that is stuck may be among these.",
                   f"ssjdispatcher takes at most one message a second from {facts.queue}: wait, or look at its log if the number does not fall.")


def backlog(facts: Pipeline) -> Verdict | None:
    """More messages wait than a busy pipeline has."""
    return queue_stuck(facts, BACKLOG)


def configuration_differs(facts: Pipeline) -> Verdict | None:
    """A part is there, and not as site.yml makes it: a rule of another prefix, raw delivery, a policy that was cut."""
    if parts := ", ".join(_probe.changed_part(change) for change in facts.drift if change["action"] != "create"):
        return Verdict("configuration-differs", f"Not as site.yml makes it: {parts}.", "Run site.yml, then reindex.yml.")
    return None


def dead_letters(facts: Pipeline) -> Verdict | None:
    """Messages that nobody could digest."""
    if (facts.depth or {}).get("dead"):
        return Verdict("dead-letters", f"{facts.depth['dead']} messages lie in the dead-letter queue of {facts.queue}; that of a file that is stuck "
                       "may be among them.", "Run reindex.yml with uploads_reindex_redrive: true.")
    return None


def bridge_dead_letters(facts: Pipeline) -> Verdict | None:
    """Events that the bridge has put aside, as nobody could make an upload of them."""
    if not facts.records or not facts.records.dead:
        return None
    number = sum(facts.records.dead.values())
    reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(facts.records.dead.items(), key=lambda item: -item[1]))
    where = f": {facts.bridge.dead_letters}" if facts.bridge else ""
    return Verdict("bridge-dead-letters", f"The event bridge has put {number} {'event' if number == 1 else 'events'} aside since its start: {reasons}.",
                   f"Look at its dead letters{where}. reindex.yml sends the event of an upload again.")


def reader_restarts(facts: Pipeline) -> Verdict | None:
    """A pod that reads the queue ends again and again, or has ended within the last day."""
    if not facts.restarts:
        return None
    worst = max(facts.restarts, key=lambda each: each.count)
    times = "once" if worst.count == 1 else f"{worst.count} times"
    return Verdict("reader-restarts", f"The pod {worst.pod} has ended {times}, the last time at {_moment(worst.last)}: {worst.reason}.",
                   f"Look at kubectl logs {worst.pod} --previous. A message that it cannot digest ends ssjdispatcher again and again: "
                   "uploads_queue_reader: event_bridge spares it that.")


def jobs_failing(facts: Pipeline) -> Verdict | None:
    """Jobs that do not come to their end, by reason."""
    failing = facts.jobs.failing
    if not failing:
        return None
    number = sum(failing.values())
    reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(failing.items(), key=lambda item: -item[1]))
    return Verdict("jobs-fail", f"{number} {'Job does' if number == 1 else 'Jobs do'} not come to {'its' if number == 1 else 'their'} end: {reasons}.",
                   f"Look at kubectl logs job/{facts.jobs.example}, mend the cause, then run reindex.yml.")


def jobs_full(facts: Pipeline) -> Verdict | None:
    """No Job can be started: ssjdispatcher waits while more Jobs run than JOB_NUM_MAX says (``handlers/handler.go``)."""
    if facts.jobs.running <= facts.jobs.limit:
        return None
    return Verdict("jobs-full", f"All {facts.jobs.limit} slots for Jobs are taken, the oldest since {_moment(facts.jobs.oldest)}: uploads wait.",
                   "Look at the oldest Jobs with kubectl get jobs -l app=ssjdispatcherjob; JOB_NUM_MAX of ssjdispatcher is the number of slots.")


def certificate_ends(facts: Pipeline) -> Verdict | None:
    """A certificate that has ended, or will soon."""
    if not facts.certificates or facts.now is None:
        return None
    url, end = min(facts.certificates.items(), key=lambda item: item[1])
    if end <= facts.now:
        return Verdict("certificate-ended", f"The certificate of {url} has ended on {_moment(end)}, so nobody trusts the server any more.", "Renew it.")
    if end - facts.now < EXPIRY:
        return Verdict("certificate-ends", f"The certificate of {url} ends on {_moment(end)}.", "Renew it before that.")
    return None


def clock_differs(facts: Pipeline) -> Verdict | None:
    """Signatures hold a time, which must be about that of the server."""
    for url, ahead in facts.clocks.items():
        if abs(ahead) > SKEW:
            how = "ahead of" if ahead > timedelta(0) else "behind"
            return Verdict("clock-differs", f"The clock of {url} is {abs(ahead).total_seconds() / 60:.0f} minutes {how} that of this machine.",
                           "Let both ask the same time server: with 15 minutes all signed requests are refused.")
    return None


def _moment(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "a time that is not known"


RULES: Sequence[Callable[[Pipeline], Verdict | None]] = (
    configuration_missing, nobody_reads, reader_restarts, jobs_failing, jobs_full, configuration_differs, target_stuck, backlog, dead_letters,
    bridge_dead_letters,
    certificate_ends, clock_differs,
)


def table(facts: Pipeline) -> list[str]:
    """Return what each station says as the lines of a table."""
    jobs = facts.jobs
    rows = {
        "configuration": "as site.yml makes it" if not facts.drift else f"{len(facts.drift)} changes are due",
        "dispatcher": "runs" if not facts.dispatcher else " ".join(facts.dispatcher),
        "restarts": None if "dispatcher" in facts.unknown else ", ".join(
            f"{each.pod}: {each.count}" for each in facts.restarts) or "none within a day",
        "Jobs": f"{jobs.running} of {jobs.limit} run, {sum(jobs.failing.values())} fail",
        "target": _probe.target_evidence(facts.target) if facts.target else None,
        "bridge": f"{facts.records.forwarded} events handed on, {sum(facts.records.dead.values())} put aside since its start" if facts.records else None,
        "queue": _probe.queue_evidence(facts.depth) if facts.queue else None,
        **{f"certificate {url}": f"ends on {_moment(end)}" for url, end in facts.certificates.items()},
        **{f"clock {url}": f"{ahead.total_seconds():+.0f} s" for url, ahead in facts.clocks.items()},
    }
    return in_lines(rows, facts)


def in_lines(rows: Mapping[str, str | None], facts: Pipeline) -> list[str]:
    """Return rows (station -> what it says) as lines, with what could not be asked and the changes that are due."""
    said = {**rows, **{station: f"not known: {reason}" for station, reason in facts.unknown.items()}}
    lines = [f"{station:<10}  {words}" for station, words in said.items() if words]
    return lines + [f"{'change':<10}  {each['action']} {_probe.changed_part(each)}" for each in facts.drift]
