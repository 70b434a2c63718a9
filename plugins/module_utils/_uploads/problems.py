# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that keeps the playbooks from doing their work.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._uploads import option_types, validate


def problems(variables: Mapping[str, Any], spec: Mapping[str, Any], minio_hosts: Sequence[str],
             minio_host_variables: Sequence[str]) -> list[str]:
    """Return a sentence for each finding; ``spec`` is the document argument_specs.yml of the role uploads.

    See ``option_types.problems`` and ``validate.problems``: what depends on variables of the right types is looked at once these are right.
    """
    options = spec["argument_specs"]["main"]["options"]
    return option_types.problems(variables, options) or validate.problems(variables, minio_hosts, minio_host_variables, os.path.isfile)
