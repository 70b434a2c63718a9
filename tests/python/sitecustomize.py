"""What each Python process of the tests does first: it keeps what it compiles of the archives that Ansible's modules come in.

Ansible packs a module and all that it imports into a zip file of sources, and Python compiles each of them anew in each process: 0.2 s of
CPU, thousands of times in a run of all tests. What is kept goes by the source, so nothing outdated is ever executed.
"""

from __future__ import annotations

import marshal
import os
import sys
import zipimport

from _imp import source_hash

KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "compiled")


def compile_once(pathname, source, compile_source=zipimport._compile_source):
    """Return the code of a module in an archive, as ``zipimport`` makes it; a traceback has the path of the first archive."""
    name = pathname.rpartition(".zip" + os.sep)[2].replace(os.sep, ".")
    file = os.path.join(KEPT, f"{name}.{source_hash(0, source).hex()}.{sys.implementation.cache_tag}")
    try:
        with open(file, "rb") as kept:
            return marshal.load(kept)
    except (OSError, EOFError, ValueError, TypeError):
        code = compile_source(pathname, source)
    try:
        os.makedirs(KEPT, exist_ok=True)
        with open(f"{file}.{os.getpid()}", "wb") as unfinished:
            marshal.dump(code, unfinished)
        os.replace(unfinished.name, file)
    except OSError:  # a user without rights here, a full disk
        pass
    return code


zipimport._compile_source = compile_once
