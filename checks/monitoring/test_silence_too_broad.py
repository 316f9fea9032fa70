"""SilenceTooBroad: a silence hides what must be heard."""

from types import SimpleNamespace

from fixtures.monitoring.silences import JudgedSilences
from playbook.alert import Alert, diagnostic, hours, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="SilenceTooBroad",
    severity=1,
    trigger="an active silence hides a severity-0 alert or everything, says not why, or lasts more than 24 hours",
    impact="an alert fires and is kept quiet",
    limits={"lasts": hours(24)},
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "alertmanager"},
)


@trigger(step=(1, 2), against="lasts")
def test_no_silence_is_too_broad(judged_silences: JudgedSilences, limits: SimpleNamespace) -> None:
    """Every active silence hides some alerts below severity 0, for a stated reason and a bounded time."""
    problems = judged_silences.problems(limits.lasts)
    assert not problems, listed(problems)


@diagnostic(cause="matches-everything", step=1, fills={"id": "judged_silences.first_of_everything"})
def test_no_silence_matches_everything(judged_silences: JudgedSilences) -> None:
    """No active silence hides every alert."""
    assert not judged_silences.matching_everything, listed(judged_silences.matching_everything)


@diagnostic(cause="hides-severity-0", step=1, fills={"id": "judged_silences.first_of_the_gravest"})
def test_no_silence_hides_the_gravest(judged_silences: JudgedSilences) -> None:
    """No active silence hides an alert of severity 0."""
    assert not judged_silences.hiding_the_gravest, listed(judged_silences.hiding_the_gravest)


@diagnostic(cause="lasts-too-long", step=2)
def test_no_silence_lasts_too_long(judged_silences: JudgedSilences, limits: SimpleNamespace) -> None:
    """No active silence lasts longer than the limit."""
    long = judged_silences.too_long(limits.lasts)
    assert not long, f"{listed(long)}; limit {limits.lasts}"


@diagnostic(cause="without-comment", step=2)
def test_every_silence_says_why(judged_silences: JudgedSilences) -> None:
    """Every active silence has a comment."""
    assert not judged_silences.without_comment, listed(judged_silences.without_comment)


@diagnostic(cause="hides-a-firing-alert", step=1)
def test_no_silence_hides_what_fires(judged_silences: JudgedSilences) -> None:
    """No alert fires now and is kept quiet."""
    assert not judged_silences.hiding_what_fires, listed(judged_silences.hiding_what_fires)
