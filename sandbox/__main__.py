"""The command line of the sandbox, `python -m sandbox`: each verb is a function, and its docstring is the help."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sandbox.breaking import break_stack, heal_stack, known, named
from sandbox.embedded import REPOSITORY, EmbeddedStack
from sandbox.faults import OF_MONITORING
from sandbox.filling import ITEMS, RUNS
from sandbox.filling import fill as fill_stack
from sandbox.polling import NotYet
from sandbox.servers import SandboxError
from sandbox.state import FILE as STATE_FILE
from sandbox.state import State
from sandbox.target import FILE as TARGET_FILE

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from types import FrameType

    from sandbox.stack import Stack

PATIENCE = 20  # seconds that an interrupted pytest gets to write its report


def up(options: Namespace) -> int:
    """Make a sandbox, start it and print its addresses."""
    if options.project and not options.compose:
        options.refuse("--project needs --compose")
    started = time.monotonic()
    stack: Stack
    if options.compose:
        from sandbox.compose.stack import PROJECT, ComposeStack

        stack = ComposeStack.up(options.dir, options.project or PROJECT)
    else:
        stack = EmbeddedStack.up(options.dir, monitoring=options.monitoring)
    print(f"sandbox is up after {time.monotonic() - started:.1f} s in {stack.folder}")
    print(f"  api       {stack.api_url}")
    print(f"  postgres  127.0.0.1:{stack.state.ports['postgres']}, database and user orchestrator")
    print(f"  redis     {stack.redis_url}")
    if options.monitoring:
        for service in stack.monitoring.services:
            print(f"  {service.name:<17} {stack.monitoring.url(service.name)}")
    print(f"  settings  {stack.folder / TARGET_FILE}")
    if options.compose:
        print(f"  compose   project {stack.state.project}: `docker compose ps` in {stack.folder}")
    return 0


def status(options: Namespace) -> int:
    """List the services and the faults in force; exit status 0 if the sandbox is up, else 1."""
    if not (options.dir / STATE_FILE).exists():
        print(f"no sandbox in {options.dir}")
        return 1
    stack = _load(options.dir)
    for service in stack.services:
        pid, port = service.pid or "-", stack.state.ports.get(service.name, "-")
        print(f"{service.name:<17} {service.condition():<8} pid {pid!s:<8} port {port}")
    print(f"faults: {', '.join(stack.state.broken) or 'none'}")
    return 0 if stack.is_up() else 1


def break_(options: Namespace) -> int:
    """Put a fault into force, and wait until it has taken hold."""
    stack = _load(options.dir)
    fault = named(options.fault, stack.state.form, monitoring=stack.state.monitoring)
    break_stack(stack, fault)
    print(f"{fault.name}: {fault.does}")
    print(f"  expected: {fault.expect.alert or 'nothing'} {fault.expect.state} {fault.expect.cause or ''}")
    return 0


def heal(options: Namespace) -> int:
    """Heal all faults, and wait until the sandbox is healthy."""
    healed = heal_stack(_load(options.dir))
    print(f"healed: {', '.join(healed) or 'nothing was broken'}; the sandbox is healthy")
    return 0


def fill(options: Namespace) -> int:
    """Add rows to task_run and due_work, to measure statements on large tables."""
    started = time.monotonic()
    fill_stack(_load(options.dir), runs=options.runs, items=options.items)
    print(f"added {options.runs:,} runs and {options.items:,} items after {time.monotonic() - started:.0f} s")
    print("  the workers take no items from now on: this sandbox cannot become healthy again")
    return 0


def down(options: Namespace) -> int:
    """End the sandbox and remove its folder; exit status 0 also if there is none."""
    if (options.dir / STATE_FILE).exists():
        _load(options.dir).down()
        print(f"sandbox in {options.dir} is down")
    else:
        print(f"no sandbox in {options.dir}")
    return 0


def demo(options: Namespace) -> int:
    """Judge a new sandbox, broken if a fault is named, with the checks of this project; keep only the report."""
    fault = named(options.fault, monitoring=True) if options.fault else None
    with tempfile.TemporaryDirectory(prefix="sandbox-") as temporary:
        stack = EmbeddedStack.up(Path(temporary) / "sandbox", monitoring=options.fault in OF_MONITORING)
        try:
            if fault:
                break_stack(stack, fault)
                print(f"{fault.name}: {fault.does}", flush=True)
            return _judge(stack.folder / TARGET_FILE)
        finally:
            stack.down()
            print("report: reports/output/latest/report.html")


def faults(options: Namespace) -> int:
    """List the faults, each with the alert, the state and the cause that it must produce."""
    for fault in known("compose" if options.compose else "embedded", monitoring=True).values():
        if fault is next(iter(OF_MONITORING.values())):
            print("\nof the monitoring, after `python -m sandbox up --monitoring`:")
        expect = fault.expect
        outcome = f"{expect.alert or '-':<25} {expect.state:<8} {expect.cause or '-':<26}"
        print(f"{fault.name:<32} {outcome} {fault.does}")
    return 0


def _load(folder: Path) -> Stack:
    if (folder / STATE_FILE).exists() and State.load(folder).form == "compose":
        from sandbox.compose.stack import ComposeStack  # needs the engine's client, which the other form does not

        return ComposeStack.load(folder)
    return EmbeddedStack.load(folder)


def _judge(target: Path) -> int:
    # In one word: pytest takes a path that stands alone for a test's, and looks for its settings there.
    command = [sys.executable, "-m", "pytest", f"--target={target}"]
    # A session of its own, so that a Ctrl-C comes to it once and from here, not from the terminal as well.
    with subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True) as checks:  # noqa: S603  our own
        try:
            return checks.wait()
        except BaseException:
            checks.send_signal(signal.SIGINT)  # it still writes its report
            try:
                checks.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                checks.kill()
            raise


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)  # an exception, so that everything is cleaned up


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A small real Ordinaut to try and test on.")
    help_ = "its folder (default: $ORDINAUT_SANDBOX, or .sandbox in the repository)"
    default = os.environ.get("ORDINAUT_SANDBOX") or REPOSITORY / ".sandbox"
    parser.add_argument("--dir", type=Path, default=default, help=help_)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def add(verb: Callable[[Namespace], int], *, has_dir: bool = True) -> argparse.ArgumentParser:
        command = verbs.add_parser(verb.__name__.rstrip("_"), help=verb.__doc__, description=verb.__doc__)
        command.set_defaults(verb=verb, refuse=command.error)
        if has_dir:
            command.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help=help_)
        return command

    making = add(up)
    making.add_argument("--project", help="name of the compose project (default: ordinaut-sandbox)")
    kind = making.add_mutually_exclusive_group()
    kind.add_argument(
        "--monitoring", action="store_true", help="with Prometheus, Alertmanager and a stand-in for Grafana"
    )
    add(status)
    add(break_).add_argument("fault", metavar="FAULT")
    add(heal)
    filling = add(fill)
    filling.add_argument("--runs", type=int, default=RUNS, help="rows of task_run (default: %(default)s)")
    filling.add_argument("--items", type=int, default=ITEMS, help="rows of due_work (default: %(default)s)")
    add(down)
    add(demo, has_dir=False).add_argument("fault", nargs="?", metavar="FAULT")
    for command in (kind, add(faults, has_dir=False)):
        command.add_argument("--compose", action="store_true", help="in containers of the Docker engine")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a verb and return its exit status: 1 if it fails, 130 if it is interrupted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        done: int = options.verb(options)
    except (SandboxError, NotYet) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sandbox: interrupted", file=sys.stderr)
        return 130
    return done


if __name__ == "__main__":
    sys.exit(main())
