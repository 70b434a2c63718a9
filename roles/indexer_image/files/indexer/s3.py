# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one object of Amazon S3, MinIO or the like: whole and unchanged, or not at all."""
from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import urllib3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError, ClientError, ConnectionError as BotoConnectionError, HTTPClientError, IncompleteReadError, SSLError,
)

from indexer.address import Address
from indexer.configuration import S3Settings, SecretReference
from indexer.errors import IndexingError
from indexer.kubernetes import read_keys
from indexer.read_ahead import IN_FLIGHT, read_ahead

CHUNK = 1 << 20
RETRY_WAITS = (0.5, 1, 2, 4, 8)
"""The waits between attempts that bring nothing; an attempt that brings a chunk starts them anew."""
HINTS = {
    "AccessDenied": "the access key needs s3:GetObject on the bucket",
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the access key is not known there: is s3.endpoint_url right?",
    "SignatureDoesNotMatch": "the secret access key is not right",
    "RequestTimeTooSkewed": "the clocks of this node and of the server differ",
    "NoSuchKey": "the object is gone",
    "PreconditionFailed": "the object was changed while it was read",
    "AuthorizationHeaderMalformed": "the region is not the bucket's: set s3.region",
}


class Unfinished(Exception):
    """The server ended its answer before the range was whole."""


TROUBLES = (BotoCoreError, ClientError, urllib3.exceptions.HTTPError, OSError, Unfinished)


def client(settings: S3Settings, environ: Mapping[str, str]) -> Any:
    """Return a client; keys come from the settings, else from where AWS's tools take them."""
    keys = read_keys(settings.keys, environ) if isinstance(settings.keys, SecretReference) else settings.keys
    login = {"aws_access_key_id": keys.access_key_id, "aws_secret_access_key": keys.secret_access_key} if keys else {}
    config = Config(
        s3={"addressing_style": settings.addressing_style} if settings.addressing_style else None,
        signature_version="s3v4", connect_timeout=10, read_timeout=60, max_pool_connections=IN_FLIGHT,
        retries={"total_max_attempts": 1},  # repeated here, where what has been read is kept
        request_checksum_calculation="when_required", response_checksum_validation="when_required")
    if settings.ca_bundle:
        try:
            ssl.create_default_context(cadata=settings.ca_bundle.encode("ascii", "replace").decode())  # comments may have any letters
        except (ssl.SSLError, ValueError):
            raise IndexingError("s3.ca_bundle has no certificate in PEM") from None
    try:
        return botocore.session.get_session().create_client(
            "s3", region_name=settings.region or environ.get("AWS_REGION") or "us-east-1", endpoint_url=settings.endpoint_url,
            config=config, verify=_file(settings.ca_bundle) if settings.ca_bundle else None, **login)
    except (BotoCoreError, ValueError) as error:
        raise IndexingError(f"no client for the object store: {error}") from None


class S3Object:
    """One object as it was when it was first asked for: a later version is refused."""

    def __init__(self, s3: Any, address: Address):
        self._s3, self._address = s3, address
        self.size, self._etag = self._look()

    def chunks(self) -> Iterator[bytes]:
        """Yield the object's bytes in order."""
        return read_ahead(self.read, self.size)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``end``; goes on where a broken answer has ended."""
        waits = iter(RETRY_WAITS)
        while start < end:
            try:
                for chunk in self._answer(start, end):
                    start += len(chunk)
                    waits = iter(RETRY_WAITS)
                    yield chunk
                if start < end:
                    raise Unfinished(f"the answer ended at byte {start} instead of {end}")
            except TROUBLES as error:
                self._wait(error, waits)

    def _look(self) -> tuple[int, str]:
        """Return size and ETag."""
        waits = iter(RETRY_WAITS)
        while True:
            try:
                return self._look_once()
            except TROUBLES as error:
                self._wait(error, waits)

    def _look_once(self) -> tuple[int, str]:
        """Ask for size and ETag. One byte is asked for, as a refused HEAD does not tell why."""
        try:
            answer = self._get("bytes=0-0")
            size = int(answer["ContentRange"].rpartition("/")[2])
            answer["Body"].read()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 416:
                raise
            answer = self._s3.head_object(Bucket=self._address.bucket, Key=self._address.key)
            size = answer["ContentLength"]  # there is no first byte in an empty object
        except (KeyError, ValueError):
            raise IndexingError(f"{self._where} does not tell the size of {self._address}: it knows no ranges") from None
        if not answer.get("ETag"):
            raise IndexingError(f"{self._where} gives {self._address} no ETag, so a change would not be noticed")
        return size, answer["ETag"]

    def _answer(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes of one answer, which may break off."""
        answer = self._get(f"bytes={start}-{end - 1}", IfMatch=self._etag)
        expected, body = f"bytes {start}-{end - 1}/{self.size}", answer["Body"]
        try:
            if answer.get("ContentRange") != expected or answer.get("ETag") != self._etag:
                raise IndexingError(f"{self._where} answered with something else than {expected} of {self._address} as it was")
            while start < end and (chunk := body.read(min(CHUNK, end - start))):
                start += len(chunk)
                yield chunk
        finally:
            body.close()

    def _get(self, byte_range: str, **conditions: str) -> Mapping[str, Any]:
        return self._s3.get_object(Bucket=self._address.bucket, Key=self._address.key, Range=byte_range, **conditions)

    def _wait(self, error: Exception, waits: Iterator[float]) -> None:
        """Wait before the next attempt; raises IndexingError if none can help, or none is left."""
        wait = next(waits, None) if may_pass(error) else None
        if wait is None:
            raise IndexingError(explain(error, str(self._address), self._where)) from None
        time.sleep(wait)

    @property
    def _where(self) -> str:
        return self._s3.meta.endpoint_url


def explain(error: Exception, what: str, endpoint: str) -> str:
    """Say why something cannot be read, and what to look at."""
    code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
    hint = HINTS.get(code)
    if isinstance(error, SSLError):
        hint = "is s3.ca_bundle the certificate authority of the server?"
    return f"cannot read {what} from {endpoint}: {error}" + (f" ({hint})" if hint else "")


def may_pass(error: Exception) -> bool:
    """Tell whether another attempt may help."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status in (408, 429) or status >= 500 and status != 501 or error.response["Error"].get("Code") == "RequestTimeout"
    if isinstance(error, SSLError):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    if isinstance(error, BotoCoreError):
        return isinstance(error, (BotoConnectionError, HTTPClientError, IncompleteReadError))
    return True


def _file(content: str) -> str:
    """Return the name of a file in memory, for a library that wants a file where none can be written."""
    descriptor = os.memfd_create("ca-bundle")
    with open(descriptor, "w", closefd=False) as file:
        file.write(content)
    return f"/proc/self/fd/{descriptor}"
