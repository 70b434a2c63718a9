# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the indexing image (indexs3client): reads one object and fills its blank record.

Its inputs, calls, their order, payloads and exit codes (0, and 2 for every failure) are those of the real program.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

import boto3
import google_crc32c
import requests
from botocore.exceptions import BotoCoreError, ClientError

RETRY_WAITS = (1, 2, 4, 8, 16)
CHUNK = 1 << 20
_DASHED = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
UUID = re.compile(rf"(urn:uuid:)?{_DASHED}|\{{{_DASHED}\}}|[0-9a-f]{{32}}", re.IGNORECASE)
NIL_UUID = re.compile(r"(urn:uuid:)?[{}0-]+", re.IGNORECASE)


class IndexingError(Exception):
    """The object cannot be indexed; the Job's next pod may have more luck."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    try:
        config = json.loads(environ["CONFIG_FILE"])
        bucket, key = parse_url(environ["INPUT_URL"])
        index_object(config, environ, bucket, key, guid_of(key))
    except (IndexingError, KeyError, ValueError) as error:
        print(f"panic: {error}", file=sys.stderr)
        return 2
    return 0


def parse_url(url: str) -> tuple[str, str]:
    """Return (bucket, key) of an ``s3://`` URL whose key is escaped as in an S3 event."""
    scheme, _, rest = unquote_plus(url).partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise IndexingError(f"Wrong url format {url}")
    return bucket, key.strip("/")


def guid_of(key: str) -> str:
    """Return the GUID of an object's record: the key up to its first segment that is a UUID."""
    segments = key.split("/")
    for end, segment in enumerate(segments, 1):
        if UUID.fullmatch(segment) and not NIL_UUID.fullmatch(segment):
            return "/".join(segments[:end])
    raise IndexingError("UUID error Cannot process the UUID")


def index_object(config: Mapping[str, Any], environ: Mapping[str, str], bucket: str, key: str, guid: str) -> None:
    """Fill the blank record of one object; a record that has a size already is left alone."""
    indexd, metadata = config, config["metadataService"]
    record = call("GET", f"{indexd['url']}/{guid}")
    if record.status_code != 200:
        raise IndexingError(f"indexd has no record {guid}: {record.status_code} {record.text}")
    record = record.json()
    if record["size"] is None:
        set_status(metadata, guid, "processing")
        try:
            document = {"urls": [f"s3://{bucket}/{key}"], **measure(environ, bucket, key)}
            answer = call("PUT", f"{indexd['url']}/blank/{guid}?rev={record['rev']}", document, indexd)
            if answer.status_code != 200:
                raise IndexingError(f"indexd refused the update of {guid}: {answer.status_code} {answer.text}")
        except IndexingError:
            set_status(metadata, guid, "error")
            raise
    set_status(metadata, guid, "uploaded")


def measure(environ: Mapping[str, str], bucket: str, key: str) -> dict[str, Any]:
    """Return size and hashes of an object, read once."""
    keys = {}
    if environ.get("AWS_ACCESS_KEY_ID"):
        keys = {"aws_access_key_id": environ["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": environ["AWS_SECRET_ACCESS_KEY"]}
    try:
        s3 = boto3.Session(region_name=environ.get("AWS_REGION") or "us-east-1", **keys).client("s3")
        size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        hashes = hash_chunks(s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK))
    except (BotoCoreError, ClientError) as error:
        raise IndexingError(f"cannot read s3://{bucket}/{key}: {error}") from error
    return {"size": size, "hashes": hashes}


def hash_chunks(chunks: Iterable[bytes]) -> dict[str, str]:
    """Return the five hashes that indexd keeps, in lower-case hexadecimal; ``crc`` is CRC-32C."""
    digests = {name: hashlib.new(name) for name in ("md5", "sha1", "sha256", "sha512")}
    checksum = google_crc32c.Checksum()
    for chunk in chunks:
        for digest in digests.values():
            digest.update(chunk)
        checksum.update(chunk)
    return {**{name: digest.hexdigest() for name, digest in digests.items()}, "crc": checksum.digest().hex()}


def set_status(service: Mapping[str, str], guid: str, status: str) -> None:
    """Tell the metadata service how the upload stands; its failures never fail the indexing."""
    try:
        answer = call("PUT", f"{service['url']}/metadata/{guid}?merge=True", {"_upload_status": status}, service)
        print(f"metadata service: {status}: {answer.status_code}", file=sys.stderr)
    except IndexingError as error:
        print(f"metadata service: {status}: {error}", file=sys.stderr)


def call(method: str, url: str, body: Any = None, login: Mapping[str, str] | None = None) -> requests.Response:
    """Send a request, again after a connection error, 429 or 5xx: six attempts in half a minute."""
    auth = (login["username"].encode(), login["password"].encode()) if login else None  # in UTF-8, as Go does it
    for wait in (*RETRY_WAITS, None):
        try:
            response = requests.request(method, url, json=body, auth=auth, timeout=60)
            if response.status_code != 429 and not (response.status_code >= 500 and response.status_code != 501):
                return response
            failure = f"{response.status_code} {response.text}"
        except requests.RequestException as error:
            failure = str(error)
        if wait:
            time.sleep(wait)
    raise IndexingError(f"{method} {url} failed in every attempt: {failure}")


if __name__ == "__main__":
    sys.exit(main())
