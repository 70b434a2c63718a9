"""Values that a patch takes from elsewhere."""

import base64

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.value_from import ValueSourceError, _from_dotenv, resolve

ENV = """# comment
DEBUG=0
ADMIN_LOGINS=old:value
export ADMIN_LOGINS=gateway:p=1, other:p2
QUOTED="in quotes"
SINGLE='x:y'
EMPTY=
"""
SECRETS = {
    ("indexd-service-creds", None): {"fence": b"raw p\xc3\xa4ss\n", "empty": b"", "binary": b"\xff"},
    ("indexd-creds", "gen3"): {
        "creds.json": b'{"user_db":{"fence":"p","empty":"","null":null},"JOBS":[{"name":"a","n":1.5}]}',
        "list": b"[]",
        "broken": b"{secret",
    },
    ("metadata-g3auto", None): {"metadata.env": ENV.encode()},
}


def read_secret(name, namespace):
    data = SECRETS.get((name, namespace))
    return None if data is None else {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}}


def value(**source):
    return resolve({"x": [{"value_from": source}]}, read_secret, {"key": "S", "empty": "", "number": 5, "of_a_file": "S\r\n", "dollars": "$$(AWS_REGION)"})["x"][0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"sensitive": "key"}, "S"),
        ({"sensitive": "number"}, 5),
        ({"sensitive": "of_a_file"}, "S"),
        ({"sensitive": "dollars", "for_env": True}, "$$$$(AWS_REGION)"),
        ({"sensitive": "number", "for_env": True}, 5),
        ({"secret": "indexd-service-creds", "key": "fence"}, "raw päss"),
        ({"secret": "indexd-service-creds", "key": "fence", "format": "raw"}, "raw päss"),
        (
            {
                "secret": "indexd-creds",
                "namespace": "gen3",
                "key": "creds.json",
                "format": "json",
                "path": "user_db.fence",
            },
            "p",
        ),
        (
            {
                "secret": "indexd-creds",
                "namespace": "gen3",
                "key": "creds.json",
                "format": "json",
                "path": ["user_db", "fence"],
            },
            "p",
        ),
        (
            {
                "secret": "indexd-creds",
                "namespace": "gen3",
                "key": "creds.json",
                "format": "json",
                "path": "JOBS[name=a].n",
            },
            1.5,
        ),
        *(
            ({"secret": "metadata-g3auto", "key": "metadata.env", "format": "dotenv", "path": path}, expected)
            for path, expected in [
                (["ADMIN_LOGINS", "gateway"], "p=1"),
                ("ADMIN_LOGINS.other", "p2"),
                (["ADMIN_LOGINS"], "gateway:p=1, other:p2"),
                ("QUOTED", "in quotes"),
                (["SINGLE", "x"], "y"),
            ]
        ),
    ],
)
def test_values(source, expected):
    assert value(**source) == expected


def in_gen3(**source):
    return {"secret": "indexd-creds", "namespace": "gen3", "format": "json", **source}


@pytest.mark.parametrize(("line", "password"), [
    # As starlette reads them in the metadata service: Config strips quotes, CommaSeparatedStrings splits as a shell does.
    ("ADMIN_LOGINS=gateway:pa#ss", "pa"), (r"ADMIN_LOGINS=gateway:pa\\ss", r"pa\ss"), ("ADMIN_LOGINS=gateway:pass'", "pass"),
    ("ADMIN_LOGINS=gateway:'pa,ss',b:c", "pa,ss"), ("ADMIN_LOGINS='gateway:p=1, other:p2'", "p=1"), ("ADMIN_LOGINS=gateway:o'pen,b:c", None)])
def test_a_login_is_read_as_the_metadata_service_reads_it(line, password):
    assert _from_dotenv(line, "ADMIN_LOGINS", "gateway") == password


def in_env(**source):
    return {"secret": "metadata-g3auto", "key": "metadata.env", "format": "dotenv", **source}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"sensitive": "nothing"},
            "Cannot take a value from the entry nothing of the option sensitive: it is empty or missing.",
        ),
        (
            {"sensitive": "empty"},
            "Cannot take a value from the entry empty of the option sensitive: it is empty or missing.",
        ),
        (
            {"secret": "none", "key": "k"},
            "Cannot take a value from key k of Secret none: there is no such Secret.",
        ),
        (
            {"secret": "indexd-service-creds", "key": "ssj"},
            "Cannot take a value from key ssj of Secret indexd-service-creds: the Secret has no such key"
            " (it has binary, empty, fence).",
        ),
        (
            {"secret": "indexd-service-creds", "key": "empty"},
            "Cannot take a value from key empty of Secret indexd-service-creds: it is empty or missing.",
        ),
        (
            {"secret": "indexd-service-creds", "key": "binary"},
            "Cannot take a value from key binary of Secret indexd-service-creds: it is not text in UTF-8.",
        ),
        (
            in_gen3(key="creds.json", path="user_db.ssj"),
            "Cannot take a value from key creds.json of Secret gen3/indexd-creds: there is nothing at user_db.ssj.",
        ),
        (
            in_gen3(key="creds.json", path="user_db.null"),
            "Cannot take a value from key creds.json of Secret gen3/indexd-creds: there is nothing at user_db.null.",
        ),
        (
            in_gen3(key="creds.json", path="user_db.empty"),
            "Cannot take a value from user_db.empty in key creds.json of Secret gen3/indexd-creds: it is empty or"
            " missing.",
        ),
        (
            in_gen3(key="broken", path="a"),
            "Cannot take a value from key broken of Secret gen3/indexd-creds: it is not JSON (line 1, column 2:"
            " Expecting property name enclosed in double quotes).",
        ),
        (
            in_gen3(key="list", path="a"),
            "Cannot take a value from key list of Secret gen3/indexd-creds: it holds a list, not a JSON object.",
        ),
        (
            in_env(path=["NOTHING", "x"]),
            "Cannot take a value from key metadata.env of Secret metadata-g3auto: there is nothing at NOTHING.x.",
        ),
        (
            in_env(path=["ADMIN_LOGINS", "old"]),
            "Cannot take a value from key metadata.env of Secret metadata-g3auto: there is nothing at"
            " ADMIN_LOGINS.old.",
        ),
        (
            in_env(path="EMPTY"),
            "Cannot take a value from EMPTY in key metadata.env of Secret metadata-g3auto: it is empty or missing.",
        ),
        (
            in_env(path="a.b.c"),
            "value_from for key metadata.env of Secret metadata-g3auto has an unusable path; json takes a path such as"
            " user_db.fence, dotenv [VARIABLE] or [VARIABLE, user].",
        ),
        (
            in_env(),
            "value_from for key metadata.env of Secret metadata-g3auto needs a path with the formats json and dotenv,"
            " and only with these.",
        ),
        (
            {"secret": "a", "key": "b", "path": "c"},
            "value_from for key b of Secret a needs a path with the formats json and dotenv, and only with these.",
        ),
        (
            {"secret": "a", "key": "b", "format": "yaml"},
            "value_from has the format 'yaml'; it must be raw, json or dotenv.",
        ),
        (
            {"secret": "a", "kay": "b"},
            "value_from takes either sensitive alone, or secret and key with namespace, format and path; it has kay,"
            " secret.",
        ),
        (
            {},
            "value_from takes either sensitive alone, or secret and key with namespace, format and path; it has none of"
            " them.",
        ),
    ],
)
def test_values_that_cannot_be_had(source, message):
    with pytest.raises(ValueSourceError) as error:
        value(**source)
    assert str(error.value) == message


def test_value_from_needs_a_mapping():
    with pytest.raises(ValueSourceError, match="value_from needs a mapping"):
        resolve({"value_from": "x"}, read_secret)


def test_all_else_stays():
    patch = {"a": 1, "b": [None, {"value_from": 1, "other": 2}], "c": {"d": True}}
    assert resolve(patch, read_secret) == patch
