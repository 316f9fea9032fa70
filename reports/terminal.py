"""The block after the dots: what an engineer can act on without opening the report. Quiet when all is well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playbook.text import on_one_line, printable
from reports import runbooks, summary

if TYPE_CHECKING:
    from pathlib import Path

    from reports.results import AlertResult, Results

_MARKUP = {"firing": {"red": True, "bold": True}, "unknown": {"red": True}}
_STYLES = re.compile(r"(\x1b\[[\d;]{0,20}m)")
_NO_STYLE = re.compile(r"(?!)()")
EXCERPT_LINES = 8
NOT_ALL_DIAGNOSTICS = "OK, but some diagnostics could not run"


def write(terminal: Any, results: Results, folder: Path | None, complaints: list[str]) -> None:
    """Write a line per alert that is not ok, worst first; below it details, and the alerts that follow from it.

    The line has what is needed to act: severity, name, what was measured against which limit, and the section of the
    runbook, which is named like the cause.
    """
    verbose = terminal.config.option.verbose > 0
    not_ok = [family for family in results.by_root() if family[0].shown_state not in ("ok", "skipped")]
    if not_ok:
        title = on_one_line(f"{results.target} {summary.verdict(results)}")
        terminal.write_sep("=", title, bold=True, red=results.verdict != "ok")
    for alert, followers in not_ok:
        _write_alert(terminal, alert, results.compose_command, verbose=verbose)
        for follower in followers:
            _write_follower(terminal, follower, alert)
    if results.changes and results.verdict != "ok":
        _write_line(terminal, "changed", f"since the last ok run at {results.changes.since}:")
        for sentence in results.changes.sentences:
            _write_line(terminal, "", sentence)
    if not results.complete:
        terminal.write_line("the run was stopped before it was complete", yellow=True)
    complain(terminal, complaints)
    terminal.write_line(on_one_line(_last_line(results, folder)))


class CleanFile:
    """The file that pytest writes to, which nothing reaches that a terminal would obey, but for pytest's own styles.

    What becomes evidence or a message is clean already; warnings and errors of libraries are not.
    """

    def __init__(self, file: Any, *, is_styled: bool) -> None:
        self._file = file
        self._styles = _STYLES if is_styled else _NO_STYLE

    def write(self, text: str) -> None:
        """Write text; pytest begins a line anew by a carriage return."""
        if text.isprintable():
            self._file.write(text)
            return
        again, rest = ("\r", text[1:]) if text.startswith("\r") else ("", text)
        pieces = self._styles.split(rest)  # every second one is a style
        pieces[::2] = map(printable, pieces[::2])
        self._file.write(again + "".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def complain(terminal: Any, complaints: list[str]) -> None:
    """Write what went wrong with the report itself."""
    for complaint in complaints:
        terminal.write_line(on_one_line(complaint), yellow=True)


def _write_alert(terminal: Any, alert: AlertResult, compose_command: str, *, verbose: bool) -> None:
    state = alert.shown_state
    terminal.write(f"{state.upper():8} ", **_MARKUP.get(state, {"yellow": True}))
    terminal.write(f"sev{alert.severity} {alert.name}", bold=True)
    terminal.write_line(f"  {on_one_line(_message(alert))}  {summary.runbook(alert)}")
    for cause in alert.causes[:3]:
        if cause is not alert.causes[0] or cause.message != alert.message:  # the runbook's section names the first
            _write_line(terminal, "cause", summary.cause(alert, cause))
    if alert.causes and (step := runbooks.first_step(alert.name, alert.causes[0], compose_command)):
        _write_line(terminal, "do", step)
    for finding in alert.findings[state == "noted" :] if alert.state != "firing" else ():
        _write_line(terminal, finding.outcome, str(finding))
    if alert.suppressed:
        _write_line(terminal, "reason", str(alert.suppressed))
    if alert.flaps:
        changes = f"{alert.changes_of_state} changes of state in the last {len(alert.recent)} runs"
        _write_line(terminal, "flapping", changes)
    if alert.state == "firing":
        _write_line(terminal, "since", f"{alert.since}, respond by {alert.respond_by}, escalate at {alert.escalate_at}")
    elif alert.since and alert.recent and alert.since != alert.recent[-1].at:  # that it is so now was said
        _write_line(terminal, "since", alert.since)
    if verbose:
        _write_evidence(terminal, alert)


def _message(alert: AlertResult) -> str:
    if alert.state == "unknown" and alert.caused_by:
        return f"{alert.message} (not evaluated: depends on {alert.caused_by}, which is unavailable)"
    if alert.shown_state == "unknown" and alert.state == "ok":
        return NOT_ALL_DIAGNOSTICS
    if alert.shown_state == "noted":
        return f"OK, but {alert.findings[0]}"
    return alert.message + _against(alert)


def _against(alert: AlertResult) -> str:
    """Return what was measured against which limit, as far as the message does not say it."""
    known = {"measured": alert.measured, "limit": alert.limit}
    missing = [
        f"{name} {value.text}"
        for name, value in known.items()
        if value and not all(part in alert.message for part in value.text.split(", "))  # "3 s, pid 42"
    ]
    return f" ({', '.join(missing)})" if missing else ""


def _write_line(terminal: Any, label: str, text: str) -> None:
    terminal.write_line(f"{'':11}{label:8} {on_one_line(text)}".rstrip())


def _write_evidence(terminal: Any, alert: AlertResult) -> None:
    for check in alert.checks:
        if check.outcome in ("ok", "skipped"):
            continue
        for page in check.evidence:
            command = printable(page.command).replace("\n", " ")
            terminal.write_line(f"{'':11}evidence $ {command}  ({page.took_ms:g} ms)")
            for line in printable(page.excerpt).splitlines()[-EXCERPT_LINES:]:
                terminal.write_line(f"{'':20}{line.expandtabs()}".rstrip())


def _write_follower(terminal: Any, alert: AlertResult, root: AlertResult) -> None:
    found = str(alert.findings[0]) if alert.shown_state == "noted" else alert.message
    text = f"{summary.follows(alert, root)}: {on_one_line(found)}"
    if alert.shown_state == "unknown":
        depends = f"on {'the alert above' if alert.caused_by == root.name else alert.caused_by}"
        text = f"not evaluated: depends {depends}"
        if alert.state == "ok":
            text = f"{NOT_ALL_DIAGNOSTICS}: they depend {depends}"
    terminal.write_line(f"           └ {alert.shown_state} sev{alert.severity} {alert.name}: {text}")


def _last_line(results: Results, folder: Path | None) -> str:
    recovered = [alert.name for alert in results.alerts if alert.recovered and alert.recovered.at == results.started_at]
    line = f"{results.target} {summary.verdict(results)} in {results.duration_seconds:.1f} s"
    line += f", recovered: {', '.join(recovered)}" if recovered else ""
    return f"{line}; report: {folder / 'report.html'}" if folder else line
