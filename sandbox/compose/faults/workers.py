"""Faults of the workers' containers."""

from __future__ import annotations

from sandbox.compose.steps import ComposeStack, on_compose
from sandbox.fault import Expect, Fault
from sandbox.faults.workers import forget, ids, require_fresh, silence
from sandbox.polling import require

ALERT = "NoActiveWorkers"
REMOVED = "removed worker"


def _cut_off(stack: ComposeStack) -> None:
    network = stack.docker.networks.get(stack.network)
    for worker in stack.workers:
        if stack.network in worker.there().attrs["NetworkSettings"]["Networks"]:
            network.disconnect(worker.there())
    # The server does not notice that they are gone: their sessions would stay for hours.
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orchestrator-worker'")
    silence(stack, ids(stack.workers))


def _is_cut_off(stack: ComposeStack) -> None:
    require_fresh(stack, 0)
    for worker in stack.workers:
        require(worker.condition() == "running", f"{worker.name} is {worker.condition()}")


def _join_again(stack: ComposeStack) -> None:
    old = ids([worker for worker in stack.workers if worker.container])
    for container in stack.containers("worker"):
        container.remove(force=True)  # it would ignore SIGTERM while it waits for the database
    stack.recreate("worker")
    forget(stack, old)
    for worker in stack.workers:
        worker.wait_ready()


def _remove_one(stack: ComposeStack) -> None:
    worker = stack.workers[-1]
    stack.note(REMOVED, worker.worker_id)
    worker.remove()
    silence(stack, [stack.noted(REMOVED)])


def _one_missing(stack: ComposeStack) -> None:
    left = len(stack.workers) - 1
    require(len(stack.containers("worker")) == left, "the worker still has a container")
    require_fresh(stack, left)


def _make_again(stack: ComposeStack) -> None:
    if REMOVED in stack.state.notes:
        forget(stack, [stack.noted(REMOVED)])
        stack.note(REMOVED, None)
    stack.workers[-1].start()


PARTITION = Fault(
    name="network-partition",
    does="disconnects the workers from the database's network and backdates the last heartbeats by ten minutes",
    expect=Expect(ALERT, "firing", "network-partition"),
    break_=on_compose(_cut_off),
    took_hold=on_compose(_is_cut_off),
    heal=on_compose(_join_again),
)
REPLICA_MISSING = Fault(
    name="replica-missing",
    does="removes one of the two workers' containers and backdates its last heartbeat by ten minutes",
    expect=Expect(ALERT, "noted", "worker-missing"),
    break_=on_compose(_remove_one),
    took_hold=on_compose(_one_missing),
    heal=on_compose(_make_again),
)
