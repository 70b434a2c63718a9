# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m indexer check``: tells, before there is any upload, whether a Job could read from the object store.

It asks for an object that does not exist, as the access key of a Job may do nothing but read objects.
"""
from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from indexer.configuration import parse_s3, read
from indexer.errors import IndexingError
from indexer.s3 import TROUBLES, client, explain, may_pass

KEY = "gen3-uploads-check/no-such-object"
WAITS = (1, 2, 4, 8)
"""The waits between attempts: the server may just have been restarted."""
PATIENCE = 30
"""Seconds after which there is no further attempt: one at a server that does not answer takes long enough."""
LARGEST_SKEW = 15 * 60
"""Seconds by which clocks may differ: S3 refuses what was signed earlier or later."""
TERMINATION_LOG = "/dev/termination-log"


def main(environ: Mapping[str, str]) -> int:
    """Check CHECK_BUCKETS (a comma list) with the part ``s3`` of CONFIG_FILE. The result is one sentence, and 0 or 2."""
    try:
        missing = [name for name in ("CHECK_BUCKETS", "CONFIG_FILE") if not environ.get(name)]
        if missing:
            raise IndexingError(f"the environment lacks {' and '.join(missing)}")
        s3 = client(parse_s3(read(environ["CONFIG_FILE"]).get("s3")), environ)
        for bucket in environ["CHECK_BUCKETS"].split(","):
            check(s3, bucket)
    except IndexingError as error:
        sentence, code = f"{error}", 2
    else:
        sentence, code = f"{s3.meta.endpoint_url} lets this key read from {environ['CHECK_BUCKETS']}", 0
    print(sentence, flush=True)
    with contextlib.suppress(OSError):  # this is no pod; the log has it
        Path(environ.get("TERMINATION_LOG") or TERMINATION_LOG).write_text(sentence)
    return code


def check(s3: Any, bucket: str) -> None:
    """Ask for an object of a bucket; raises IndexingError if it could not be read even if there was one."""
    waits = _waits()
    while True:
        try:
            answer = s3.get_object(Bucket=bucket, Key=KEY)
            answer["Body"].close()
            return _compare_clocks(answer, s3.meta.endpoint_url)
        except TROUBLES as error:
            if isinstance(error, ClientError):
                _compare_clocks(error.response, s3.meta.endpoint_url)
                if error.response["Error"].get("Code") == "NoSuchKey":
                    return None
            wait = next(waits, None) if may_pass(error) else None
            if wait is None:
                raise IndexingError(explain(error, f"s3://{bucket}", s3.meta.endpoint_url)) from None
            time.sleep(wait)


def _waits() -> Iterator[float]:
    end = time.monotonic() + PATIENCE
    return (wait for wait in WAITS if time.monotonic() + wait < end)


def _compare_clocks(answer: Mapping[str, Any], endpoint: str) -> None:
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        skew = parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return  # no server of HTTP leaves it out, and a wrong clock is refused anyway
    if abs(skew) > LARGEST_SKEW:
        raise IndexingError(
            f"the clock of {endpoint} is {abs(skew) / 60:.0f} minutes {'ahead of' if skew > 0 else 'behind'} that of this node, and"
            " S3 refuses more than 15: let both follow a time server")
