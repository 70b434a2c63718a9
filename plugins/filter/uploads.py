# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks' variables lack, and what follows from them."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._uploads import option_types, settings, validate


def upload_problems(variables: Mapping[str, Any], spec: Mapping[str, Any], minio_hosts: Sequence[str],
                    minio_host_variables: Sequence[str]) -> list[str]:
    """Return what keeps the playbooks from doing their work; ``spec`` is the document argument_specs.yml of the role uploads.

    See ``option_types.problems`` and ``validate.problems``: what depends on variables of the right types is looked at once these are right.
    """
    options = spec["argument_specs"]["main"]["options"]
    return option_types.problems(variables, options) or validate.problems(variables, minio_hosts, minio_host_variables, os.path.isfile)


class FilterModule:
    """The filters of the playbooks."""

    def filters(self):
        """Return name -> function."""
        return {"upload_problems": upload_problems, "upload_settings": settings.settings,
                "upload_minio_policies": settings.minio_policies, "upload_minio_users": settings.minio_users}
