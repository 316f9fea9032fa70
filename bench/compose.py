"""The suite against the playbook's own steps, typed one after the other, on the sandbox in containers."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from bench.processes import empty_session, health_run, in_turn, ratio, reached, seconds_of, show
from sandbox.compose.stack import ComposeStack

PLAYBOOK = Path(__file__).with_name("playbook.sh")
SERVICES = ("api", "postgres", "redis", "scheduler", "worker")
EMPTY, SEV0, ALL = "empty pytest session", "pytest -m sev0", "pytest, all alerts"
STEPS_SEV0, STEPS = "the playbook's sev0 steps", "the playbook's steps"


def steps(severity: str = "") -> list[str]:
    """Return the playbook's steps as shell text; those of one severity, or all."""
    parts = re.split(r"(?m)^#= (sev\d) \w+ \d\n", PLAYBOOK.read_text(encoding="utf-8"))[1:]
    named = zip(parts[::2], parts[1::2], strict=True)
    return [step for name, step in named if severity in ("", name)]


def measure(rounds: int) -> bool:
    """Time both in one run; False where a number of the design was not reached."""
    with tempfile.TemporaryDirectory() as scratch, empty_session() as empty:
        stack = ComposeStack.up(Path(scratch) / "sandbox", "ordinaut-bench")
        try:
            project = f"--project={stack.project}"
            timed = in_turn(
                {
                    EMPTY: empty,
                    SEV0: lambda: health_run(project, "-m", "sev0"),
                    ALL: lambda: health_run(project),
                    STEPS_SEV0: lambda: _type(stack, steps("sev0"), Path(scratch)),
                    STEPS: lambda: _type(stack, steps(), Path(scratch)),
                },
                rounds,
            )
        finally:
            stack.down()
    show("Compose sandbox, whole processes", timed, EMPTY)
    print(f"  the playbook has {len(steps('sev0'))} steps of severity 0, {len(steps())} in all")
    return all(
        [
            reached("sev0 of the playbook's", ratio(timed, SEV0, STEPS_SEV0), 0.1),
            reached("sev0 of an empty session", ratio(timed, SEV0, EMPTY), 1.8),
            reached("all alerts of the playbook's", ratio(timed, ALL, STEPS), 0.05),
        ]
    )


def _type(stack: ComposeStack, those: list[str], folder: Path) -> float:
    names = {service.upper(): str(stack.containers(service)[0].name) for service in SERVICES}
    url = f"http://127.0.0.1:{stack.state.ports['api']}"
    command = ["bash", "-c", "\n".join(those)]  # some steps of the playbook fail: that is no matter here
    return seconds_of(command, folder, None, **names, API_URL=url)
