"""Requests, retries and messages of the API layer, and its loop against concurrent writers."""

import pytest
import urllib3
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import client as _kube
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Response, Kube, KubeError, apply_to, converge

NO_STATUS = Response(404, {}, None)
NO_JSON = "Cannot read Pod ns/p: https://k8s answers with HTTP status {} and no JSON; is it a Kubernetes API server?"
MISSING = Response(404, {}, {"kind": "Status", "reason": "NotFound", "message": 'secrets "s" not found'})
RESET = urllib3.exceptions.ProtocolError("Connection aborted.")
REFUSED = urllib3.exceptions.NewConnectionError(
    None, "Failed to establish a new connection: [Errno 111] Connection refused"
)


def status(code, reason="Because", message="told so", **fields):
    return Response(code, {}, {"kind": "Status", "reason": reason, "message": message, **fields})


def found(body):
    return Response(200, {}, body)


class Server:
    """Answers with the given answers in their order, the last one for ever; exceptions are raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, method, path, body, headers):
        self.requests.append((method, path, body, headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    pauses = []
    monkeypatch.setattr(_kube.time, "sleep", pauses.append)
    return pauses


def kube(*answers):
    server = Server(*answers)
    return Kube(server, "https://k8s"), server


def error_of(call, *arguments, **options):
    with pytest.raises(KubeError) as error:
        call(*arguments, **options)
    return error.value


@pytest.mark.parametrize(
    ("call", "request_line"),
    [
        (lambda k: k.get("Secret", "s", "ns"), "GET /api/v1/namespaces/ns/secrets/s"),
        (lambda k: k.get("Deployment", "d", "ns"), "GET /apis/apps/v1/namespaces/ns/deployments/d"),
        (lambda k: k.get("Secret", "a/../b", "n s"), "GET /api/v1/namespaces/n%20s/secrets/a%2F..%2Fb"),
        (lambda k: k.list("Pod", "ns"), "GET /api/v1/namespaces/ns/pods"),
        (lambda k: k.list("Pod", "ns", "a=b,c=d"), "GET /api/v1/namespaces/ns/pods?labelSelector=a%3Db%2Cc%3Dd"),
        (
            lambda k: k.create({"kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}),
            "POST /api/v1/namespaces/ns/secrets?fieldManager=gen3.uploads",
        ),
        (
            lambda k: k.merge_patch("Secret", "s", "ns", {}, dry_run=True),
            "PATCH /api/v1/namespaces/ns/secrets/s?fieldManager=gen3.uploads&dryRun=All",
        ),
        (lambda k: k.delete("Secret", "s", "ns", dry_run=True), "DELETE /api/v1/namespaces/ns/secrets/s"),
    ],
)
def test_paths(call, request_line):
    client, server = kube(found({"items": []}))
    call(client)
    assert [" ".join(request[:2]) for request in server.requests] == [request_line]


def test_metadata_alone():
    client, server = kube(found({}))
    client.get("Secret", "s", "ns", metadata_only=True)
    assert server.requests[0][3]["Accept"] == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def test_delete_of_one_version_only():
    client, server = kube(found({}))
    client.delete("Secret", "s", "ns", resource_version="7")
    assert server.requests[0][2]["preconditions"] == {"resourceVersion": "7"}


def test_the_dry_run_of_a_deletion_is_in_its_body():
    client, server = kube(found({}))
    client.delete("Secret", "s", "ns", dry_run=True)
    assert server.requests[0][2]["dryRun"] == ["All"]


def test_a_deleted_object_needs_no_deletion():
    kube(MISSING)[0].delete("Secret", "s", "ns")


def test_what_does_not_exist():
    client, server = kube(MISSING)
    assert client.get("Secret", "s", "ns") is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answers", "requests"),
    [((MISSING,), 1), ((NO_STATUS, MISSING), 2), ((NO_STATUS, NO_STATUS), 2)],
)
def test_external_secrets_where_their_operator_is_not_installed_or_old(answers, requests):
    client, server = kube(*answers)
    assert client.get("ExternalSecret", "s", "ns") is None
    assert len(server.requests) == requests
    assert kube(NO_STATUS)[0].list("ExternalSecret", "ns") == []


@pytest.mark.parametrize(
    "fault", [status(429), status(500), status(503), status(504), RESET, ConnectionResetError(104, "reset")]
)
def test_a_passing_fault_is_retried(fault, pauses):
    client, server = kube(*[fault] * 7, found({"a": 1}))
    assert client.merge_patch("Secret", "s", "ns", {}) == {"a": 1}
    assert len(server.requests) == 8
    assert len(pauses) == 7 and all(0 <= pause <= 5 for pause in pauses)


def test_a_lasting_fault_is_told():
    client, server = kube(status(503))
    error = error_of(client.list, "Pod", "ns")
    assert str(error) == "Cannot list Pods in namespace ns: the API server answers 503 Because (told so)."
    assert error.status == 503
    assert len(server.requests) == 8


def test_retry_after_is_respected_within_reason(pauses):
    client, _ = kube(Response(429, {"Retry-After": "3"}, {}), Response(429, {"Retry-After": "900"}, {}), found({}))
    client.get("Secret", "s", "ns")
    assert pauses == [3, 10]


def test_retry_after_a_date_is_not_understood(pauses):
    client, _ = kube(Response(503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {}), found({}))
    client.get("Secret", "s", "ns")
    assert pauses[0] <= 0.2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            status(401, "Unauthorized"),
            "Cannot read Pod ns/p: https://k8s does not accept the credentials (401 Unauthorized); renew the token or"
            " certificate of the kubeconfig.",
        ),
        (
            status(
                403,
                "Forbidden",
                'pods "p" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "ns"',
            ),
            "Cannot read Pod ns/p: user jane lacks the permission (403 Forbidden); add to a Role in namespace ns that"
            ' is bound to it the rule {apiGroups: [""], resources: [pods], verbs: [get]}.',
        ),
        (
            NO_STATUS,
            NO_JSON.format(404),
        ),
        (
            Response(200, {}, None),
            NO_JSON.format(200),
        ),
        (
            Response(302, {}, None),
            NO_JSON.format(302),
        ),
        (
            urllib3.exceptions.SSLError("a: certificate has expired (_ssl.c:1)"),
            "Cannot read Pod ns/p: no TLS connection to https://k8s (certificate has expired (_ssl.c:1)); check"
            " ca_cert, client_cert, client_key and the host name.",
        ),
    ],
)
def test_messages_of_what_is_not_worth_a_retry(answer, message):
    client, server = kube(answer)
    assert str(error_of(client.get, "Pod", "p", "ns")) == message
    assert len(server.requests) == 1


def test_an_unreachable_server_is_soon_told():
    client, server = kube(REFUSED)
    assert str(error_of(client.get, "Pod", "p", "ns")) == (
        "Cannot read Pod ns/p: the Kubernetes API server https://k8s cannot be reached ([Errno 111] Connection"
        " refused); check the kubeconfig's context, the network and that the server runs."
    )
    assert len(server.requests) == 3


def test_a_missing_namespace():
    client, _ = kube(status(404, "NotFound", 'namespaces "ns" not found'))
    manifest = {"kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}
    assert str(error_of(client.create, manifest)) == (
        "Cannot create Secret ns/s: there is no namespace ns; create it first or correct its name."
    )


@pytest.mark.parametrize(
    "fault",
    [
        urllib3.exceptions.SSLError("x"),
        urllib3.exceptions.LocationParseError("no url"),
        FileNotFoundError(2, "No such file or directory"),
    ],
)
def test_what_no_repetition_heals_is_told_at_once(fault):
    client, server = kube(fault)
    error_of(client.get, "Pod", "p", "ns")
    assert len(server.requests) == 1


def test_what_a_server_says_of_a_secret_may_quote_it():
    causes = {"details": {"causes": [{"field": "data", "reason": "FieldValueInvalid", "message": "hunter2"}]}}
    refusal = status(422, "Invalid", "data: Invalid value: hunter2", **causes)
    assert str(error_of(kube(refusal)[0].merge_patch, "Secret", "s", "ns", {})) == (
        "Cannot change Secret ns/s: the API server answers 422 Invalid (data: FieldValueInvalid)."
    )
    assert str(error_of(kube(status(400, "BadRequest", "hunter2"))[0].merge_patch, "Secret", "s", "ns", {})) == (
        "Cannot change Secret ns/s: the API server answers 400 BadRequest"
        " (its message is left out, as it may quote the Secret)."
    )
    assert "hunter2" in str(error_of(kube(refusal)[0].merge_patch, "ConfigMap", "s", "ns", {}))


@pytest.mark.parametrize(
    ("answers", "uncertain"),
    [
        ((status(409),), False),
        ((status(429), status(409)), False),
        ((REFUSED, status(409)), False),
        ((RESET, status(409)), True),
        ((status(504), status(409)), True),
    ],
)
def test_a_conflict_after_an_unclear_answer_may_be_with_oneself(answers, uncertain):
    client, _ = kube(*answers)
    error = error_of(client.merge_patch, "Secret", "s", "ns", {})
    assert (error.status, error.uncertain) == (409, uncertain)


CHANGE = Change(
    "update",
    "Secret ns/s",
    operation="merge_patch",
    parameters={"kind": "Secret", "name": "s", "namespace": "ns", "patch": {}},
)


def converged(server_answers, plans):
    """Run the loop with plans that follow one another; returns the changes."""
    client, server = kube(*server_answers)
    remaining = list(plans)
    changes = converge(
        "state", lambda: "state", lambda state: remaining.pop(0), lambda change: apply_to(client, change, dry_run=False)
    )
    assert not remaining
    return changes


def test_converge_plans_again_after_a_conflict():
    assert converged([status(409), status(409), found({})], [[CHANGE], [CHANGE], [CHANGE]]) == [CHANGE]


def test_converge_reports_nothing_when_someone_else_did_it():
    assert converged([status(409)], [[CHANGE], []]) == []


def test_converge_reports_its_own_write_whose_answer_got_lost():
    assert converged([RESET, status(409)], [[CHANGE], []]) == [CHANGE]


def test_converge_ends():
    client, server = kube(status(409))
    error = error_of(converge, 0, lambda: 0, lambda state: [CHANGE], lambda change: apply_to(client, change, False))
    assert error.status == 409
    assert len(server.requests) == _kube.CONFLICT_ATTEMPTS


def test_converge_does_not_repeat_other_errors():
    client, server = kube(status(422))
    error_of(converge, 0, lambda: 0, lambda state: [CHANGE], lambda change: apply_to(client, change, False))
    assert len(server.requests) == 1


HELM, OURS = {"manager": "helm"}, {"manager": "gen3.uploads"}


def versioned(version, *managed_fields):
    metadata = {"name": "s", "namespace": "ns", "resourceVersion": version, "managedFields": list(managed_fields)}
    return found({"metadata": metadata})


def test_a_write_leaves_no_claim():
    client, server = kube(versioned("2", HELM, OURS), versioned("3", HELM))
    assert client.merge_patch("Secret", "s", "ns", {})["metadata"]["resourceVersion"] == "3"
    assert [(method, body) for method, _path, body, _headers in server.requests] == [
        ("PATCH", {}), ("PATCH", {"metadata": {"resourceVersion": "2", "managedFields": [HELM]}})]


def test_a_claim_is_given_up_on_the_version_that_is_there():
    other = {"manager": "other"}
    client, server = kube(versioned("2", HELM, OURS), status(409), versioned("4", HELM, other, OURS), versioned("5", HELM, other))
    client.merge_patch("Secret", "s", "ns", {})
    assert [method for method, *_ in server.requests] == ["PATCH", "PATCH", "GET", "PATCH"]
    assert server.requests[-1][2] == {"metadata": {"resourceVersion": "4", "managedFields": [HELM, other]}}
    assert "PartialObjectMetadata" in server.requests[2][3]["Accept"]


@pytest.mark.parametrize("gone", [[status(404)], [status(409), MISSING]])
def test_what_is_deleted_meanwhile_has_no_claim(gone):
    client, server = kube(versioned("2", HELM, OURS), *gone)
    client.merge_patch("Secret", "s", "ns", {})


def test_a_dry_run_gives_up_nothing():
    client, server = kube(versioned("2", HELM, OURS))
    client.merge_patch("Secret", "s", "ns", {}, dry_run=True)
    client.release("Secret", "s", "ns", dry_run=True)
    assert [method for method, *_ in server.requests] == ["PATCH", "GET"]
