"""What belongs to an alert beside its check module, and the sentence for each part that is missing or misnamed.

A sentence names the file and what to write there. Literal cases have theirs in test_every_check.py.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from playbook.contract import problems_of
from playbook.quantities import counted
from reports.runbooks import anchor, sections

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from playbook.catalogue import CheckModule
    from reports.runbooks import Section
    from sandbox.fault import Consequence, Fault

FIRST, LAST = ("Meaning", "Impact", "Diagnosis"), ("Verify", "Escalation")  # headings, around those of the causes
LABELS = ("**safe**", "**disruptive**", "**destructive**")
OF_CLIENTS = ("docker", "httpx", "psycopg", "redis", "testinfra")
FIRES = "firing"


def name_problems(module: CheckModule) -> Iterator[str]:
    """The file is named like the alert, and a folder of a severity holds alerts of that severity."""
    alert, folder = module.alert, module.path.parent.name
    if module.path.stem.removeprefix("test_").replace("_", "") != alert.name.lower():
        yield f"{_file(module)} defines the alert {alert.name}: the file and the alert must have the same name"
    if folder.startswith("sev") and folder != f"sev{alert.severity}":
        yield f"{alert.name} has severity {alert.severity}: move {_file(module)} to checks/sev{alert.severity}"


def check_problems(module: CheckModule, alerts: Collection[str]) -> Iterator[str]:
    """Every test is a check with a claim, one of them is the trigger, and what they name exists."""
    functions = _functions(module.path)
    for name, function in functions.items():
        if name not in module.checks:
            yield f"{name} in {_file(module)} is no check: mark it @trigger(…) or @diagnostic(cause=…)"
        elif not (ast.get_docstring(function) or "").strip().endswith("."):
            yield f"{name} in {_file(module)} has no claim: write it as the docstring, one sentence"
    triggers = [name for name, check in module.checks.items() if check.role == "trigger"]
    if not triggers:
        yield f"{module.alert.name} has no trigger: mark the check that decides whether it fires with @trigger(…)"
    if len(triggers) > 1:
        named = f"{', '.join(triggers[:-1])} and {triggers[-1]}"
        yield f"{module.alert.name} has {len(triggers)} triggers, {named}: mark all but one @diagnostic(cause=…)"
    for name, check in module.checks.items():
        if check.explained_by is not None and check.explained_by not in alerts:
            yield f"{name} is explained by {check.explained_by}: there is no such alert"


def body_problems(module: CheckModule) -> Iterator[str]:
    """A check holds no literal limit, catches nothing, does not sleep and imports no client."""
    for name, function in _functions(module.path).items():
        for node in ast.walk(function):
            if isinstance(node, ast.Compare):
                for number in (each for each in (node.left, *node.comparators) if _is_number(each)):
                    yield f"{name} compares with {ast.unparse(number)}: make it a limit of {module.alert.name}"
            elif isinstance(node, ast.Try):
                yield f"{name} catches an exception: what a check cannot judge must reach the engine"
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep"):
                yield f"{name} sleeps: a check judges facts, a probe waits"
    for node in ast.walk(ast.parse(module.path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for client in {name.partition(".")[0] for name in names} & set(OF_CLIENTS):
            yield f"{_file(module)} imports {client}: a check takes facts, a probe asks"


def string_problems(module: CheckModule, function_of: Callable[[str], Callable[..., None]]) -> Iterator[str]:
    """Each limit, measurement and value that a check names as a string exists."""
    for name, check in module.checks.items():
        for problem in problems_of(module.alert, check, function_of(name)):
            yield f"{name}: {problem}"


def runbook_problems(module: CheckModule, page: Path) -> Iterator[str]:
    """The runbook has its headings, a section with labelled steps per cause, and names every check."""
    file = f"runbooks/{page.name}"
    if not page.exists():
        yield f"{module.alert.name} has no runbook: write {file}"
        return
    found = sections(page.read_text(encoding="utf-8"))
    titles = [section.title for section in found]
    of_causes = [section for section in found if section.title not in (*FIRST, *LAST)]
    yield from (f"{file} lacks the heading ## {title}" for title in (*FIRST, *LAST) if title not in titles)
    by_cause = {section.anchor: section for section in of_causes}
    for cause in module.causes:
        if cause not in by_cause:
            yield f"{file} has no section for the cause {cause}: write ## {_title(cause)}"
    for section in of_causes:
        if section.anchor not in module.causes:
            yield (
                f"{file} has the section ## {section.title}, but no check looks for the cause {section.anchor}: "
                f'mark one @diagnostic(cause="{section.anchor}"), or delete the section'
            )
        yield from (f"{file}, ## {section.title}: {problem}" for problem in _step_problems(section))
    wanted = [*map(anchor, FIRST), *module.causes, *map(anchor, LAST)]
    if sorted(wanted) == sorted(section.anchor for section in found) != wanted != [s.anchor for s in found]:
        yield f"{file}: the order of the sections must be {', '.join(wanted)}: causes stand as their checks do"
    yield from _diagnosis_problems(module, file, next((s.text for s in found if s.title == "Diagnosis"), ""))
    for name, check in module.checks.items():
        if check.cause in by_cause:
            for word in check.fills:
                if f"<{word}>" not in by_cause[check.cause].text:
                    section = by_cause[check.cause]
                    yield f"{file}, ## {section.title}: {name} fills in <{word}>, which no command has"


def orphan_problems(pages: Iterable[Path], alerts: Collection[str]) -> Iterator[str]:
    """Every runbook is that of an alert."""
    for page in pages:
        if page.stem not in alerts:
            file = "_".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", page.stem)).lower()
            yield f"runbooks/{page.name} belongs to no alert: write checks/sev…/test_{file}.py, or delete the runbook"


def fault_problems(module: CheckModule, embedded: Mapping[str, Fault], compose: Mapping[str, Fault]) -> Iterator[str]:
    """A fault makes the alert fire on each form of the sandbox; on the embedded one where it is about monitoring."""
    name, monitoring = module.alert.name, module.path.parent.name == "monitoring"
    folder = "sandbox/faults/monitoring" if monitoring else "sandbox/faults"
    if not _fires(name, embedded):
        yield (
            f"no fault on the embedded form of the sandbox makes {name} fire: "
            f'write one in {folder}/ with Expect("{name}", "{FIRES}", …)'
        )
    if not monitoring and not _fires(name, compose):
        yield (
            f"no fault on the compose form of the sandbox makes {name} fire: write one in sandbox/compose/faults/ with "
            f'Expect("{name}", "{FIRES}", …), or one in sandbox/faults/ that is not in ONLY_EMBEDDED'
        )


def expectation_problems(fault: Fault, causes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A fault expects alerts, and a cause, that exist; `causes` are those of each alert."""
    expect = fault.expect
    for name in filter(None, (expect.alert, *expect.may_follow)):
        if name not in causes:
            yield f"the fault {fault.name} expects {name}: there is no such alert"
    if expect.cause is not None and expect.cause not in causes.get(expect.alert or "", (expect.cause,)):
        yield f"the fault {fault.name} expects the cause {expect.cause}: no check of {expect.alert} looks for it"


def consequence_problems(consequence: Consequence, alerts: Collection[str], faults: Collection[str]) -> Iterator[str]:
    """A consequence names an alert and faults that exist."""
    if consequence.alert not in alerts:
        yield f"a consequence in sandbox/ is about {consequence.alert}: there is no such alert"
    for name in consequence.of:
        if name not in faults:
            yield f"{consequence.alert} is a consequence of the fault {name}: there is no such fault"


def step_problems(module: CheckModule, playbook: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The checks of an alert of the playbook cover its steps, each of them, and no other."""
    titles = playbook.get(module.alert.name)
    if titles is None:
        return  # an alert that the playbook does not have
    covered = {step: name for name, check in module.checks.items() for step in check.steps}
    for step, title in enumerate(titles, start=1):
        if step not in covered:
            yield f"no check of {module.alert.name} covers step {step} of the playbook, {title!r}: name it, step={step}"
    for step in sorted(covered.keys() - set(range(1, len(titles) + 1))):
        steps = counted(len(titles), "step")
        yield f"{covered[step]} covers step {step}: the playbook has {steps} for {module.alert.name}"


def _file(module: CheckModule) -> str:
    return "/".join(module.path.parts[-3:])


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    found = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return {function.name: function for function in found if function.name.startswith("test_")}


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _title(cause: str) -> str:
    return cause.replace("-", " ").capitalize()


def _step_problems(section: Section) -> Iterator[str]:
    steps = re.findall(r"^(\d+)\. +(.*)", section.text, flags=re.MULTILINE)
    if not steps:
        yield "there is no numbered step: write `1. **safe** …`"
    for number, text in steps:
        if not text.startswith(LABELS):
            yield f"step {number} has no label: begin it with {', '.join(LABELS[:-1])} or {LABELS[-1]}"


def _diagnosis_problems(module: CheckModule, file: str, text: str) -> Iterator[str]:
    named = re.findall(r"`(test_\w+)`", text)
    for name in module.checks:
        if name not in named:
            yield f"{file}: the table under ## Diagnosis does not name the check {name}"
    for name in dict.fromkeys(named):
        if name not in module.checks:
            yield f"{file}: the table under ## Diagnosis names {name}, which is no check of {module.alert.name}"


def _fires(alert: str, faults: Mapping[str, Fault]) -> bool:
    return any(fault.expect.alert == alert and fault.expect.state == FIRES for fault in faults.values())
