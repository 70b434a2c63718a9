"""When a Deployment is restarted, and when its rollout is finished."""

import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import (
    RECORD,
    RolloutError,
    plan_release,
    plan_restart,
    pod_failures,
    version,
    waiting_for,
)

CONFIGURATION = {"Secret/creds": "u1/5", "ConfigMap/images": "u2/6"}


def deployment(record=None, generation=2, spec=None, **status):
    annotations = {} if record is None else {RECORD: record if isinstance(record, str) else json.dumps(record)}
    status = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, **status}
    return {
        "metadata": {"name": "d", "namespace": "ns", "generation": generation, "resourceVersion": "9"},
        "spec": {
            "replicas": 1,
            "template": {"metadata": {"annotations": {"other": "x", **annotations}}},
            **(spec or {}),
        },
        "status": status,
    }


def test_the_version_of_an_object():
    assert version({"uid": "u1", "resourceVersion": "5", "name": "creds"}) == "u1/5"


@pytest.mark.parametrize(("record", "left"), [(CONFIGURATION, None), ({**CONFIGURATION, "Secret/other": "x"}, '{"Secret/other":"x"}')])
def test_a_release_takes_its_objects_out_of_the_record(record, left):
    (change,) = plan_release(deployment(record), [*CONFIGURATION, "ServiceAccount/sa"])
    assert change.parameters["patch"]["spec"]["template"]["metadata"]["annotations"] == {RECORD: left}
    assert (change.before, change.after) == (CONFIGURATION, {})
    assert plan_release(deployment({"Secret/other": "x"}), list(CONFIGURATION)) == plan_release(deployment(), list(CONFIGURATION)) == []


@pytest.mark.parametrize("record", [CONFIGURATION, {**CONFIGURATION, "Secret/other": "x"}])
def test_pods_with_the_present_configuration_are_left_alone(record):
    assert plan_restart(deployment(record), CONFIGURATION) == []


@pytest.mark.parametrize(
    ("record", "before"),
    [
        (None, {"Secret/creds": None, "ConfigMap/images": None}),
        ("spoilt", {"Secret/creds": None, "ConfigMap/images": None}),
        ("[]", {"Secret/creds": None, "ConfigMap/images": None}),
        ({"Secret/creds": "u1/5"}, {"ConfigMap/images": None}),
        # The same uid at another version: someone wrote, whatever the content is now.
        ({**CONFIGURATION, "Secret/creds": "u1/4"}, {"Secret/creds": "u1/4"}),
        ({**CONFIGURATION, "Secret/creds": "u0/5"}, {"Secret/creds": "u0/5"}),
    ],
)
def test_any_difference_restarts_once(record, before):
    (change,) = plan_restart(deployment(record), CONFIGURATION)
    assert (change.action, change.resource, change.attribute) == ("update", "Deployment ns/d", "restart")
    assert change.before == before
    assert change.after == {name: CONFIGURATION[name] for name in before}
    patch = change.parameters["patch"]
    assert patch["metadata"] == {"resourceVersion": "9"}
    assert plan_restart(deployment(patch["spec"]["template"]["metadata"]["annotations"][RECORD]), CONFIGURATION) == []


def test_records_of_other_objects_stay():
    (change,) = plan_restart(deployment({"Secret/other": "u3/1"}), {"Secret/creds": "u1/5"})
    annotations = change.parameters["patch"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {RECORD: '{"Secret/creds":"u1/5","Secret/other":"u3/1"}'}


def test_a_template_without_annotations_is_restarted():
    bare = deployment()
    bare["spec"]["template"] = {"spec": {}}
    assert len(plan_restart(bare, CONFIGURATION)) == 1


PAUSED = (
    "Deployment ns/d is paused, so that its pods keep their old configuration; resume it with"
    " kubectl rollout resume deployment/d -n ns and run again."
)


def test_a_paused_deployment_cannot_be_restarted():
    with pytest.raises(RolloutError) as error:
        plan_restart(deployment(spec={"paused": True}), CONFIGURATION)
    assert str(error.value) == PAUSED
    assert plan_restart(deployment(CONFIGURATION, spec={"paused": True}), CONFIGURATION) == []


def progressing(reason):
    return {"conditions": [{"type": "Progressing", "status": "False", "reason": reason}]}


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (deployment(), None),
        (deployment(**progressing("NewReplicaSetAvailable")), None),
        (deployment(spec={"replicas": 0}, replicas=0, updatedReplicas=0, availableReplicas=0), None),
        (deployment(generation=3), "the deployment controller to see the new specification"),
        # The condition belongs to the former specification.
        (
            deployment(generation=3, **progressing("ProgressDeadlineExceeded")),
            "the deployment controller to see the new specification",
        ),
        (deployment(updatedReplicas=0), "new pods (0 of 1 exist)"),
        (deployment(spec={"replicas": 3}, updatedReplicas=2, replicas=3), "new pods (2 of 3 exist)"),
        (deployment(replicas=2), "the end of 1 old pods"),
        (deployment(availableReplicas=0), "new pods to become available (0 of 1 are)"),
        (deployment(spec={"paused": True}), None),
    ],
)
def test_what_a_rollout_waits_for(current, expected):
    assert waiting_for(current) == expected


def test_a_status_that_nobody_has_written_yet():
    current = deployment()
    del current["status"]
    assert waiting_for(current) == "the deployment controller to see the new specification"


@pytest.mark.parametrize(
    ("current", "message"),
    [
        (
            deployment(updatedReplicas=0, **progressing("ProgressDeadlineExceeded")),
            "Deployment ns/d exceeded its progress deadline.",
        ),
        (deployment(updatedReplicas=0, spec={"paused": True}), PAUSED),
    ],
)
def test_rollouts_that_do_not_finish(current, message):
    with pytest.raises(RolloutError) as error:
        waiting_for(current)
    assert str(error.value) == message


def pod(name="p", created="1", conditions=(), metadata=None, **container):
    status = {"conditions": list(conditions), "containerStatuses": [{"name": "c", **container}]}
    return {"metadata": {"name": name, "creationTimestamp": created, **(metadata or {})}, "status": status}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([pod(ready=True, state={"running": {}})], []),
        ([pod(ready=False, state={"running": {}})], ["container c of pod p: runs, but is not ready"]),
        (
            [pod(state={"waiting": {"reason": "ErrImagePull", "message": "no such image"}})],
            ["container c of pod p: ErrImagePull: no such image"],
        ),
        ([pod(state={"waiting": {"reason": "ContainerCreating"}})], ["container c of pod p: ContainerCreating"]),
        (
            [
                pod(
                    state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                    lastState={"terminated": {"exitCode": 1, "reason": "Error", "message": "password=secret"}},
                )
            ],
            ["container c of pod p: CrashLoopBackOff: back-off 10s, ended with exit code 1 (Error)"],
        ),
        (
            [pod(state={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})],
            ["container c of pod p: ended with exit code 137 (OOMKilled)"],
        ),
        ([pod(state={"terminated": {"exitCode": 0, "reason": "Completed"}})], []),
        (
            [pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}])],
            ["pod p is not scheduled: 0/1 nodes are available"],
        ),
        ([pod(state={"waiting": {"reason": "X"}}, metadata={"deletionTimestamp": "1"})], []),
        (
            [pod("old", "1", state={"waiting": {"reason": "X"}}), pod("new", "2", state={"waiting": {"reason": "Y"}})],
            ["container c of pod new: Y", "container c of pod old: X"],
        ),
    ],
)
def test_what_pods_say(pods, expected):
    assert pod_failures(deployment(), pods) == expected


def test_pods_that_cannot_be_created():
    failing = deployment(
        conditions=[{"type": "ReplicaFailure", "status": "True", "message": 'serviceaccount "x" not found'}]
    )
    assert pod_failures(failing, []) == ['no pod can be created: serviceaccount "x" not found']
