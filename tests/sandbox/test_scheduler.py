"""The stand-in scheduler outlives its database, as containers of the real one do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from apscheduler.schedulers.blocking import BlockingScheduler  # type: ignore[import-untyped]
from sqlalchemy.exc import OperationalError

from sandbox.services import scheduler

if TYPE_CHECKING:
    import pytest


def test_it_tries_again_after_an_error_of_its_job_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> NoReturn:
        raise OperationalError("SELECT", {}, Exception("server closed the connection unexpectedly"))

    monkeypatch.setattr(BlockingScheduler, "_process_jobs", fail)
    assert scheduler.scheduler._process_jobs() == scheduler.PAUSE_AFTER_ERROR
