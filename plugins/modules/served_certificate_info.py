#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: served_certificate_info
short_description: Compare the certificate that a server serves with a file
description:
  - Reads which certificate a TLS server serves to a client that names no host, and whether that is the first one of a file.
  - A server that reloads its certificate may keep the former one without a word.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  host:
    description: Name or address of the server, as the managed node reaches it.
    type: str
    default: 127.0.0.1
  port:
    description: Port of the server.
    type: int
    required: true
  path:
    description: File of the managed node with the wanted certificate, in PEM, the server's own first.
    type: path
    required: true
  timeout:
    description:
      - For how many seconds to wait for the wanted certificate. A server may need a moment to read it.
    type: int
    default: 10
extends_documentation_fragment:
  - gen3.uploads.attributes.info
"""

EXAMPLES = r"""
- name: Compare the served certificate with the file
  gen3.uploads.served_certificate_info:
    port: 9000
    path: /etc/minio/certs/public.crt
  register: served
  failed_when: not served.served
"""

RETURN = r"""
served:
  description: Whether the server serves the certificate of the file.
  returned: success
  type: bool
served_sha256:
  description: SHA-256 of the certificate that the server serves.
  returned: success
  type: str
file_sha256:
  description: SHA-256 of the first certificate of the file.
  returned: success
  type: str
"""

import hashlib
import re
import ssl
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gen3.uploads.plugins.module_utils._core import served


def served_sha256(host, port):
    """Return the SHA-256 of the certificate of a server, or raise OSError. Whether it can be trusted is not asked."""
    return hashlib.sha256(served.certificate(host, port)).hexdigest()


def file_sha256(path):
    """Return the SHA-256 of the first certificate of a file, or raise OSError or ValueError."""
    with open(path, encoding="utf-8") as file:
        found = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", file.read(), re.DOTALL)
    if not found:
        raise ValueError(f"{path} holds no certificate in PEM.")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(found[0])).hexdigest()


def compare(host, port, path, timeout):
    """Return the result of the module; waits until the certificates are equal or the time is over."""
    desired, deadline = file_sha256(path), time.monotonic() + timeout
    while (found := served_sha256(host, port)) != desired and time.monotonic() < deadline:
        time.sleep(0.5)
    return {"served": found == desired, "served_sha256": found, "file_sha256": desired}


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec=dict(
            host=dict(type="str", default="127.0.0.1"),
            port=dict(type="int", required=True),
            path=dict(type="path", required=True),
            timeout=dict(type="int", default=10),
        ),
        supports_check_mode=True,
    )
    options = module.params
    try:
        result = compare(options["host"], options["port"], options["path"], options["timeout"])
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"Could not compare the certificate of {options['host']}:{options['port']} with {options['path']}: {error}")
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
