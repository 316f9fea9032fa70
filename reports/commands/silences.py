"""Active silences: `python -m reports.commands.silences` lists them, or creates one with `--alert`.

Alertmanager keeps them (its API, version 2). What SilenceTooBroad would complain of is not made.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from fixtures.clients.masking import Masker, secrets_in_url
from fixtures.clients.prometheus import Prometheus
from fixtures.clients.writing import AlertmanagerWriter, WritingClient
from fixtures.monitoring.labels import labels_of_alerts
from fixtures.monitoring.silences import JudgedSilences, judged
from fixtures.settings import BadSettings, Settings, load
from fixtures.target import watcher
from playbook.catalogue import alerts
from playbook.evidence import Absent, Cost, Unknown
from playbook.quantities import Span
from reports.results import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.clients.alertmanager import Silence
    from playbook.alert import Alert

HERE = Path(__file__).parent.parent
JUDGE = "SilenceTooBroad"


class Refused(Exception):  # noqa: N818  it is an answer, not an error
    """A silence that is not made, and why."""


def permitted(alerts: list[Alert], name: str, comment: str, text: str, longest: Span) -> tuple[Alert, Span]:
    """Give the alert and how long it may be silenced; Refused or ValueError where it may not."""
    by_name = {alert.name: alert for alert in alerts}
    if name not in by_name:
        wrong = f"there is no alert {name!r}" if name else "say which alert"
        raise Refused(f"{wrong}: ALERT is one of {', '.join(each.name for each in alerts if each.severity)}")
    alert = by_name[name]
    if alert.severity == 0:
        raise Refused(f"{name} says that the system is down: it is not silenced (an [exemptions.{name}] has an owner)")
    if not comment.strip():
        raise Refused("say why, for whoever finds it at night: COMMENT='…'")
    lasts = Span.parse(text)
    if not Span(0) < lasts <= longest:
        raise Refused(f"it may last up to {longest}, not {lasts}: what is quiet for longer is an [exemptions.{name}]")
    return alert, lasts


def make(alertmanager: AlertmanagerWriter, alert: Alert, comment: str, lasts: timedelta) -> Silence:
    """Silence one alert from now on; Unknown where Alertmanager does not take it."""
    now = datetime.now(UTC)
    identity = alertmanager.silence({"alertname": alert.name}, getpass.getuser(), comment.strip(), now, now + lasts)
    return alertmanager.silence_of(identity)  # where its clock is behind ours, it is still to begin


def told(found: JudgedSilences, longest: Span) -> Iterator[str]:
    """Say what is silenced, by whom, why and until when, and what is wrong with that; the first to end comes first."""
    for silence in sorted(found.silences, key=lambda silence: silence.ends_at):
        hidden = ", ".join(found.hidden[silence.identity])
        yield f"{silence} until {stamp(silence.ends_at)} by {silence.created_by}: {silence.comment}"
        yield f"  hides {hidden or 'no alert of ours'}; its id is {silence.identity}"
    try:
        for problem in found.problems(longest):
            yield f"{JUDGE}: {problem}"
    except Unknown as error:
        yield f"{JUDGE}: whether it hides more could not be told: {error}"


def main(arguments: list[str] | None = None) -> int:
    """List the silences that are in force, or make one: 0 done, 1 Alertmanager did not do it, 2 it was refused."""
    parser = argparse.ArgumentParser(prog="python -m reports.commands.silences", description=__doc__)
    parser.add_argument("--target", metavar="NAME", help="whose Alertmanager: as with pytest (default: ordinaut.toml)")
    parser.add_argument("--alert", metavar="NAME", help="silence this alert (severity 1 to 3)")
    parser.add_argument("--for", metavar="TIME", dest="lasts", help="for so long, e.g. 30min or 4h")
    parser.add_argument("--comment", metavar="TEXT", help="why")
    options = parser.parse_args(arguments)
    asked = SimpleNamespace(**dict.fromkeys(Settings.__struct_fields__), target=options.target)
    ours = alerts()
    try:
        settings = load(asked, HERE.parent, dict(os.environ)).settings
        judge = next(alert for alert in ours if alert.name == JUDGE)
        longest = judge.limits_for(settings.limits.get(JUDGE, {})).lasts
        mask = Masker(secrets_in_url(settings.alertmanager_url) | secrets_in_url(settings.prometheus_url))
        client = WritingClient("alertmanager", settings.alertmanager_url, settings.deadlines, mask, Cost())
        alertmanager = AlertmanagerWriter(client)
        prometheus = Prometheus(watcher("prometheus", settings, mask, Cost()))
        if options.alert is None:
            silences = alertmanager.silences()
        else:
            alert, lasts = permitted(ours, options.alert, options.comment or "", options.lasts or "", longest)
            silences = (make(alertmanager, alert, options.comment, lasts),)
    except (BadSettings, Absent, Refused, KeyError, ValueError) as error:
        parser.error(str(error))
    except Unknown as error:
        print(mask(str(error)), file=sys.stderr)
        return 1
    if not silences:
        print("no silence is in force")
        return 0
    gravest = tuple(alert.name for alert in ours if alert.severity == 0)
    for line in told(judged(silences, labels_of_alerts(prometheus), gravest, {}), longest):
        print(mask(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
