# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod takes from the API: environment variables and the files of its volumes."""
from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from lab.kube import Kube

ROLE_ARN_ANNOTATION = "eks.amazonaws.com/role-arn"
_EXPANSION = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


class MissingReference(Exception):
    """A Secret, ConfigMap or key that the pod needs is not there (yet)."""


class References:
    """The objects that one pod refers to, as they are in the API now."""

    def __init__(self, kube: Kube, pod: Mapping[str, Any]):
        self._kube = kube
        self._pod = pod
        self._namespace = pod["metadata"]["namespace"]

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """Return the container's own variables (env and envFrom), with ``$(NAME)`` expanded."""
        values: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            kind = "Secret" if "secretRef" in source else "ConfigMap"
            reference = source.get("secretRef") or source["configMapRef"]
            for name, value in self._data(kind, reference).items():
                values[source.get("prefix", "") + name] = value.decode()
        for variable in container.get("env", ()):
            if "valueFrom" in variable:
                value = self._value_from(variable["valueFrom"])
                if value is not None:
                    values[variable["name"]] = value
            else:
                values[variable["name"]] = expand(variable.get("value", ""), values)
        return values

    def web_identity(self) -> tuple[str, str] | None:
        """Return (role ARN, token for AWS) if the pod's account is annotated with a role, as on EKS."""
        account = self._kube.get("ServiceAccount", self._pod["spec"]["serviceAccountName"], self._namespace) or {}
        role = account.get("metadata", {}).get("annotations", {}).get(ROLE_ARN_ANNOTATION)
        return (role, self._token({"audience": "sts.amazonaws.com"})) if role else None

    def claim(self, name: str) -> str:
        """Return the uid of a PersistentVolumeClaim."""
        found = self._kube.get("PersistentVolumeClaim", name, self._namespace)
        if found is None:
            raise MissingReference(f'persistentvolumeclaim "{name}" not found')
        return found["metadata"]["uid"]

    def volume(self, volume: Mapping[str, Any]) -> dict[str, bytes]:
        """Return path -> content of a volume's files."""
        if "projected" in volume:
            files: dict[str, bytes] = {}
            for source in volume["projected"]["sources"]:
                files |= self._source(source)
            return files
        if "secret" in volume:
            return self._source({"secret": {**volume["secret"], "name": volume["secret"]["secretName"]}})
        if "emptyDir" in volume:
            return {}
        return self._source(volume)

    def _source(self, source: Mapping[str, Any]) -> dict[str, bytes]:
        if "serviceAccountToken" in source:
            return {source["serviceAccountToken"]["path"]: self._token(source["serviceAccountToken"]).encode()}
        if "downwardAPI" in source:
            return {item["path"]: self._field(item["fieldRef"]["fieldPath"]).encode()
                    for item in source["downwardAPI"]["items"]}
        kind, reference = ("Secret", source["secret"]) if "secret" in source else ("ConfigMap", source["configMap"])
        data = self._data(kind, reference)
        if not reference.get("items"):
            return data
        try:
            return {item["path"]: data[item["key"]] for item in reference["items"]}
        except KeyError as key:
            raise MissingReference(f"references non-existent {kind} key: {key}") from None

    def _value_from(self, source: Mapping[str, Any]) -> str | None:
        if "fieldRef" in source:
            return self._field(source["fieldRef"]["fieldPath"])
        kind, reference = (("Secret", source["secretKeyRef"]) if "secretKeyRef" in source
                           else ("ConfigMap", source["configMapKeyRef"]))
        value = self._data(kind, reference).get(reference["key"])
        if value is None:
            if reference.get("optional"):
                return None
            raise MissingReference(
                f"couldn't find key {reference['key']} in {kind} {self._namespace}/{reference['name']}")
        return value.decode()

    def _data(self, kind: str, reference: Mapping[str, Any]) -> dict[str, bytes]:
        found = self._kube.get(kind, reference["name"], self._namespace)
        if found is None:
            if reference.get("optional"):
                return {}
            raise MissingReference(f'{kind.lower()} "{reference["name"]}" not found')
        encoded = found.get("data" if kind == "Secret" else "binaryData") or {}
        plain = {} if kind == "Secret" else found.get("data") or {}
        return {**{name: base64.b64decode(value) for name, value in encoded.items()},
                **{name: value.encode() for name, value in plain.items()}}

    def _field(self, path: str) -> str:
        if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
            return self._pod["metadata"].get(match[1], {}).get(match[2], "")
        value: Any = self._pod
        for name in path.split("."):
            value = value.get(name, "")
        return value or {"status.podIP": "127.0.0.1", "status.hostIP": "127.0.0.1"}.get(path, "")

    def _token(self, projection: Mapping[str, Any]) -> str:
        """Return a token of the pod's account; it is valid for a day, since nothing here renews it."""
        metadata = self._pod["metadata"]
        spec = {"audiences": [projection["audience"]] if projection.get("audience") else [], "expirationSeconds": 86400,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        account = self._pod["spec"]["serviceAccountName"]
        path = f"api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        return self._kube.request("POST", path, request)["status"]["token"]


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` by the value of NAME; unknown names stay, ``$$`` is a single ``$``."""
    return _EXPANSION.sub(lambda match: "$" if match[0] == "$$" else values.get(match[1], match[0]), text)
