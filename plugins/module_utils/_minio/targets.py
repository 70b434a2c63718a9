# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MinIO's ten kinds of notification target: one schema that validates, renders and documents. Pure.

One wrong target makes MinIO start with none at all and call itself healthy, so everything that its parser would refuse
is refused here, before anything is touched. A message names keys and never values: any value may hold a password.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from ansible_collections.gen3.uploads.plugins.module_utils._minio import addresses

QUEUE_LIMIT = 1_000_000
"""How many events wait for a receiver; MinIO's own default of 100,000 drops events after one large upload."""

UNSAFE = re.compile(r'["\\`\x00-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]')
"""What systemd and MinIO read differently in NAME="value": systemd knows escapes there, MinIO none, and drops a variable that is no
Unicode text (systemd ``src/basic/utf8.c``, ``unichar_is_valid``)."""

DIRECTORY = re.compile(r"(?!/(home|root|run|tmp|var/tmp)(/|$))(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+){2,}/?")
"""A directory that the hardened unit can name and write to: not in what it hides, and nothing that systemd would expand."""

_SECRET = ("password", "sasl_password", "token")

_MINIO_QUEUE_LIMIT = 100_000
"""What MinIO makes of a queue_limit of 0."""

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_KAFKA_VERSION = re.compile(r"0(\.[0-9]{1,9}){3}|[1-9][0-9]{0,8}(\.[0-9]{1,9}){2}")


@dataclass(frozen=True)
class Key:
    """One option of a target: what its value must be, and the variable it becomes (default: the name in capitals)."""

    kind: str
    variable: str | None = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    schemes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of target: its options, those that come in pairs, and the parts that make up a connection string."""

    prefix: str
    keys: Mapping[str, Key]
    pairs: tuple[tuple[str, str], ...] = ()
    whole: str | None = None
    parts: Mapping[str, Key] | None = None
    compose: Callable[[Mapping[str, Any]], str] | None = None
    dead: Mapping[str, str] | None = None


def _text(required: bool = False, variable: str | None = None) -> Key:
    return Key("text", variable, required)


def _choice(*choices: Any) -> Key:
    return Key("choice", choices=choices)


def _url(*schemes: str, required: bool = True) -> Key:
    return Key("url", required=required, schemes=schemes)


def _account(options: Mapping[str, Any]) -> str:
    """Return ``user:password@`` of a URL, percent-encoded, or nothing."""
    if "username" not in options:
        return ""
    password = f":{quote(str(options['password']), safe='')}" if "password" in options else ""
    return f"{quote(options['username'], safe='')}{password}@"


def _address(options: Mapping[str, Any], port: int) -> str:
    host = options["host"]
    return f"{f'[{host}]' if ':' in host and host[0] != '[' else host}:{options.get('port', port)}"


def _amqp_url(options: Mapping[str, Any]) -> str:
    scheme, port = ("amqps", 5671) if options.get("tls") else ("amqp", 5672)
    return f"{scheme}://{_account(options)}{_address(options, port)}/{quote(options.get('vhost', '/'), safe='')}"


def _mysql_dsn(options: Mapping[str, Any]) -> str:
    """Compose a DSN. Its account is taken as it stands (the driver decodes nothing there), its database is decoded."""
    password = f":{options['password']}" if "password" in options else ""
    tls = f"?tls={options['tls_mode']}" if "tls_mode" in options else ""
    return (f"{options['username']}{password}@tcp({_address(options, 3306)})/"
            f"{quote(options['database'], safe='')}{tls}")


def _postgresql_url(options: Mapping[str, Any]) -> str:
    """Compose a URL rather than key=value words, as those need the very quotes that an environment file cannot hold."""
    mode = f"?sslmode={options['sslmode']}" if "sslmode" in options else ""
    return (f"postgres://{_account(options)}{_address(options, 5432)}/{quote(options['database'], safe='')}{mode}")


_HOST = Key("host", required=True)
_COMMON = {
    "queue_dir": Key("directory"),
    "queue_limit": Key("count"),
}
_FORMAT = _choice("namespace", "access")
_SQL_PARTS = {
    "host": _HOST, "port": Key("port"), "username": _text(True), "password": _text(), "database": _text(True),
}
_TLS = {"tls": Key("switch"), "tls_skip_verify": Key("switch")}

KINDS: Mapping[str, Kind] = {
    "amqp": Kind("AMQP", {
        "url": _url("amqp", "amqps"), "exchange": _text(True), "exchange_type": _text(True),
        "routing_key": _text(), "delivery_mode": _choice(0, 1, 2), "mandatory": Key("switch"),
        "immediate": Key("switch"), "durable": Key("switch"), "no_wait": Key("switch"), "internal": Key("switch"),
        "auto_deleted": Key("switch"), "publisher_confirms": Key("switch", "PUBLISHING_CONFIRMS"),
    }, whole="url", compose=_amqp_url, dead={"arguments": "nothing; MinIO never reads it"}, parts={
        "host": _HOST, "port": Key("port"), "username": _text(), "password": _text(), "vhost": _text(),
        "tls": Key("switch"),
    }),
    "elasticsearch": Kind("ELASTICSEARCH", {
        "url": _url("http", "https"), "index": _text(True), "format": _FORMAT, "username": _text(),
        "password": _text(),
    }, pairs=(("username", "password"),)),
    "kafka": Kind("KAFKA", {
        "brokers": Key("addresses", required=True), "topic": _text(True), "sasl": Key("switch"),
        "sasl_username": _text(), "sasl_password": _text(), "sasl_mechanism": _choice("plain", "sha256", "sha512"),
        **_TLS, "tls_client_auth": _choice(0, 1, 2, 3, 4), "client_tls_cert": Key("path"),
        "client_tls_key": Key("path"), "version": Key("version"), "batch_size": Key("count"),
        "batch_commit_timeout": Key("duration"),
        "compression_codec": Key("choice", "PRODUCER_COMPRESSION_CODEC",
                                 choices=("none", "gzip", "snappy", "lz4", "zstd")),
        "compression_level": Key("count", "PRODUCER_COMPRESSION_LEVEL"),
    }, pairs=(("sasl_username", "sasl_password"), ("client_tls_cert", "client_tls_key"))),
    "mqtt": Kind("MQTT", {
        "broker": _url("tcp", "ssl", "tls", "tcps", "ws", "wss"), "topic": _text(True), "username": _text(),
        "password": _text(), "qos": _choice(0, 1, 2), "keep_alive_interval": Key("duration"),
        "reconnect_interval": Key("duration"),
    }, pairs=(("username", "password"),)),
    "mysql": Kind("MYSQL", {
        "dsn_string": Key("dsn", required=True), "table": _text(True), "format": _FORMAT, "max_open_connections": Key("count"),
    }, whole="dsn_string", compose=_mysql_dsn,
        parts={**_SQL_PARTS, "tls_mode": _choice("true", "false", "skip-verify", "preferred")}),
    "nats": Kind("NATS", {
        "address": Key("address", required=True), "subject": _text(True), "username": _text(), "password": _text(),
        "token": _text(), **_TLS, "tls_handshake_first": Key("switch"), "ping_interval": Key("count"),
        "jetstream": Key("switch"), "cert_authority": Key("path"), "client_cert": Key("path"),
        "client_key": Key("path"), "user_credentials": Key("path"), "nkey_seed": Key("path"),
    }, pairs=(("username", "password"), ("client_cert", "client_key")),
        dead={"streaming": "jetstream", "streaming_async": "jetstream", "streaming_cluster_id": "jetstream",
              "streaming_max_pub_acks_in_flight": "jetstream"}),
    "nsq": Kind("NSQ", {"nsqd_address": Key("address", required=True), "topic": _text(True), **_TLS}),
    "postgresql": Kind("POSTGRES", {
        "connection_string": Key("postgresql", required=True), "table": Key("table", required=True), "format": _FORMAT,
        "max_open_connections": Key("count"),
    }, whole="connection_string", compose=_postgresql_url,
        parts={**_SQL_PARTS, "sslmode": _choice("disable", "require", "verify-ca", "verify-full")}),
    "redis": Kind("REDIS", {
        "address": Key("address", required=True), "key": _text(True), "format": _FORMAT, "user": _text(),
        "password": _text(),
    }),
    "webhook": Kind("WEBHOOK", {
        "endpoint": _url("http", "https"), "auth_token": Key("token"), "client_cert": Key("path"),
        "client_key": Key("path"),
    }, pairs=(("client_cert", "client_key"),)),
}
"""Type, as it ends an ARN, -> its schema. Keys and variables are those that MinIO 7aac2a2c5b7c reads."""


def problems(targets: Any) -> list[str]:
    """Return a sentence for everything wrong with the targets; whatever the input is, it raises nothing."""
    if not _is_list(targets):
        return ["The notification targets must be a list."]
    found: list[str] = []
    seen: set[tuple[str, str]] = set()
    for position, target in enumerate(targets, 1):
        name = f"Notification target number {position}"
        if not isinstance(target, Mapping):
            found.append(f"{name} must be a mapping with id, type and options.")
            continue
        complaints = _identity(target)
        if not complaints:
            name = f"Notification target {target['type']}/{target['id']}"
            if (target["type"], target["id"]) in seen:
                complaints = ["is defined twice: give one of them another id"]
            seen.add((target["type"], target["id"]))
            if target.get("state", "present") == "present":
                complaints = complaints + _options(KINDS[target["type"]], target.get("options", {}))
        found += [f"{name} {complaint}." for complaint in complaints]
    return found


def overview(targets: Sequence[Mapping[str, Any]], queue_directory: str, queue_limit: int = QUEUE_LIMIT, region: str = "",
             former: str = "") -> dict[str, Any]:
    """Return what the server needs, what it had when it last worked, and what goes.

    ``desired`` is as of ``render``, and ``former`` as of ``parse_environment``. ``removed`` are those of the former that are desired no
    more, ``left_queues`` those whose events nobody would read. ``queue_directories`` are all directories of queues, sorted.
    """
    desired, worked = render(targets, queue_directory, queue_limit, region), parse_environment(former, region)
    arns = {target["arn"] for target in desired}
    read = {"", *(target["store_dir"] for target in desired)}
    return {
        "desired": desired,
        "former": worked,
        "removed": [target for target in worked if target["arn"] not in arns],
        "left_queues": [target for target in worked if target["store_dir"] not in read],
        "queue_directories": sorted({queue_directory, *filter(None, (target["queue_dir"] for target in desired))}),
    }


def render(targets: Sequence[Mapping[str, Any]], queue_directory: str, queue_limit: int = QUEUE_LIMIT,
           region: str = "") -> list[dict[str, Any]]:
    """Return what the server needs for each target with ``state: present``, sorted; the targets must have no problem.

    ``environment`` alone holds secrets. ``store_dir`` is where MinIO keeps the events that wait, '' when it keeps none.
    """
    present = (target for target in targets if target.get("state", "present") == "present")
    return [_rendered(target, queue_directory, queue_limit, region)
            for target in sorted(present, key=lambda target: (target["type"], target["id"]))]


def parse_environment(settings: str, region: str = "") -> list[dict[str, str]]:
    """Return ``arn`` and ``store_dir``, as of ``render``, of each target of an earlier run.

    ``settings`` are the variables of its ``environment``, one NAME="value" a line.
    """
    types = {kind.prefix: name for name, kind in KINDS.items()}
    values = dict(re.findall(r'^MINIO_NOTIFY_(\w+)="(.*)"$', settings, re.MULTILINE))
    found = []
    for name in values:
        if match := re.fullmatch(f"({'|'.join(types)})_ENABLE_(.+)", name):
            prefix, identifier = match.groups()
            where = _location(types[prefix], identifier, values.get(f"{prefix}_QUEUE_DIR_{identifier}", ""), region)
            found.append({key: where[key] for key in ("arn", "store_dir")})
    return found


def missing(desired: Sequence[Mapping[str, Any]], live: Sequence[str] | None) -> list[str]:
    """Return the targets of ``render`` that are not among the ARNs of live ones, as ``GEN3:webhook``, sorted; none where ``live`` is unknown.

    The region says nothing: a server of somebody else may have another.
    """
    without_region = re.compile("^arn:minio:sqs:[^:]*:")
    there = {without_region.sub("", arn) for arn in live or ()}
    return [] if live is None else sorted({without_region.sub("", target["arn"]) for target in desired} - there)


def log_reason(lines: Sequence[str], targets: Sequence[Mapping[str, Any]], more: Sequence[str] = ()) -> str:
    """Return those lines of the server's log that tell why it failed, once each and without secrets (``redact``); '' where none does."""
    telling = [line for line in lines if re.search("notification target|fatal|err:|invalid|error", line, re.IGNORECASE)]
    return redact(" ".join(dict.fromkeys(telling)), targets, more)


def redact(text: str, targets: Sequence[Mapping[str, Any]], more: Sequence[str] = ()) -> str:
    """Return a text, such as a line of the server's log, without the secrets of the targets.

    Those are passwords and tokens, and what may hold one: addresses and connection strings. ``more`` are further values
    to conceal. Each is looked for as it is and as it stands in a URL.
    """
    values = {str(value): "the value of minio_environment or of a root credential" for value in more}
    for target in targets:
        kind = KINDS[target["type"]]
        options = _given(target.get("options", {}))
        if kind.compose and kind.whole not in options and target.get("state", "present") == "present":
            options[kind.whole] = kind.compose(options)
        for key, value in options.items():
            if key in _SECRET or key == kind.whole or (key in kind.keys and kind.keys[key].kind in ("token", "url")):
                values[str(value)] = f"{target['type']}/{target['id']} {key}"
    for value, name in sorted(values.items(), key=lambda item: -len(item[0])):
        for form in (value, quote(value, safe="")):
            if len(form) > 3:
                text = text.replace(form, f"<{name}>")
    return text


def _rendered(target: Mapping[str, Any], queue_directory: str, queue_limit: int, region: str) -> dict[str, Any]:
    kind, identifier, type_name = KINDS[target["type"]], target["id"], target["type"]
    options = {"queue_dir": queue_directory, "queue_limit": queue_limit, **_given(target.get("options", {}))}
    location = _location(type_name, identifier, options["queue_dir"], region)
    if location["store_dir"] and type_name == "mqtt":
        options.setdefault("qos", 1)  # MinIO's own default of 0 forbids a queue_dir
    if kind.compose and kind.whole not in options:
        options[kind.whole] = kind.compose(options)
    environment = {f"MINIO_NOTIFY_{kind.prefix}_ENABLE_{identifier}": "on"}
    for key, schema in {**kind.keys, **_COMMON}.items():
        if key in options and options[key] != "":
            variable = schema.variable or key.upper()
            environment[f"MINIO_NOTIFY_{kind.prefix}_{variable}_{identifier}"] = _value(options[key])
    return {
        "id": identifier, "type": type_name, **location,
        "queue_limit": (int(options["queue_limit"]) or _MINIO_QUEUE_LIMIT) if location["store_dir"] else 0,
        "files": sorted(options[key] for key, schema in kind.keys.items()
                        if schema.kind == "path" and options.get(key)),
        "environment": dict(sorted(environment.items())),
    }


def _location(type_name: str, identifier: str, directory: str, region: str) -> dict[str, str]:
    """Return by what rules name a target, and where its events wait (minio ``internal/event/target``)."""
    directory = directory.rstrip("/")
    return {"arn": f"arn:minio:sqs:{region}:{identifier}:{type_name}", "queue_dir": directory,
            "store_dir": f"{directory}/minio-{type_name}-{identifier}" if directory else ""}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"  # the only words that all of MinIO's switches understand
    return ",".join(value) if _is_list(value) else str(value)


def _identity(target: Mapping[str, Any]) -> list[str]:
    found = [f"has the unknown key {_shown(key)}; it takes id, type, state and options"
             for key in target if key not in ("id", "type", "state", "options")]
    if not (isinstance(target.get("id"), str) and _ID.fullmatch(target["id"])):
        found.append("needs an id of at most 32 letters, digits and underscores that begins with a letter")
    if not (isinstance(target.get("type"), str) and target["type"] in KINDS):
        found.append(f"needs a type, one of {', '.join(KINDS)}")
    if target.get("state", "present") not in ("present", "absent"):
        found.append("has a state that is neither present nor absent")
    if not isinstance(target.get("options", {}), Mapping):
        found.append("has options that are not a mapping")
    return found


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that say something: an empty one is none, but for queue_dir, where it means no queue."""
    return {key: value for key, value in options.items() if value is not None and (value != "" or key == "queue_dir")}


def _options(kind: Kind, options: Mapping[str, Any]) -> list[str]:
    given = _given(options)
    found = [_unknown(kind, key) for key in given if key not in {**kind.keys, **(kind.parts or {}), **_COMMON}]
    schema = {**kind.keys, **_COMMON}
    if kind.whole and kind.whole not in given:
        del schema[kind.whole]
        schema.update(kind.parts)
    elif kind.whole:
        found += [f"has both {kind.whole} and {key}: give either the whole or its parts"
                  for key in given if key in kind.parts and key not in kind.keys]
    found += [f"lacks {key}" for key, each in schema.items() if each.required and key not in given]
    found += [f"has {key}, which {wrong}" for key, each in schema.items()
              if key in given and given[key] != "" and (wrong := _wrong(each, given[key]))]
    found += [f"has {one} without {other}" for pair in kind.pairs for one, other in (pair, pair[::-1])
              if one in given and other not in given]
    return found or _together(kind, given)


def _unknown(kind: Kind, key: Any) -> str:
    if key in (kind.dead or {}):
        return f"has {key}, which MinIO no longer reads; use {kind.dead[key]}"
    return f"has the unknown key {_shown(key)}"


def _shown(key: Any) -> str:
    """Return how a sentence names an unknown key: YAML makes one of ``{auth_token:secret}``, where a space is missing."""
    return key if isinstance(key, str) and re.fullmatch(r"\w{1,40}", key) else "a name that is not a word"


def _together(kind: Kind, given: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with options that are right one by one: MinIO's Validate() of the kind."""
    found = []
    queues = given.get("queue_dir") != ""
    if kind.prefix == "MQTT" and queues and str(given.get("qos", 1)) == "0":
        found.append("has qos 0 with a queue_dir: set qos to 1 or 2, or queue_dir to ''")
    if kind.prefix == "KAFKA":
        size = int(given.get("batch_size", 0))
        if size > 1 and not queues:
            found.append("has batch_size without a queue_dir")
        if "batch_commit_timeout" in given and (not queues or size <= 1):
            found.append("has batch_commit_timeout, which needs a queue_dir and a batch_size above 1")
        if given.get("sasl") in (True, "on") and "sasl_username" not in given:
            found.append("has sasl without sasl_username and sasl_password")
    if kind.prefix == "MYSQL" and ":" in given.get("username", ""):
        found.append("has username, which cannot hold a colon in a dsn_string")
    return found


def _wrong(key: Key, value: Any) -> str | None:
    """Return why a value cannot be that of the key, as the end of a sentence without the value."""
    if key.kind not in _NO_TEXTS and isinstance(value, (bool, int, float, date)):
        return "is read by YAML as a number, a switch or a date and not as it was written: put it into quotes"
    texts = [text for text in (value if _is_list(value) else [value]) if isinstance(text, str)]
    if any(map(UNSAFE.search, texts)):
        return ("holds a double quote, backslash, backtick or control character; systemd and MinIO would read it "
                "differently")
    if any(text != text.strip() or text.startswith(("env://", "env+tls://")) for text in texts):
        return "begins or ends with a space, or would be fetched from an env:// address by MinIO"
    return _CHECKS[key.kind](key, value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_number(value: Any, least: int, most: int) -> bool:
    return (not isinstance(value, bool) and isinstance(value, (int, str))
            and re.fullmatch(r"[0-9]{1,18}", str(value)) is not None and least <= int(value) <= most)


def _addresses_problem(value: Any) -> str | None:
    items = value.split(",") if isinstance(value, str) else value
    if not _is_list(items) or not items or not all(isinstance(item, str) for item in items):
        return "must be a list of host:port"
    return next(filter(None, map(addresses.host_port_problem, items)), None)


def _is_table(value: Any) -> bool:
    """Return whether MinIO takes the name of a table of PostgreSQL (``validatePsqlTableName``): letters and digits of any script."""
    return isinstance(value, str) and bool(value) and not value[0].isdecimal() and value[0] != "$" and all(
        character.isalpha() or character.isdecimal() or character in "_$" for character in value)


def _judged(judge: Callable[..., str | None]) -> Callable[[Key, Any], str | None]:
    """Return a check of a text by a function that says itself what is wrong."""
    return lambda key, value: judge(value) if isinstance(value, str) else "must be a string"


def _check(holds: Callable[[Key, Any], bool], must: str) -> Callable[[Key, Any], str | None]:
    return lambda key, value: None if holds(key, value) else must.format(
        choices=", ".join(map(str, key.choices)))


_NO_TEXTS = ("switch", "count", "port", "choice")
"""Kinds of option that take a number or a switch."""

_CHECKS: Mapping[str, Callable[[Key, Any], str | None]] = {
    "text": _check(lambda key, value: isinstance(value, str), "must be a string"),
    "token": _check(lambda key, value: isinstance(value, str) and len(value.split()) <= 2,
                    "must be a string of one or two words; MinIO sends no header at all for more"),
    "switch": _check(lambda key, value: isinstance(value, bool) or value in ("on", "off"), "must be true or false"),
    "path": _check(lambda key, value: isinstance(value, str) and value.startswith("/") and ".." not in value.split("/"),
                   "must be an absolute path"),
    "directory": _check(lambda key, value: isinstance(value, str) and DIRECTORY.fullmatch(value) is not None,
                        "must be an absolute path of two names or more (letters, digits, dots, dashes, underscores), outside"
                        " of /home, /root, /run, /tmp and /var/tmp, which the service cannot see"),
    "count": _check(lambda key, value: _is_number(value, 0, 2**32 - 1), "must be a whole number between 0 and 4294967295"),
    "port": _check(lambda key, value: _is_number(value, 1, 65535), "must be a port number"),
    "duration": _check(lambda key, value: isinstance(value, str) and value[:1].isdecimal() and value != "0" and addresses.is_duration(value),
                       "must be a duration with its unit, such as 10s"),
    "version": _check(lambda key, value: isinstance(value, str) and _KAFKA_VERSION.fullmatch(value) is not None,
                      "must be a version such as 3.6.0, of four numbers if it begins with 0"),
    "choice": _check(lambda key, value: not isinstance(value, bool) and str(value) in map(str, key.choices),
                     "must be one of {choices}"),
    "url": lambda key, value: addresses.url_problem(value, key.schemes) if isinstance(value, str) else "must be a URL",
    "address": _judged(addresses.host_port_problem),
    "addresses": lambda key, value: _addresses_problem(value),
    "host": _judged(addresses.host_problem),
    "dsn": _judged(addresses.dsn_problem),
    "postgresql": _judged(addresses.postgresql_problem),
    "table": _check(lambda key, value: _is_table(value), "must be a table name of letters, digits, underscores and dollar signs"),
}
