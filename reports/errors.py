"""Errors of the suite itself: one line each, and what they do not concern is judged all the same."""

from __future__ import annotations

from typing import Any

import pytest

from playbook.outcome import internal_error
from playbook.target import TARGET

_STASHED = pytest.StashKey[list[str]]()


class InternalErrors:
    """Errors of a health run itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Have an error of the suite itself, or of a plugin, shown as one line, unless --full-trace asks for more."""
        words = masked_error(self._config, excinfo.value)
        internal_errors_of(self._config).append(words)
        if not self._config.option.fulltrace:
            vars(excrepr)["toterminal"] = lambda terminal: terminal.write(words)


def internal_errors_of(config: pytest.Config) -> list[str]:
    """Return the errors of the suite itself, or of plugins, so far."""
    return config.stash.setdefault(_STASHED, [])


def masked_error(config: pytest.Config, error: BaseException) -> str:
    """Return the one line that stands for an error, without secrets of the target."""
    target = config.stash.get(TARGET, None)
    words = internal_error(error)
    return target.mask(words) if target else words
