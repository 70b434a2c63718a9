# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking every station about one file. What one cannot say stops no other.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote_plus

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Indexd
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._probe.steps import JOB_LABEL, StepFailed, Reader, Context
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload, guid_of
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import patterns
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.image_config import read_entries
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import INDEXING
from ansible_collections.gen3.uploads.plugins.module_utils._trace.judge import Facts

Listing = Callable[[str], Sequence[Upload]]
"""The first objects of the bucket whose keys begin with a text."""

Answer = TypeVar("Answer")


class Stations:
    """Asks stations; ``unknown`` gathers those that could not be asked, with the reason."""

    def __init__(self) -> None:
        self.unknown: dict[str, str] = {}

    def ask(self, station: str, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        """Return the answer of a station."""
        try:
            return question()
        except (UploadsError, StepFailed) as error:
            self.unknown[station] = str(error)
            return otherwise


def observe(context: Context, wanted: str, listing: Listing, image: str | None, min_age: float, now: datetime) -> Facts:
    """Return what all stations say of ``wanted``: an ``s3://`` URL, a key or a GUID in the bucket of the options."""
    params, stations = context.params, Stations()
    bucket = params["bucket"]
    wanted = wanted.removeprefix(f"s3://{bucket}/").lstrip("/")
    found = stations.ask("object", lambda: find(listing(wanted), wanted), None)
    guid = found.guid if found else guid_of(f"{wanted}/")
    # Reading a record needs no login, which may be what is wrong.
    record = stations.ask("record", lambda: Indexd(context.send("indexd", {}), "").get(guid) if guid else None, None)
    status = stations.ask("status", lambda: context.metadata().upload_status(guid) if guid else None, None)
    url = f"s3://{bucket}/{found.key}" if found else None
    job, pods = stations.ask("Job", lambda: find_job(context, url), (None, []))
    entry, own_entry = stations.ask("entry", lambda: entries(context, url), (None, ""))
    return Facts(
        bucket=bucket, wanted=wanted, object=found, guid=guid, record=record, status=status, job=job, pods=pods, entry=entry, own_entry=own_entry,
        image=image, min_age=min_age, age=(now - found.modified).total_seconds() if found else None, **handing_over(context, stations))


def handing_over(context: Context, stations: Stations, readers: Sequence[Reader] | None = None) -> dict[str, Any]:
    """Return what the stations say between the bucket and a Job, as fields of ``Pipeline``, and who could not be asked till then.

    ``readers`` are who reads the queue, where they have been asked already.
    """
    params = context.params
    if params["refusals"]:
        stations.unknown["configuration"] = " ".join(params["refusals"])
    return {
        "drift": params["drift"], "dispatcher": stations.ask("dispatcher", lambda: context.dispatcher_failures(readers), []), "queue": params["queue"],
        "depth": stations.ask("queue", lambda: depth(context), None), "target": stations.ask("target", context.target, None), "bridge": context.bridge,
        "unknown": stations.unknown}


def find(uploads: Sequence[Upload], wanted: str) -> Upload | None:
    """Return the object with this key, or else one whose GUID it is, an empty folder only where there is nothing else."""
    exact = [upload for upload in uploads if upload.key == wanted]
    of_the_guid = [upload for upload in uploads if upload.guid == wanted.rstrip("/")]
    return next(iter([*exact, *sorted(of_the_guid, key=lambda upload: upload.is_folder)]), None)


def find_job(context: Context, url: str | None) -> tuple[Mapping[str, Any] | None, list[str]]:
    """Return the Job of the object, and why its pods fail."""
    namespace = context.params["jobs_namespace"]
    job = _probe.find_job(context.kube().list("Job", namespace, JOB_LABEL), url) if url else None
    if job is None:
        return None, []
    return job, _probe.pod_failures(context.kube().list("Pod", namespace, f"job-name={job['metadata']['name']}"))


def entries(context: Context, url: str | None) -> tuple[str | None, str]:
    """Return the name of the entry of JOBS that takes the object, None for none, and that of this pipeline."""
    params = context.params
    _where, jobs = read_entries(context.kube(), params)
    names = [job.name for job in jobs]
    own = params["job_name"] if params["job_name"] in names else INDEXING
    if url is None:
        return None, own
    bucket, key = url.removeprefix("s3://").split("/", 1)
    index = patterns.winner([job.pattern for job in jobs], f"s3://{bucket}/{quote_plus(key, safe='/')}")
    return (names[index] if index is not None else None), own


def depth(context: Context) -> dict[str, int] | None:
    """Return the counts of the queue, None on a route without one."""
    counts = context.queue_depth()
    if counts is None and context.params["queue_url"]:
        raise UploadsError(f"the queue {context.params['queue']} cannot be read")
    return counts
