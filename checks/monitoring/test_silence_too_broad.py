"""SilenceTooBroad: a silence hides alerts that must page."""

from fixtures.monitoring.silences import JudgedSilences
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, hours, minutes
from playbook.quantities import Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    max_duration: Span = hours(24)


ALERT = Alert(
    name="SilenceTooBroad",
    severity=1,
    trigger=(
        "an active silence hides a severity-0 alert or every alert, has no comment, or lasts longer than {max_duration}"
    ),
    impact="an alert fires and does not page",
    limits=Limits,
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "alertmanager"},
)


@trigger(step=(1, 2), against="max_duration")
def test_no_silence_is_too_broad(judged_silences: JudgedSilences, limits: Limits) -> None:
    """Every active silence hides only some alerts, none of severity 0, with a comment, for a limited time."""
    problems = judged_silences.problems(limits.max_duration)
    assert not problems, listed(problems)


@diagnostic(cause="matches-everything", step=1, fills={"id": "judged_silences.first_of_everything"})
def test_no_silence_matches_everything(judged_silences: JudgedSilences) -> None:
    """No active silence hides every alert."""
    assert not judged_silences.matching_everything, listed(judged_silences.matching_everything)


@diagnostic(cause="hides-severity-0", step=1, fills={"id": "judged_silences.first_of_severity_0"})
def test_no_silence_hides_severity_0(judged_silences: JudgedSilences) -> None:
    """No active silence hides an alert of severity 0."""
    assert not judged_silences.hiding_severity_0, listed(judged_silences.hiding_severity_0)


@diagnostic(cause="lasts-too-long", step=2)
def test_no_silence_lasts_too_long(judged_silences: JudgedSilences, limits: Limits) -> None:
    """No active silence lasts longer than the limit."""
    long = judged_silences.longer_than(limits.max_duration)
    assert not long, f"{listed(long)} (limit {limits.max_duration})"


@diagnostic(cause="without-comment", step=2)
def test_every_silence_says_why(judged_silences: JudgedSilences) -> None:
    """Every active silence has a comment."""
    assert not judged_silences.without_comment, listed(judged_silences.without_comment)


@diagnostic(cause="hides-a-firing-alert", step=1)
def test_no_silence_hides_what_fires(judged_silences: JudgedSilences) -> None:
    """No alert that fires now is silenced."""
    assert not judged_silences.hiding_what_fires, listed(judged_silences.hiding_what_fires)
