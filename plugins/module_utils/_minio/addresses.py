# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and connection strings, judged as their last readers judge them: MinIO and its drivers, all written in Go. Pure.

Python's parser takes much that Go's refuses, and one refused address makes MinIO start without any target. Each function returns
what is wrong, as the end of a sentence about the option, or None. No sentence holds a part of the value, which may be a password.

The readers: Go ``net/url``; ``minio/pkg/v3 net`` (3.1.3); ``rabbitmq/amqp091-go`` (1.10.0), ``ParseURI``; ``go-sql-driver/mysql``
(1.9.2), ``ParseDSN``; ``lib/pq`` (1.10.9), ``NewConnector``.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv6Address
from urllib.parse import unquote

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MINIO_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_ANY_HOST = re.compile(r"[A-Za-z0-9._-]+")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_PORT = re.compile(r"[0-9]{1,9}")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_GO_DURATION = re.compile(r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+|[+-]?0")

ESCAPE = "has a percent sign that begins no escape such as %2F; write a percent sign itself as %25"
HOST = "needs a host of letters, digits, dashes and dots, or an IPv6 address in brackets"
PORT = "needs a port between 1 and 65535 after the colon"


def url_problem(text: str, schemes: Sequence[str]) -> str | None:
    """Return what is wrong with a URL of MinIO's own targets (``xnet.ParseURL``) or of RabbitMQ (``amqp091.ParseURI``)."""
    match = _URL.fullmatch(text)
    if not match or match[1].lower() not in schemes:
        return f"must be a URL with host, of scheme {', '.join(schemes)}"
    scheme, authority, path, query, fragment = match.groups()
    of_rabbit = scheme.lower().startswith("amqp")
    # MinIO knows the ports of http and https alone.
    of_web = scheme.lower() in ("http", "https")
    problem = _account_problem(authority, path, fragment, of_web) or _host_problem(
        authority.rpartition("@")[2], _ANY_HOST if of_rabbit else _MINIO_HOST, needs_port=not of_rabbit and not of_web)
    return problem or (_amqp_query_problem(query or "") if of_rabbit else None)


def host_port_problem(text: str) -> str | None:
    """Return what is wrong with a ``host:port`` (``xnet.ParseHost``)."""
    host, colon, port = text.rpartition(":")
    if not colon or not _is_host(host, _MINIO_HOST) or not _is_port(port):
        return f"must be host:port, and {HOST}"
    return None


def host_problem(text: str) -> str | None:
    """Return what is wrong with a host that becomes part of a connection string."""
    bare = f"[{text}]" if ":" in text and not text.startswith("[") else text
    return None if _is_host(bare, _ANY_HOST) else HOST.replace(" in brackets", "")


def dsn_problem(text: str) -> str | None:
    """Return what is wrong with a DSN of MySQL, ``user:password@tcp(host:port)/database?options``."""
    left, slash, right = text.rpartition("/")
    if not slash:
        return "lacks the slash before the database; write user:password@tcp(host:port)/database"
    network, bracket, address = left.rpartition("@")[2].partition("(")
    if network not in ("tcp", "tcp4", "tcp6", "unix", "") or (bracket and not address.endswith(")")) or (
            network in ("tcp4", "tcp6") and address in ("", ")")):
        return "must have the address in brackets right before the slash, as in user:password@tcp(host:port)/database"
    if network != "unix" and address not in ("", ")") and (problem := _host_problem(address[:-1])):
        return problem
    database, dummy, options = right.partition("?")
    if _BAD_ESCAPE.search(database):
        return ESCAPE
    for option in filter(None, options.split("&")):
        name, equals, value = option.partition("=")
        if equals and (problem := _dsn_option_problem(name, value)):
            return f"has the option {name}, which {problem}" if re.fullmatch(r"\w{1,40}", name) else f"has an option that {problem}"
    if re.search(r"\binterpolateParams=(1|true)\b", options, re.IGNORECASE) and _UNSAFE_COLLATION.search(options):
        return "has interpolateParams with a collation with which MinIO's driver refuses it"
    return None


def postgresql_problem(text: str) -> str | None:
    """Return what is wrong with a connection string of PostgreSQL: a URL, or ``key=value`` words."""
    if not text.startswith(("postgres://", "postgresql://")):
        return _words_problem(text)
    match = _URL.fullmatch(text)
    dummy, authority, path, query, fragment = match.groups()
    problem = _account_problem(authority, path, fragment) or _host_problem(authority.rpartition("@")[2])
    if problem:
        return problem
    options = (option.partition("=")[::2] for option in (query or "")[1:].split("&"))
    return _settings_problem({unquote(name): unquote(value.replace("+", " ")) for name, value in options})


def is_duration(text: str) -> bool:
    """Return whether Go takes a text as a duration, which it counts in nanoseconds of 63 bits."""
    units = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
    if not _GO_DURATION.fullmatch(text):
        return False
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", text)) < 2**63


def _account_problem(authority: str, path: str, fragment: str | None, of_web: bool = False) -> str | None:
    """Return what is wrong with a URL beside its host; Go ends the account at the last @ before the first of ``/?#``."""
    account = authority.rpartition("@")[0]
    if fragment is not None:
        return "has a number sign, at which the address ends for Go; in a user or password write it as %23"
    if not account and "@" in path and not of_web:
        return "has an @ behind the host; in a user or password write a slash as %2F"
    if _BAD_ESCAPE.search(account) or _BAD_ESCAPE.search(path):
        return ESCAPE
    if not _USER.fullmatch(account):
        return "has a user or password with a character that Go takes percent-encoded only"
    return "has a space; write it as %20" if " " in path else None


def _host_problem(address: str, pattern: re.Pattern[str] = _ANY_HOST, needs_port: bool = False) -> str | None:
    """Return what is wrong with a host, with or without a port."""
    host, colon, port = address.rpartition(":") if re.search(r":[^\]]*\Z", address) else (address, "", "")
    if colon and not _is_port(port):
        return PORT
    if not _is_host(host, pattern):
        return HOST
    return "needs a port, which MinIO does not add by itself" if needs_port and not colon else None


def _is_host(host: str, pattern: re.Pattern[str]) -> bool:
    if host.startswith("["):
        try:
            return host.endswith("]") and "%" not in host and bool(IPv6Address(host[1:-1]))
        except ValueError:
            return False
    return len(host) <= 253 and pattern.fullmatch(host) is not None


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and 0 < int(text) < 65536


def _amqp_query_problem(query: str) -> str | None:
    for option in query[1:].split("&"):
        name, dummy, value = option.partition("=")
        if name in ("heartbeat", "connection_timeout") and not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            return f"has {name}, which must be a whole number"
        if name == "channel_max" and not (re.fullmatch(r"[0-9]{1,9}", value) and int(value) < 65536):
            return "has channel_max, which must be a whole number below 65536"
    return "has a space" if " " in query else None


_UNSAFE_COLLATION = re.compile(r"\bcollation=(big5|sjis|gbk|gb2312|cp932|gb18030)_")
_SWITCHES = (
    "allowAllFiles", "allowCleartextPasswords", "allowFallbackToPlaintext", "allowNativePasswords", "allowOldPasswords",
    "checkConnLiveness", "clientFoundRows", "columnsWithAlias", "compress", "interpolateParams", "multiStatements", "parseTime",
    "rejectReadOnly")
_TRUE_OR_FALSE = ("1", "true", "TRUE", "True", "0", "false", "FALSE", "False")


def _dsn_option_problem(name: str, value: str) -> str | None:
    if name in _SWITCHES:
        return None if value in _TRUE_OR_FALSE else "must be true or false"
    if name in ("timeout", "readTimeout", "writeTimeout", "timeTruncate"):
        return None if is_duration(value) else "must be a duration with its unit, such as 10s"
    if name == "maxAllowedPacket":
        return None if re.fullmatch(r"[+-]?[0-9]{1,18}", value) else "must be a whole number"
    if name == "tls":
        known = value in _TRUE_OR_FALSE or value.lower() in ("skip-verify", "preferred")
        return None if known else "must be true, false, skip-verify or preferred; MinIO registers no configuration of its own"
    if name in ("serverPubKey", "strict"):
        return "MinIO's driver refuses"
    if name in ("charset", "collation"):
        return None
    if name == "loc" and not re.fullmatch(r"[A-Za-z0-9_+/-]*", unquote(value)):
        return "must be the name of a time zone"
    return ESCAPE if _BAD_ESCAPE.search(value) else None


def _words_problem(text: str) -> str | None:
    """Return what is wrong with ``key=value`` words. A value with a space stands between single quotes; there is no backslash."""
    word = re.compile(r"\s*([^\s=]+)\s*=(?:\s*'([^']*)'|\s*([^\s']\S*)|\s*\Z)")
    settings, position = {}, 0
    while text[position:].strip():
        match = word.match(text, position)
        if not match:
            return "must be a URL that begins with postgres://, or words like host=db.example.org, a value with spaces in single quotes"
        settings[match[1]] = match[2] or match[3] or ""
        position = match.end()
    return _settings_problem(settings)


def _settings_problem(settings: dict[str, str]) -> str | None:
    if settings.get("sslmode", "") not in ("", "disable", "require", "verify-ca", "verify-full"):
        return "has an sslmode other than disable, require, verify-ca and verify-full, which MinIO's driver refuses"
    if re.sub("[^a-z0-9]", "", settings.get("client_encoding", "utf8").lower()) not in ("utf8", "unicode"):
        return "has a client_encoding other than UTF8, which MinIO's driver refuses"
    if settings.get("datestyle", "ISO, MDY") != "ISO, MDY":
        return "has a datestyle, which MinIO's driver refuses"
    return PORT if settings.get("port") and not _is_port(settings["port"]) else None
