# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a file is as it is: from what all stations say to one sentence and what to do. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._gen3.stock_image import cannot_index
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload, says_empty
from ansible_collections.gen3.uploads.plugins.module_utils._trace.pipeline import (
    HANDED_OVER,
    Pipeline,
    Verdict,
    configuration_differs,
    configuration_missing,
    dead_letters,
    in_lines,
    nobody_reads,
    queue_stuck,
    target_stuck,
)


@dataclass(frozen=True, kw_only=True)
class Facts(Pipeline):
    """What the stations say of one file, beside what they say of all.

    ``record`` is indexd's, ``status`` the metadata service's ``_upload_status``. ``job`` is a Job for the file that Kubernetes still has, and
    ``pods`` says why its pods fail. ``entry`` is the entry of JOBS that takes the file, None for none, and ``own_entry`` that of this pipeline
    with its ``image``.
    """

    bucket: str
    wanted: str
    object: Upload | None = None
    guid: str | None = None
    record: Mapping[str, Any] | None = None
    status: str | None = None
    job: Mapping[str, Any] | None = None
    pods: Sequence[str] = ()
    entry: str | None = None
    own_entry: str = ""
    image: str | None = None
    min_age: float = 0
    age: float | None = None

    @property
    def url(self) -> str:
        """The object's URL, as records have it."""
        return f"s3://{self.bucket}/{self.object.key}" if self.object else f"s3://{self.bucket}/…"

    @property
    def is_indexed(self) -> bool:
        """Whether the record has size and hashes."""
        return self.record is not None and _probe.is_filled(self.record)


def judge(facts: Facts) -> Verdict:
    """Return the first verdict that fits, from what no later station could mend to what waits."""
    for rule in RULES:
        verdict = rule(facts)
        if verdict:
            return verdict
    return Verdict("unknown", "No station that could be asked says why.", "See which could not be asked, and ask again.")


def object_missing(facts: Facts) -> Verdict | None:
    """The bucket has no such object."""
    if facts.object or "object" in facts.unknown:
        return None
    if facts.is_indexed:
        return Verdict("object-deleted", f"The file {facts.guid} was indexed, but the bucket {facts.bucket} does not have it any more.",
                       "Upload it anew, or remove its record.")
    return Verdict("object-missing", f"The bucket {facts.bucket} has no object at {facts.wanted}, so nothing has been uploaded there.",
                   "Was the upload finished? Name another bucket in uploads_selected_bucket if the file is there.")


def no_upload(facts: Facts) -> Verdict | None:
    """An object that is none of fence's uploads."""
    if facts.object and facts.object.is_folder:
        return Verdict("folder", f"{facts.url} is an empty folder, which is no upload.", "Upload the file itself.")
    if facts.object and facts.object.guid is None:
        return Verdict("no-guid", f"The key of {facts.url} has no GUID, so no record can be its own.", "Upload it through fence.")
    return None


def record_missing(facts: Facts) -> Verdict | None:
    """indexd does not know the file."""
    if facts.record is None and "record" not in facts.unknown and facts.guid:
        return Verdict("record-missing", f"There is no record {facts.guid} in indexd, so a Job has nothing to write to.",
                       "Upload the file anew through fence, which makes the record first.")
    return None


def record_disagrees(facts: Facts) -> Verdict | None:
    """The record is filled, and not by this object."""
    if not facts.is_indexed or not facts.object or facts.record is None:
        return None
    urls = facts.record.get("urls") or []
    if facts.url not in urls:
        return Verdict("record-of-another", f"The record {facts.guid} is that of {', '.join(urls) or 'no object'}, not of {facts.url}.",
                       "Upload the file anew, so that it has a record of its own.")
    if facts.object.size and says_empty(facts.record):
        return Verdict("damaged", f"The record {facts.guid} says that the file is empty, and indexd lets nobody fill a record twice.",
                       "Upload the file anew.")
    if facts.record.get("size") != facts.object.size:
        return Verdict("object-replaced", f"{facts.url} has {facts.object.size} bytes, and its record says {facts.record.get('size')}: the object was "
                       "replaced after it was indexed.", "Upload the new content as a file of its own.")
    return None


def indexed(facts: Facts) -> Verdict | None:
    """Nothing is wrong, or only the status."""
    if not facts.is_indexed:
        return None
    if "status" not in facts.unknown and facts.status is not None and facts.status != "uploaded":
        return Verdict("stale-status", f"The file is indexed, but its _upload_status is {facts.status}.", "Run reindex.yml: it sets the status.")
    return Verdict("ready", "The file is READY.", "Nothing is to be done.")


def of_the_job(facts: Facts) -> Verdict | None:
    """A Job is there: it knows best."""
    if facts.job is None:
        return None
    name, state = facts.job["metadata"]["name"], _probe.job_state(facts.job)
    if state == _probe.PASSED:
        return None
    if facts.pods:
        return Verdict("job-fails", f"The Job {name} does not come to its end: {'; '.join(facts.pods)}.",
                       f"Look at kubectl logs job/{name}, mend the cause, then run reindex.yml.")
    if state == _probe.FAILED:
        return Verdict("job-failed", f"The Job {name} has failed.", f"Look at kubectl logs job/{name}, mend the cause, then run reindex.yml.")
    return Verdict("job-runs", f"The Job {name} is indexing the file.", "Wait for it: a large file takes a minute for each few gigabytes.")


def odd_name(facts: Facts) -> Verdict | None:
    """A name that the image of the Jobs does not bear."""
    if facts.object and cannot_index(facts.image, facts.object.key):
        return Verdict("odd-name", f"The image {facts.image} never indexes a name like that of {facts.url}.",
                       "Let the Jobs use the image of the role indexer_image, then run reindex.yml.")
    return None


def no_entry(facts: Facts) -> Verdict | None:
    """No entry of JOBS takes the file, or another than ours."""
    if "entry" in facts.unknown or not facts.object:
        return None
    if facts.entry is None:
        return Verdict("no-pattern", f"No pattern in JOBS takes {facts.url}: ssjdispatcher drops its event.", "Run site.yml, then reindex.yml.")
    if facts.entry != facts.own_entry:
        return Verdict("another-entry", f"The entry {facts.entry} of JOBS takes {facts.url} away from {facts.own_entry}: the last that matches wins.",
                       "Correct the pattern of that entry, then run reindex.yml.")
    return None


def young(facts: Facts) -> Verdict | None:
    """Nothing is known to be wrong, and the file has just come."""
    if facts.age is not None and facts.age < facts.min_age:
        return Verdict("young", f"The file was uploaded {facts.age:.0f} s ago, and its event may be on its way.", "Ask again in some minutes.")
    return None


def lost(facts: Facts) -> Verdict | None:
    """All is well, and there is no event."""
    if any(station in facts.unknown for station in HANDED_OVER) or not facts.object:
        return None
    return Verdict("event-lost", "All stations are as they should be, and no event of the file is on its way: it was lost, or the file came before "
                   "the pipeline.", "Run reindex.yml.")


RULES: Sequence[Callable[[Facts], Verdict | None]] = (
    object_missing, no_upload, record_missing, record_disagrees, indexed, of_the_job, odd_name, configuration_missing, nobody_reads, no_entry,
    configuration_differs, target_stuck, queue_stuck, dead_letters, young, lost,
)


def table(facts: Facts) -> list[str]:
    """Return what each station says as the lines of a table, at most 25."""
    found = facts.object
    rows = {
        "object": f"{facts.url}, {found.size} bytes, {found.modified:%Y-%m-%d %H:%M:%S} UTC, ETag {found.etag}" if found else f"none at {facts.wanted}",
        "record": _record(facts),
        "status": facts.status or "none",
        "configuration": "as site.yml makes it" if not facts.drift else f"{len(facts.drift)} changes are due",
        "dispatcher": "runs" if not facts.dispatcher else " ".join(facts.dispatcher),
        "entry": facts.entry or "none takes the file",
        "target": _probe.target_evidence(facts.target) if facts.target else None,
        "queue": _probe.queue_evidence(facts.depth) if facts.queue else None,
        "Job": f"{facts.job['metadata']['name']}: {_probe.job_state(facts.job) or 'runs'}" if facts.job else "none now; Kubernetes deletes finished ones",
    }
    return in_lines(rows, facts)[:25]


def _record(facts: Facts) -> str:
    if facts.record is None:
        return f"none for {facts.guid}" if facts.guid else "none: the key has no GUID"
    content = f"{facts.record.get('size')} bytes, {len(facts.record['hashes'])} hashes" if facts.is_indexed else "blank"
    return f"{facts.guid}, {content}"
