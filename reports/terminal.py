"""The block after the dots: what an engineer can act on without opening the report. Quiet when all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from reports.results import AlertResult, Results

_MARKUP = {"firing": {"red": True, "bold": True}, "unknown": {"red": True}}


def write(terminal: Any, results: Results, folder: Path | None, complaints: list[str]) -> None:
    """Write a line an alert that is not simply ok, worst first, what follows from another one beneath it."""
    verbose = terminal.config.option.verbose > 0
    speaks = [alert for alert in results.alerts if alert.shown_state not in ("ok", "skipped")]
    if speaks:
        terminal.write_sep("=", f"{results.target}: {results.verdict}", bold=True, red=results.verdict != "ok")
    told: set[str] = set()
    for alert in speaks:
        if alert.name in told:
            continue
        _write_alert(terminal, alert, verbose)
        told.add(alert.name)
        for follower in results.followers(alert.name):
            _write_follower(terminal, follower)
            told.add(follower.name)
    if not results.complete:
        terminal.write_line("the run was stopped before it was complete", yellow=True)
    for complaint in complaints:
        terminal.write_line(complaint, yellow=True)
    terminal.write_line(_last_line(results, folder))


def _write_alert(terminal: Any, alert: AlertResult, verbose: bool) -> None:
    state = alert.shown_state
    terminal.write(f"{state.upper():8} ", **_MARKUP.get(state, {"yellow": True}))
    terminal.write(f"sev{alert.severity} {alert.name}", bold=True)
    why = (
        f"  (cannot be judged while {alert.caused_by} is gone)" if alert.state == "unknown" and alert.caused_by else ""
    )
    terminal.write_line(f"  {alert.message}{why}")
    for cause in alert.causes[:3]:
        terminal.write_line(f"           cause    {cause.name}: {cause.message}")
    for check in alert.checks if state != "firing" else ():
        # What could not be told for the same reason as the alert itself was said with it.
        if check.role == "diagnostic" and check.outcome in ("noted", "unknown") and check.message != alert.message:
            terminal.write_line(f"           {check.outcome:8} {check.cause}: {check.message}")
    if alert.state == "firing":
        anchor = f"#{alert.causes[0].runbook_anchor}" if alert.causes else ""
        terminal.write_line(f"           runbook  {alert.runbook}{anchor}  respond by {alert.respond_by}")
    if verbose:
        for check in alert.checks:
            if check.outcome in ("firing", "unknown", "noted"):
                for page in check.evidence:
                    terminal.write_line(f"           evidence $ {page.command}  ({page.took_ms:g} ms)")
                    for line in page.excerpt.splitlines()[-8:]:
                        terminal.write_line(f"                      {line}")


def _write_follower(terminal: Any, alert: AlertResult) -> None:
    how = "cannot be judged while that is so" if alert.shown_state == "unknown" else f"follows from it: {alert.message}"
    terminal.write_line(f"           └ {alert.shown_state} sev{alert.severity} {alert.name}: {how}")


def _last_line(results: Results, folder: Path | None) -> str:
    judged = sum(alert.state != "skipped" for alert in results.alerts)
    alerts = "1 alert" if judged == 1 else f"{judged} alerts"
    words = f"{results.target}: {results.verdict}, {alerts} in {results.duration_seconds:.1f} s"
    return f"{words}; report: {folder / 'report.html'}" if folder else words
