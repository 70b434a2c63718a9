# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job's configuration: the JSON text in the variable CONFIG_FILE, which is ssjdispatcher's ``imageConfig``."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from indexer.errors import IndexingError

ADDRESSING_STYLES = ("auto", "path", "virtual")


@dataclass(frozen=True)
class Service:
    """A service of Gen3 and the login to it."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Keys:
    """The access key to the object store."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class SecretReference:
    """A Secret of Kubernetes that has the access key; without a namespace it is that of the pod."""

    name: str
    access_key_id_key: str
    secret_access_key_key: str
    namespace: str | None = None


@dataclass(frozen=True)
class S3Settings:
    """The object store; what is None is as for Amazon S3, from the environment."""

    endpoint_url: str | None = None
    region: str | None = None
    addressing_style: str | None = None
    ca_bundle: str | None = None
    keys: Keys | SecretReference | None = None


@dataclass(frozen=True)
class Configuration:
    """What the job has to know; ``s3`` is not looked at before the object is to be read."""

    indexd: Service
    metadata_service: Service
    s3: Any = field(repr=False)


def parse(text: str) -> Configuration:
    """Read the configuration. Keys that are not known are somebody else's."""
    document = read(text)
    metadata_service = _mapping(document.get("metadataService"), "metadataService")
    return Configuration(_service(document, ""), _service(metadata_service, "metadataService."), document.get("s3"))


def read(text: str) -> Mapping[str, Any]:
    """Return the JSON object that the text is."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise IndexingError("CONFIG_FILE is not JSON") from None  # the cause would show the text, which has passwords
    return _mapping(document, "CONFIG_FILE")


def parse_s3(document: Any, bucket: str | None = None) -> S3Settings:
    """Read the part ``s3``. It is ours alone, so an unknown key is a mistake: it could send the keys to the wrong server.

    With ``buckets`` in it, any other bucket than these is on Amazon S3; ``bucket`` None stands for one of them.
    """
    if document is None:
        return S3Settings()
    known = {"endpoint_url", "region", "addressing_style", "ca_bundle", "access_key_id", "secret_access_key"}
    texts = _texts(document, known, "s3", others={"secret_ref", "buckets"})
    buckets = document.get("buckets")
    if buckets is not None and (not isinstance(buckets, list) or not all(isinstance(each, str) for each in buckets)):
        raise IndexingError("CONFIG_FILE: s3.buckets is not a list of names")
    if buckets is not None and bucket is not None and bucket not in buckets:
        return S3Settings()
    endpoint = texts.get("endpoint_url")
    if endpoint:
        _check_url(endpoint, "s3.endpoint_url")
    style = texts.get("addressing_style")
    if style and style not in ADDRESSING_STYLES:
        raise IndexingError(f"CONFIG_FILE: s3.addressing_style is one of {', '.join(ADDRESSING_STYLES)}")
    return S3Settings(endpoint, texts.get("region"), style, texts.get("ca_bundle"), _keys(texts, document.get("secret_ref")))


def _keys(texts: Mapping[str, str], reference: Any) -> Keys | SecretReference | None:
    inline = [texts.get(name) for name in ("access_key_id", "secret_access_key")]
    if reference is not None:
        if any(inline):
            raise IndexingError("CONFIG_FILE: s3 has both an access key and secret_ref; keep one of them")
        names = {"name", "access_key_id_key", "secret_access_key_key"}
        texts = _texts(reference, names | {"namespace"}, "s3.secret_ref")
        missing = sorted(names - set(texts))
        if missing:
            raise IndexingError(f"CONFIG_FILE: s3.secret_ref lacks {', '.join(missing)}")
        return SecretReference(**texts)
    if any(inline) and not all(inline):
        raise IndexingError("CONFIG_FILE: s3 needs both access_key_id and secret_access_key, or neither")
    return Keys(*inline) if all(inline) else None


def _service(document: Mapping[str, Any], prefix: str) -> Service:
    url, username, password = (document.get(name) or "" for name in ("url", "username", "password"))
    for name, value in (("url", url), ("username", username), ("password", password)):
        if not isinstance(value, str):
            raise IndexingError(f"CONFIG_FILE: {prefix}{name} is not a string")
    _check_url(url, f"{prefix}url")
    return Service(url.rstrip("/"), username, password)


def _check_url(url: str, name: str) -> None:
    """Refuse what could not be called, and a login in the URL, which error messages would show."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable:
        raise IndexingError(f"CONFIG_FILE: {name} is not an http or https URL without a login")


def _mapping(document: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise IndexingError(f"CONFIG_FILE: {name} is not an object")
    return document


def _texts(document: Any, known: set[str], name: str, others: set[str] = frozenset()) -> dict[str, str]:
    """Return the strings of an object that are not empty; raises for what is not known."""
    unknown = set(_mapping(document, name)) - known - others
    if unknown:
        raise IndexingError(f"CONFIG_FILE: {name} has unknown keys: {', '.join(sorted(unknown))}")
    texts = {key: document[key] for key in known if document.get(key) not in (None, "")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise IndexingError(f"CONFIG_FILE: {name}.{key} is not a string")
    return texts
