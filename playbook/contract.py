"""What a check module promises: every name that it writes as a string, or reads of its limits, exists."""

from __future__ import annotations

import dis
import inspect
from functools import cached_property
from string import Template
from types import CodeType, NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from playbook.rules import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playbook.alert import Alert, Check


def problems_of(alert: Alert, check: Check, function: Callable[..., None]) -> Iterator[str]:
    """Return a sentence for each limit, measurement and value to fill in that a check names and that does not exist.

    The alert's own sentence and expression are the trigger's to answer for.
    """
    yield from problems_of_strings(alert, check, function)
    for name in sorted({*_limits_read(function)} - {*alert.limits.KINDS}):
        yield f"limits.{name} {_no_limit_of(alert)}"


def problems_of_strings(alert: Alert, check: Check, function: Callable[..., None]) -> Iterator[str]:
    """Return the sentences for what a check writes as strings, which no run of it would miss."""
    if check.against is not None and check.against not in alert.limits.KINDS:
        yield f"against={check.against!r} {_no_limit_of(alert)}"
    paths = {"measures": check.measures} if check.measures else {}
    paths |= {f"fills[{name!r}]": path for name, path in check.fills.items()}
    try:
        hints = get_type_hints(function) if paths else {}
        for what, path in paths.items():
            if wrong := _wrong_part(path, hints):
                yield f"{what}={path!r}: {wrong}"
    except NameError as error:
        yield f"the types of its facts must be imported at runtime: {error}"
    if check.role == "trigger":
        yield from _problems_of_texts(alert, f"which {_no_limit_of(alert)}")


def _no_limit_of(alert: Alert) -> str:
    return f"is no limit of {alert.name} (it has: {', '.join(alert.limits.KINDS) or 'none'})"


def _problems_of_texts(alert: Alert, unknown: str) -> Iterator[str]:
    """Return a sentence for each name that the alert's sentence or its expression uses and that does not exist."""
    limits = alert.limits().by_name()
    try:
        alert.trigger.format_map({**limits, "for_": alert.for_})
    except KeyError as error:
        yield f"the trigger's sentence quotes {error}, {unknown}"
    except (ValueError, AttributeError, IndexError, TypeError) as error:
        yield f"the trigger's sentence cannot be written: {error}"
    for name in Template(alert.expression).get_identifiers():
        if name.removesuffix(BUCKET) not in limits:
            yield f"the expression uses ${name}, {unknown}"


def _wrong_part(path: str, hints: dict[str, Any]) -> str:
    """Say which part of `fact.attribute…` does not exist; empty where all do."""
    name, *attributes = path.split(".")
    if name not in hints:
        return f"the check has no fact {name}"
    kind = hints[name]
    if not attributes:
        return "name an attribute of the fact"
    for attribute in attributes:
        if not hasattr(kind, attribute):
            return f"{getattr(kind, '__name__', kind)} has no {attribute}"
        kind = _kind_of(kind, attribute)
    return ""


def _kind_of(kind: type, attribute: str) -> Any:
    """Return the type of an attribute, that of a field or what a property returns; without the None of `X | None`."""
    member = inspect.getattr_static(kind, attribute)
    if isinstance(member, property | cached_property):
        getter = member.fget if isinstance(member, property) else member.func
        found = get_type_hints(getter).get("return")
    else:
        found = get_type_hints(kind).get(attribute)
    some = [part for part in get_args(found) if part is not NoneType]
    return some[0] if len(some) == 1 and NoneType in get_args(found) else found


def _limits_read(function: Callable[..., None]) -> Iterator[str]:
    """Return the names that a function reads of its argument `limits`."""
    code = function.__code__
    if "limits" in code.co_varnames[: code.co_argcount]:
        yield from _attributes_of_limits(code)


def _attributes_of_limits(code: CodeType) -> Iterator[str]:
    """Return the attributes of `limits` that this code reads, and the comprehensions and functions within it."""
    last: object = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_ATTR" and last == "limits":
            yield str(instruction.argval)
        loaded = instruction.argval if instruction.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) else None
        last = loaded[-1] if isinstance(loaded, tuple) else loaded  # newer Pythons load two at once
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and "limits" in inner.co_freevars:
            yield from _attributes_of_limits(inner)
