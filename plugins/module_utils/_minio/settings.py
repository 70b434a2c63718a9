# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of the role minio lack. Pure.

The sentences name variables, never their values: a password may be among them.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.service import ARCHITECTURES, QUOTABLE, SHA256, VERSION
from ansible_collections.gen3.uploads.plugins.module_utils._minio import targets, validate

REGION = re.compile("[A-Za-z0-9_-]*")
SERVER_URL = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]+)?")
VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
MANAGED_VARIABLE = re.compile("MINIO_(NOTIFY|ROOT|ACCESS|SECRET)_")
UNREADABLE = "double quote, backslash, backtick or line break, which systemd and MinIO would read differently"


def problems(settings: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Return what keeps the role from doing its work, a sentence for each finding; empty where nothing does.

    ``settings`` is each variable of the role -> its value. ``facts`` are the node's ``architecture`` and ``service_mgr``, which matter
    only where the server is the role's own.
    """
    found = [*targets.problems(settings["minio_notification_targets"]),
             *validate.login_problems(settings["minio_users"], settings["minio_service_accounts"]),
             *_administrator(settings)]
    if settings["minio_manage_server"]:
        found += [*_node(facts), *_program(settings), *_environment(settings), *_server(settings)]
    return found


def _administrator(settings: Mapping[str, Any]) -> Iterator[str]:
    login = {name: settings[name] for name in ("minio_root_user", "minio_root_password")}
    if not all(login.values()):
        yield "Set minio_root_user and minio_root_password."
    for name, value in login.items():
        if isinstance(value, (int, float)):
            yield f"{name} is read by YAML as a number and not as it was written: put it into quotes."


def _node(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["service_mgr"] != "systemd":
        yield "The role runs MinIO as a systemd unit, and this node is not managed by systemd."
    if facts["architecture"] not in ARCHITECTURES:
        yield f"MinIO's checksums are known for x86_64 and aarch64 only; this node is {facts['architecture']}."


def _program(settings: Mapping[str, Any]) -> Iterator[str]:
    distribution, method, version = (settings[f"minio_{name}"] for name in ("distribution", "install_method", "version"))
    if (distribution, method) == ("silo", "go"):
        yield ("silo cannot be built with `go install`, as its go.mod has replace directives. Use minio_install_method url or file, or "
               "minio_distribution minio.")
    if not VERSION.fullmatch(str(version)):
        yield "minio_version names a directory and a release; give it letters, digits, dots, dashes and underscores only."
    if method == "url" and not settings["minio_download_url"]:
        yield f"The role knows no address for {distribution} {version}. Set minio_download_url and minio_sha256, or use minio_install_method file."
    if method == "file" and not settings["minio_local_file"]:
        yield "minio_install_method file needs minio_local_file, the path on the controller."
    if method != "go" and not SHA256.fullmatch(str(settings["minio_sha256"])):
        yield f"minio_install_method {method} needs minio_sha256, 64 hexadecimal digits in lower case."


def _environment(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, least in (("minio_root_user", 3), ("minio_root_password", 8)):
        value = settings[name]
        if isinstance(value, str) and value and (len(value) < least or not QUOTABLE.fullmatch(value)):
            yield f"{name} needs at least {least} characters, and no {UNREADABLE}."
    names, values = settings["minio_environment"].keys(), settings["minio_environment"].values()
    if not all(QUOTABLE.fullmatch(str(value)) for value in values):
        yield f"A value of minio_environment has a {UNREADABLE}."
    if any(MANAGED_VARIABLE.match(name) for name in names):
        yield ("minio_environment is not for targets and root credentials; use minio_notification_targets, minio_root_user and "
               "minio_root_password.")
    if not all(VARIABLE.fullmatch(name) for name in names):
        yield "The names in minio_environment are those of environment variables, of letters, digits and underscores."
    if any(isinstance(value, bool) or not isinstance(value, (str, int, float)) for value in values):
        yield 'The values of minio_environment are strings or numbers; quote "on" and "off".'


def _server(settings: Mapping[str, Any]) -> Iterator[str]:
    if not REGION.fullmatch(str(settings["minio_region"])):
        yield "minio_region takes letters, digits, dashes and underscores."
    directories = [settings[f"minio_{name}_directory"] for name in ("data", "queue", "configuration")]
    if not all(isinstance(path, str) and targets.DIRECTORY.fullmatch(path) for path in directories):
        yield ("minio_data_directory, minio_queue_directory and minio_configuration_directory take absolute paths of two names or more "
               "(letters, digits, dots, dashes, underscores), outside of /home, /root, /run, /tmp and /var/tmp, which the service cannot "
               "see.")
    authorities = [PurePosixPath(path).name for path in settings["minio_tls_ca_files"]]
    if len(set(authorities)) < len(authorities):
        yield "Two of minio_tls_ca_files have the same file name; the server keeps them in one directory."
    if int(settings["minio_api_port"]) == int(settings["minio_console_port"]):
        yield "minio_api_port and minio_console_port must differ; MinIO ends otherwise."
    if not SERVER_URL.fullmatch(str(settings["minio_server_url"])):
        yield "minio_server_url takes scheme, host and port only; MinIO ends when it has a path."
    if settings["minio_tls"] == "files" and not (settings["minio_tls_certificate_file"] and settings["minio_tls_private_key_file"]):
        yield "minio_tls files needs minio_tls_certificate_file and minio_tls_private_key_file."
    if settings["minio_tls"] == "private_ca" and not settings["minio_api_ca_file"]:
        yield "minio_tls private_ca needs minio_api_ca_file, where the role puts the CA for whoever talks to the API."
