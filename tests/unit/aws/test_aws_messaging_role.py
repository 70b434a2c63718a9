"""The role aws_messaging hands every option of its modules on, and its three lists of variables agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.gen3.uploads.plugins.modules import s3_bucket_notifications, sns_sqs_channel

ROLE = Path(__file__).resolve().parents[3] / "roles" / "aws_messaging"
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
SPECS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]
OPTIONS = {**SPECS["notifications"]["options"], **SPECS["main"]["options"]}


def test_each_default_is_an_argument_and_each_argument_has_a_default():
    assert set(DEFAULTS) == set(OPTIONS)


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if "default" in option])
def test_defaults_are_as_documented(name):
    assert DEFAULTS[name] == OPTIONS[name]["default"]


def test_the_default_channel_hands_on_every_option_of_the_module():
    (channel,) = DEFAULTS["aws_messaging_channels"]
    assert {option: f"{{{{ aws_messaging_{option} }}}}" for option in sns_sqs_channel.CHANNEL_OPTIONS} == channel


@pytest.mark.parametrize("option", ["max_receive_count", "retention", "visibility_timeout", "wait_time", "topic_actions"])
def test_role_and_module_have_the_same_defaults(option):
    assert DEFAULTS[f"aws_messaging_{option}"] == sns_sqs_channel.CHANNEL_OPTIONS[option]["default"]


def test_a_bucket_has_the_same_options_everywhere():
    buckets = set(SPECS["main"]["options"]["aws_messaging_buckets"]["options"])
    assert buckets == set(sns_sqs_channel.BUCKET_OPTIONS)
    assert buckets < set(s3_bucket_notifications.RULE_OPTIONS)
