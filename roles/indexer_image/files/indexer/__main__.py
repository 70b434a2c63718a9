# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m indexer``: index the object INPUT_URL as CONFIG_FILE says; exits with 0, or with 2 if that failed.

``python -m indexer check`` only tells whether it could; see ``check``.
"""
from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Mapping

from indexer import address, check, configuration, job
from indexer.errors import Ended, IndexingError


def main(environ: Mapping[str, str]) -> int:
    """Run the job; returns the exit code."""
    try:
        missing = [name for name in ("INPUT_URL", "CONFIG_FILE") if not environ.get(name)]
        if missing:
            raise IndexingError(f"the environment lacks {' and '.join(missing)}")
        job.index(configuration.parse(environ["CONFIG_FILE"]), address.parse(environ["INPUT_URL"]), environ)
    except IndexingError as error:
        print(f"not indexed: {error}", file=sys.stderr)
        return 2
    except Ended:
        print("not indexed: the pod was told to end", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 2
    return 0


def stop(_number: int, _frame: object) -> None:
    """End the job in order: the pod is being deleted, or its node drained."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Ended


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    code = (check.main if sys.argv[1:] == ["check"] else main)(os.environ)
    sys.stderr.flush()
    os._exit(code)  # a reader that waits for a dead server must not hold the pod
