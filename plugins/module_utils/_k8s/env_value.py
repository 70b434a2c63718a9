# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text on its way through ``env[].value`` of a container, in which Kubernetes expands variables. Pure.

``$(NAME)`` becomes the value of NAME where the container has such a variable, and ``$$`` a single ``$``
(k8s.io/kubernetes ``third_party/forked/golang/expansion``). A value from ``secretKeyRef`` is not expanded.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re

EXPANDED = re.compile(r"\$(?=[$(])")
"""A dollar sign that Kubernetes does not take as it is; before any other character it does."""


def escape(text: str) -> str:
    """Return what has to stand in ``env[].value`` so that the container gets ``text``."""
    return EXPANDED.sub("$$", text)


def unescape(text: str) -> str:
    """Return what a container gets of ``text``, as long as it names no variable of the container."""
    return text.replace("$$", "$")
