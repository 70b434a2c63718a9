# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubernetes library, loaded part by part.

``import kubernetes`` executes some 800 modules, one for each type of the API: 0.4 s, two thirds of what a module of
ours would take in all. Ours need the library's configuration, its kubeconfig loader and its HTTP client.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from types import ModuleType
from typing import Any


def prepare() -> None:
    """Make the packages ``kubernetes`` and ``kubernetes.client`` load what is used of them, and when it is used.

    They remain complete: what is not one of their submodules makes them load everything. Does nothing where the
    library is not installed or is loaded already.
    """
    if "kubernetes" in sys.modules or importlib.util.find_spec("kubernetes") is None:
        return
    kubernetes = _lazy("kubernetes")
    kubernetes.__version__ = importlib.metadata.version("kubernetes")
    kubernetes.client = client = _lazy("kubernetes.client")
    # The kubeconfig loader imports these two by name. It uses the second for OpenID Connect only.
    client.Configuration = importlib.import_module("kubernetes.client.configuration").Configuration
    client.ApiClient = _api_client


def _lazy(name: str) -> ModuleType:
    """Put a package into ``sys.modules`` that has not been executed."""
    spec = importlib.util.find_spec(name)
    package = importlib.util.module_from_spec(spec)

    def attribute(wanted: str) -> Any:
        if importlib.util.find_spec(f"{name}.{wanted}"):
            return importlib.import_module(f"{name}.{wanted}")
        del package.__getattr__
        spec.loader.exec_module(package)
        return getattr(package, wanted)

    package.__getattr__ = attribute
    sys.modules[name] = package
    return package


def _api_client(*arguments: Any, **options: Any) -> Any:
    return importlib.import_module("kubernetes.client.api_client").ApiClient(*arguments, **options)
