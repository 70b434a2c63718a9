#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_trace
short_description: Tell why a file is not READY
description:
  - Asks every station of the pipeline about one file that is there already, and returns a verdict in one sentence, what to do, and what each
    station says. The playbook C(gen3.uploads.trace) shows it.
  - It only reads, and never receives from the queue, which would steal messages from ssjdispatcher.
  - A station that cannot be asked, for want of rights or a connection, is told as such, and stops no other.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  object:
    description: The file, as its GUID, its key in O(bucket), or its C(s3://) URL.
    type: str
    required: true
  image:
    description: The image of the Jobs. The stock image cannot index some names, and this tells which.
    type: str
  min_age:
    description: How many seconds an event may be on its way before the file counts as stuck.
    type: int
    default: 900
  refusals:
    description: Why a part of the pipeline could not be compared with what is wanted, so that O(drift) is not all.
    type: list
    elements: str
    default: []
seealso:
  - module: gen3.uploads.upload_probe
  - module: gen3.uploads.upload_reindex
extends_documentation_fragment:
  - gen3.uploads.attributes.info
  - gen3.uploads.attributes.aws_k8s
  - gen3.uploads.pipeline
  - gen3.uploads.pipeline.file
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
"""

EXAMPLES = r"""
- name: Ask why a file on Amazon S3 is stuck
  gen3.uploads.upload_trace:
    object: 0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11
    bucket: gen3-bucket
    indexd_url: https://commons.example.org/index/index
    metadata_url: https://commons.example.org/mds
  register: traced
"""

RETURN = r"""
finding:
  description: The name of the verdict.
  returned: success
  type: str
  sample: no-pattern
verdict:
  description: Why the file is as it is, in one sentence.
  returned: success
  type: str
  sample: "No pattern in JOBS takes s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/sample.bam: ssjdispatcher drops its event."
remedy:
  description: What to do.
  returned: success
  type: str
  sample: Run site.yml, then reindex.yml.
table:
  description: What each station says, in at most 25 lines.
  returned: success
  type: list
  elements: str
  sample: ["object      s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/sample.bam, 3 bytes, 2026-01-01 00:00:00 UTC, ETag abc"]
unknown:
  description: The stations that could not be asked, and why.
  returned: success
  type: dict
  sample: {}
"""

from datetime import datetime, timezone

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._probe.options import PIPELINE, TOGETHER, context
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import listing
from ansible_collections.gen3.uploads.plugins.module_utils._trace.judge import judge, table
from ansible_collections.gen3.uploads.plugins.module_utils._trace.observe import observe

OPTIONS = dict(
    object=dict(type="str", required=True),
    image=dict(type="str"),
    min_age=dict(type="int", default=900),
    refusals=dict(type="list", elements="str", default=[]),
)


def first_objects(module):
    """Return what lists the first objects of the bucket below a prefix."""
    options = module.params

    def look(prefix):
        where = {"bucket": options["bucket"], "prefix": prefix, "marker": None, "batch": 100}
        if options["minio_url"]:
            return next(listing.minio_pages(minio.Connection(minio.server_options(options)).s3, where), [])
        return next(listing.s3_pages(aws.client(module, "s3"), where), [])

    return look


def trace(module):
    """Ask and judge."""
    options = module.params
    facts = observe(context(module), options["object"], first_objects(module), options["image"], options["min_age"], datetime.now(timezone.utc))
    verdict = judge(facts)
    return {"changed": False, "finding": verdict.finding, "verdict": verdict.sentence, "remedy": verdict.remedy, "table": table(facts),
            "unknown": dict(facts.unknown)}


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={**AUTH_ARG_SPEC, **aws.HIDDEN_ACCESS_KEY, **PIPELINE, **OPTIONS}, required_together=TOGETHER, supports_check_mode=True)
    run_module(module, lambda: trace(module))


if __name__ == "__main__":
    main()
