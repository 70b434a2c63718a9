# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a probe upload: each makes or awaits one thing and says what it saw.

Nothing here receives from the production queue, which would steal messages from ssjdispatcher: the probe is recognised
by its Job's ``INPUT_URL``, and the steps before by configuration and metrics.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._probe import dispatcher
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube, KubeError
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import MinioError
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Gen3Error, Indexd, Metadata, Send
from ansible_collections.gen3.uploads.plugins.module_utils._probe.storage import AWS_ERRORS, STORAGE_ERRORS, Storage
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.image_config import ImageConfigError, read_image_config

JOB_LABEL = "app=ssjdispatcherjob"
"""The label that ssjdispatcher puts on its Jobs (ssjdispatcher ``handlers/jobs.go``)."""


Reader = tuple[str, "Mapping[str, Any] | None", "list[dict[str, Any]]"]
"""Name, Deployment and pods of who reads the queue."""


class StepFailed(Exception):
    """A step that was not passed: one sentence, what was seen, and what to look at."""

    def __init__(self, message: str, evidence: Sequence[str] = (), advice: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.evidence, self.advice = evidence, advice


@dataclass
class StepResult:
    """A step that was passed: what was seen, and what the probe has to remember.

    ``at`` is the latest time at which it can have happened, where that is known better than by the time of the look.
    """

    evidence: list[str]
    remember: dict[str, Any] = field(default_factory=dict)
    state: str = _probe.PASSED
    at: float | None = None


@dataclass
class Context:
    """What the steps act on. Clients are made when a step first needs them."""

    aws: Callable[[str], Any]
    kube: Callable[[], Kube]
    send: Callable[[str, Mapping[str, str]], Send]
    storage: Storage
    params: Mapping[str, Any]
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    waited: bool = False

    def wait(self, look: Callable[[], Any]) -> Any:
        """Call ``look`` until it returns something true, and return that; None on a time-out.

        An error of the network counts as "not yet", unless it is still there at the end. ``waited`` tells afterwards
        whether the first look was not enough.
        """
        deadline = self.clock() + self.params["timeout"]
        while True:
            try:
                seen, error = look(), None
            except (Gen3Error, KubeError) as exc:
                seen, error = None, exc
            if seen:
                return seen
            if self.clock() >= deadline:
                if error:
                    raise error
                return None
            self.waited = True
            self.sleep(self.params["interval"])

    @cached_property
    def indexer(self) -> Mapping[str, Any]:
        """Return the ``imageConfig`` of the indexing job from ssjdispatcher's Secret: addresses, users and passwords.

        The same as the Job gets through its environment, so that a password that has gone stale shows here already.
        """
        try:
            return read_image_config(self.kube(), self.params)
        except ImageConfigError as error:
            raise StepFailed(str(error), advice=[error.advice]) from error

    def indexd(self) -> Indexd:
        """Return indexd's client."""
        config = self.indexer
        return Indexd(self.send("indexd", config), config.get("username", ""))

    def metadata(self) -> Metadata:
        """Return the metadata service's client."""
        config = self.indexer.get("metadataService") or {}
        return Metadata(self.send("metadata", config), config.get("username", ""))

    @property
    def file_name(self) -> str:
        """Return the name of the probe file, which ends as the bucket's rule wants."""
        return _probe.file_name(self.params["file_name"], self.params["suffix"])

    def target(self) -> _probe.Target | None:
        """Return what MinIO says of the target that the events go to, None on Amazon S3; may raise MinioError."""
        return self.storage.target(self.params["minio_target"]) if self.params["minio_url"] else None

    @property
    def bridge(self) -> _probe.Bridge | None:
        """Return where to look at the event bridge, None on Amazon S3."""
        if not self.params["minio_url"]:
            return None
        names = (self.params[f"bridge_{each}"] for each in ("name", "address", "dead_letters"))
        return _probe.bridge(self.params["bridge"], self.params["namespace"], *names)

    def dispatcher_failures(self, readers: Iterable[Reader] | None = None) -> list[str]:
        """Return why ssjdispatcher, or who reads the queue in its place, does not run; empty where they do. May raise KubeError.

        ``readers`` are those of a moment ago, by default those of now.
        """
        return [failure for name, deployment, pods in (self.readers() if readers is None else readers)
                for failure in dispatcher.why_not_running(deployment, pods, f"Deployment {self.params['namespace']}/{name}")]

    def readers(self) -> Iterator[Reader]:
        """Yield name, Deployment and pods of who reads the queue in place of ssjdispatcher, and of ssjdispatcher. May raise KubeError."""
        namespace, kube = self.params["namespace"], self.kube()
        for name in filter(None, (self.params["queue_reader"], self.params["deployment"])):
            deployment = kube.get("Deployment", name, namespace)
            yield name, deployment, kube.list("Pod", namespace, dispatcher.selector(deployment)) if deployment else []

    def queue_evidence(self, depth: Mapping[str, int] | None) -> list[str]:
        """Return the queue's metrics in words; nothing on a route without a queue."""
        return [_probe.queue_evidence(depth)] if self.params["queue_url"] else []

    def queue_depth(self) -> dict[str, int] | None:
        """Return how many messages the queue and its dead-letter queue hold, None when that cannot be read."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

        def count(url: str) -> tuple[int, int]:
            answer = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
            return tuple(int(answer["Attributes"][name]) for name in names)

        if not self.params["queue_url"]:
            return None
        try:
            visible, in_flight = count(self.params["queue_url"])
            depth = {"visible": visible, "in_flight": in_flight}
            if self.params["dead_letter_queue_url"]:
                depth["dead"] = sum(count(self.params["dead_letter_queue_url"]))
        except AWS_ERRORS:
            return None
        return depth


def configuration(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Compare the configuration with what is declared: the changes that a run of site.yml would make."""
    drift = context.params["drift"]
    lines = [f"{change['action']} {_probe.changed_part(change)}" for change in drift]
    if missing := _probe.missing(drift):
        raise StepFailed(f"What site.yml makes is not there: {', '.join(missing)}.", lines, ["Run site.yml."])
    if failures := context.dispatcher_failures():
        raise StepFailed(" ".join(failures), lines, ["An upload would wait until it runs."])
    if drift:
        return StepResult([f"site.yml would {line}" for line in lines], state=_probe.INFORMATION)
    compared = ["MinIO's bucket, rule, users and policies"] if context.params["minio_url"] else ["the bucket's rule"]
    if context.params["queue_url"]:
        compared.append("topic, queues, subscription and their policies")
    compared.append("ssjdispatcher's configuration and rights")
    return StepResult([f"{' and '.join(compared)} are as declared", "ssjdispatcher runs"])


def record(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Make a blank record, as fence does, and an empty metadata object for the Job to write its status into."""
    # The bucket in the name tells the next run where the object lies, should this one be killed.
    name = f"{context.params['bucket']}/{context.file_name}"
    blank = context.indexd().create_blank(name)
    made, evidence = ["record"], [f"{blank['did']}, revision {blank['rev']}"]
    try:
        context.metadata().create(blank["did"])
        made.append("metadata")
    except Gen3Error as error:
        # The metadata service is no part of being READY, and the Job does not fail without it either.
        evidence.append(f"no metadata object: {error}")
    return StepResult([*evidence, *remove_stale(name, context)], {"guid": blank["did"], "made": made})


def remove_stale(name: str, context: Context) -> list[str]:
    """Remove what runs that were killed have left, and return it in words; the probe does not depend on it.

    No run takes ten times as long as one step may. Without its version, an object in a bucket with versions is only hidden.
    """
    try:
        found = context.indexd().find_own(name)
    except Gen3Error:
        return []
    guids = _probe.stale_probes(found, context.clock(), max(3600, 10 * context.params["timeout"]))
    place = {"bucket": context.params["bucket"], "made": ["object", "metadata", "record"]}
    lines = []
    for guid in guids:
        removed, left = remove({**place, "guid": guid, "key": f"{guid}/{context.file_name}"}, context)
        lines.append("; ".join([f"{guid} was left by an earlier run, removed: {', '.join(removed)}", *left]))
    return lines


def upload(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Put the object where fence would have it put: ``<guid>/<file name>``, with the suffix that the bucket's rule asks for."""
    bucket, key = context.params["bucket"], f"{probe['guid']}/{context.file_name}"
    if not key.startswith(context.params["prefix"]):
        raise StepFailed(
            f"The rule of the bucket {bucket} takes keys below {context.params['prefix']} alone, but fence puts an upload at "
            f"<guid>/<file name>, and indexd's GUIDs are such as {probe['guid']}: no upload of fence's sends an event.",
            advice=["Give the bucket in uploads_buckets a prefix with which indexd's GUIDs begin, or none."],
        )
    content = f"A probe of gen3.uploads: {probe['guid']}\n".encode()
    before = context.queue_depth()
    try:
        version = context.storage.put(bucket, key, content)
    except STORAGE_ERRORS as error:
        raise StepFailed(
            f"Putting s3://{bucket}/{key} failed: {str(error).rstrip('.')}.",
            advice=[f"Does the bucket {bucket} exist, and may the user in use call s3:PutObject on it?"],
        ) from error
    remember = {
        "bucket": bucket,
        "key": key,
        "url": f"s3://{bucket}/{key}",
        "version": version,
        "size": len(content),
        "hashes": _probe.digests(content),
        "queue_before": before,
        "made": [*probe["made"], "object"],
    }
    return StepResult([f"s3://{bucket}/{key}, {len(content)} bytes", *context.queue_evidence(before)], remember)


def notification_target(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Ask MinIO whether it reaches its target. That takes the file no time, which travels on meanwhile."""
    said = context.target()
    evidence = _probe.target_evidence(said)
    if said.status != "online":
        raise StepFailed(f"{evidence}.", advice=_probe.target_advice(said, context.bridge))
    return StepResult([evidence], at=probe["uploaded"])


def job(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Await the Job whose INPUT_URL is the object's."""
    namespace = context.params["jobs_namespace"]
    seen = context.wait(lambda: _probe.find_job(context.kube().list("Job", namespace, JOB_LABEL), probe["url"]))
    depth = context.queue_depth()
    evidence = context.queue_evidence(depth)
    if seen is None:
        params, said = context.params, None
        try:
            said = context.target()
        except MinioError as error:
            evidence.append(str(error))
        if said:
            evidence.append(_probe.target_evidence(said))
        try:
            failures = context.dispatcher_failures()
        except KubeError as error:
            failures = []
            evidence.append(str(error))
        raise StepFailed(
            f"No Job for {probe['url']} appeared in namespace {namespace}.",
            evidence,
            failures or _probe.no_job_advice(
                f"-n {params['namespace']} deployment/{params['deployment']}",
                queue=params["queue"] if params["queue_url"] else None,
                depth=depth,
                before=probe.get("queue_before"),
                target=said,
                look_at=context.bridge,
                reader=f"-n {params['namespace']} deployment/{params['queue_reader']}" if params["queue_reader"] else None,
            ),
        )
    name, created = seen["metadata"]["name"], seen["metadata"]["creationTimestamp"]
    return StepResult([f"Job {namespace}/{name}, created {created}", *evidence], {"job": name}, at=_probe.latest(created))


def job_completed(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Await the end of the Job; ssjdispatcher deletes finished Jobs, so one that has gone has finished."""
    namespace, name = context.params["jobs_namespace"], probe["job"]
    gone: Mapping[str, Any] = {"status": {}}

    def look() -> Mapping[str, Any] | None:
        live = context.kube().get("Job", name, namespace)
        return gone if live is None else live if _probe.job_state(live) else None

    seen = context.wait(look)
    if seen is gone:
        return StepResult([f"Job {name} has been cleaned up already"], state=_probe.INFORMATION)
    state = _probe.job_state(seen) if seen else None
    if state == _probe.PASSED:
        completed = seen["status"].get("completionTime")
        return StepResult([f"Job {name} succeeded at {completed}"], at=_probe.latest(completed))
    raise StepFailed(
        f"Job {name} {'failed' if state else 'did not finish'}.",
        _probe.pod_failures(context.kube().list("Pod", namespace, f"job-name={name}")),
        [f"kubectl -n {namespace} logs job/{name}", f"kubectl -n {namespace} describe job/{name}"],
    )


def when_the_job_ended(probe: Mapping[str, Any], context: Context) -> float | None:
    """Return the time of the step before if the first look was enough: the Job writes everything before it ends."""
    return None if context.waited else probe["steps"][-1]["ended"]


def indexed(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Await size and hashes in the record and compare them with the object's."""
    indexd = context.indexd()

    def look() -> dict[str, Any] | None:
        found = indexd.get(probe["guid"])
        return found if found and _probe.is_filled(found) else None

    found = context.wait(look)
    if found is None:
        raise StepFailed(
            f"The record {probe['guid']} got no size and no hashes.",
            advice=[
                "Does the Job write into the indexd that is asked here?",
                f"kubectl -n {context.params['jobs_namespace']} logs job/{probe.get('job')}",
            ],
        )
    problems = _probe.record_problems(found, probe)
    if problems:
        raise StepFailed(
            f"The record {probe['guid']} does not describe the object: {'; '.join(problems)}.",
            advice=["Did another program replace the object or the record?"],
        )
    names = ", ".join(sorted(set(found["hashes"]) & set(probe["hashes"])))
    return StepResult([f"{found['size']} bytes; {names} equal those computed here"], at=when_the_job_ended(probe, context))


def metadata(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Await the status ``uploaded``; without a metadata object there is nothing to await."""
    if "metadata" not in probe["made"]:
        return StepResult(["no metadata object, so no status; READY does not depend on it"], state=_probe.INFORMATION)
    service, last = context.metadata(), None

    def look() -> str | None:
        nonlocal last
        last = service.upload_status(probe["guid"])
        return last if last in ("uploaded", "error") else None

    if context.wait(look) != "uploaded":
        raise StepFailed(
            f"The metadata service has _upload_status {last or 'unset'} for {probe['guid']}, not uploaded.",
            advice=[f"kubectl -n {context.params['jobs_namespace']} logs job/{probe.get('job')}"],
        )
    return StepResult(["_upload_status is uploaded"], at=when_the_job_ended(probe, context))


def ready(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Read the record as the portal does, without a password."""
    found = context.indexd().get(probe["guid"])
    if not found or not _probe.is_filled(found):
        raise StepFailed(f"The record {probe['guid']} is not READY any more.", advice=["Did another program change it?"])
    return StepResult([f"anyone can read size and hashes of {probe['guid']}"], at=when_the_job_ended(probe, context))


def cleanup(probe: Mapping[str, Any], context: Context) -> StepResult:
    """Remove what the probe made; what cannot be removed is named, and the rest is removed all the same."""
    removed, left = remove(probe, context)
    evidence = [f"removed: {', '.join(removed) or 'nothing, as nothing was made'}"]
    if left:
        message = f"Left behind of the probe {probe['guid']}: {'; '.join(left)}"
        raise StepFailed(message, evidence, ["Remove them by hand."])
    return StepResult(evidence, {"made": []})


def remove(probe: Mapping[str, Any], context: Context) -> tuple[list[str], list[str]]:
    """Return what was removed of a probe, and what was not with the reason."""
    parts = {
        "object": lambda: context.storage.remove(probe["bucket"], probe["key"], probe.get("version")),
        "metadata": lambda: context.metadata().delete(probe["guid"]),
        "record": lambda: context.indexd().delete(probe["guid"]),
    }
    removed, left = [], []
    for part, remove_part in parts.items():
        if part not in probe.get("made", []):
            continue
        try:
            remove_part()
            removed.append(part)
        except (Gen3Error, KubeError, StepFailed, *STORAGE_ERRORS) as error:
            left.append(f"{part}: {error}")
    return removed, left


RUN: Mapping[str, Callable[[Mapping[str, Any], Context], StepResult]] = {
    "configuration": configuration,
    "record": record,
    "upload": upload,
    "notification_target": notification_target,
    "job": job,
    "job_completed": job_completed,
    "indexed": indexed,
    "metadata": metadata,
    "ready": ready,
    "cleanup": cleanup,
}


def follow(names: Sequence[str], probe: Mapping[str, Any], context: Context) -> tuple[dict[str, Any], str | None]:
    """Do these steps until one is not passed, and the removal all the same; return the probe after them and what failed, in sentences."""
    failures: list[str] = []
    for name in names:
        if not failures or name == "cleanup":
            probe, failure = run_step(name, probe, context)
            failures += [failure] if failure else []
    return dict(probe), " ".join(failures) or None


def run_step(name: str, probe: Mapping[str, Any], context: Context) -> tuple[dict[str, Any], str | None]:
    """Do one step; return the probe after it and, when it was not passed, one sentence that says so."""
    started = context.clock()
    try:
        passed = RUN[name](probe, context)
    except (StepFailed, Gen3Error, KubeError, MinioError) as error:
        evidence = [str(error), *getattr(error, "evidence", ())]
        advice = list(getattr(error, "advice", ()))
        probe = _probe.add_step(probe, name, _probe.FAILED, started, context.clock(), evidence, advice)
        sentence = f"The upload stopped at the step '{_probe.STEPS[name]}': {' '.join([str(error), *advice])}"
        return probe, sentence
    ended = context.clock() if passed.at is None else min(context.clock(), passed.at)
    probe = _probe.add_step({**probe, **passed.remember}, name, passed.state, started, ended, passed.evidence)
    return ({**probe, "uploaded": ended} if name == "upload" else probe), None
