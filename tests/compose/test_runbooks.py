"""The commands of the runbooks that are labelled safe, run as they stand there on a stack of containers."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from reports.runbooks import COMPOSE, HERE, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.compose.stack import ComposeStack

STEP = re.compile(r"^\d+\. \*\*safe\*\*(.*?)(?=^\d+\. |^## |^$|\Z)", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"```bash\n(.*?)```|`([^`]+)`", re.DOTALL)
NOT_IN_V1 = re.compile(r" --since \w+")  # of `logs`; where Debian packages v1 alone, the rest of it is tried
AT_ONCE = 4


def commands() -> Iterator[str]:
    """Yield the compose commands of safe steps, except those with values that only a fault reveals."""
    for page in sorted(HERE.glob("*.md")):
        for step in STEP.findall(page.read_text(encoding="utf-8")):
            for block, word in COMMAND.findall(step):
                lines = (block or word).strip().replace("\\\n", " ").splitlines()
                found = [line.strip() for line in lines if line.strip().startswith(f"{COMPOSE} ")]
                yield from (line for line in found if not re.search(r"<\w[\w-]*>|--follow|`", line))


def test_there_are_commands() -> None:
    assert len(set(commands())) > 30


@pytest.mark.docker
def test_every_safe_command_works_as_it_stands(running: ComposeStack) -> None:
    compose = f"docker compose -p {running.project} -f {running.folder}/compose.yaml"
    version = subprocess.run(["docker", "compose", "version"], capture_output=True, text=True, check=True).stdout
    is_v1 = "docker-compose version 1." in version

    def run(command: str) -> str:
        # Commands after the first bar search the output, and may find nothing. v1 needs `-T` where it has no terminal.
        command_here = NOT_IN_V1.sub("", command).replace(" exec ", " exec -T ") if is_v1 else command
        done = subprocess.run(
            ["bash", "-c", filled(command_here, {}, compose).split(" | ")[0]],
            cwd=running.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return "" if done.returncode == 0 else f"{command}: {(done.stdout + done.stderr)[-300:]}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failed = [words for words in pool.map(run, sorted(set(commands()))) if words]
    assert not failed, "\n".join(failed)
    running.require_healthy()
