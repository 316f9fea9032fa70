from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fixtures.platform.logs import LINE_CAP, TAIL, LogTail, read_log
from playbook.quantities import Span

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
TEN_MINUTES = Span(600)


def log(*lines: str, zone: str = "UTC") -> LogTail:
    return read_log("api", "\n".join(lines), NOON, ZoneInfo(zone))


def json_line(**fields: object) -> str:
    return json.dumps(fields)


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-04 11:58:00 ERROR [api] lost",
        "2026-03-04 11:58:00,123 CRITICAL api: lost",
        "2026-03-04 11:58:00.123 UTC [42] FATAL:  lost",
        "2026-03-04T11:58:00Z PANIC lost",
        "2026-03-04T13:58:00+02:00 ERROR lost",
        "2026-03-04T13:58:00.5+0200 ERROR lost",
        "2026-03-04 06:28:00 -05:30 ERROR lost",
        json_line(timestamp="2026-03-04T11:58:00.123456+00:00", level="error", message="lost"),
        json_line(timestamp="2026-03-04T13:58:00+02:00", level="CRITICAL", message="lost", extra={"deep": [1]}),
        "2026-03-04T11:58:00.123456789Z 2026-03-04 09:00:00 ERROR lost",  # as the Docker engine dates a line
        "\x1b[31m2026-03-04 11:58:00 \x1b[1mERROR\x1b[0m lost",
    ],
)
def test_an_error_is_dated_whatever_its_form(line: str) -> None:
    (error,) = log(line).errors(TEN_MINUTES)
    assert error.at is not None
    assert NOON - timedelta(minutes=2) <= error.at < NOON - timedelta(minutes=1, seconds=59)
    assert error.text.endswith("lost")
    assert "\x1b" not in error.text


def test_a_time_without_a_zone_is_the_targets() -> None:
    (line,) = log("2026-03-04 13:58:00 ERROR lost", zone="Europe/Chisinau").lines
    assert line.at == NOON - timedelta(minutes=2)


def test_a_summer_time_is_read_as_such() -> None:
    (line,) = log("2026-07-01 12:00:00 ERROR lost", zone="Europe/Chisinau").lines
    assert line.at == datetime(2026, 7, 1, 9, 0, 0, tzinfo=UTC)


def test_an_error_of_long_ago_does_not_count() -> None:
    assert log("2026-03-04 11:49:59 ERROR lost").errors(TEN_MINUTES) == []
    assert len(log("2026-03-04 11:50:00 ERROR lost").errors(TEN_MINUTES)) == 1


def test_an_undated_line_has_the_time_of_the_line_before_it() -> None:
    traceback = ("2026-03-04 09:00:00 INFO start", "Traceback (most recent call last):", "ERROR: it was this")
    assert log(*traceback).errors(TEN_MINUTES) == []


def test_an_error_that_was_never_dated_counts() -> None:
    assert [line.at for line in log("ERROR lost").errors(TEN_MINUTES)] == [None]


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-04 11:58:00 INFO 0 errors found",
        "2026-03-04 11:58:00 WARNING an error may follow",
        "2026-03-04 11:58:00 INFO ERRORS=0 TERRORS",
        json_line(timestamp="2026-03-04T11:58:00Z", level="info", message="ERROR is only a word here"),
        json_line(timestamp="2026-03-04T11:58:00Z", message="no level"),
        "",
        "{ no JSON",
        "[1, 2]",
    ],
)
def test_what_is_no_error_is_none(line: str) -> None:
    assert log(line).errors(TEN_MINUTES) == []


@pytest.mark.parametrize(
    "line",
    [
        "2026-13-45 99:99:99 ERROR an impossible date",
        "{\"level\": \"error\"",
        "{\"level\": null, \"message\": null, \"timestamp\": 12}",
        "\udcff\ufffd\x00 ERROR bytes that are no text",
        "2026-03-04 11:58:00+99:99 ERROR an impossible offset",
        "{" * 2000,
        '{"deep": ' * 50_000,
    ],
)  # fmt: skip
def test_no_line_is_too_strange_to_be_read(line: str) -> None:
    assert len(log(line, "2026-03-04 11:58:00 ERROR lost").errors(TEN_MINUTES)) >= 1


def test_a_log_is_read_up_to_its_bounds() -> None:
    tail = log(*["2026-03-04 11:58:00 ERROR " + "x" * 2000] * 500)
    assert len(tail.lines) == TAIL
    assert {len(line.text) for line in tail.lines} == {LINE_CAP}


def test_words_are_looked_for_in_recent_errors_alone() -> None:
    tail = log(
        "2026-03-04 09:00:00 PANIC: Corrupt page",
        "2026-03-04 11:58:00 INFO corrupt is a word",
        "2026-03-04 11:59:00 ERROR: INVALID PAGE in block 3",
    )
    assert [line.text[20:] for line in tail.saying(TEN_MINUTES, "corrupt", "invalid page")] == [
        "ERROR: INVALID PAGE in block 3"
    ]
