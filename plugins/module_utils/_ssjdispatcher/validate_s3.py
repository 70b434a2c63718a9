# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part ``s3`` of an entry's imageConfig, which tells the image of the role indexer_image where MinIO is.

ssjdispatcher hands it on unread, so that a mistake would show in the first Job only. Pure functions; their sentences never
quote a key or a certificate.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

KEYS = ("access_key_id", "secret_access_key")

TEXTS = ("endpoint_url", "region", "addressing_style", "ca_bundle", *KEYS)

ADDRESSING_STYLES = ("auto", "path", "virtual")

REFERENCE = ("name", "access_key_id_key", "secret_access_key_key")
"""What secret_ref must have; it may have a namespace too."""

LARGEST_BUNDLE = 64 << 10
"""All of imageConfig becomes one environment variable, for which Linux has 128 KiB."""


def s3_problems(part: Any) -> Iterator[str]:
    """Yield what would make every Job of the entry fail."""
    if not isinstance(part, Mapping):
        yield "is no object: it tells where MinIO is; make it one with endpoint_url"
        return
    unknown = sorted(set(part) - {*TEXTS, "secret_ref", "buckets"})
    if unknown:
        yield f"has unknown keys, {', '.join(unknown)}: the image refuses them; remove them"
    wrong = [key for key in TEXTS if not isinstance(part.get(key, ""), (str, type(None)))]
    if wrong:
        yield f"has values that are no strings, of {', '.join(wrong)}: the image refuses them; make them strings"
        return
    buckets = part.get("buckets", [])
    if not isinstance(buckets, list) or not all(isinstance(bucket, str) for bucket in buckets):
        yield "has buckets that are no list of names: the image refuses them; list the buckets that are on MinIO"
    if not part.get("endpoint_url"):
        yield "has no endpoint_url: the image would ask Amazon S3; set it to MinIO's URL, as the Jobs reach it"
    elif _split(part["endpoint_url"]) is None:
        yield "has an endpoint_url that is not an http or https URL without a login; write it as https://minio.example.org:9000"
    if part.get("addressing_style") and part["addressing_style"] not in ADDRESSING_STYLES:
        yield f"has an unknown addressing_style; use one of {', '.join(ADDRESSING_STYLES)}"
    yield from _key_problems(part)
    yield from _bundle_problems(part.get("ca_bundle") or "")


def s3_warnings(part: Any) -> Iterator[str]:
    """Yield what is odd about a part that has no problems."""
    url = _split(part["endpoint_url"])
    if url is not None and _is_loopback(url.hostname or ""):
        yield f"has the endpoint_url {part['endpoint_url']}: for a Job that is its own pod, unless the pods share the node's network"


def _key_problems(part: Mapping[str, Any]) -> Iterator[str]:
    given = [key for key in KEYS if part.get(key)]
    reference = part.get("secret_ref")
    if reference is None:
        if len(given) == 1:
            yield f"has {given[0]} alone: the image refuses it; give both {' and '.join(KEYS)}, or neither"
        return
    if given:
        yield "has both an access key and secret_ref: the image refuses it; keep one of them"
    if not isinstance(reference, Mapping):
        yield "has a secret_ref that is no object: the image refuses it; make it one"
    elif not all(isinstance(reference.get(key), str) and reference[key] for key in REFERENCE):
        yield f"has a secret_ref that lacks one of {', '.join(REFERENCE)}: the image refuses it; give all of them"
    elif unknown := sorted(set(reference) - {*REFERENCE, "namespace"}):
        yield f"has unknown keys in secret_ref, {', '.join(unknown)}: the image refuses them; remove them"


def _bundle_problems(bundle: str) -> Iterator[str]:
    if not bundle:
        return
    if len(bundle.encode()) > LARGEST_BUNDLE:
        yield (
            f"has a ca_bundle of {len(bundle.encode()) >> 10} KiB, and all of imageConfig must fit into one environment variable;"
            " give only the certificate of MinIO's own authority"
        )
    elif "PRIVATE KEY-----" in bundle:
        yield "has a ca_bundle with a private key, which everyone who may see Jobs could read; give the certificates alone"
    else:
        try:
            ssl.create_default_context(cadata=bundle.encode("ascii", "replace").decode())  # comments may have any letters
        except (ssl.SSLError, ValueError):
            yield "has a ca_bundle without a certificate in PEM; give the certificate of MinIO's authority"


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL that can be called; None for another, and for one with a login."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if usable else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
