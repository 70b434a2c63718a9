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
_AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()


def pytest_collection_modifyitems(items):
    """The Molecule scenarios first: one worker is busy with them while another does much of the rest."""
    items.sort(key=lambda item: "molecule" not in item.path.parts)


def pytest_runtest_logreport(report):
    """Under CI=true a part that did not run is a failure."""
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


def pytest_unconfigure(config):
    """Close with the plain line that any reader of the log understands."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    passed, failed = (len(reporter.stats.get(outcome, [])) for outcome in ("passed", "failed"))
    print(f"{passed} passed, {failed + len(reporter.stats.get('error', []))} failed")


@pytest.fixture
def run_module():
    """Run a module's ``main()`` in this process; returns its JSON result, with ``failed`` True or False."""
    from ansible.module_utils.testing import patch_module_args

    def run(module, **params):
        output = io.StringIO()
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
