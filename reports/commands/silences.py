"""Active silences: `python -m reports.commands.silences` lists them, or creates one with `--alert`.

Alertmanager keeps them (its API, version 2). A silence that SilenceTooBroad would report is refused.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.clients.context import ClientContext
from fixtures.clients.masking import Masker, secrets_in_url
from fixtures.clients.prometheus import Prometheus
from fixtures.clients.writing import AlertmanagerWriter, WritingClient
from fixtures.monitoring.labels import labels_of_alerts
from fixtures.monitoring.silences import JudgedSilences, judged
from fixtures.settings import Settings, settings_of_target
from fixtures.target import watcher
from playbook.catalogue import Catalogue
from playbook.evidence import Absent, Cost, Unknown
from playbook.quantities import Span
from playbook.target import BadSettings
from playbook.text import on_one_line
from reports.results import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.clients.alertmanager import Silence
    from playbook.alert import Alert

ROOT = Path(__file__).parent.parent.parent
JUDGE = "SilenceTooBroad"


class Refused(Exception):  # noqa: N818  it is an answer, not an error
    """A silence that is not created, and why."""


def permitted(alerts: list[Alert], name: str, comment: str, text: str, longest: Span) -> tuple[Alert, Span]:
    """Return the alert and how long it may be silenced; Refused or ValueError where it may not."""
    by_name = {alert.name: alert for alert in alerts}
    if name not in by_name:
        wrong = f"there is no alert {name!r}" if name else "name an alert"
        raise Refused(f"{wrong}: ALERT is one of {', '.join(each.name for each in alerts if each.severity)}")
    alert = by_name[name]
    if alert.severity == 0:
        raise Refused(
            f"{name} means that the system is down: it cannot be silenced, only exempted: [exemptions.{name}]"
        )
    if not comment.strip():
        raise Refused("give the reason, for whoever finds the silence at night: COMMENT='…'")
    duration = Span.parse(text)
    if not Span(0) < duration <= longest:
        raise Refused(f"a silence lasts at most {longest}, not {duration}; for longer, write [exemptions.{name}]")
    return alert, duration


def create(alertmanager: AlertmanagerWriter, alert: Alert, comment: str, duration: timedelta) -> Silence:
    """Silence one alert from now on; Unknown where Alertmanager does not accept it."""
    now = datetime.now(UTC)
    identity = alertmanager.silence({"alertname": alert.name}, getpass.getuser(), comment.strip(), now, now + duration)
    return alertmanager.silence_of(identity)  # where its clock is behind ours, it is still to begin


def described(found: JudgedSilences, longest: Span) -> Iterator[str]:
    """Return lines: each silence, by whom, why and until when, then what is wrong with them; first to end first."""
    for silence in sorted(found.silences, key=lambda silence: silence.ends_at):
        hidden = ", ".join(found.hidden[silence.identity])
        yield f"{silence} until {stamp(silence.ends_at)} by {silence.created_by}: {silence.comment}"
        yield f"  hides {hidden or 'no alert of the playbook'}; its id is {silence.identity}"
    try:
        for problem in found.problems(longest):
            yield f"{JUDGE}: {problem}"
    except Unknown as error:
        yield f"{JUDGE}: whether it hides more is unknown: {error}"


def main(arguments: list[str] | None = None) -> int:
    """List the active silences, or create one: 0 done, 1 Alertmanager failed, 2 it was refused."""
    parser = argparse.ArgumentParser(prog="python -m reports.commands.silences", description=__doc__)
    parser.add_argument("--target", metavar="NAME", help="whose Alertmanager: as with pytest (default: ordinaut.toml)")
    parser.add_argument("--alert", metavar="NAME", help="silence this alert (severity 1 to 3)")
    parser.add_argument("--for", metavar="TIME", dest="duration", help="for how long, e.g. 30min or 4h")
    parser.add_argument("--comment", metavar="TEXT", help="why")
    options = parser.parse_args(arguments)
    catalogue = Catalogue([ROOT / "checks"])
    try:
        settings = settings_of_target(options.target, ROOT, os.environ)
        longest = _longest(catalogue.alerts, settings)
        mask = Masker(secrets_in_url(settings.alertmanager_url) | secrets_in_url(settings.prometheus_url))
        context = ClientContext(settings.deadlines, mask, Cost())
        alertmanager = AlertmanagerWriter(WritingClient("alertmanager", settings.alertmanager_url, context))
        if options.alert is None:
            silences = alertmanager.silences()
        else:
            alert, duration = permitted(
                catalogue.alerts, options.alert, options.comment or "", options.duration or "", longest
            )
            silences = (create(alertmanager, alert, options.comment, duration),)
    except (BadSettings, Absent, Refused, ValueError) as error:
        parser.error(str(error))
    except Unknown as error:
        print(on_one_line(mask(str(error))), file=sys.stderr)
        return 1
    if not silences:
        print("no silence is active")
        return 0
    labels = labels_of_alerts(Prometheus(watcher("prometheus", settings, context)), catalogue.alerts)
    most_severe = tuple(alert.name for alert in catalogue.alerts if alert.severity == 0)
    for line in described(judged(silences, labels, most_severe, {}), longest):
        print(on_one_line(mask(line)))
    return 0


def _longest(alerts: list[Alert], settings: Settings) -> Span:
    """Return how long a silence may last, by the limit of the alert that judges silences."""
    judge = next(alert for alert in alerts if alert.name == JUDGE)
    try:
        longest = judge.limits.overridden(settings.limits.get(JUDGE, {})).by_name()["max_duration"]
    except ValueError as error:
        raise ValueError(f"limits.{JUDGE}.{error}") from None
    assert isinstance(longest, Span)
    return longest


if __name__ == "__main__":
    sys.exit(main())
