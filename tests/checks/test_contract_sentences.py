"""Each missing or misnamed part of an alert is one readable sentence: proven on a sample with that part missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playbook.catalogue import Catalogue, CheckModule
from sandbox.fault import Consequence, Expect, Fault
from sandbox.faults import with_consequences
from tests.checks import contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.fault import AlertState

CHECKS = '''
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, minutes
from playbook.quantities import Span


class Limits(AlertLimits):
    silence: Span = minutes(5)


ALERT = Alert(
    name="WebhookDown", severity=2, trigger="no delivery for {silence}", impact="nobody is notified", limits=Limits,
    respond_within=minutes(30), escalate_after=minutes(60),
)


class Deliveries:
    newest_age: Span = Span(0)
    first_pid: int = 1


@trigger(step=1, measures="deliveries.newest_age", against="silence")
def test_a_delivery_was_made(deliveries: Deliveries, limits: Limits) -> None:
    """A delivery was made within the limit."""
    assert deliveries.newest_age <= limits.silence, "none"


@diagnostic(cause="sender-stopped", step=2, fills={"pid": "deliveries.first_pid"})
def test_the_sender_runs(deliveries: Deliveries) -> None:
    """The sender has a process."""


@diagnostic(cause="queue-stuck", step=2, explained_by="HighQueueDepth")
def test_the_queue_moves(deliveries: Deliveries) -> None:
    """The queue moves."""
'''

RUNBOOK = """# WebhookDown

## Meaning

No delivery.

## Impact

Nobody is notified.

## Diagnosis

| check | cause |
|---|---|
| `test_a_delivery_was_made` | trigger |
| `test_the_sender_runs` | sender-stopped |
| `test_the_queue_moves` | queue-stuck |

## Sender stopped

1. **safe** Look: `ps <pid>`
2. **disruptive** Start it: `start`

## Queue stuck

1. **safe** Look.

## Verify

Green.

## Escalation

After an hour.
"""
LABELS = "**safe**, **disruptive** or **destructive**"
FILE, PAGE = "checks/sev2/test_webhook_down.py", "runbooks/WebhookDown.md"
PLAYBOOK = {"WebhookDown": ["Look at the deliveries", "Look at the sender"]}


class Sample:
    """WebhookDown in a folder of its own: complete, until a text of it is replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checks = folder / "checks" / "sev2" / "test_webhook_down.py"
        self.page = folder / "runbooks" / "WebhookDown.md"
        for path, text in ((self.checks, CHECKS), (self.page, RUNBOOK)):
            path.parent.mkdir(parents=True)
            path.write_text(text)

    def replace(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @property
    def module(self) -> CheckModule:
        (found,) = Catalogue([self.folder / "checks"]).modules
        return found

    def function_of(self, name: str) -> Callable[..., None]:
        found: Callable[..., None] = vars(sys.modules[self.checks.stem])[name]
        return found


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sample]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a text of the same length and second is another one
    sample = Sample(tmp_path)
    yield sample
    sys.modules.pop(sample.checks.stem, None)


def fault(
    name: str, alert: str | None = "WebhookDown", state: AlertState = "firing", **more: object
) -> dict[str, Fault]:
    expect = Expect(alert, state, **more)  # type: ignore[arg-type]
    return {name: Fault(name, "breaks it", expect, lambda _: None, lambda _: None, lambda _: None)}


def test_a_whole_alert_has_no_problem(sample: Sample) -> None:
    module, faults = sample.module, fault("sender-stopped", cause="sender-stopped")
    problems = [
        *contract.name_problems(module),
        *contract.check_problems(module, {"WebhookDown", "HighQueueDepth"}),
        *contract.body_problems(module),
        *contract.string_problems(module, sample.function_of),
        *contract.runbook_problems(module, sample.page),
        *contract.fault_problems(module, faults, faults),
        *contract.expectation_problems(faults["sender-stopped"], {"WebhookDown": module.causes}),
        *contract.step_problems(module, PLAYBOOK),
    ]
    assert problems == []


# -- the check module


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'name="WebhookDown"', 'name="WebhooksGone"',
            (f"{FILE} defines the alert WebhooksGone: "
            "the file and the alert must have the same name"),
        ),
        ("severity=2", "severity=1", f"WebhookDown has severity 1: move {FILE} to checks/sev1"),
    ],
)  # fmt: skip
def test_a_wrong_name_or_folder(sample: Sample, old: str, new: str, sentence: str) -> None:
    sample.replace(sample.checks, old, new)
    assert list(contract.name_problems(sample.module)) == [sentence]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "@trigger(step=1, ", '@diagnostic(cause="queue-stuck", step=1)  # (',
            "WebhookDown has no trigger: mark the check that decides whether it fires with @trigger(…)",
        ),
        (
            '@diagnostic(cause="queue-stuck", step=2, explained_by="HighQueueDepth")', "@trigger()",
            ("WebhookDown has 2 triggers, test_a_delivery_was_made and test_the_queue_moves: "
            "mark all but one @diagnostic(cause=…)"),
        ),
        (
            '@diagnostic(cause="queue-stuck", step=2, explained_by="HighQueueDepth")', "",
            (f"test_the_queue_moves in {FILE} is no check: "
            "mark it @trigger(…) or @diagnostic(cause=…)"),
        ),
        (
            '"""The queue moves."""', "...",
            (f"test_the_queue_moves in {FILE} has no claim: "
            "write it as the docstring, one sentence"),
        ),
        (
            'explained_by="HighQueueDepth"', 'explained_by="DeepQueue"',
            "test_the_queue_moves is explained by DeepQueue: there is no such alert",
        ),
    ],
    ids=["no trigger", "two triggers", "unmarked", "no claim", "unknown alert"],
)  # fmt: skip
def test_an_incomplete_check(sample: Sample, old: str, new: str, sentence: str) -> None:
    sample.replace(sample.checks, old, new)
    assert list(contract.check_problems(sample.module, {"WebhookDown", "HighQueueDepth"})) == [sentence]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("assert 1 < 3.5", "test_the_queue_moves compares with 3.5: make it a limit of WebhookDown"),
        (
            "try:\n        pass\n    except OSError:\n        pass",
            "test_the_queue_moves catches an exception: what a check cannot judge must reach the engine",
        ),
        ("__import__('time').sleep(1)", "test_the_queue_moves sleeps: a check judges facts, a probe waits"),
        ("import httpx", f"{FILE} imports httpx: a check takes facts, a probe asks"),
    ],
    ids=["literal limit", "exception", "sleep", "client"],
)
def test_a_check_that_does_more_than_judge(sample: Sample, body: str, sentence: str) -> None:
    sample.replace(sample.checks, '"""The queue moves."""', f'"""The queue moves."""\n    {body}')
    assert sentence in list(contract.body_problems(sample.module))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'against="silence"', 'against="silenc"',
            "test_a_delivery_was_made: against='silenc' is no limit of WebhookDown (it has: silence)",
        ),
        (
            '"deliveries.newest_age"', '"deliveries.oldest_age"',
            "test_a_delivery_was_made: measures='deliveries.oldest_age': Deliveries has no oldest_age",
        ),
    ],
)  # fmt: skip
def test_a_name_that_does_not_exist(sample: Sample, old: str, new: str, sentence: str) -> None:
    sample.replace(sample.checks, old, new)
    assert list(contract.string_problems(sample.module, sample.function_of)) == [sentence]


# -- the runbook


def test_no_runbook(sample: Sample) -> None:
    sample.page.unlink()
    problems = list(contract.runbook_problems(sample.module, sample.page))
    assert problems == ["WebhookDown has no runbook: write runbooks/WebhookDown.md"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("## Impact\n\nNobody is notified.\n\n", "", f"{PAGE} lacks the heading ## Impact"),
        ("## Escalation\n\nAfter an hour.\n", "", f"{PAGE} lacks the heading ## Escalation"),
        (
            "## Queue stuck\n\n1. **safe** Look.\n\n", "",
            f"{PAGE} has no section for the cause queue-stuck: write ## Queue stuck",
        ),
        (
            "## Verify\n", "## Disk full\n\n1. **safe** Look.\n\n## Verify\n",
            (f"{PAGE} has the section ## Disk full, but no check looks for the cause disk-full: "
            'mark one @diagnostic(cause="disk-full"), or delete the section'),
        ),
        (
            "| `test_the_queue_moves` | queue-stuck |\n", "",
            f"{PAGE}: the table under ## Diagnosis does not name the check test_the_queue_moves",
        ),
        (
            "| queue-stuck |", "| queue-stuck |\n| `test_old` | old |",
            f"{PAGE}: the table under ## Diagnosis names test_old, which is no check of WebhookDown",
        ),
        (
            "2. **disruptive** Start", "2. Start",
            f"{PAGE}, ## Sender stopped: step 2 has no label: begin it with {LABELS}",
        ),
        (
            "## Queue stuck\n\n1. **safe** Look.", "## Queue stuck\n\nLook.",
            f"{PAGE}, ## Queue stuck: there is no numbered step: write `1. **safe** …`",
        ),
        ("`ps <pid>`", "`ps`", f"{PAGE}, ## Sender stopped: test_the_sender_runs fills in <pid>, which no command has"),
        (
            "## Meaning\n\nNo delivery.\n\n## Impact\n\nNobody is notified.\n",
            "## Impact\n\nNobody is notified.\n\n## Meaning\n\nNo delivery.\n",
            (f"{PAGE}: the order of the sections must be meaning, impact, diagnosis, sender-stopped, queue-stuck, "
            "verify, escalation: causes stand as their checks do"),
        ),
    ],
    ids=[
        "no impact", "no escalation", "cause without section", "section without cause", "check not named",
        "name without check", "step without label", "no step", "no placeholder", "order",
    ],
)  # fmt: skip
def test_an_incomplete_runbook(sample: Sample, old: str, new: str, sentence: str) -> None:
    sample.replace(sample.page, old, new)
    assert list(contract.runbook_problems(sample.module, sample.page)) == [sentence]


def test_an_empty_runbook_is_a_sentence_for_each_part(sample: Sample) -> None:
    sample.page.write_text("")
    problems = list(contract.runbook_problems(sample.module, sample.page))
    assert len(problems) == 5 + 2 + 3  # headings, causes, checks


@pytest.mark.parametrize(
    ("page", "file"), [("WebhookDown", "test_webhook_down.py"), ("HighAPILatency", "test_high_api_latency.py")]
)
def test_a_runbook_without_an_alert(page: str, file: str) -> None:
    pages = [Path(f"runbooks/{page}.md"), Path("runbooks/BackupFailed.md")]
    assert list(contract.orphan_problems(pages, {"BackupFailed"})) == [
        f"runbooks/{page}.md belongs to no alert: write checks/sev…/{file}, or delete the runbook"
    ]


# -- the faults

NO_EMBEDDED = (
    "no fault on the embedded form of the sandbox makes WebhookDown fire: "
    'write one in sandbox/faults/ with Expect("WebhookDown", "firing", …)'
)
NO_COMPOSE = (
    "no fault on the compose form of the sandbox makes WebhookDown fire: write one in sandbox/compose/faults/ with "
    'Expect("WebhookDown", "firing", …), or one in sandbox/faults/ that is not in ONLY_EMBEDDED'
)


def test_no_fault(sample: Sample) -> None:
    some = fault("sender-stopped")
    others = fault("other", "OtherAlert") | fault("small", state="noted")
    assert list(contract.fault_problems(sample.module, others, some)) == [NO_EMBEDDED]
    assert list(contract.fault_problems(sample.module, some, others)) == [NO_COMPOSE]
    assert list(contract.fault_problems(sample.module, {}, {})) == [NO_EMBEDDED, NO_COMPOSE]


def test_an_alert_about_monitoring_needs_a_fault_on_the_embedded_form_only(sample: Sample) -> None:
    sample.checks.parent.rename(sample.checks.parent.with_name("monitoring"))
    assert list(contract.fault_problems(sample.module, fault("sender-stopped"), {})) == []
    assert list(contract.fault_problems(sample.module, {}, {})) == [
        NO_EMBEDDED.replace("sandbox/faults/", "sandbox/faults/monitoring/")
    ]


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        (fault("f", "Webhook"), "the fault f expects Webhook: there is no such alert"),
        (fault("f", may_follow=("Gone",)), "the fault f expects Gone: there is no such alert"),
        (fault("f", cause="bad-luck"), "the fault f expects the cause bad-luck: no check of WebhookDown looks for it"),
    ],
)
def test_a_fault_that_expects_what_does_not_exist(faults: dict[str, Fault], sentence: str) -> None:
    causes = {"WebhookDown": ["sender-stopped"]}
    assert list(contract.expectation_problems(faults["f"], causes)) == [sentence]


def test_a_consequence_is_expected_of_the_faults_that_it_names() -> None:
    faults = with_consequences(fault("f", may_follow=("A",)) | fault("g"), [Consequence("WebhookDown", ("f",))])
    assert (faults["f"].expect.may_follow, faults["g"].expect.may_follow) == (("A", "WebhookDown"), ())


def test_a_consequence_of_what_does_not_exist() -> None:
    assert list(contract.consequence_problems(Consequence("Webhook", ("f", "g")), {"WebhookDown"}, {"f"})) == [
        "a consequence in sandbox/ is about Webhook: there is no such alert",
        "Webhook is a consequence of the fault g: there is no such fault",
    ]


# -- the playbook's steps


def test_a_step_that_no_check_covers(sample: Sample) -> None:
    playbook = {"WebhookDown": [*PLAYBOOK["WebhookDown"], "Look at the receiver"]}
    sentence = "no check of WebhookDown covers step 3 of the playbook, 'Look at the receiver': name it, step=3"
    assert list(contract.step_problems(sample.module, playbook)) == [sentence]


def test_a_step_that_the_playbook_does_not_have(sample: Sample) -> None:
    sentence = "test_the_queue_moves covers step 2: the playbook has 1 step for WebhookDown"
    assert list(contract.step_problems(sample.module, {"WebhookDown": ["Look"]})) == [sentence]
    assert list(contract.step_problems(sample.module, {})) == []
