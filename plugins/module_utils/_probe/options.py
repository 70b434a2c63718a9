# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules that look at the pipeline, or at a file on its way, and the context that they describe.

They are documented in ``plugins/doc_fragments/pipeline.py``. Private to the collection gen3.uploads.
"""
from __future__ import annotations

from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Send, direct
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import connect
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._probe.steps import Context
from ansible_collections.gen3.uploads.plugins.module_utils._probe.storage import AmazonS3, MinioServer, Storage

STATIONS = dict(
    drift=dict(type="list", elements="dict", default=[]),
    minio_url=dict(type="str"),
    minio_access_key=dict(type="str", no_log=False),
    minio_secret_key=dict(type="str", no_log=True),
    minio_ca_path=dict(type="path"),
    minio_target=dict(type="str", default="webhook/GEN3"),
    bridge=dict(type="str", choices=["node", "cluster"], default="node"),
    bridge_name=dict(type="str", default="event-bridge"),
    bridge_address=dict(type="str", default="127.0.0.1:4199"),
    bridge_dead_letters=dict(type="str", default="/var/lib/event-bridge/dead-letters"),
    topic=dict(type="str"),
    queue=dict(type="str"),
    queue_reader=dict(type="str"),
    queue_url=dict(type="str"),
    dead_letter_queue_url=dict(type="str"),
    namespace=dict(type="str", default="default"),
    deployment=dict(type="str", default="ssjdispatcher"),
    jobs_namespace=dict(type="str"),
    validate_certs=dict(type="bool", default=True, aliases=["verify_ssl"]),
)
"""Where the stations are."""
FILE = dict(
    bucket=dict(type="str", required=True),
    configuration_secret=dict(type="str", default="ssjdispatcher-creds", no_log=False),
    configuration_key=dict(type="str", default="credentials.json", no_log=False),
    job_name=dict(type="str"),
    indexd_url=dict(type="str", required=True),
    metadata_url=dict(type="str", required=True),
)
"""What is about one file."""
PIPELINE = {**STATIONS, **FILE}
TOGETHER = [("minio_url", "minio_access_key", "minio_secret_key")]


def context(module: Any) -> Context:
    """Return what the options describe; fail without the library of MinIO or with a URL that is none."""
    params = {
        **module.params,
        "jobs_namespace": module.params["jobs_namespace"] or module.params["namespace"],
        "job_name": module.params.get("job_name") or ("indexing-minio" if module.params["minio_url"] else "indexing"),
    }

    def send(service: str, config: Any) -> Send:
        return direct(params[f"{service}_url"], config.get("username", ""), config.get("password", ""), params["validate_certs"])

    made = Context(aws=module.client, kube=lambda: connect(module), send=send, storage=_storage(module), params=params)
    if module.params["validate_certs"]:
        module.params["validate_certs"] = None  # being the default, it must not overrule what the kubeconfig says
    return made


def _storage(module: Any) -> Storage:
    if not module.params["minio_url"]:
        return AmazonS3(module.client)
    minio.require_library(module)
    try:
        return MinioServer(minio.server_options(module.params))
    except minio.MinioError as error:
        module.fail_json(msg=str(error))
