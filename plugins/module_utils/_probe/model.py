# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about a probe upload, and what follows from it: pure functions, no input or output.

A *probe* is a dict that travels from one task to the next: where the object lies, what indexd must say about it, the
steps passed so far and what has to be removed again. Times are seconds since the epoch.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

STEPS = {
    "configuration": "Event delivery is configured",
    "record": "Blank record in indexd",
    "upload": "Object in the bucket",
    "notification_target": "MinIO's target answers",
    "job": "Job created for the object",
    "job_completed": "Job finished",
    "indexed": "Size and hashes in indexd",
    "metadata": "Upload status in the metadata service",
    "ready": "File is READY",
    "cleanup": "Probe removed",
}
"""The steps of an upload in their order: name and title."""

ONLY_MINIO = frozenset({"notification_target"})
"""The steps that only an upload to MinIO has: Amazon S3 has no target that could be asked."""

PASSED = "passed"
INFORMATION = "information"
FAILED = "failed"
NOT_REACHED = "not reached"


class Target(NamedTuple):
    """What MinIO says of a notification target; None is what it does not say."""

    name: str
    status: str | None
    waiting: int | None


class Bridge(NamedTuple):
    """Where to look at the event bridge."""

    log: str
    metrics: str
    dead_letters: str


def file_name(name: str, suffix: str) -> str:
    """Return the name of the probe file for a bucket whose rule asks for ``suffix``, which may be empty."""
    return name if name.endswith(suffix) else f"{name}{suffix}"


def add_step(
    probe: Mapping[str, Any],
    name: str,
    state: str,
    started: float,
    ended: float,
    evidence: Sequence[str],
    advice: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the probe with one more step.

    ``seconds`` is the duration of the task until the object is put, and from then on the time since the step before
    ended, because the file travels on while the next task starts. ``after_upload`` is the time since the object was put
    (``probe["uploaded"]``), None before that; neither counts the removal, in which the file no longer travels. Clocks
    may differ, so no step ends before the one before it.
    """
    steps = list(probe.get("steps", []))
    uploaded = probe.get("uploaded") if name != "cleanup" else None
    since = steps[-1]["ended"] if uploaded else started
    ended = max(since, ended)
    step = {
        "name": name,
        "title": STEPS[name],
        "state": state,
        "ended": ended,
        "seconds": round(ended - since, 1),
        "after_upload": round(ended - uploaded, 1) if uploaded else None,
        "evidence": list(evidence),
        "advice": list(advice),
    }
    return {**probe, "steps": [*steps, step]}


def steps_of(minio: bool) -> list[str]:
    """Return the names of the steps that a storage has."""
    return [name for name in STEPS if minio or name not in ONLY_MINIO]


def all_steps(probe: Mapping[str, Any], minio: bool) -> list[dict[str, Any]]:
    """Return every step in order, those that were not reached included."""
    seen = {step["name"]: step for step in probe.get("steps", [])}
    blank = {"state": NOT_REACHED, "seconds": None, "after_upload": None, "evidence": [], "advice": []}
    return [seen.get(name) or {"name": name, "title": STEPS[name], **blank} for name in steps_of(minio)]


def table(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the steps as the lines of a text table: step, state, time it took, time since the upload."""
    rows = [("step", "state", "took", "after upload")]
    for step in steps:
        rows.append((step["title"], step["state"], seconds(step["seconds"]), seconds(step["after_upload"])))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        f"{step:<{widths[0]}}  {state:<{widths[1]}}  {took:>{widths[2]}}  {after:>{widths[3]}}"
        for step, state, took, after in rows
    ]


def missing(drift: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what changes would create: an object, or a part of one that is there, such as a bucket's rule."""
    return list(dict.fromkeys(changed_part(change) for change in drift if change["action"] == "create"))


def changed_part(change: Mapping[str, Any]) -> str:
    """Return what a change is about: the object, and which part of it where it is not the whole."""
    return " ".join(filter(None, (change["resource"], change.get("attribute"))))


def stale_probes(records: Sequence[Mapping[str, Any]], now: float, age: float) -> list[str]:
    """Return the GUIDs of records that are older than ``age`` seconds, by indexd's ``created_date``: UTC without a zone."""
    return [each["did"] for each in records if each.get("created_date")
            and datetime.fromisoformat(each["created_date"]).replace(tzinfo=timezone.utc).timestamp() < now - age]


def latest(timestamp: str | None) -> float | None:
    """Return the end of the second that a time stamp of Kubernetes names, since the epoch; None for none."""
    return datetime.fromisoformat(timestamp).timestamp() + 1 if timestamp else None


def seconds(value: float | None) -> str:
    """Return a duration for people, ``-`` for none."""
    return "-" if value is None else f"{value:.1f} s"


def digests(content: bytes) -> dict[str, str]:
    """Return the hashes that the indexing image stores, under its names, in lower-case hex.

    ``crc`` is CRC-32C (Castagnoli), as in indexs3client's ``handlers/hash_utils.go``.
    """
    hashes = {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
    return {**hashes, "crc": f"{crc32c(content):08x}"}


def crc32c(content: bytes) -> int:
    """Return the CRC-32C of ``content`` (polynomial 0x1EDC6F41, reflected), bit by bit: a probe is small."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _bit in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def record_problems(record: Mapping[str, Any], probe: Mapping[str, Any]) -> list[str]:
    """Return in what an indexd record differs from the object put; empty when the file is indexed rightly."""
    problems = []
    if record.get("size") != probe["size"]:
        problems.append(f"size is {record.get('size')}, the object has {probe['size']} bytes")
    hashes = record.get("hashes") or {}
    for name in sorted(hashes):
        expected = probe["hashes"].get(name)
        # An index may store a CRC without its leading zeros.
        if expected is not None and str(hashes[name]).lower().zfill(len(expected)) != expected:
            problems.append(f"{name} is {hashes[name]}, the object's is {expected}")
    if not set(hashes) & set(probe["hashes"]):
        problems.append("it has no hash")
    if probe["url"] not in (record.get("urls") or []):
        problems.append(f"its URLs do not contain {probe['url']}")
    return problems


def is_filled(record: Mapping[str, Any]) -> bool:
    """Return whether something wrote size and hashes: what makes the portal show a file as READY."""
    return record.get("size") is not None and bool(record.get("hashes"))


def find_job(jobs: Sequence[Mapping[str, Any]], url: str) -> Mapping[str, Any] | None:
    """Return the Job whose ``INPUT_URL`` is the object's URL, or None.

    The dispatcher hands the key on as the event has it, URL-encoded in one of two ways (``/`` or ``%2F``).
    """
    for job in jobs:
        for container in job.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            for variable in container.get("env") or []:
                if variable.get("name") == "INPUT_URL" and unquote_plus(variable.get("value") or "") == url:
                    return job
    return None


def job_state(job: Mapping[str, Any]) -> str | None:
    """Return ``passed`` or ``failed`` for a finished Job, None for one that still runs."""
    status = job.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed"):
            return PASSED if condition["type"] == "Complete" else FAILED
    return PASSED if status.get("succeeded") else None


def pod_failures(pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why the pods of a Job fail or do not start, one sentence a pod, in the words of Kubernetes."""
    reasons = []
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        details = []
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            state, last = container.get("state") or {}, container.get("lastState") or {}
            waiting, ended = state.get("waiting"), state.get("terminated") or last.get("terminated")
            if waiting and waiting.get("reason") != "ContainerCreating":
                details.append(": ".join(filter(None, (waiting.get("reason"), waiting.get("message")))))
            elif ended and ended.get("exitCode"):
                words = (ended.get("reason"), f"exit code {ended['exitCode']}", ended.get("message"))
                details.append(", ".join(filter(None, words)))
        for condition in status.get("conditions") or []:
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                details.append(f"not scheduled: {condition.get('message')}")
        if not details and status.get("phase") == "Failed":
            details.append(": ".join(filter(None, (status.get("reason") or "failed", status.get("message")))))
        reasons += [f"pod {name}: {detail}" for detail in details]
    return reasons


def queue_evidence(depth: Mapping[str, int] | None) -> str:
    """Return the queue's metrics as a phrase (keys ``visible``, ``in_flight``, ``dead``); they are approximate."""
    if depth is None:
        return "queue not readable"
    dead = f", dead-letter queue {depth['dead']}" if "dead" in depth else ""
    return f"queue: {depth['visible']} waiting, {depth['in_flight']} received and not yet deleted{dead}"


def target_evidence(target: Target) -> str:
    """Return what MinIO says of the target as a phrase."""
    waiting = "unknown" if target.waiting is None else target.waiting
    return f"{target.name} is {target.status or 'not known to MinIO'}; events waiting for it: {waiting}"


def bridge(location: str, namespace: str, name: str = "event-bridge", address: str = "127.0.0.1:4199",
           dead_letters: str = "/var/lib/event-bridge/dead-letters") -> Bridge:
    """Return where to look at a bridge on MinIO's ``node`` or in the ``cluster``; the defaults are those of the role event_bridge."""
    if location == "cluster":
        deployment = f"-n {namespace} deployment/{name}"
        port = address.rpartition(":")[2]
        return Bridge(f"kubectl logs {deployment}", f"port {port} of kubectl port-forward {deployment} {port}, path /metrics, login minio:<token>",
                      f"{dead_letters} in its pod")
    return Bridge("journalctl -u event-bridge on MinIO's node", f"http://{address}/metrics there (login minio:<token>)", f"{dead_letters} there")


def stations(bucket: str, namespace: str, minio: bool, topic: str | None, queue: str | None, reader: str | None = None) -> list[str]:
    """Return the stations of an upload; ``topic``, ``queue`` and its ``reader`` are None where the route has none."""
    source = [f"{bucket} on MinIO", "event bridge"] if minio else [f"s3://{bucket}"]
    return [*source, *filter(None, (topic, queue, reader)), f"ssjdispatcher in {namespace}", "indexd"]


def target_advice(target: Target, look_at: Bridge) -> list[str]:
    """Return what to look at when MinIO does not get rid of its events; nothing when it does."""
    if target.status is None:
        return [f"MinIO has no target {target.name}: run site.yml. A mistake in one target disables all of them."]
    if target.status != "online":
        return [
            f"MinIO does not reach the event bridge, and keeps its events meanwhile: does the bridge run, and is its address "
            f"that of the target {target.name}? Look at {look_at.log}"
        ]
    if target.waiting:
        return [
            f"MinIO keeps events ({target.waiting}) that it could not send to {target.name} and sends again every 3 seconds: "
            f"the event bridge refuses them (another token, or a certificate that MinIO does not trust) or cannot hand them on "
            f"(its AWS keys, a missing topic or queue, no free Job slot). Look at {look_at.log}, and at output_error in "
            f"{look_at.metrics}"
        ]
    return []


def queue_advice(
    queue: str, depth: Mapping[str, int] | None, before: Mapping[str, int] | None, logs: str, reader: str = "ssjdispatcher",
) -> list[str]:
    """Return what to look at by the queue's metrics now and before the upload; nothing when it is empty.

    ``reader`` is who receives from the queue, and ``logs`` shows its log.
    """
    if depth is None:
        return [
            f"The queue {queue} could not be read: may your AWS user call sqs:GetQueueAttributes on it?",
            f"Look at {reader}: {logs}",
        ]
    advice = []
    if depth.get("dead", 0) > (before or {}).get("dead", 0):
        advice.append(
            f"A message went to the dead-letter queue of {queue} meanwhile: {reader} could not digest it; "
            f"look at {logs} --previous, and at the message itself."
        )
    if depth["visible"]:
        advice.append(
            f"{depth['visible']} messages wait in {queue}: {reader} does not receive them (its AWS keys or role "
            f"need sqs:ReceiveMessage and sqs:DeleteMessage, its region must be the queue's) or it is behind, as it "
            f"takes at most one a second; look at {logs}"
        )
    if depth["in_flight"]:
        advice.append(
            f"{depth['in_flight']} messages of {queue} are received and not deleted: {reader} waits for a free "
            f"Job slot, or ssjdispatcher may not create Jobs; look at {logs}"
        )
    return advice


def no_job_advice(
    dispatcher: str,
    queue: str | None = None,
    depth: Mapping[str, int] | None = None,
    before: Mapping[str, int] | None = None,
    target: Target | None = None,
    look_at: Bridge | None = None,
    reader: str | None = None,
) -> list[str]:
    """Return what to look at when no Job appears.

    ``dispatcher`` is how kubectl names it, e.g. ``-n default deployment/ssjdispatcher``. A route without a queue has no
    ``queue``; ``target`` and ``look_at`` belong to MinIO. ``reader`` is the event bridge that reads the queue in place of ssjdispatcher,
    named likewise.
    """
    logs = f"kubectl logs {dispatcher}"
    receives = (f"kubectl logs {reader}", "the event bridge that reads it") if reader else (logs, "ssjdispatcher")
    advice = [
        *(target_advice(target, look_at) if target and look_at else []),
        *(queue_advice(queue, depth, before, *receives) if queue else []),
    ]
    if advice:
        return advice
    empty = f"The queue {queue} is empty" if queue else "No event is known to wait"
    if look_at:
        lost = (f"MinIO's rule does not match the key, or the event bridge threw the event away (its dead letters are in "
                f"{look_at.dead_letters}, event_bridge_records in {look_at.metrics} counts them, its log is {look_at.log})")
    else:
        lost = "the event did not arrive (bucket rule, topic policy, subscription, queue policy, KMS key policy)"
    if reader:
        lost += f", or the event bridge that reads the queue threw it away (kubectl logs {reader}, and its dead letters)"
    return [
        f"{empty}: either {lost}, or no pattern in JOBS matches the key; look at {logs}",
        "Compare what is configured with what should be: run site.yml with --check --diff.",
    ]
