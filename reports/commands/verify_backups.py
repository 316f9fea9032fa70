"""Read the newest backups whole, also those that are too large for a run, and let later runs know what is wrong.

For cron, each night after the backup. What it is given beyond its own option goes to pytest: `--target`, `--hosts`, and
`-o cache_dir=…` where the runs have it, since pytest's cache is where they find it.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest
from _pytest.cacheprovider import Cache  # a run has it ready, a command has not

from fixtures.clients.streaming import PatientHost
from fixtures.platform.backups import look
from fixtures.target import cached_backups, find_target
from playbook.evidence import Absent, Unknown, bounded
from playbook.quantities import Span
from reports.results import FIRING, NOTHING_JUDGED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.platform.backups import BackupFile, Backups

BUDGET = Span(2 * 3600)


class Verifier:
    """A plugin that stands for a run: it reads the backups, and nothing is collected."""

    def __init__(self, budget: Span) -> None:
        self._seconds = budget.total_seconds()

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Read, remember and print; return the exit status of a run that finds the same."""
        if not config.pluginmanager.has_plugin("cacheprovider"):
            raise pytest.UsageError("without pytest's cache no run would know what was found")
        target, _ = find_target(config)
        cache, key = Cache.for_config(config, _ispytest=True), cached_backups(target)
        whole = {version: flaw for version, flaw in cache.get(key, {}).items() if not flaw}
        try:
            with bounded(self._seconds):
                found, read = look(target, PatientHost(target.host, self._seconds), whole, in_a_run=False)
        except (Absent, Unknown) as error:
            print(f"verify-backups: {error}", file=sys.stderr)
            return NOTHING_JUDGED if isinstance(error, Absent) else UNKNOWN
        cache.set(key, read)
        if cache.get(key, None) != read:
            raise pytest.UsageError("pytest's cache cannot be written: no run would know what was found")
        files = list(newest(found))
        for file in files:
            print(target.mask(str(file) + ("" if file.flaw or not file.verified else ": whole")))
        for sentence in found.closed:
            print(target.mask(sentence))
        if any(file.flaw for file in files):
            return FIRING
        unseen = found.closed or not all(found.files.values()) or not all(file.verified for file in files)
        return UNKNOWN if unseen else 0


def newest(found: Backups) -> Iterator[BackupFile]:
    """Yield the backups of each kind, newest first, to the first that is whole and has an age."""
    for files in found.files.values():
        for file in files:
            yield file
            if file.verified and not file.flaw and file.since is not None:
                break


class _Parser(argparse.ArgumentParser):
    """Wrong usage has pytest's exit status here too."""

    def error(self, message: str) -> NoReturn:
        self.exit(int(pytest.ExitCode.USAGE_ERROR), f"verify-backups: {message}\n")


def _budget(text: str) -> Span:
    try:
        budget = Span.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not Span(1) <= budget <= Span(86400):
        raise argparse.ArgumentTypeError("it must be between 1 s and 1 d")
    return budget


def main(given: list[str] | None = None) -> int:
    """Verify: 0 all whole, 1 one is broken, 6 one could not be read, else as pytest has it."""
    parser = _Parser(prog="python -m reports.commands.verify_backups", description=__doc__, allow_abbrev=False)
    parser.add_argument("--budget", type=_budget, default=BUDGET, metavar="TIME", help=f"for all of it ({BUDGET})")
    own, rest = parser.parse_known_args(given)
    return int(pytest.main(rest, plugins=[Verifier(own.budget)]))


if __name__ == "__main__":
    sys.exit(main())
