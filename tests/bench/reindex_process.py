"""The module upload_reindex alone in a process: takes options, prints the result and the most memory it had, in KiB."""

from __future__ import annotations

import json
import resource
import sys

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from bench.plays import ROOT

_AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()

from ansible.module_utils.testing import patch_module_args  # noqa: E402
from ansible_collections.gen3.uploads.plugins.modules import upload_reindex  # noqa: E402

with patch_module_args(json.load(sys.stdin)):
    try:
        upload_reindex.main()
    except SystemExit:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
