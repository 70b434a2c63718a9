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

import itertools
import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.lazy_import import prepare
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import FIELD_MANAGER, blocks_others, unclaimed
from ansible_collections.kubernetes.core.plugins.module_utils import args_common

prepare()  # before anything imports the library
from ansible_collections.kubernetes.core.plugins.module_utils.k8s import client as core_client  # noqa: E402

try:
    import kubernetes
    import urllib3
    from kubernetes.client.rest import RESTClientObject
    from urllib3._collections import HTTPHeaderDict
except ImportError:
    kubernetes = None
else:
    UNREACHABLE = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)

AUTH_ARG_SPEC = args_common.AUTH_ARG_SPEC
"""The options of a module that connects."""

APIS = {
    "ConfigMap": ("configmaps", "v1"),
    "Pod": ("pods", "v1"),
    "Secret": ("secrets", "v1"),
    "PersistentVolumeClaim": ("persistentvolumeclaims", "v1"),
    "Service": ("services", "v1"),
    "ServiceAccount": ("serviceaccounts", "v1"),
    "Deployment": ("deployments", "apps/v1"),
    "Job": ("jobs", "batch/v1"),
    "NetworkPolicy": ("networkpolicies", "networking.k8s.io/v1"),
    "Role": ("roles", "rbac.authorization.k8s.io/v1"),
    "RoleBinding": ("rolebindings", "rbac.authorization.k8s.io/v1"),
    "ExternalSecret": ("externalsecrets", "external-secrets.io/v1", "external-secrets.io/v1beta1"),
}
"""Kind -> plural and API versions, the preferred one first."""

OPTIONAL = {"ExternalSecret"}
"""Kinds that not every cluster has; where the API server does not know them, there are simply none."""

ATTEMPTS = 8
"""Tries of one request; with 20 % of all requests failing, one in 400 000 fails for good."""

CONNECT_ATTEMPTS = 3
"""Tries while no connection comes about at all: more would only delay the message."""

CONFLICT_ATTEMPTS = 100
"""Rounds of reading, planning and writing while others write to the same object: about a minute in all."""

TIMEOUT = (10, 60)
"""Seconds to connect and to wait for an answer; the API server itself gives up after 60."""


class KubeError(UploadsError):
    """A request that failed, as one sentence for the operator.

    ``status`` is the HTTP status, or None where there was no answer. ``uncertain`` is true when an earlier try of the
    same write got no clear answer, so that it may have been carried out.
    """

    def __init__(self, message: str, status: int | None = None, uncertain: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.uncertain = uncertain


@dataclass(frozen=True)
class Request:
    """One API call; ``verb`` as in a Role's rules, or ``apply``, which is a patch; ``name`` None for all objects of a kind."""

    verb: str
    kind: str
    name: str | None
    namespace: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    accept: str = "application/json"

    METHODS = {"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH", "apply": "PATCH", "delete": "DELETE"}
    WORDS = {"get": "read", "list": "list", "create": "create", "patch": "change", "apply": "apply", "delete": "delete"}
    CONTENT_TYPES = {"patch": "application/merge-patch+json", "apply": "application/apply-patch+yaml"}  # JSON is YAML, too

    @property
    def method(self) -> str:
        return self.METHODS[self.verb]

    @property
    def headers(self) -> dict[str, str]:
        return {"Accept": self.accept, "Content-Type": self.CONTENT_TYPES.get(self.verb, "application/json")}

    def path(self, version: str) -> str:
        """Return path and query of the call in one of the API versions of its kind."""
        prefix = "apis" if "/" in version else "api"
        path = f"/{prefix}/{version}/namespaces/{quote(self.namespace, safe='')}/{APIS[self.kind][0]}"
        if self.name is not None and self.verb != "create":
            path += f"/{quote(self.name, safe='')}"
        return f"{path}?{urlencode(self.query)}" if self.query else path

    def __str__(self) -> str:
        if self.name is None:
            return f"{self.WORDS[self.verb]} {self.kind}s in namespace {self.namespace}"
        return f"{self.WORDS[self.verb]} {describe(self.kind, self.name, self.namespace)}"


@dataclass(frozen=True)
class Response:
    """What the server said: ``body`` is the decoded JSON, or None where it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def pause(self) -> float:
        """The seconds that the server asks to wait, at most ten."""
        seconds = self.headers.get("Retry-After", "")
        return min(float(seconds), 10.0) if seconds.isdecimal() else 0.0


Send = Callable[[str, str, "Mapping | None", "dict[str, str]"], Response]
"""Sends (method, path with query, body, headers) once; raises urllib3's HTTPError or OSError without an answer."""


class Kube:
    """The API server as seen through ``send``; ``server`` is its address, for messages."""

    def __init__(self, send: Send, server: str) -> None:
        self.send = send
        self.server = server

    def get(self, kind: str, name: str, namespace: str, metadata_only: bool = False) -> dict | None:
        """Return the object, or None where it does not exist; with ``metadata_only`` its content is not even sent."""
        accept = "application/json"
        if metadata_only:
            accept += ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        return self._read(Request("get", kind, name, namespace, accept=accept))

    def list(self, kind: str, namespace: str, label_selector: str | None = None) -> list[dict]:
        """Return all objects of a kind in a namespace."""
        query = {"labelSelector": label_selector} if label_selector else {}
        found = self._read(Request("list", kind, None, namespace, query))
        return found["items"] if found else []

    def create(self, manifest: Mapping[str, Any], dry_run: bool = False, transient: bool = False) -> dict:
        """Create an object; its manifest needs kind, apiVersion, metadata.name and metadata.namespace.

        Of a ``transient`` object, which we delete ourselves, we keep our claims: nobody else applies it.
        """
        metadata = manifest["metadata"]
        return self._write("create", manifest["kind"], metadata["name"], metadata["namespace"], manifest, dry_run, transient)

    def merge_patch(
        self, kind: str, name: str, namespace: str, patch: Mapping[str, Any], dry_run: bool = False
    ) -> dict:
        """Change an object by a JSON merge patch.

        With ``metadata.resourceVersion`` in it, an object that has changed since is left alone: status 409.
        """
        return self._write("patch", kind, name, namespace, patch, dry_run)

    def apply(self, manifest: Mapping[str, Any], manager: str, dry_run: bool = False) -> dict:
        """Let the server apply a manifest for a field manager: what it applied before and the manifest lacks goes; force is used.

        The manager keeps its claims, so this is for objects that nobody else applies.
        """
        metadata = manifest["metadata"]
        query = {"fieldManager": manager, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        return self._send(Request("apply", manifest["kind"], metadata["name"], metadata["namespace"], query, manifest), manifest["apiVersion"]).body

    def release(self, kind: str, name: str, namespace: str, dry_run: bool = False) -> None:
        """Give up what an earlier write of ours claims of an object, where that may stop others (see ``blocks_others``)."""
        found = self.get(kind, name, namespace, metadata_only=True)
        if found is not None and not dry_run:
            self._release(kind, found)

    def delete(
        self, kind: str, name: str, namespace: str, resource_version: str | None = None, dry_run: bool = False
    ) -> None:
        """Delete an object, if it exists; with ``resource_version`` only that version of it (else status 409)."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if resource_version:
            options["preconditions"] = {"resourceVersion": resource_version}
        if dry_run:
            options["dryRun"] = ["All"]  # beside a body the query does not count
        try:
            self._send(Request("delete", kind, name, namespace, body=options), APIS[kind][1])
        except KubeError as error:
            if error.status != 404:
                raise

    def _read(self, request: Request) -> dict | None:
        for version in APIS[request.kind][1:]:
            answer = self._send(request, version)
            if answer.status == 200:
                return answer.body
            if isinstance(answer.body, dict):
                return None  # the server knows the kind, but not this object
        if request.kind in OPTIONAL:
            return None
        raise self._error(request, answer)

    def _write(self, verb: str, kind: str, name: str, namespace: str, body: Mapping[str, Any], dry_run: bool,
               transient: bool = False) -> dict:
        query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}
        written = self._send(Request(verb, kind, name, namespace, query, body), APIS[kind][1]).body
        return written if dry_run or transient else self._release(kind, written)

    def _release(self, kind: str, obj: dict) -> dict:
        """Take our claims out of an object's ``managedFields``; return it as it is then.

        Each write makes such a claim, and there is none without: so this takes a second one. A process that is killed
        between the two leaves the claim to ``release``.
        """
        for error_context in range(1, CONFLICT_ATTEMPTS + 1):
            if not blocks_others(obj):
                break
            metadata = obj["metadata"]
            name, namespace = metadata["name"], metadata["namespace"]
            left = {"resourceVersion": metadata["resourceVersion"], "managedFields": unclaimed(metadata["managedFields"])}
            try:
                query = {"fieldManager": FIELD_MANAGER}
                return self._send(Request("patch", kind, name, namespace, query, {"metadata": left}), APIS[kind][1]).body
            except KubeError as error:
                if error.status == 404:  # somebody has just deleted it
                    break
                if error.status != 409 or error_context == CONFLICT_ATTEMPTS:
                    raise
            _pause(error_context)
            obj = self.get(kind, name, namespace, metadata_only=True) or {}
        return obj

    def _send(self, request: Request, version: str) -> Response:
        """Send until there is a clear answer; 404 is one for a read.

        Every write here may be repeated: a creation or a patch with a resourceVersion that was carried out already
        answers 409 the second time, upon which callers read and plan again.
        """
        uncertain = False
        for error_context in itertools.count(1):
            pause = random.uniform(0, min(5.0, 0.1 * 2**error_context))
            try:
                answer = self.send(request.method, request.path(version), request.body, request.headers)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                connected = not isinstance(error, UNREACHABLE)
                if _is_lasting(error) or error_context == (ATTEMPTS if connected else CONNECT_ATTEMPTS):
                    raise KubeError(f"Cannot {request}: {_no_answer(self.server, error)}") from error
                uncertain = uncertain or connected
            else:
                if answer.status in (200, 201, 202) and answer.body is not None:
                    return answer
                if answer.status == 404 and request.method == "GET":
                    return answer
                if error_context == ATTEMPTS or answer.status < 500 and answer.status != 429:
                    raise self._error(request, answer, uncertain)
                uncertain = uncertain or answer.status != 429
                pause = max(pause, answer.pause)
            time.sleep(pause)

    def _error(self, request: Request, answer: Response, uncertain: bool = False) -> KubeError:
        return KubeError(f"Cannot {request}: {_refusal(request, answer, self.server)}", answer.status, uncertain)


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
    for error_context in itertools.count(1):
        changes = list(plan(current))
        try:
            for change in changes:
                apply(change)
            return changes or unsure
        except KubeError as error:
            if error.status != 409 or error_context == CONFLICT_ATTEMPTS:
                raise
            if error.uncertain:
                # An earlier try had no clear answer. If nothing is left to do, it was carried out, and this is ours.
                unsure = changes
        _pause(error_context)
        current = observe()


def _pause(error_context: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**error_context)))


def apply_to(kube: Kube, change: Change, dry_run: bool) -> None:
    """Carry out a change whose operation is one of Kube's writes."""
    getattr(kube, change.operation)(**change.parameters, dry_run=dry_run)


def list_if_allowed(source: Any, kind: str, namespace: str) -> list[dict]:
    """Return the objects of a kind as far as one may see them, from ``source``, which has the ``list`` of Kube."""
    try:
        return source.list(kind, namespace)
    except KubeError as error:
        if error.status != 403:
            raise
        return []


def connect(module) -> Kube:
    """Return the API server that the module's options, the environment or the kubeconfig name; raises KubeError."""
    if kubernetes is None:
        raise KubeError(missing_required_lib("kubernetes"))
    auth = core_client._create_auth_spec(module)
    kubeconfig = auth.get("kubeconfig")
    files = kubeconfig.split(os.pathsep) if isinstance(kubeconfig, str) else []
    if files and not any(os.path.exists(os.path.expanduser(file)) for file in files):
        raise KubeError(
            f"Cannot connect to Kubernetes: the kubeconfig {_in_words(files)} does not exist;"
            " set the option kubeconfig or the environment variable K8S_AUTH_KUBECONFIG to an existing file."
        )
    try:
        configuration = core_client._create_configuration(auth)
        client = RESTClientObject(configuration)
    except Exception as error:  # a kubeconfig can be wrong in any way, and its loader raises what it runs into
        source = _in_words(files) if files else "of the options or of ~/.kube/config"
        raise KubeError(
            f"Cannot connect to Kubernetes with the kubeconfig {source}: {_one_line(error)};"
            " check the options kubeconfig and context."
        ) from error
    server = configuration.host  # a refresh of the token would undo the option host
    own_headers = core_client._create_headers(module)

    def send(method: str, path: str, body: Mapping | None, headers: dict[str, str]) -> Response:
        sent = HTTPHeaderDict(headers)
        for name, values in own_headers.items():
            for value in values if isinstance(values, list) else [values]:
                sent.add(name, value)
        if token := configuration.auth_settings().get("BearerToken"):  # asked each time: it refreshes an expired one
            sent[token["key"]] = token["value"]
        response = client.pool_manager.request(
            method,
            server + path,
            body=None if body is None else json.dumps(body),
            headers=sent,
            timeout=urllib3.Timeout(connect=TIMEOUT[0], read=TIMEOUT[1]),
            retries=False,
        )
        try:
            content = json.loads(response.data)
        except ValueError:
            content = None
        return Response(response.status, response.headers, content)

    return Kube(send, server)


def _in_words(files: Sequence[str]) -> str:
    """Name files so that Ansible shows it: the value of the option kubeconfig as it is would be concealed."""
    paths = [os.path.split(os.path.abspath(os.path.expanduser(file))) for file in files]
    return " or ".join(f"{name} in {directory}" for directory, name in paths)


def _is_lasting(error: Exception) -> bool:
    """Tell whether another try would end the same way: a certificate, a file or an address is wrong."""
    if isinstance(error, (urllib3.exceptions.SSLError, urllib3.exceptions.LocationValueError)):
        return True
    return isinstance(error, OSError) and not isinstance(error, ConnectionError)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _no_answer(server: str, error: Exception) -> str:
    cause = _one_line(error).rpartition(": ")[2]
    if isinstance(error, (urllib3.exceptions.SSLError, OSError)) and _is_lasting(error):
        return f"no TLS connection to {server} ({cause}); check ca_cert, client_cert, client_key and the host name."
    return (
        f"the Kubernetes API server {server} cannot be reached ({cause});"
        " check the kubeconfig's context, the network and that the server runs."
    )


def _refusal(request: Request, answer: Response, server: str) -> str:
    if not isinstance(answer.body, dict):
        return f"{server} answers with HTTP status {answer.status} and no JSON; is it a Kubernetes API server?"
    message = " ".join(str(answer.body.get("message", "")).split()).rstrip(".")
    user = re.search(r'User "([^"]*)" cannot ', message)
    if answer.status == 401:
        return (
            f"{server} does not accept the credentials (401 Unauthorized);"
            " renew the token or certificate of the kubeconfig."
        )
    if answer.status == 403 and user:
        plural, version = APIS[request.kind][:2]
        group = version.rpartition("/")[0]
        return (
            f"user {user[1]} lacks the permission (403 Forbidden); add to a Role in namespace {request.namespace} that"
            f' is bound to it the rule {{apiGroups: ["{group}"], resources: [{plural}], verbs: [{request.verb}]}}.'
        )
    if answer.status == 404 and request.verb == "create":
        return f"there is no namespace {request.namespace}; create it first or correct its name."
    if answer.status == 409:
        return "others keep changing it (409 Conflict); run again."
    if request.kind == "Secret":
        # The server or an admission webhook may quote the content.
        causes = (answer.body.get("details") or {}).get("causes") or []
        fields = ", ".join(sorted({f"{cause.get('field')}: {cause.get('reason')}" for cause in causes}))
        message = fields or "its message is left out, as it may quote the Secret"
    return f"the API server answers {answer.status} {answer.body.get('reason')} ({message})."
