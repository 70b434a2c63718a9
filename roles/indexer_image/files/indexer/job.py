# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of an indexing: what is asked and told, and when."""
from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from indexer.address import Address
from indexer.configuration import Configuration, parse_s3
from indexer.errors import IndexingError
from indexer.gen3 import Indexd, MetadataService
from indexer.hashing import hash_chunks
from indexer.s3 import S3Object, client


def index(configuration: Configuration, address: Address, environ: Mapping[str, str]) -> None:
    """Fill the blank record of an object. One that has a size already is left alone: events come more than once."""
    guid = address.guid
    indexd = Indexd(configuration.indexd)
    metadata_service = MetadataService(configuration.metadata_service, guid)
    record = indexd.record(guid)
    if record.get("size") is None:
        if address.may_be_folder and S3Object(client(parse_s3(configuration.s3, address.bucket), environ), address).size == 0:
            print(f"nothing to index: {address} is an empty folder, not an upload", file=sys.stderr)
            return
        revision = record.get("rev")
        if not isinstance(revision, str):
            raise IndexingError(f"indexd's record {guid} has no revision")
        try:
            metadata_service.set_status("processing")
            indexd.fill(guid, revision, {"urls": [str(address)], **measure(configuration.s3, address, environ)})
        except BaseException:  # whatever it is: the status must not stay at `processing`
            metadata_service.set_last_status("error")
            raise
    metadata_service.set_last_status("uploaded")


def measure(settings: Any, address: Address, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return size and hashes of an object, read once."""
    source = S3Object(client(parse_s3(settings, address.bucket), environ), address)
    size, hashes = hash_chunks(source.chunks())
    if size != source.size:
        raise IndexingError(f"{size} bytes of {address} were read, and it has {source.size}")
    return {"size": size, "hashes": hashes}
