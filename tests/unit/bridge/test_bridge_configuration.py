"""What the role writes is what Bento takes."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from bridge_engine import ROLE, ROUTES, environment, render

OPTIONS = {
    "defaults": {},
    "an endpoint of its own": {"event_bridge_aws_endpoint_url": "https://vpce-1.sns.us-east-1.vpce.amazonaws.com"},
    "all addresses": {"event_bridge_address": "0.0.0.0:4199", "event_bridge_status_address": "0.0.0.0:4195"},
    "values that YAML would read otherwise": {"event_bridge_path": "/a: b #c", "event_bridge_region": "on",
                                              "event_bridge_dead_letter_directory": "/var/lib/a: \"b\" #c"},
}


def lint(bento, tmp_path, text, env):
    """Return (exit code, output) of ``bento lint``."""
    file = tmp_path / "bento.yml"
    file.write_text(text)
    done = subprocess.run([bento, "lint", str(file)], env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("route", ROUTES)
def test_bento_takes_the_configuration(bento, tmp_path, route, options):
    assert lint(bento, tmp_path, render(event_bridge_route=route, **options), environment()) == (0, "")


def test_bento_finds_a_field_that_it_does_not_know(bento, tmp_path):
    """So that the test above can fail."""
    code, output = lint(bento, tmp_path, render().replace("allowed_verbs", "permitted_verbs"), environment())
    assert code != 0 and "permitted_verbs" in output


def test_without_a_token_nothing_starts(bento, tmp_path):
    env = environment()
    del env["EVENT_BRIDGE_TOKEN"]
    file = tmp_path / "bento.yml"
    file.write_text(render())
    done = subprocess.run([bento, "-c", str(file)], env=env, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0 and "null (from function env)" in done.stdout + done.stderr


@pytest.mark.parametrize("route", ROUTES)
def test_debugging_endpoints_stay_closed(route):
    """They show the configuration."""
    assert "debug_endpoints: false" in render(event_bridge_route=route)


def test_every_variable_is_documented_with_its_default():
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    plain = {name: value for name, value in defaults.items() if value is not None and "{{" not in str(value)}
    assert set(options) == set(defaults)
    assert plain == {name: option["default"] for name, option in options.items() if "default" in option}
