# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssjdispatcher demands of credentials.json and of job_images.

It checks little of this itself: a wrong value ends the process at its start or at the first message, or makes it
throw messages away. So each rule here is a function from the parsed documents to sentences for the operator, which say
where it is wrong, what would happen and what to do. They quote names and patterns, never another value.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlsplit

from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import patterns, placeholders
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate_s3 import s3_problems, s3_warnings

AWS_KEYS = ("region", "aws_access_key_id", "aws_secret_access_key")

INDEXING = "indexing"
"""Entries of this name, and no others, must have all the fields of imageConfig; else ssjdispatcher does not start."""

IMAGE_CONFIG = ("url", "username", "password")
"""Of indexd in imageConfig itself, and of the metadata service in imageConfig.metadataService."""

JOB_FIELDS = {
    "name": str,
    "pattern": str,
    "image": str,
    "imageconfig": object,
    "requestcpu": str,
    "requestmem": str,
    "deadline": int,
    "serviceaccount": str,
}
"""Fields of a JOBS entry in lower case, since Go finds them in any case, and their types."""

MAX_JOB_NAME = 57
"""A Job is called <name>-<5 letters>, and Kubernetes puts its name into a label of at most 63 characters."""

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

QUANTITY = re.compile(
    r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?", re.ASCII
)
"""A quantity that is not negative, as resource.ParseQuantity of k8s.io/apimachinery reads it."""

NO_QUEUE = re.compile(r"https?://[^/]+/0{12}/.*")
"""A URL that only stands there because ssjdispatcher does not start without one: no account has this number."""

QUEUE_HOSTS = re.compile(
    r"(?:.+\.)?sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)(?:\.vpce)?\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    r"|(?P<legacy>[a-z0-9-]+)\.queue\.amazonaws\.com(?:\.cn)?"
)

SAMPLE_GUID = "0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11"

SAMPLE_FOLDERS = ("", "dg.TEST/")
"""GUIDs may begin with the prefix of indexd's configuration."""


@dataclass(frozen=True)
class Bucket:
    """A bucket whose uploads the JOBS entry ``job`` must get; ``storage`` is ``s3`` or ``minio``.

    Of a bucket with ``prefix`` or ``suffix`` only uploads whose keys begin and end so are meant.
    """

    name: str
    storage: str
    job: str
    prefix: str = ""
    suffix: str = ""

    @property
    def sample_paths(self) -> list[str]:
        """Paths of uploads as ssjdispatcher sees them: Amazon S3 leaves slashes alone, and MinIO escapes them.

        A bridge may restore them.
        """
        name = f"sample{self.suffix}" if self.suffix else "sample.txt"
        keys = [f"{self.prefix}{folder}{SAMPLE_GUID}/{name}" for folder in SAMPLE_FOLDERS]
        slashes = ["", "/"] if self.storage == "minio" else ["/"]
        return [f"s3://{self.name}/{quote_plus(key, safe=safe)}" for safe in slashes for key in keys]


@dataclass(frozen=True)
class Job:
    """A JOBS entry as Go decodes it: the fields of JOB_FIELDS that are there and not null; ``where`` is for messages."""

    where: str
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name; empty where there is none, or no text."""
        name = self.fields.get("name")
        return name if isinstance(name, str) else ""

    @property
    def pattern(self) -> str:
        """The pattern; without one, the empty pattern, which takes everything."""
        return self.fields.get("pattern", "")


@dataclass
class Findings:
    """Sentences about ``problems``, which crash or silence ssjdispatcher, and ``warnings``."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def review_credentials(document: Mapping[str, Any], env_region: str | None, buckets: Sequence[Bucket]) -> Findings:
    """Review credentials.json as it would be; ``env_region`` is the environment variable AWS_REGION of the container."""
    found = Findings()
    found.problems += _queue_problems(document, env_region)
    found.problems += _aws_problems(document.get("AWS", {}))
    found.warnings += _queue_warnings(document)
    ill_formed = list(_form_problems(document.get("JOBS")))
    found.problems += ill_formed
    if not ill_formed:
        jobs = read_jobs(document)
        ours = {bucket.job for bucket in buckets}
        with_s3_part = {bucket.job for bucket in buckets if bucket.storage == "minio"}
        for job in jobs:
            found.problems += _job_problems(job, ours)
            if job.name in with_s3_part:
                _review_s3_part(job, found)
        found.problems += _name_problems(jobs)
        found.problems += _bucket_problems(buckets)
        found.warnings += _anchor_warnings(jobs, ours)
        found.warnings += _unjudged_warnings(jobs)
        judged = [job for job in jobs if patterns.is_judged(job.pattern)]
        if not any(map(_pattern_error, jobs)):
            found.problems += _taker_problems(judged, buckets)
            found.warnings += _taker_warnings(judged, buckets)
    return found


def review_images(images: Mapping[str, Any] | None, document: Mapping[str, Any]) -> Findings:
    """Review the images of all JOBS entries: those of job_images, or the entries' own where ``images`` is None.

    ssjdispatcher looks into job_images alone as soon as its environment variable JOB_IMAGES is set.
    """
    found = Findings()
    for name, image in (images or {}).items():
        if not isinstance(image, str):
            found.problems.append(
                f"{name} has {_kind(image)} as its image: ssjdispatcher crashes at the first message; make it a string."
            )
    if list(_form_problems(document.get("JOBS"))):
        return found
    for job in read_jobs(document):
        if images is None and not job.fields.get("image"):
            found.problems.append(
                f"{job.where} has no image, and the Deployment sets no JOB_IMAGES: no Job can be made; give the entry"
                " an image."
            )
        elif images is not None and not images.get(job.name):
            found.problems.append(
                f"there is no image for {job.where}: its Jobs fail and their messages come back for ever; add"
                f" {job.name or 'its name'} with an image."
            )
    return found


def review_queue(before: Mapping[str, Any], after: Mapping[str, Any], pipeline: str | None = None, ours: Collection[str] = (),
                 replace_queue: bool = False) -> Findings:
    """Review what others lose where ssjdispatcher turns from one queue or region to another; the queue of the ``pipeline`` is read in any case.

    While entries of others are left, which may live on the former queue, that is a problem unless ``replace_queue`` allows it. ``ours`` are
    the names of our entries.
    """
    found = Findings()
    others = [job.where for job in read_jobs(after) if job.name not in ours and not patterns.is_placeholder(str(job.pattern))]
    regions = [document["AWS"].get("region") if isinstance(document.get("AWS"), Mapping) else None for document in (before, after)]
    if others and all(regions) and regions[0] != regions[1]:
        found.warnings.append(f"AWS.region changes from {regions[0]} to {regions[1]}, and the Jobs of {', '.join(others)} get it too.")
    old_url, new_url = queue_url(before), queue_url(after)
    if not old_url or not new_url or old_url in (new_url, pipeline) or _stands_for_no_queue(old_url):
        return found
    turn = (f"SQS.url changes from {_without_login(old_url)} to {_without_login(new_url)}: messages that still arrive in the former queue are no "
            "longer read")
    if others and not replace_queue:
        found.problems.append(f"{turn}, and {', '.join(others)} may live on them. Name that queue as the pipeline's (uploads_queue), so that one "
                              "queue serves both, or set ssjdispatcher_replace_queue where nobody needs it.")
    else:
        found.warnings.append(f"{turn}.")
    return found


def read_jobs(document: Mapping[str, Any]) -> list[Job]:
    """Return the JOBS entries as Go decodes them; those that it could not decode are left out."""
    entries = document.get("JOBS")
    jobs = []
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        fields: dict[str, Any] = {}
        for key, value in (entry if isinstance(entry, dict) else {}).items():
            if key.casefold() in JOB_FIELDS and value is not None:
                fields[key.casefold()] = value
        name = fields.get("name")
        where = f"JOBS[name={name}]" if isinstance(name, str) and name else f"JOBS[{position}]"
        jobs.append(Job(where, fields))
    return jobs


def secret_of(job: Job) -> str | None:
    """Return the Secret that the entry's Jobs read themselves, as the image of the role indexer_image does; None where there is none."""
    value: Any = job.fields.get("imageconfig")
    for name in ("s3", "secret_ref", "name"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None


def region_in_force(document: Mapping[str, Any], env_region: str | None) -> str | None:
    """Return the region whose SQS is asked: that of the AWS block if it is complete, else AWS_REGION."""
    aws = document.get("AWS")
    complete = isinstance(aws, dict) and all(aws.get(key) for key in AWS_KEYS)
    return aws["region"] if complete else env_region or None


def region_of_queue(url: str) -> str | None:
    """Return the region that a queue's URL names; None where its host is none of Amazon's."""
    host = _host(url)
    if host in ("sqs.amazonaws.com", "queue.amazonaws.com"):
        return "us-east-1"
    found = QUEUE_HOSTS.fullmatch(host)
    return (found["region"] or found["legacy"]) if found else None


def _queue_problems(document: Mapping[str, Any], env_region: str | None) -> Iterator[str]:
    url = queue_url(document)
    if url is None:
        yield "SQS.url is not a string: ssjdispatcher does not start; set it to the URL of the queue."
    elif not url:
        yield "SQS.url is empty: ssjdispatcher receives nothing; set it to the URL of the queue."
    elif _stands_for_no_queue(url):
        return
    region = region_in_force(document, env_region)
    if not region:
        yield (
            "no region is in force: every receive fails; set AWS_REGION in the Deployment (the AWS block counts only"
            " with region and both keys)."
        )
    elif url and region_of_queue(url) not in (None, region):
        yield (
            f"SQS.url names the region {region_of_queue(url)}, but ssjdispatcher asks that of {region}, where there is"
            " no such queue; use a queue of that region, or set AWS_REGION in the Deployment (and AWS.region, where"
            " the document has keys) to the queue's."
        )


def _queue_warnings(document: Mapping[str, Any]) -> Iterator[str]:
    url = queue_url(document)
    if url and not NO_QUEUE.fullmatch(url) and not re.fullmatch(r"https?://[^/]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?", url):
        yield (
            f"SQS.url {_without_login(url)} is not the URL of a queue: nothing can be received, and"
            " ssjdispatcher works through its HTTP interface alone."
        )


def _aws_problems(aws: Any) -> Iterator[str]:
    if not isinstance(aws, dict):
        yield f"AWS is {_kind(aws)}: ssjdispatcher crashes at start; make it an object or remove it."
        return
    wrong = [key for key in AWS_KEYS if not isinstance(aws.get(key, ""), str)]
    for key in wrong:
        yield f"AWS.{key} is {_kind(aws[key])}: ssjdispatcher crashes at start; make it a string or remove it."
    if wrong:
        return
    region, key_id, secret = (aws.get(key) for key in AWS_KEYS)
    if bool(key_id) != bool(secret):
        yield (
            "AWS has one of aws_access_key_id and aws_secret_access_key without the other: no Job can read the bucket;"
            " give both or neither."
        )
    elif key_id and not region:
        yield "AWS has keys but no region: they do not count for SQS, and no Job can read the bucket; set AWS.region."
    if (key_id or "").startswith("ASIA"):
        yield (
            "AWS.aws_access_key_id is a temporary key (ASIA...), and credentials.json has no place for its session"
            " token: every call would be refused; use the keys of an IAM user, or IRSA."
        )


def _form_problems(entries: Any) -> Iterator[str]:
    """Yield what Go cannot decode: ssjdispatcher then exits at start."""
    if not isinstance(entries, (list, type(None))):
        yield f"JOBS is {_kind(entries)}: ssjdispatcher exits at start; make it an array."
        return
    for position, entry in enumerate(entries or []):
        if not isinstance(entry, dict):
            yield f"JOBS[{position}] is {_kind(entry)}: ssjdispatcher exits at start or makes no Job; make it an object."
            continue
        for key, value in entry.items():
            expected = JOB_FIELDS.get(key.casefold(), object)
            if value is not None and not _decodes(value, expected):
                noun = "a string" if expected is str else "a whole number of seconds"
                yield (
                    f"{key} of JOBS[{position}] is {_kind(value)}: ssjdispatcher exits at start; make it {noun}."
                )


def _decodes(value: Any, expected: type) -> bool:
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return isinstance(value, expected)


def _job_problems(job: Job, ours: set[str]) -> Iterator[str]:
    if len(job.name) > MAX_JOB_NAME or not DNS_LABEL.fullmatch(job.name):
        yield (
            f"{job.where} has no usable name: its Jobs fail and their messages come back for ever; use lower-case"
            f" letters, digits and hyphens, at most {MAX_JOB_NAME}, with no hyphen at either end."
        )
    if error := _pattern_error(job):
        yield (
            f"the pattern {job.pattern} of {job.where} does not compile in Go ({error}): ssjdispatcher crashes at the"
            " first message, whichever entry it is for; correct it, e.g. ^s3://bucket/.+"
        )
    elif job.name in ours and not patterns.is_anchored(job.pattern):
        yield (
            f"the pattern {job.pattern or 'of no characters'} of {job.where} is not anchored: it also takes other"
            " buckets; begin it with ^, e.g. ^s3://bucket/.+"
        )
    for key, noun in (("requestcpu", "RequestCPU"), ("requestmem", "RequestMem")):
        quantity = job.fields.get(key)
        if quantity and not QUANTITY.fullmatch(quantity):
            yield (
                f"{noun} of {job.where} is no Kubernetes quantity: ssjdispatcher crashes at the first message for this"
                " entry; write it as 500m or 0.5Gi."
            )
    if job.fields.get("deadline", 0) < 0:
        yield f"DeadLine of {job.where} is negative: its Jobs are refused; give seconds, or leave it out for 20 hours."
    if job.name == INDEXING:
        yield from _image_config_problems(job)


def _review_s3_part(job: Job, found: Findings) -> None:
    config = job.fields.get("imageconfig")
    where = f"the part s3 in imageConfig of {job.where}"
    if not isinstance(config, dict) or "s3" not in config:
        found.warnings.append(f"{where} is missing: only an image that knows MinIO by other means can read its buckets.")
        return
    part = config["s3"]
    problems = list(s3_problems(part))
    found.problems += [f"{where} {sentence}." for sentence in problems]
    found.warnings += [] if problems else [f"{where} {sentence}." for sentence in s3_warnings(part)]


def _image_config_problems(job: Job) -> Iterator[str]:
    config = job.fields.get("imageconfig")
    indexd = config if isinstance(config, dict) else {}
    service = indexd.get("metadataService")
    metadata = service if isinstance(service, dict) else {}
    missing = [key for key in IMAGE_CONFIG if not _is_text(indexd.get(key))]
    missing += [f"metadataService.{key}" for key in IMAGE_CONFIG if not _is_text(metadata.get(key))]
    if missing:
        yield (
            f"imageConfig of {job.where} lacks {', '.join(missing)}: ssjdispatcher does not start; each must be a"
            " string that is not empty."
        )


def _name_problems(jobs: Sequence[Job]) -> Iterator[str]:
    for name, count in Counter(job.name for job in jobs if job.name).items():
        if count > 1:
            yield (
                f"JOBS has {count} entries called {name}: which of them is meant cannot be told; remove or rename all"
                " but one."
            )


def _bucket_problems(buckets: Sequence[Bucket]) -> Iterator[str]:
    for name, count in Counter(bucket.name for bucket in buckets).items():
        if count > 1:
            yield (
                f"the bucket {name} is listed {count} times: a path does not tell the storages apart; list each bucket"
                " name once."
            )


def _unjudged_warnings(jobs: Sequence[Job]) -> Iterator[str]:
    for job in jobs:
        if not patterns.is_judged(job.pattern):
            yield (
                f"the pattern {job.pattern} of {job.where} cannot be judged without the Python package google-re2: if Go does"
                " not compile it, ssjdispatcher crashes at the first message, and it may take uploads that others should get."
            )


def _taker_problems(jobs: Sequence[Job], buckets: Sequence[Bucket]) -> Iterator[str]:
    """Yield for each bucket the first upload that its entry would not get."""
    for bucket in buckets:
        for path in bucket.sample_paths:
            index = patterns.winner([job.pattern for job in jobs], path)
            if index is None:
                yield (
                    f"no JOBS entry takes uploads to the bucket {bucket.name} (such as {path}): they would be thrown"
                    f" away; the pattern of {bucket.job} must match them."
                )
                break
            if jobs[index].name != bucket.job:
                yield (
                    f"{jobs[index].where} with the pattern {jobs[index].pattern or '(empty)'} takes uploads to the"
                    f" bucket {bucket.name} (such as {path}), since the last entry that matches wins; narrow its"
                    f" pattern, e.g. to ^s3://its-bucket/.+, or move it before {bucket.job}."
                )
                break


def _taker_warnings(jobs: Sequence[Job], buckets: Sequence[Bucket]) -> Iterator[str]:
    for job in jobs:
        overruled = [
            bucket.name
            for bucket in buckets
            if bucket.job != job.name and any(patterns.matches(job.pattern, path) for path in bucket.sample_paths)
        ]
        if overruled:
            yield (
                f"{job.where} with the pattern {job.pattern or '(empty)'} matches uploads to {', '.join(overruled)} too;"
                " it does not get them, since the last entry that matches wins."
            )


def _anchor_warnings(jobs: Sequence[Job], ours: set[str]) -> Iterator[str]:
    for job in jobs:
        if job.name not in ours and not _pattern_error(job) and not patterns.is_anchored(job.pattern):
            yield (
                f"the pattern {job.pattern or '(empty)'} of {job.where} is not anchored: it takes uploads to any bucket"
                " with this text in the path; ^s3://bucket/.+ would take one bucket alone."
            )


def _pattern_error(job: Job) -> str | None:
    try:
        patterns.check(job.pattern)
    except patterns.PatternError as error:
        return str(error)
    return None


def queue_url(document: Mapping[str, Any]) -> str | None:
    """Return SQS.url; None where it is no text."""
    sqs = document.get("SQS")
    url = sqs.get("url") if isinstance(sqs, dict) else None
    return url if isinstance(url, str) else None


def is_no_queue(url: str) -> bool:
    """Tell whether a URL is the one that this collection writes where ssjdispatcher shall read no queue (``jobs.no_queue``)."""
    return NO_QUEUE.fullmatch(url) is not None


def _stands_for_no_queue(url: str) -> bool:
    return is_no_queue(url) or placeholders.is_queue_url(url)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _without_login(url: str) -> str:
    return re.sub(r"//[^/]*@", "//", url)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _kind(value: Any) -> str:
    for kind, noun in ((type(None), "null"), (bool, "a boolean"), ((int, float), "a number"), (str, "a string")):
        if isinstance(value, kind):
            return noun
    return "an array" if isinstance(value, list) else "an object"
