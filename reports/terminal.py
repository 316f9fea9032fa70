"""The block after the dots: what an engineer can act on without opening the report. Quiet when all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports import runbooks, summary

if TYPE_CHECKING:
    from pathlib import Path

    from reports.results import AlertResult, Results

_MARKUP = {"firing": {"red": True, "bold": True}, "unknown": {"red": True}}
EXCERPT_LINES = 8


def write(terminal: Any, results: Results, folder: Path | None, complaints: list[str]) -> None:
    """Write a line an alert that is not simply ok, worst first, beneath it what more there is, and what follows.

    The line has all that is needed to act: severity, name, what was measured against which limit, the runbook's
    section, which is named like the cause.
    """
    verbose = terminal.config.option.verbose > 0
    speaks = [family for family in results.by_root() if family[0].shown_state not in ("ok", "skipped")]
    if speaks:
        terminal.write_sep("=", f"{results.target}: {results.verdict}", bold=True, red=results.verdict != "ok")
    for alert, followers in speaks:
        _write_alert(terminal, alert, results.compose_command, verbose=verbose)
        for follower in followers:
            _write_follower(terminal, follower, alert)
    if results.changes and results.verdict != "ok":
        _write_line(terminal, "changed", f"since all was well at {results.changes.since}:")
        for words in results.changes.sentences:
            _write_line(terminal, "", words)
    if not results.complete:
        terminal.write_line("the run was stopped before it was complete", yellow=True)
    complain(terminal, complaints)
    terminal.write_line(_last_line(results, folder))


def complain(terminal: Any, complaints: list[str]) -> None:
    """Write what went wrong with the report itself."""
    for complaint in complaints:
        terminal.write_line(_on_one_line(complaint), yellow=True)


def _write_alert(terminal: Any, alert: AlertResult, compose_command: str, *, verbose: bool) -> None:
    state = alert.shown_state
    terminal.write(f"{state.upper():8} ", **_MARKUP.get(state, {"yellow": True}))
    terminal.write(f"sev{alert.severity} {alert.name}", bold=True)
    terminal.write_line(f"  {_on_one_line(_message(alert))}  {summary.runbook(alert)}")
    for cause in alert.causes[:3]:
        if cause is not alert.causes[0] or cause.message != alert.message:  # the runbook's section names the first
            _write_line(terminal, "cause", summary.cause(alert, cause))
    if alert.causes and (step := runbooks.first_step(alert.name, alert.causes[0], compose_command)):
        _write_line(terminal, "do", step)
    for finding in alert.findings[state == "noted" :] if alert.state != "firing" else ():
        _write_line(terminal, finding.outcome, str(finding))
    if alert.suppressed:
        _write_line(terminal, alert.state, str(alert.suppressed))
    if alert.flaps:
        _write_line(terminal, "flaps", f"{alert.changes_of_state} changes in the last {len(alert.recent)} runs")
    if alert.state == "firing":
        _write_line(terminal, "since", f"{alert.since}, respond by {alert.respond_by}, escalate at {alert.escalate_at}")
    elif alert.since and alert.recent and alert.since != alert.recent[-1].at:  # that it is so now was said
        _write_line(terminal, "since", alert.since)
    if verbose:
        _write_evidence(terminal, alert)


def _message(alert: AlertResult) -> str:
    if alert.state == "unknown" and alert.caused_by:
        return f"{alert.message}  (cannot be judged while {alert.caused_by} is gone)"
    if alert.shown_state == "unknown" and alert.state == "ok":
        return "does not fire, but not every cause could be looked for"
    if alert.shown_state == "noted":
        return f"does not fire, but {alert.findings[0]}"
    return alert.message + _against(alert)


def _against(alert: AlertResult) -> str:
    """Return what was measured against which limit, where the message does not."""
    known = {"measured": alert.measured, "limit": alert.limit}
    words = [
        f"{what} {told.text}"
        for what, told in known.items()
        if told and not all(part in alert.message for part in told.text.split(", "))  # a reading names its place, too
    ]
    return f" ({', '.join(words)})" if words else ""


def _plain(text: str) -> str:
    """Return text without what a terminal acts on: a log that is shown must not hide a line, or rename the window."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text.expandtabs())


def _on_one_line(words: str) -> str:
    return _plain(" ".join(words.split()))  # drivers and logs speak in several


def _write_line(terminal: Any, what: str, words: str) -> None:
    terminal.write_line(f"{'':11}{what:8} {_on_one_line(words)}".rstrip())


def _write_evidence(terminal: Any, alert: AlertResult) -> None:
    for check in alert.checks:
        if check.outcome in ("ok", "skipped"):
            continue
        for page in check.evidence:
            terminal.write_line(f"{'':11}evidence $ {_plain(page.command)}  ({page.took_ms:g} ms)")
            for line in page.excerpt.splitlines()[-EXCERPT_LINES:]:
                terminal.write_line(f"{'':20}{_plain(line)}".rstrip())


def _write_follower(terminal: Any, alert: AlertResult, root: AlertResult) -> None:
    what = str(alert.findings[0]) if alert.shown_state == "noted" else alert.message
    how = f"{summary.follows(alert, root)}: {_on_one_line(what)}"
    if alert.shown_state == "unknown":
        how = "cannot be judged while that is so"
        if alert.state == "ok":
            how = "does not fire; not every cause can be looked for while that is so"
    terminal.write_line(f"           └ {alert.shown_state} sev{alert.severity} {alert.name}: {how}")


def _last_line(results: Results, folder: Path | None) -> str:
    judged = sum(alert.state != "skipped" for alert in results.alerts)
    alerts = "1 alert" if judged == 1 else f"{judged} alerts"
    recovered = [alert.name for alert in results.alerts if alert.recovered and alert.recovered.at == results.started_at]
    words = f"{results.target}: {results.verdict}, {alerts} in {results.duration_seconds:.1f} s"
    words += f", recovered: {', '.join(recovered)}" if recovered else ""
    return f"{words}; report: {folder / 'report.html'}" if folder else words
