"""Which checks run, and in what order: markers from the alert's metadata, a trigger for every diagnostic."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

from playbook.alert import Alert, Check, alert_of, check_of
from playbook.catalogue import catalogue_of
from playbook.contract import problems_of
from playbook.target import BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MARKERS = {
    "sev0": "system down, risk of losing data: respond at once",
    "sev1": "performance degraded, users feel it: respond within 15 minutes",
    "sev2": "warning, a trend to act on: respond within 30 minutes",
    "sev3": "informational, maintenance: respond within 2 hours",
    "trigger": "the check that decides whether its alert fires",
    "diagnostic": "a check that looks for one cause of its alert",
    "active": "a diagnostic that writes and cleans up after itself: runs with --active alone",
}


_PRINTS = ("help", "version", "markers", "collectonly", "showfixtures", "show_fixtures_per_test", "cacheshow")
_IS_HEALTH_RUN = pytest.StashKey[bool]()
# The paths of the modules of which each check was collected, and all or none are selected.
WHOLE = pytest.StashKey[list[str]]()


def part_of_alert(item: pytest.Item) -> tuple[Alert, Check] | None:
    """Return the alert that an item belongs to, and what it is there; None for a test that is no check."""
    if not isinstance(item, pytest.Function):
        return None
    alert, check = alert_of(item.module), check_of(item.function)
    return (alert, check) if alert and check else None


def is_health_run(config: pytest.Config) -> bool:
    """Return whether the run was asked for checks: not so for `pytest tests`."""
    if _IS_HEALTH_RUN not in config.stash:  # many hooks ask
        catalogue = catalogue_of(config)
        config.stash[_IS_HEALTH_RUN] = any(catalogue.holds(_path(config, argument)) for argument in config.args)
    return config.stash[_IS_HEALTH_RUN]


def only_prints(config: pytest.Config) -> bool:
    """Return whether an option asks pytest for a list or a text: no check runs then, and nothing is asked."""
    return any(getattr(config.option, name, None) for name in _PRINTS)


def runs_nothing(config: pytest.Config) -> bool:
    """Return whether an option has fixtures set up and no check run."""
    return any(getattr(config.option, name, None) for name in ("setuponly", "setupplan"))


def judges(config: pytest.Config) -> bool:
    """Return whether the run comes to a judgement."""
    return is_health_run(config) and not only_prints(config) and not runs_nothing(config)


def is_narrowed(config: pytest.Config, whole: set[str]) -> bool:
    """Return whether anything but -m left out a check, given the paths of the modules that are whole."""
    narrowing = ("keyword", "deselect", "lf", "stepwise")  # some are absent where pytest's cache is turned off
    if any(getattr(config.option, name, None) for name in narrowing):
        return True
    return any(str(path) not in whole for path in catalogue_of(config).paths.values())


def asks_for_all(config: pytest.Config, argument: str) -> bool:
    """Return whether an argument names the folder of the checks, or one that contains it."""
    return catalogue_of(config).is_whole(_path(config, argument))


def _path(config: pytest.Config, argument: str) -> Path:
    return (config.invocation_params.dir / argument.split("::")[0]).resolve()


@pytest.hookimpl(trylast=True)  # the last-failed plugin must be inside of us: it would remove the triggers again
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and what must come around the other plugins."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.pluginmanager.register(_TriggersAlong(), "triggers-along")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Keep -x from stopping between a trigger and its causes: it stops at the end of the alert instead."""
    if is_health_run(config) and config.option.maxfail and not hasattr(config, "workerinput"):
        config.option.stop_after_alerts = config.option.maxfail
        config.option.maxfail = 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --active; keep the number of -x or --maxfail where the workers of xdist find it too."""
    parser.getgroup("ordinaut").addoption(
        "--active",
        action="store_true",
        help="also run what writes: a test alert to Alertmanager, removed again within the deadline of a call; the "
        "receivers of the topmost route may be notified of it where that route's group_wait is shorter",
    )
    parser.addoption(
        "--stop-after-alerts",
        type=int,
        default=0,
        help="as --maxfail, but never between an alert and its causes",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[Any]:
    """Stop at the end of an alert, once enough checks failed."""
    result = yield
    most = item.config.option.stop_after_alerts
    last_of_alert = nextitem is None or nextitem.getparent(pytest.Module) is not item.getparent(pytest.Module)
    if most and last_of_alert and item.session.testsfailed >= most:
        item.session.shouldfail = f"stopping at the end of the alert: {item.session.testsfailed} checks failed"
    return result


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a check by its alert's severity and its own role, early enough for `-m`."""
    part = part_of_alert(item)
    if part:
        alert, check = part
        item.add_marker(f"sev{alert.severity}")
        item.add_marker(check.role)
        if check.active:
            item.add_marker("active")


def pytest_collection_finish(session: pytest.Session) -> None:
    """With --collect-only, refuse a check that names what does not exist; in a run it is unknown."""
    if session.config.option.collectonly:
        problems = [problem for item in session.items for problem in problems_of_item(item)]
        if problems:
            raise BadSettings("; ".join(problems))


def problems_of_item(item: pytest.Item, find: Callable[..., Iterator[str]] = problems_of) -> list[str]:
    """Return a sentence for each name in a check that does not exist: a limit, a measurement, a value to fill in."""
    part = part_of_alert(item)
    if part is None:
        return []
    assert isinstance(item, pytest.Function)
    return [f"{item.nodeid}: {problem}" for problem in find(part[0], part[1], item.function)]


class _TriggersAlong:
    """A diagnostic selected alone brings its trigger along; within a module the trigger comes first."""

    def __init__(self) -> None:
        self._visited: set[str] = set()

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Know which modules pytest looks into."""
        self._visited.add(str(getattr(collector, "path", "")))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
        if not config.option.active:
            items[:] = [item for item in items if not item.get_closest_marker("active")]
        collected = list(items)
        yield
        config.stash[WHOLE] = sorted(self._visited - _narrowed(collected, set(items), config.option.active))
        arranged: list[pytest.Item] = []
        for module, group in groupby(items, lambda item: item.getparent(pytest.Module)):
            arranged += _with_trigger(module, list(group))
        items[:] = arranged


def _narrowed(collected: list[pytest.Item], selected: set[pytest.Item], active: bool) -> set[str]:
    """Return the paths of the modules of which a part was left out."""
    found = set()
    for module, group in groupby(collected, lambda item: item.getparent(pytest.Module)):
        items = list(group)
        functions = {getattr(item, "originalname", "") for item in items}
        checks = ((name, check_of(thing)) for name, thing in vars(module.obj).items()) if module else ()
        is_collected = all(name in functions for name, check in checks if check and (active or not check.active))
        if module and not (is_collected and len(selected.intersection(items)) in (0, len(items))):
            found.add(str(module.path))
    return found


def _with_trigger(module: pytest.Module | None, selected: list[pytest.Item]) -> list[pytest.Item]:
    parts = [part_of_alert(item) for item in selected]
    if module is None or not any(parts):
        return selected
    if not any(part and part[1].role == "trigger" for part in parts):
        for item in module.collect():
            part = part_of_alert(item) if isinstance(item, pytest.Item) else None
            if part and part[1].role == "trigger":
                assert isinstance(item, pytest.Item)
                pytest_itemcollected(item)
                selected = [item, *selected]
    return sorted(selected, key=lambda item: not item.get_closest_marker("trigger"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all checks of a target to one process at a time: several would each ask the target."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class OneProcess(LoadFileScheduling):  # type: ignore[misc]
        def _assign_work_unit(self, node: Any) -> None:
            if node is self.nodes[0]:
                super()._assign_work_unit(node)

        def _reschedule(self, node: Any) -> None:
            if node is self.nodes[0]:
                super()._reschedule(node)

        def remove_node(self, node: Any) -> Any:
            """Where the process died, leave that alert alone: it would die of it again, and judge no other."""
            work = self.assigned_work[node]
            died_of = ((file, check) for file, unit in work.items() for check, is_done in unit.items() if not is_done)
            file, check = next(died_of, (None, None))
            work.pop(file, None)
            super().remove_node(node)
            return check

    if not is_health_run(config):
        return None
    config.option.loadscopereorder = False  # in the order of severity, as without -n
    return OneProcess(config, log)
