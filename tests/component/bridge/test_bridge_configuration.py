"""What the role writes is what Bento takes."""

from __future__ import annotations

import copy
import subprocess

import pytest
import yaml
from bridge_engine import ROLE, ROUTES, environment, render

OPTIONS = {
    "defaults": {},
    "an endpoint of its own": {"event_bridge_aws_endpoint_url": "https://vpce-1.sns.us-east-1.vpce.amazonaws.com"},
    "all addresses": {"event_bridge_address": "0.0.0.0:4199", "event_bridge_metrics_address": "0.0.0.0:4195"},
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


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_bento_takes_the_configuration_of_a_queue(bento, tmp_path, options):
    env = environment()
    del env["EVENT_BRIDGE_TOKEN_HASH"]
    text = render(event_bridge_source="queue", event_bridge_dispatcher_url="http://ssjdispatcher-service", **options)
    assert lint(bento, tmp_path, text, env) == (0, "")
    assert [next(iter(each.keys() - {"label", "processors"})) for each in yaml.safe_load(text)["input"]["broker"]["inputs"]] == [
        "aws_sqs", "generate"]


def test_bento_finds_a_field_that_it_does_not_know(bento, tmp_path):
    """So that the test above can fail."""
    code, output = lint(bento, tmp_path, render().replace("allowed_verbs", "permitted_verbs"), environment())
    assert code != 0 and "permitted_verbs" in output


def expectation(body):
    """What Bento's own test shall find of a message after the pipeline."""
    record = copy.deepcopy(body["Records"][0])
    _, kind, name = record["eventName"].split(":")
    if (kind, name) not in {("ObjectCreated", each) for each in ("Put", "Post", "Copy", "CompleteMultipartUpload")}:
        return {"metadata_equals": {"outcome": "ignored", "reason": "other event"}, "json_equals": record}
    s3_object = record["s3"]["object"]
    s3_object.pop("userMetadata", None)
    s3_object["key"] = s3_object["key"].replace("%2F", "/")
    record |= {"eventSource": "aws:s3", "eventName": f"{kind}:{name}", "awsRegion": "us-east-1"}
    return {"metadata_equals": {"outcome": "forward", "reason": ""}, "json_equals": record}


def bento_test(bento, tmp_path, recorded, expected):
    """Run Bento's own tests: every recorded event through the pipeline; returns the finished process."""
    (tmp_path / "bento.yml").write_text(render())
    (tmp_path / "bento_bento_test.yml").write_text(yaml.safe_dump({"tests": [{
        "name": case, "target_processors": "/pipeline/processors", "environment": environment(),
        "input_batch": [{"json_content": event["body"], "metadata": {"source": "webhook"}}],
        "output_batches": [[expected(event["body"])]]} for case, event in recorded.items()]}, width=10**6))
    return subprocess.run([bento, "test", str(tmp_path / "bento.yml")], env=environment(), capture_output=True, text=True, check=False)


def test_bentos_own_tests_of_every_recorded_event(bento, tmp_path, recorded):
    done = bento_test(bento, tmp_path, recorded, expectation)
    assert done.returncode == 0, done.stdout + done.stderr


def test_bentos_own_tests_find_what_is_wrong(bento, tmp_path, recorded):
    """All of them, so none of those above was left out."""
    done = bento_test(bento, tmp_path, recorded, lambda body: {"metadata_equals": {"outcome": "poison"}})
    assert done.returncode != 0
    assert [case for case in recorded if case not in done.stdout + done.stderr] == []


def test_without_a_token_nothing_starts(bento, tmp_path):
    env = environment()
    del env["EVENT_BRIDGE_TOKEN_HASH"]
    file = tmp_path / "bento.yml"
    file.write_text(render())
    done = subprocess.run([bento, "-c", str(file)], env=env, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0 and "EVENT_BRIDGE_TOKEN_HASH" in done.stdout + done.stderr


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
