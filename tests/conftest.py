"""Fixtures for all tests: the collection under its own name, and modules run in process."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
for name in ("NO_PROXY", "no_proxy"):  # all servers of the tests are here
    os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
# Modules on this machine run with the tests' Python: the newest that Ansible finds on the PATH may be a version manager's shim of none.
os.environ["ANSIBLE_PYTHON_INTERPRETER"] = sys.executable
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT / "tests" / "python"), os.environ.get("PYTHONPATH")]))
from lab import programs  # noqa: E402  the path above leads to it
from progress import Progress  # noqa: E402

_AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()


NEED_NO_PROGRAM = {("lint",), ("unit",), ("component", "indexer"), ("component", "lab")}
"""Folders whose tests run while the lab's programs are still being built."""


def pytest_configure(config):
    """Decide once, for all workers, whether programs of the lab are missing; let no screen be silent while they work."""
    if not hasattr(config, "workerinput"):
        os.environ["TESTS_PROGRAMS_MISSING"] = ",".join(programs.missing())
        if getattr(config.option, "dist", "no") != "no":
            config.pluginmanager.register(Progress())


def pytest_collection_modifyitems(items):
    """The Molecule scenarios first: one worker is busy with them while another does much of the rest.

    Where programs of the lab are still being built, what needs none comes before, and what needs the last one at the end.
    """
    cold = bool(os.environ["TESTS_PROGRAMS_MISSING"])

    def rank(item):
        folders = item.path.relative_to(ROOT / "tests").parts
        if cold and (folders[:1] in NEED_NO_PROGRAM or folders[:2] in NEED_NO_PROGRAM):
            return 0
        if cold and folders[-1] == "test_indexer_build.py":
            return 3
        return 1 if folders[0] == "molecule" else 2

    items.sort(key=rank)


def pytest_runtest_logreport(report):
    """Under CI=true a part that did not run is a failure."""
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


def pytest_unconfigure(config):
    """Close with the plain line that any reader of the log understands."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    programs.tell_size(print)
    passed, failed = (len(reporter.stats.get(outcome, [])) for outcome in ("passed", "failed"))
    print(f"{passed} passed, {failed + len(reporter.stats.get('error', []))} failed")


@pytest.fixture
def run_module():
    """Run a module's ``main()`` in this process; returns its JSON result, with ``failed`` True or False."""
    from ansible.module_utils.common import warnings
    from ansible.module_utils.testing import patch_module_args

    def run(module, **params):
        output = io.StringIO()
        # Ansible collects the warnings of a whole process, since elsewhere a process runs one module.
        warnings._global_warnings.clear()
        # Where a test has imported a part of the controller, warnings would be displayed rather than returned.
        as_module = patch("ansible.module_utils._internal.is_controller", False)
        with patch_module_args(params), redirect_stdout(output), as_module:
            try:
                module.main()
            except SystemExit:
                pass
        lines = [line for line in output.getvalue().splitlines() if line.startswith("{")]
        assert lines, f"the module printed no result: {output.getvalue()!r}"
        return {"failed": False, **json.loads(lines[-1])}

    return run
