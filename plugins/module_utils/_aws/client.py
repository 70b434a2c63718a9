# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling AWS: retries, and one sentence for whatever goes wrong.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

try:
    import botocore.session
    from botocore import exceptions as sdk
except ImportError:
    pass  # AnsibleAWSModule reports the missing library.

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule, aws_argument_spec
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError

Result = TypeVar("Result")

HIDDEN_ACCESS_KEY = {"access_key": {**aws_argument_spec()["access_key"], "no_log": True}}
"""For the argument spec of a module: amazon.aws lets ansible-core 2.19 print the key that it takes from the environment."""

_TRANSIENT = [
    "500", "502", "503", "504", "InternalServerError", "KMSThrottling", "KMSThrottlingException", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "Throttled", "ThrottledException", "ThrottlingException",
]
"""What SNS, SQS and S3 answer under load, beside the codes that AWSRetry and botocore know."""

_DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden", "KMSAccessDenied"}
_BAD_CREDENTIALS = {
    "AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidToken", "SignatureDoesNotMatch", "UnrecognizedClientException",
}


class AwsError(UploadsError):
    """Why a module gives up: one sentence for the operator, and what AWS Support asks for."""

    def __init__(self, message: str, error_code: str | None = None, request_id: str | None = None):
        details = {"error_code": error_code, "request_id": request_id}
        super().__init__(message, **{name: value for name, value in details.items() if value})


@cache
def client(module: AnsibleAWSModule, service: str) -> Any:
    """Return a client whose calls with ``aws_retry=True`` outlast throttling and server errors for about a minute.

    The same one each time, as botocore takes 0.2 s to make it.
    """
    return module.client(service, retry_decorator=AWSRetry.jittered_backoff(
        retries=8, delay=1, max_delay=15, catch_extra_error_codes=_TRANSIENT))


def required_region(module: AnsibleAWSModule) -> str:
    """Return the region in force, or raise AwsError if there is none or botocore has never heard of it."""
    region = module.region
    if not region:
        raise AwsError("No AWS region is set: set the option region or the environment variable AWS_REGION.")
    partitions = botocore.session.Session().get_data("partitions")["partitions"]
    if not any(region in partition["regions"] for partition in partitions):
        raise AwsError(f"The AWS region {region} is unknown: check its spelling, or update boto3 if it is a new one.")
    return region


@contextmanager
def error_context(what: str, permission: str, resource: str) -> Iterator[None]:
    """Turn an error of the SDK into AwsError; ``permission`` on ``resource`` is what the call needs."""
    try:
        yield
    except sdk.ClientError as error:
        code = error.response["Error"]["Code"]
        request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
        said = error.response["Error"].get("Message") or code
        if code in _DENIED:
            reason = f"access denied ({said}); allow {permission} on {resource} for the credentials in use"
        elif code in _BAD_CREDENTIALS:
            reason = f"AWS does not accept the credentials ({code}: {said}); renew them or choose another profile"
        else:
            reason = f"{code}: {said}"
        raise AwsError(f"Could not {what}: {reason.rstrip('.')}.", code, request_id) from error
    except sdk.BotoCoreError as error:
        raise AwsError(f"Could not {what}: {_sdk_reason(error).rstrip('.')}.") from error


def retry_while(call: Callable[[], Result], is_temporary: Callable[[Any], bool], timeout: float, pause: float) -> Result:
    """Repeat ``call`` every ``pause`` seconds while it fails with an error that ``is_temporary`` by itself.

    The last error is raised when ``timeout`` seconds are over.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return call()
        except sdk.ClientError as error:
            if not is_temporary(error) or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)


def error_code(error: Any) -> str:
    """Return the code of an error that AWS answered."""
    return error.response["Error"]["Code"]


def is_denied(error: AwsError) -> bool:
    """Tell whether AWS answered that the credentials have not the right."""
    return error.details.get("error_code") in _DENIED


def _sdk_reason(error: Any) -> str:
    if isinstance(error, (sdk.NoCredentialsError, sdk.PartialCredentialsError)):
        return ("no complete AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role is attached")
    if isinstance(error, (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ConnectionClosedError,
                          sdk.ReadTimeoutError, sdk.ProxyConnectionError)):
        return f"AWS cannot be reached ({error}); check the network, proxy, region and AWS_ENDPOINT_URL"
    if isinstance(error, sdk.SSLError):
        return f"the TLS certificate is not trusted ({error}); set aws_ca_bundle to the authority that signed it"
    return str(error)
