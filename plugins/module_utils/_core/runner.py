# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of every module: its result, or the one sentence that says why there is none.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError


def run_module(module: AnsibleModule, work: Callable[[], dict[str, Any]]) -> NoReturn:
    """Exit with the result of ``work``, or fail with the sentence of its UploadsError; ``warnings`` of a result are shown as such."""
    try:
        result, failure = work(), None
    except UploadsError as error:
        failure = error
    # Outside of the except block: within it Ansible would add the chain of exceptions to the message.
    if failure:
        module.fail_json(msg=str(failure), **failure.details)
    for sentence in result.pop("warnings", ()):
        module.warn(sentence)
    module.exit_json(**result)
