"""A JOBS entry that works keeps its user, and gets that user's present password."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.users import choose

SOURCES = [{"secret": "indexd-service-creds", "key": "{user}"}, {"secret": "indexd-creds", "key": "creds.json", "path": ["user_db", "{user}"]}]
LOGINS = [{"secret": "metadata-g3auto", "key": "metadata.env", "path": ["ADMIN_LOGINS", "{user}"]}]
PATCH = {"name": "indexing", "pattern": "^s3://(b)/.+", "imageConfig": {
    "url": "http://indexd-service/index", "password": {"value_from": SOURCES},
    "metadataService": {"url": "http://mds", "password": {"value_from": LOGINS}}}}


def config(user="gdcapi", password="p", gateway="gateway"):
    return {"username": user, "password": password, "metadataService": {"username": gateway, "password": "m"}}


def chosen(existing, known=("fence", "ssj", "gateway"), **more):
    """The imageConfig chosen for the entry ``indexing`` where the cluster's Secrets know these users."""
    def has_value(source):
        source = source["value_from"]
        return (source["path"][-1] if "path" in source else source["key"]) in known
    patch = {**PATCH, "imageConfig": {**PATCH["imageConfig"], **more}}
    return choose([patch], existing, has_value)[0]["imageConfig"]


def key_of(password):
    return password["value_from"][0]["key"]


@pytest.mark.parametrize(("existing", "user"), [
    ({}, "fence"),
    ({"indexing": config("ssj")}, "ssj"),
    ({"indexing": config("ssj", "replace_with_password")}, "ssj"),
    ({"indexing": config("")}, "fence"),
    ({"indexing": {"username": None}}, "fence"),
    ({"usersync": config("sheepdog")}, "fence"),
])
def test_the_user_and_where_the_password_is(existing, user):
    found = chosen(existing)
    assert found["username"] == user and key_of(found["password"]) == user
    assert found["password"]["value_from"][1]["path"] == ["user_db", user]
    assert found["metadataService"]["username"] == "gateway"
    assert found["metadataService"]["password"]["value_from"][0]["path"] == ["ADMIN_LOGINS", "gateway"]


def test_a_user_made_by_hand_keeps_its_password():
    found = chosen({"indexing": config("gdcapi", "by-hand", gateway="admin")})
    assert found["username"] == "gdcapi" and "password" not in found, "the document keeps it, and no result shows it"
    assert found["metadataService"] == {"url": "http://mds", "username": "admin"}


def test_a_second_entry_without_that_password_takes_the_default_user():
    second = {**PATCH, "name": "indexing-minio"}
    both = choose([PATCH, second], {"indexing": config("gdcapi", "by-hand")}, lambda source: "fence" in str(source))
    assert [job["imageConfig"]["username"] for job in both] == ["gdcapi", "fence"]


def test_a_placeholder_is_no_password():
    found = chosen({"indexing": config("nobody", "replace_with_password")})
    assert found["username"] == "fence" and key_of(found["password"]) == "fence"


def test_the_operators_word_wins():
    found = chosen({"indexing": config("ssj")}, username="sheepdog")
    assert found["username"] == "sheepdog" and key_of(found["password"]) == "sheepdog"


def test_a_second_entry_takes_the_user_of_the_first():
    second = {**PATCH, "name": "indexing-minio"}
    both = choose([PATCH, second], {"indexing": config("ssj")}, lambda source: True)
    assert [job["imageConfig"]["username"] for job in both] == ["ssj", "ssj"]


def test_an_entry_without_passwords_stays_as_it_is():
    assert choose([{"name": "a", "pattern": "b"}], {}, lambda source: True) == [{"name": "a", "pattern": "b"}]


def test_dollar_signs_of_a_name_reach_the_job_as_they_are():
    """Kubernetes makes one of two in an environment variable, which the Job's configuration is."""
    found = chosen({}, username="a$$b$(c)d$e")
    assert found["username"] == "a$$$b$$(c)d$e" and key_of(found["password"]) == "a$$b$(c)d$e"
    kept = chosen({"indexing": config("a$$(b")}, known=("a$(b",))
    assert kept["username"] == "a$$(b" and key_of(kept["password"]) == "a$(b"
