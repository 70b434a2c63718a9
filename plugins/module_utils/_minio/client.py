# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connecting to a MinIO server, and one sentence for whatever goes wrong.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn
from urllib.parse import urlsplit

try:
    import urllib3
    from minio import Minio, MinioAdmin
    from minio.credentials import StaticProvider
    from minio.error import MinioAdminException, MinioException, S3Error

    import_module("minio.notificationconfig")  # which version 8 no longer has
    MISSING = None
except ImportError:
    MISSING = traceback.format_exc()

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ansible_collections.gen3.uploads.plugins.module_utils._core import runner
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError

CONNECTION = dict(
    url=dict(type="str", required=True),
    access_key=dict(type="str", required=True, no_log=False, fallback=(env_fallback, ["MINIO_ACCESS_KEY"])),
    secret_key=dict(type="str", required=True, no_log=True, fallback=(env_fallback, ["MINIO_SECRET_KEY"])),
    ca_path=dict(type="path"),
    validate_certs=dict(type="bool", default=True),
)
"""The options by which a module reaches the server."""


class MinioError(UploadsError):
    """Why a module gives up: one sentence for the operator."""


class Connection:
    """The S3 API and the admin API of one server."""

    def __init__(self, options: Any):
        parts = urlsplit(options["url"])
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise MinioError("The option url must be scheme, host and port, like https://minio.example:9000.")
        verify = options["validate_certs"]
        self.http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=5, read=60), cert_reqs="CERT_REQUIRED" if verify else "CERT_NONE",
            ca_certs=options["ca_path"] if verify else None,
            retries=urllib3.Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504],
                                  raise_on_status=False))
        self.url = f"{parts.scheme}://{parts.netloc}"
        provider = StaticProvider(options["access_key"], options["secret_key"])
        self.credentials = provider.retrieve()
        secure = parts.scheme == "https"
        self.s3 = Minio(endpoint=parts.netloc, credentials=provider, secure=secure, http_client=self.http)
        self._secure = secure
        self.admin = MinioAdmin(endpoint=parts.netloc, credentials=provider, secure=secure, http_client=self.http)

    def as_another(self, key: str, secret: str) -> Any:
        """Return a client of the S3 API of the same server for another login."""
        return Minio(endpoint=urlsplit(self.url).netloc, credentials=StaticProvider(key, secret), secure=self._secure,
                     http_client=self.http)


@contextmanager
def error_context(what: str) -> Iterator[None]:
    """Turn an error of the SDK into MinioError."""
    try:
        yield
    except S3Error as error:
        raise MinioError(f"Could not {what}: {error.code}: {(error.message or '').rstrip('.')}.") from error
    except MinioAdminException as error:
        raise MinioError(f"Could not {what}: {_admin_reason(error)}.") from error
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise MinioError(f"Could not {what}: the server cannot be reached ({reason}); check url, ca_path and that "
                         "MinIO runs.") from error
    except (MinioException, ValueError) as error:
        raise MinioError(f"Could not {what}: {str(error).rstrip('.')}.") from error


def admin_code(error: Any) -> str:
    """Return the code of an error that the admin API answered, '' if it gave none."""
    try:
        return json.loads(error._body).get("Code", "")
    except (AttributeError, ValueError):
        return ""


def server_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a connection from those of a module that reaches other services too: ``minio_url`` and so on."""
    server = {name: options[f"minio_{name}"] for name in ("url", "access_key", "secret_key", "ca_path")}
    return {**server, "validate_certs": options["validate_certs"] is not False}


def require_library(module: AnsibleModule) -> None:
    """Fail, with the sentence that Ansible's own modules have for it, where the library of MinIO is missing."""
    if MISSING:
        module.fail_json(msg=missing_required_lib("minio >= 7.2.17, < 8"), exception=MISSING)


def run_module(module: AnsibleModule, work: Callable[[Connection], dict[str, Any]]) -> NoReturn:
    """Exit with the result of ``work``, which gets the server of the module's options, or fail; see ``_core/runner.py``."""
    require_library(module)
    runner.run_module(module, lambda: work(Connection(module.params)))


def _admin_reason(error: Any) -> str:
    try:
        response = json.loads(error._body)
        return f"{response['Code']}: {response.get('Message', '').rstrip('.')}"
    except (AttributeError, KeyError, ValueError):
        return f"the server answered with status {getattr(error, '_code', 'unknown')}"
