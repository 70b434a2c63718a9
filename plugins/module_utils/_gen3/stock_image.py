# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Gen3's stock indexing image, indexs3client, cannot do. Pure.

It pastes the key into URLs and parses it as one (indexs3client ``handlers/handler.go``), so an object with one of these characters
in its name is never indexed, and fence hands out such names. The image of the role indexer_image has no such limit.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from typing import Any

CHARACTERS = frozenset('%"\\?#')
"""Characters that the stock image does not bear in a key."""

NAME = re.compile(r"(?:^|/)indexs3client(?:[:@]|$)")


def is_stock(image: Any) -> bool:
    """Tell whether an image is the stock one, by its name; a mirror keeps that."""
    return isinstance(image, str) and NAME.search(image) is not None


def cannot_index(image: Any, key: str) -> bool:
    """Tell whether Jobs with this image can never index an object of this key."""
    return is_stock(image) and not CHARACTERS.isdisjoint(key)


def warning(entry: str, image: Any) -> str | None:
    """Return what to say of a JOBS entry whose Jobs have this image; None where there is nothing to say."""
    if not is_stock(image):
        return None
    return (f"the Jobs of {entry} have the stock image {image}, which never indexes a file with one of {' '.join(sorted(CHARACTERS))} in "
            "its name; the image of the role indexer_image indexes all, on Amazon S3 too.")
