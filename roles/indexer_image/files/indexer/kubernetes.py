# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a Secret as the pod's own service account."""
from __future__ import annotations

import base64
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from indexer.configuration import Keys, SecretReference
from indexer.errors import IndexingError
from indexer.http_calls import call, opener

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def read_keys(reference: SecretReference, environ: Mapping[str, str]) -> Keys:
    """Return the access key that a Secret has. SERVICE_ACCOUNT_DIRECTORY is for pods whose token is elsewhere."""
    account = Path(environ.get("SERVICE_ACCOUNT_DIRECTORY") or SERVICE_ACCOUNT)
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise IndexingError("s3.secret_ref needs Kubernetes, and this is no pod: KUBERNETES_SERVICE_HOST is not set")
    try:
        token = (account / "token").read_text().strip()
        namespace = reference.namespace or (account / "namespace").read_text().strip()
        context = ssl.create_default_context(cafile=str(account / "ca.crt"))
    except OSError as error:
        raise IndexingError(f"s3.secret_ref needs the pod's service account token: {error}. "
                            "Does the ServiceAccount forbid automountServiceAccountToken?") from None
    address = f"[{host}]" if ":" in host else host
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{quote(reference.name, safe='')}"
    # The API server is inside the cluster, where no proxy leads.
    direct = opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    answer = call("GET", f"https://{address}:{port}{path}", headers={"Authorization": f"Bearer {token}"}, through=direct)
    name = f"Secret {namespace}/{reference.name}"
    if answer.status != 200:
        hint = {403: ": its Role must allow `get` on this Secret", 404: ": there is no such Secret"}.get(answer.status, "")
        raise IndexingError(f"the service account cannot read {name}{hint} ({answer.status})")
    data = answer.json().get("data") or {}
    return Keys(_value(data, reference.access_key_id_key, name), _value(data, reference.secret_access_key_key, name))


def _value(data: Mapping[str, str], key: str, name: str) -> str:
    try:
        value = base64.b64decode(data[key], validate=True).decode().strip()
    except KeyError:
        raise IndexingError(f"{name} has no key {key}; it has {', '.join(sorted(data)) or 'none'}") from None
    except ValueError:
        raise IndexingError(f"key {key} of {name} is not text") from None
    if not value:
        raise IndexingError(f"key {key} of {name} is empty")
    return value
