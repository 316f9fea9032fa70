"""What a check module promises: every name that it writes as a string, or reads of its limits, exists."""

from __future__ import annotations

import dis
import inspect
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playbook.alert import Alert, Check


def problems_of(alert: Alert, check: Check, function: Callable[..., None]) -> Iterator[str]:
    """Return a sentence for each limit, measurement and value to fill in that a check names and that does not exist."""
    limits = alert.limits.KINDS
    names = ", ".join(limits) or "none"
    if check.against is not None and check.against not in limits:
        yield f"against={check.against!r} is no limit of {alert.name} (it has: {names})"
    for name in _limits_read(function):
        if name not in limits:
            yield f"limits.{name} is no limit of {alert.name} (it has: {names})"
    paths = {"measures": check.measures} if check.measures else {}
    paths |= {f"fills[{name!r}]": path for name, path in check.fills.items()}
    hints = get_type_hints(function) if paths else {}
    for what, path in paths.items():
        if wrong := _wrong_part(path, hints):
            yield f"{what}={path!r}: {wrong}"
    try:
        alert.trigger.format_map({**dict.fromkeys(limits, 0), "for_": 0})
    except KeyError as error:
        yield f"the trigger's sentence quotes {error}, which is no limit of {alert.name} (it has: {names})"


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
            return f"{kind.__name__} has no {attribute}"
        kind = _kind_of(kind, attribute)
    return ""


def _kind_of(kind: type, attribute: str) -> Any:
    """Return the type of an attribute: that of a field, or what a property returns."""
    member = inspect.getattr_static(kind, attribute)
    if isinstance(member, property):
        return get_type_hints(member.fget).get("return")
    return get_type_hints(kind).get(attribute)


def _limits_read(function: Callable[..., None]) -> Iterator[str]:
    """Return the names that a function reads of its argument `limits`."""
    code = function.__code__
    if "limits" not in code.co_varnames[: code.co_argcount]:
        return
    last: object = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_ATTR" and last == "limits":
            yield str(instruction.argval)
        loaded = instruction.argval if instruction.opname.startswith("LOAD_FAST") else None
        last = loaded[-1] if isinstance(loaded, tuple) else loaded  # newer Pythons load two at once
