"""`python -m sandbox up [--compose] | status | break FAULT | heal | fill | down | demo [FAULT] | faults`."""

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
    from types import FrameType

    from sandbox.compose.stack import ComposeStack
    from sandbox.state import Form

FOLDER_HELP = "its folder (default: $ORDINAUT_SANDBOX, or .sandbox in the repository)"
PATIENCE = 20  # seconds that an interrupted pytest gets to write its report


def load(folder: Path) -> EmbeddedStack | ComposeStack:
    """Return the sandbox of a folder, whichever form it has."""
    if (folder / STATE_FILE).exists() and State.load(folder).form == "compose":
        from sandbox.compose.stack import ComposeStack  # needs the engine's client, which the other form does not

        return ComposeStack.load(folder)
    return EmbeddedStack.load(folder)


def up(folder: Path, *, compose: bool, project: str | None, monitoring: bool) -> int:
    """Make a sandbox and say where it is."""
    started = time.monotonic()
    stack: EmbeddedStack | ComposeStack
    if compose:
        from sandbox.compose.stack import PROJECT, ComposeStack

        stack = ComposeStack.up(folder, project or PROJECT)
    else:
        stack = EmbeddedStack.up(folder, monitoring=monitoring)
    print(f"sandbox is up after {time.monotonic() - started:.1f} s in {stack.folder}")
    print(f"  api       {stack.api_url}")
    print(f"  postgres  127.0.0.1:{stack.state.ports['postgres']}, database and user orchestrator")
    print(f"  redis     {stack.redis_url}")
    if monitoring:
        for service in stack.monitoring.services:
            print(f"  {service.name:<17} {stack.monitoring.url(service.name)}")
    print(f"  settings  {stack.folder / TARGET_FILE}")
    if compose:
        print(f"  compose   project {stack.state.project}: `docker compose ps` in {stack.folder}")
    return 0


def status(folder: Path) -> int:
    """List the services and the faults; 0 if the sandbox is up, 1 if not."""
    if not (folder / STATE_FILE).exists():
        print(f"no sandbox in {folder}")
        return 1
    stack = load(folder)
    for service in stack.services:
        pid, port = service.pid or "-", stack.state.ports.get(service.name, "-")
        print(f"{service.name:<17} {service.condition():<8} pid {pid!s:<8} port {port}")
    print(f"faults: {', '.join(stack.state.broken) or 'none'}")
    return 0 if stack.is_up() else 1


def down(folder: Path) -> int:
    """End everything and remove the folder; where there is nothing, that is fine."""
    if (folder / STATE_FILE).exists():
        load(folder).down()
        print(f"sandbox in {folder} is down")
    else:
        print(f"no sandbox in {folder}")
    return 0


def break_(folder: Path, name: str) -> int:
    """Break the sandbox in one way."""
    stack = load(folder)
    fault = named(name, stack.state.form, monitoring=stack.state.monitoring)
    break_stack(stack, fault)
    print(f"{fault.name}: {fault.does}")
    print(f"  to come of it: {fault.expect.alert or 'nothing'} {fault.expect.state} {fault.expect.cause or ''}")
    return 0


def heal(folder: Path) -> int:
    """Heal all faults."""
    healed = heal_stack(load(folder))
    print(f"healed: {', '.join(healed) or 'nothing was broken'}; the sandbox is healthy")
    return 0


def fill(folder: Path, runs: int, items: int) -> int:
    """Add rows to the large tables, to see what statements cost there."""
    stack = load(folder)
    started = time.monotonic()
    fill_stack(stack, runs=runs, items=items)
    print(f"added {runs:,} runs and {items:,} items after {time.monotonic() - started:.0f} s")
    print("  the workers leave the queue alone from now on: this sandbox does not get healthy again")
    return 0


def demo(name: str | None) -> int:
    """Judge a fresh sandbox, broken if a fault is named, and leave nothing of it but the report."""
    fault = named(name, monitoring=True) if name else None
    with tempfile.TemporaryDirectory(prefix="sandbox-") as temporary:
        stack = EmbeddedStack.up(Path(temporary) / "sandbox", monitoring=name in OF_MONITORING)
        try:
            if fault:
                break_stack(stack, fault)
                print(f"{fault.name}: {fault.does}", flush=True)
            return _judge(stack.folder / TARGET_FILE)
        finally:
            stack.down()
            print("report: reports/output/latest/report.html")


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


def faults(form: Form) -> int:
    """List the faults."""
    for fault in known(form, monitoring=True).values():
        if fault is next(iter(OF_MONITORING.values())):
            print("\nof what watches it, after `python -m sandbox up --monitoring`:")
        expect = fault.expect
        outcome = f"{expect.alert or '-':<25} {expect.state:<8} {expect.cause or '-':<26}"
        print(f"{fault.name:<32} {outcome} {fault.does}")
    return 0


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)  # an exception, so that everything is cleaned up


def _default_folder() -> Path:
    return Path(os.environ.get("ORDINAUT_SANDBOX") or REPOSITORY / ".sandbox")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A small real Ordinaut to try and test on.")
    parser.add_argument("--dir", type=Path, default=_default_folder(), help=FOLDER_HELP)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_ in {
        "up": "make one and start it",
        "status": "say how it is; exit status 0 if it is up",
        "break": "break it",
        "heal": "heal all faults",
        "fill": "fill task_run and due_work, to measure on large tables",
        "down": "end it and remove its folder",
        "demo": "judge a fresh one, broken if a fault is named, with the checks of this project",
        "faults": "list the faults",
    }.items():
        command = commands.add_parser(name, help=help_)
        if name in ("break", "demo"):
            command.add_argument("fault", nargs="?" if name == "demo" else None, metavar="FAULT")
        if name not in ("demo", "faults"):
            command.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help=FOLDER_HELP)
        if name == "fill":
            command.add_argument("--runs", type=int, default=RUNS, help="rows of task_run (default: %(default)s)")
            command.add_argument("--items", type=int, default=ITEMS, help="rows of due_work (default: %(default)s)")
        if name in ("up", "faults"):
            command.add_argument("--compose", action="store_true", help="in containers of the Docker engine")
        if name == "up":
            command.add_argument(
                "--monitoring", action="store_true", help="with Prometheus, Alertmanager, exporters and Grafana's API"
            )
            command.add_argument("--project", help="its compose project (default: ordinaut-sandbox)")
    options = parser.parse_args(arguments)
    if options.command == "up" and options.project and not options.compose:
        parser.error("--project goes with --compose")
    if options.command == "up" and options.monitoring and options.compose:
        parser.error("--monitoring does not go with --compose")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        match options.command:
            case "break":
                return break_(options.dir, options.fault)
            case "fill":
                return fill(options.dir, options.runs, options.items)
            case "demo":
                return demo(options.fault)
            case "faults":
                return faults("compose" if options.compose else "embedded")
            case "up":
                return up(options.dir, compose=options.compose, project=options.project, monitoring=options.monitoring)
            case command:
                return {"status": status, "heal": heal, "down": down}[command](options.dir)
    except (SandboxError, NotYet) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sandbox: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
