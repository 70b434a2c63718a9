# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions whose modules are imported when they are called first.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def deferred(module: str, name: str) -> Callable[..., Any]:
    """Return a stand-in for a function of a module of module_utils, such as ``deferred("_core.service", "release")``.

    Ansible imports every file of plugins/filter in each worker process whose task uses any filter of the collection, and compiles what
    these import anew: with all of it that is a tenth of a second a task.
    """
    def function(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(f"ansible_collections.gen3.uploads.plugins.module_utils.{module}"), name)(*arguments, **options)

    function.__name__ = name
    return function
