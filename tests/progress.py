"""Lines of progress while several workers run tests: no screen is silent for long."""

from __future__ import annotations

import threading
import time

from lab import programs


class Progress:
    """A plugin for the process that hands the tests out; its lines are those between which no test has ended for a while."""

    def __init__(self, silence: float = programs.SILENCE):
        self._silence = silence
        self._reporter = None
        self._started = self._told = time.monotonic()
        self._running: dict[str, float] = {}
        self._collected = self._done = 0
        self._ended = threading.Event()

    def pytest_sessionstart(self, session):
        self._reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        threading.Thread(target=self._tell, daemon=True).start()

    def pytest_xdist_node_collection_finished(self, ids):
        self._collected = len(ids)

    def pytest_runtest_logstart(self, nodeid):
        self._running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid):
        self._running.pop(nodeid, None)
        self._done += 1
        self._told = time.monotonic()

    def pytest_sessionfinish(self):
        self._ended.set()

    def _tell(self):
        while not self._ended.wait(self._silence / 10):
            now = time.monotonic()
            if now - self._told >= self._silence:
                self._told = now
                self._reporter.ensure_newline()
                self._reporter.write_line(f"{now - self._started:6.0f} s  {self.state(now)}")

    def state(self, now: float) -> str:
        """Return what is going on."""
        if not self._collected:
            return "collecting the tests"
        running = ", ".join(f"{nodeid} ({now - since:.0f} s)" for nodeid, since in list(self._running.items()))
        return f"{self._done} of {self._collected} tests have ended; {f'running: {running}' if running else 'the next begin'}"
