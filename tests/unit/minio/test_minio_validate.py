"""What is wrong with lists of logins is told without a secret."""

import pytest
import yaml
from ansible_collections.gen3.uploads.plugins.module_utils._minio.validate import KEYS, login_problems
from ansible_collections.gen3.uploads.plugins.modules import minio_resources

USER = {"name": "uploader", "secret": "the-secret", "policies": ["p"]}
ACCOUNT = {"access_key": "job", "secret": "the-secret", "grant": "indexer", "buckets": ["b"]}


def test_what_is_right():
    assert login_problems([USER, {"name": "u", "state": "absent"}], [ACCOUNT]) == []


@pytest.mark.parametrize(("users", "accounts", "words"), [
    ([{"name": "u", "secrt": "the-secret"}], [], "minio_users[0] has secrt, which is none of name, state, secret"),
    ([USER, {**USER, "update_secret": True}], [], "minio_users[1] has update_secret"),
    ([{"secret": "the-secret"}], [], "minio_users[0] needs name."),
    ([{**USER, "secret": 21913025}], [], "secret of minio_users[0] is read by YAML as a number"),
    ([{**USER, "policies": ["p", 21913025]}], [], "policies of minio_users[0] is read by YAML as a number"),
    ([], [{**ACCOUNT, "buckets": [21913025]}], "buckets of minio_service_accounts[0] is read by YAML as a number"),
    (["the-secret"], [], "minio_users[0] must be a mapping"),
    ([], [{**ACCOUNT, "acces_key": "x"}], "minio_service_accounts[0] has acces_key"),
    ([{**USER, "secret:the-secret": None}], [], "minio_users[0] has a key (not shown, it may hold a secret), which is none of name"),
    ([{**USER, "thesecret": None}], [], "minio_users[0] has a key (not shown"),
    ([{**USER, 21913025: "the-secret"}], [], "minio_users[0] has a key (not shown"),
    ([{**USER, "secret": {"value": "the-secret"}}], [], "secret of minio_users[0] must be text."),
    ([{**USER, "secret": ["the-secret", ["the-secret"]]}], [], "secret of minio_users[0] must be text."),
    ([{**USER, "policies": [{"name": "the-secret"}]}], [], "policies of minio_users[0] must be text."),
    ([{**USER, "state": "the-secret"}], [], "state of minio_users[0] must be present or absent."),
    ([], [{**ACCOUNT, "grant": "the-secret"}], "grant of minio_service_accounts[0] must be "),
    ([["the-secret"]], [], "minio_users[0] must be a mapping"),
    ({**USER, "secret": "the-secret"}, [], "minio_users must be a list of mappings"),
    ("the-secret", [], "minio_users must be a list of mappings"),
])
def test_what_is_wrong_is_named_without_its_value(users, accounts, words):
    sentence, = login_problems(users, accounts)
    assert words in sentence and "the-secret" not in sentence and "thesecret" not in sentence and "21913025" not in sentence


def test_the_keys_are_those_of_the_module():
    options = yaml.safe_load(minio_resources.DOCUMENTATION)["options"]
    assert {variable: set(options[variable.removeprefix("minio_")]["suboptions"]) for variable in KEYS} == {
        variable: set(keys) for variable, keys in KEYS.items()}
