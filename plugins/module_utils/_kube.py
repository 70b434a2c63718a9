# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API as plain dictionaries on fixed paths.

Authentication is that of kubernetes.core (same options, same environment variables, kubeconfig, exec plugins, service
account of a pod). Its dynamic client is not used: it discovers every resource of the server before the first request,
while the few kinds that this collection works with have paths that never change.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.gen3.uploads.plugins.module_utils._changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._lazy_kubernetes import prepare
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC  # noqa: F401

prepare()  # before anything imports the library
from ansible_collections.kubernetes.core.plugins.module_utils.k8s import client as core_client  # noqa: E402

try:
    import kubernetes
    import urllib3
    from kubernetes.client.rest import RESTClientObject
except ImportError:
    kubernetes = None

APIS = {
    "ConfigMap": ("configmaps", "v1"),
    "Pod": ("pods", "v1"),
    "Secret": ("secrets", "v1"),
    "Service": ("services", "v1"),
    "ServiceAccount": ("serviceaccounts", "v1"),
    "Deployment": ("deployments", "apps/v1"),
    "Job": ("jobs", "batch/v1"),
    "Role": ("roles", "rbac.authorization.k8s.io/v1"),
    "RoleBinding": ("rolebindings", "rbac.authorization.k8s.io/v1"),
    "ExternalSecret": ("externalsecrets", "external-secrets.io/v1", "external-secrets.io/v1beta1"),
}
"""Kind -> plural and API versions, the preferred one first; where none of them is served, nothing of the kind exists."""

ATTEMPTS = 8
"""Tries of one request; with 20 % of all requests failing, one in 400 000 fails for good."""

CONNECT_ATTEMPTS = 3
"""Tries while no connection comes about at all: more would only delay the message."""

TIMEOUT = (10, 60)
"""Seconds to connect and to wait for an answer; the API server itself gives up after 60."""

CONFLICT_ATTEMPTS = 100
"""Rounds of reading, planning and writing while others write to the same object: about a minute in all."""

WORDS = {"get": "read", "list": "list", "create": "create", "patch": "change", "delete": "delete"}


class KubeError(Exception):
    """A request that failed, as one sentence for the operator.

    ``status`` is the HTTP status, or None where there was no answer. ``uncertain`` is true when an earlier try of the
    same write got no clear answer, so that it may have been carried out.
    """

    def __init__(self, message: str, status: int | None = None, uncertain: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.uncertain = uncertain


@dataclass(frozen=True)
class Answer:
    """What the server said: ``body`` is the decoded JSON, or None where it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


Send = Callable[[str, str, "dict | None", "dict[str, str]"], Answer]
"""Carries out (method, path with query, body, headers) once; raises urllib3's HTTPError or OSError without an answer."""


class Kube:
    """The API server as seen through ``send``; ``server`` is its address, for messages."""

    def __init__(self, send: Send, server: str) -> None:
        self.send = send
        self.server = server

    def get(self, kind: str, name: str, namespace: str, metadata_only: bool = False) -> dict | None:
        """Return the object, or None where it does not exist; with ``metadata_only`` its content is not even sent."""
        headers = {"Accept": "application/json"}
        if metadata_only:
            headers["Accept"] = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        answer = self._read("get", kind, name, namespace, headers, {})
        return None if answer.status == 404 else answer.body

    def list(self, kind: str, namespace: str, label_selector: str | None = None) -> list[dict]:
        """Return all objects of a kind in a namespace."""
        query = {"labelSelector": label_selector} if label_selector else {}
        answer = self._read("list", kind, None, namespace, {"Accept": "application/json"}, query)
        return [] if answer.status == 404 else answer.body["items"]

    def create(self, manifest: Mapping[str, Any], dry_run: bool = False) -> dict:
        """Create an object; its manifest needs kind, apiVersion, metadata.name and metadata.namespace."""
        metadata = manifest["metadata"]
        return self._write("create", manifest["kind"], metadata["name"], metadata["namespace"], manifest, dry_run)

    def merge_patch(
        self, kind: str, name: str, namespace: str, patch: Mapping[str, Any], dry_run: bool = False
    ) -> dict:
        """Change an object by a JSON merge patch.

        With ``metadata.resourceVersion`` in it, an object that has changed since is left alone: status 409.
        """
        return self._write("patch", kind, name, namespace, patch, dry_run)

    def delete(
        self, kind: str, name: str, namespace: str, resource_version: str | None = None, dry_run: bool = False
    ) -> None:
        """Delete an object, if it exists; with ``resource_version`` only that version of it (else status 409)."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if resource_version:
            options["preconditions"] = {"resourceVersion": resource_version}
        if dry_run:
            options["dryRun"] = ["All"]  # beside a body the query does not count
        try:
            self._write("delete", kind, name, namespace, options, dry_run)
        except KubeError as error:
            if error.status != 404:
                raise

    def _read(self, verb: str, kind: str, name: str | None, namespace: str, headers: dict, query: dict) -> Answer:
        versions = APIS[kind][1:]
        for version in versions:
            answer = self._request(
                "GET", _path(kind, version, namespace, name, query), None, headers, verb, kind, name, namespace
            )
            if answer.status == 200:
                return answer
            if answer.status == 404 and isinstance(answer.body, dict):
                return answer  # the server knows the kind, but not this object
        if answer.status == 404 and kind == "ExternalSecret":
            return answer
        raise self._error(answer, verb, kind, name, namespace)

    def _write(self, verb: str, kind: str, name: str, namespace: str, body: Mapping[str, Any], dry_run: bool) -> Any:
        method = {"create": "POST", "patch": "PATCH", "delete": "DELETE"}[verb]
        query = {"dryRun": "All"} if dry_run else {}
        if verb != "delete":
            query["fieldManager"] = "gen3.uploads"
        path = _path(kind, APIS[kind][1], namespace, None if verb == "create" else name, query)
        content_type = "application/merge-patch+json" if verb == "patch" else "application/json"
        headers = {"Accept": "application/json", "Content-Type": content_type}
        answer = self._request(method, path, body, headers, verb, kind, name, namespace)
        return answer.body

    def _request(self, method, path, body, headers, verb, kind, name, namespace) -> Answer:
        """Send until there is a clear answer.

        Every write here may be repeated: a creation or a patch with a resourceVersion that was carried out already
        answers 409 the second time, upon which callers read and plan again.
        """
        uncertain = False
        for attempt in range(1, ATTEMPTS + 1):
            pause = random.uniform(0, min(5.0, 0.1 * 2**attempt))
            try:
                answer = self.send(method, path, body, headers)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                no_connection = isinstance(
                    error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
                )
                if attempt == (CONNECT_ATTEMPTS if no_connection else ATTEMPTS) or isinstance(
                    error, urllib3.exceptions.SSLError
                ):
                    raise KubeError(
                        f"{_attempt(verb, kind, name, namespace)}: {_unreachable(self.server, error)}"
                    ) from error
                uncertain = uncertain or not no_connection
            else:
                if answer.status in (200, 201, 202) and answer.body is not None:
                    return answer
                if method == "GET" and answer.status == 404:
                    return answer
                if attempt == ATTEMPTS or not (answer.status == 429 or answer.status >= 500):
                    raise self._error(answer, verb, kind, name, namespace, uncertain)
                uncertain = uncertain or answer.status != 429
                pause = max(pause, min(float(answer.headers.get("Retry-After") or 0), 10.0))
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _error(
        self, answer: Answer, verb: str, kind: str, name: str | None, namespace: str, uncertain: bool = False
    ) -> KubeError:
        return KubeError(
            f"{_attempt(verb, kind, name, namespace)}: {_refusal(answer, self.server, verb, kind, namespace)}",
            answer.status,
            uncertain,
        )


def describe(kind: str, name: str, namespace: str) -> str:
    """Name an object as the messages and change lists do."""
    return f"{kind} {namespace}/{name}"


def converge(
    current: Any,
    observe: Callable[[], Any],
    plan: Callable[[Any], Sequence[Change]],
    apply: Callable[[Change], None],
) -> list[Change]:
    """Plan and apply; where a write meets someone else's (409), observe again and start over. Returns the changes.

    Of n writers at the same object each round lets one through, so the pauses are spread and the tries many.
    """
    unsure: list[Change] = []
    for attempt in range(CONFLICT_ATTEMPTS):
        changes = list(plan(current))
        try:
            for change in changes:
                apply(change)
            return changes or unsure
        except KubeError as error:
            if error.status != 409 or attempt == CONFLICT_ATTEMPTS - 1:
                raise
            if error.uncertain:
                # An earlier try had no clear answer. If nothing is left to do, it was carried out, and this is ours.
                unsure = changes
        time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))
        current = observe()
    raise AssertionError("the last attempt returns or raises")


def apply_to(kube: Kube, change: Change, dry_run: bool) -> None:
    """Carry out a change whose operation is one of Kube's writes."""
    getattr(kube, change.operation)(**change.parameters, dry_run=dry_run)


def connect(module) -> Kube:
    """Return the API server that the module's options, the environment or the kubeconfig name; raises KubeError."""
    if kubernetes is None:
        raise KubeError(missing_required_lib("kubernetes"))
    auth = core_client._create_auth_spec(module)
    kubeconfig = auth.get("kubeconfig")
    files = kubeconfig.split(os.pathsep) if isinstance(kubeconfig, str) else []
    if files and not any(os.path.exists(os.path.expanduser(file)) for file in files):
        raise KubeError(
            f"Cannot connect to Kubernetes: the kubeconfig {kubeconfig} does not exist;"
            " set the option kubeconfig or the environment variable K8S_AUTH_KUBECONFIG to an existing file."
        )
    try:
        configuration = core_client._create_configuration(auth)
        client = RESTClientObject(configuration)
    except Exception as error:  # a kubeconfig can be wrong in any way, and its loader raises what it runs into
        source = kubeconfig if isinstance(kubeconfig, str) else "of the options or of ~/.kube/config"
        raise KubeError(
            f"Cannot connect to Kubernetes with the kubeconfig {source}: {_one_line(error)};"
            " check the options kubeconfig and context."
        ) from error
    extra = {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in core_client._create_headers(module).items()
    }

    server = configuration.host  # a refresh of the token would undo the option host

    def send(method: str, path: str, body: dict | None, headers: dict[str, str]) -> Answer:
        token = configuration.auth_settings().get("BearerToken")  # asked each time: it refreshes an expired token
        response = client.pool_manager.request(
            method,
            server + path,
            body=None if body is None else json.dumps(body),
            headers={**headers, **extra, **({token["key"]: token["value"]} if token else {})},
            timeout=urllib3.Timeout(connect=TIMEOUT[0], read=TIMEOUT[1]),
            retries=False,
        )
        try:
            content = json.loads(response.data)
        except ValueError:
            content = None
        return Answer(response.status, response.headers, content)

    return Kube(send, server)


def _path(kind: str, version: str, namespace: str, name: str | None, query: Mapping[str, str]) -> str:
    path = f"/{'apis' if '/' in version else 'api'}/{version}/namespaces/{quote(namespace, safe='')}/{APIS[kind][0]}"
    if name is not None:
        path += f"/{quote(name, safe='')}"
    return f"{path}?{urlencode(query)}" if query else path


def _attempt(verb: str, kind: str, name: str | None, namespace: str) -> str:
    what = f"{kind}s in namespace {namespace}" if name is None else describe(kind, name, namespace)
    return f"Cannot {WORDS[verb]} {what}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _unreachable(server: str, error: Exception) -> str:
    cause = _one_line(error).rpartition(": ")[2]
    if isinstance(error, urllib3.exceptions.SSLError):
        return f"no TLS connection to {server} ({cause}); check ca_cert, client_cert, client_key and the host name."
    return (
        f"the Kubernetes API server {server} cannot be reached ({cause});"
        " check the kubeconfig's context, the network and that the server runs."
    )


def _refusal(answer: Answer, server: str, verb: str, kind: str, namespace: str) -> str:
    status = answer.body if isinstance(answer.body, dict) else None
    if status is None:
        return f"{server} answers with HTTP status {answer.status} and no JSON; is it a Kubernetes API server?"
    message = " ".join(str(status.get("message", "")).split()).rstrip(".")
    if answer.status == 401:
        return f"{server} does not accept the credentials (401 Unauthorized); renew the token or certificate of the kubeconfig."
    user = re.search(r'User "([^"]*)" cannot ', message)
    if answer.status == 403 and user:
        group = APIS[kind][1].rpartition("/")[0]
        return (
            f"user {user[1]} lacks the permission (403 Forbidden); add to a Role in namespace {namespace} that is bound to"
            f' it the rule {{apiGroups: ["{group}"], resources: [{APIS[kind][0]}], verbs: [{verb}]}}.'
        )
    if answer.status == 404 and verb == "create":
        return f"there is no namespace {namespace}; create it first or correct its name."
    if kind == "Secret":
        # What a server or an admission webhook says about a Secret can quote its content.
        causes = status.get("details", {}).get("causes", [])
        message = ", ".join(sorted({f"{cause.get('field')}: {cause.get('reason')}" for cause in causes}))
    reason = status.get("reason") or "no reason given"
    return f"the API server answers {answer.status} {reason}" + (f" ({message})." if message else ".")
