from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from checks.monitoring import test_alert_cannot_fire as cannot_fire
from checks.monitoring import test_alert_routing_broken as broken
from checks.monitoring import test_alert_rules_drifted as drifted
from checks.monitoring import test_alertmanager_down as alertmanager
from checks.monitoring import test_grafana_down as grafana
from checks.monitoring import test_prometheus_down as prometheus
from checks.monitoring import test_scrape_target_down as scraping
from checks.monitoring import test_silence_too_broad as silence_too_broad
from fixtures.clients.alertmanager import AlertmanagerHealth, Matcher, Notifier, Silence
from fixtures.clients.http import HttpAnswer, Transport
from fixtures.monitoring.dashboards import Dashboards, GrafanaHealth, Sources
from fixtures.monitoring.labels import AlertLabels
from fixtures.monitoring.notification import SentAlert
from fixtures.monitoring.routing import PLACEHOLDER, Inhibition, Route, Routing, Way
from fixtures.monitoring.rules import AlertRule, RuleComparison, RunbookLink, RunbookLinks, page_of
from fixtures.monitoring.scraping import BlindExporter, PrometheusHealth, ScrapeTarget, ScrapeTargets
from fixtures.monitoring.series import Disappearing, Lost, RuleSeries, Selector, ways_of, zero_of
from fixtures.monitoring.silences import JudgedSilences, judged
from playbook.evidence import Unknown
from playbook.quantities import Span
from playbook.rules import Rule
from tests.literal_facts import Case, faulty, healthy, parametrized, prove, unknown

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def answer(
    port: int, status: int | None = 200, body: str = "", transport: Transport = Transport.ANSWERED
) -> HttpAnswer:
    return HttpAnswer(f"http://127.0.0.1:{port}", transport, Span(0.01), status, body)


def refused(port: int) -> HttpAnswer:
    return HttpAnswer(f"http://127.0.0.1:{port}", Transport.REFUSED, Span(0.01))


# -- Prometheus

WELL = PrometheusHealth(answer(9090), reloaded=True, ready=True, sample_age=Span(3), jobs=("api", "node"))
GONE = PrometheusHealth(refused(9090))
HTML = PrometheusHealth(answer(9090, body="<html>It works!</html>"))
STARTING = PrometheusHealth(answer(9090), reloaded=True)
NOT_RELOADED = replace(WELL, reloaded=False)
STALE = replace(WELL, sample_age=Span(4 * MINUTE))
NO_SAMPLE = replace(WELL, sample_age=None, loaded_ago=Span(HOUR))
NEW = replace(NO_SAMPLE, loaded_ago=Span(MINUTE))
NEW_WITH_NONSENSE = replace(NEW, reloaded=False)

PROMETHEUS = [
    healthy(prometheus.test_prometheus_is_well, prometheus_health=WELL),
    faulty(prometheus.test_prometheus_is_well, "refused the connection", prometheus_health=GONE),
    faulty(prometheus.test_prometheus_is_well, "not as Prometheus does: '<html>", prometheus_health=HTML),
    faulty(prometheus.test_prometheus_is_well, "it is not ready", prometheus_health=STARTING),
    faulty(prometheus.test_prometheus_is_well, "goes on with the old one", prometheus_health=NOT_RELOADED),
    faulty(prometheus.test_prometheus_is_well, "is 4 min old, limit 2 min", prometheus_health=STALE),
    faulty(prometheus.test_prometheus_is_well, "no sample of `up` of the jobs api, node", prometheus_health=NO_SAMPLE),
    faulty(prometheus.test_prometheus_is_well, "goes on with the old one", prometheus_health=NEW_WITH_NONSENSE),
    unknown(
        prometheus.test_prometheus_is_well, "1 min ago, no sample of `up` of the jobs api, node", prometheus_health=NEW
    ),
    *(healthy(prometheus.test_prometheus_answers, prometheus_health=one) for one in (WELL, HTML)),
    faulty(prometheus.test_prometheus_answers, "refused", prometheus_health=GONE),
    *(healthy(prometheus.test_what_answers_is_prometheus, prometheus_health=one) for one in (WELL, GONE, STARTING)),
    faulty(prometheus.test_what_answers_is_prometheus, "not as Prometheus does", prometheus_health=HTML),
    *(healthy(prometheus.test_prometheus_is_ready, prometheus_health=one) for one in (WELL, GONE, HTML)),
    faulty(prometheus.test_prometheus_is_ready, "is not ready", prometheus_health=STARTING),
    *(healthy(prometheus.test_the_last_reload_worked, prometheus_health=one) for one in (WELL, GONE)),
    faulty(prometheus.test_the_last_reload_worked, "the last reload failed", prometheus_health=NOT_RELOADED),
    *(healthy(prometheus.test_samples_are_fresh, prometheus_health=one) for one in (WELL, GONE, STARTING, NEW)),
    faulty(prometheus.test_samples_are_fresh, "`up` is 4 min old, limit 2 min", prometheus_health=STALE),
    faulty(prometheus.test_samples_are_fresh, "of the jobs api, node, limit 2 min", prometheus_health=NO_SAMPLE),
]

# -- what it scrapes

JOBS = ("orchestrator-api", "postgres", "redis", "node")
UP = tuple(ScrapeTarget(job, f"{job}:1", "up") for job in JOBS)
ALL_UP = ScrapeTargets(JOBS, UP, JOBS)
OTHER_DOWN = replace(ALL_UP, targets=(*UP, ScrapeTarget("orchestrator-workers", "worker-1:8090", "down")))
NOT_SCRAPED_YET = replace(ALL_UP, targets=(*UP[1:], ScrapeTarget("orchestrator-api", "api:8080", "unknown")))
OLD_PROMETHEUS = replace(ALL_UP, jobs=())  # does not tell which jobs it has
NODE_DOWN = replace(ALL_UP, targets=(*UP[:3], ScrapeTarget("node", "node:9100", "down", "connection refused")))
NO_REDIS = ScrapeTargets(JOBS, (*UP[:2], UP[3]), (*JOBS[:2], JOBS[3]))
EMPTY_REDIS = ScrapeTargets(JOBS, (*UP[:2], UP[3]), JOBS)
BLIND = replace(ALL_UP, exporters_at_zero=(BlindExporter("postgres", "postgres:1", "pg_up"),))
OTHER_BLIND = replace(ALL_UP, exporters_at_zero=(BlindExporter("billing", "billing:1", "pg_up"),))

SCRAPING = [
    *(
        healthy(scraping.test_all_that_the_alerts_need_is_scraped, scrape_targets=targets)
        for targets in (ALL_UP, OTHER_DOWN, OTHER_BLIND, NOT_SCRAPED_YET, OLD_PROMETHEUS)
    ),
    faulty(scraping.test_all_that_the_alerts_need_is_scraped, "down: node node:9100", scrape_targets=NODE_DOWN),
    faulty(scraping.test_all_that_the_alerts_need_is_scraped, "no job: redis", scrape_targets=NO_REDIS),
    faulty(scraping.test_all_that_the_alerts_need_is_scraped, "no target of: redis", scrape_targets=EMPTY_REDIS),
    faulty(scraping.test_all_that_the_alerts_need_is_scraped, "sees nothing: pg_up", scrape_targets=BLIND),
    *(healthy(scraping.test_no_job_is_missing, scrape_targets=one) for one in (ALL_UP, EMPTY_REDIS, OLD_PROMETHEUS)),
    faulty(scraping.test_no_job_is_missing, "no job redis", scrape_targets=NO_REDIS),
    *(healthy(scraping.test_every_job_has_a_target, scrape_targets=one) for one in (ALL_UP, NO_REDIS)),
    faulty(scraping.test_every_job_has_a_target, "without any target: redis", scrape_targets=EMPTY_REDIS),
    *(healthy(scraping.test_no_target_is_down, scrape_targets=one) for one in (ALL_UP, OTHER_DOWN, NO_REDIS)),
    faulty(scraping.test_no_target_is_down, "connection refused", scrape_targets=NODE_DOWN),
    *(healthy(scraping.test_no_exporter_is_blind, scrape_targets=one) for one in (ALL_UP, OTHER_BLIND)),
    faulty(scraping.test_no_exporter_is_blind, "pg_up of postgres:1 is 0", scrape_targets=BLIND),
]

# -- rules

OUR_DOWN = Rule("APIDown", "up == 0", Span(120), {"severity": "critical"}, {"runbook_url": "runbooks/APIDown.md"})
OUR_QUEUE = Rule("Queue", "depth > 1000", Span(600), {"severity": "warning"}, {"runbook_url": "runbooks/Queue.md"})
DOWN = AlertRule(
    "APIDown", "up == 0", Span(120), "critical", "https://here/APIDown.md", "ok", "", Span(10), Span(HOUR), Span(15),
)  # fmt: skip
QUEUE = replace(
    DOWN,
    name="Queue",
    expression="depth  >  1e3",
    lasts=Span(600),
    severity="warning",
    runbook_url="https://here/Queue.md",
)
OTHER = replace(DOWN, name="Another", health="err", evaluated_ago=Span(DAY))


def compared(*rules: AlertRule) -> RuleComparison:
    return RuleComparison(rules, (OUR_DOWN, OUR_QUEUE))


SAME = compared(DOWN, QUEUE, OTHER)
JUST_LOADED = compared(replace(DOWN, evaluated_ago=None, loaded_ago=Span(30)), QUEUE)
NEVER_EVALUATED = compared(replace(DOWN, health="unknown", evaluated_ago=None), QUEUE)
NO_QUEUE = compared(DOWN)
TWICE = compared(DOWN, QUEUE, QUEUE)
IN_ERROR = compared(DOWN, replace(QUEUE, health="err", error="many-to-many matching"))
LATE = compared(DOWN, replace(QUEUE, evaluated_ago=Span(31)))
EVERY_SECOND = replace(QUEUE, interval=Span(1))
AFTER_NINE, AFTER_ELEVEN = (compared(DOWN, replace(EVERY_SECOND, evaluated_ago=Span(ago))) for ago in (9, 11))
SOONER = compared(DOWN, replace(QUEUE, expression="depth > 100", lasts=Span(120)))
OTHER_SEVERITY = compared(replace(DOWN, severity="warning"), QUEUE)
OTHER_RUNBOOK = compared(replace(DOWN, runbook_url="https://here/api-down"), QUEUE)
UNREADABLE = compared(replace(DOWN, expression="up from the future"), QUEUE)


def linked(came: HttpAnswer | None) -> RunbookLinks:
    return RunbookLinks((RunbookLink("APIDown", "https://here/APIDown.md", came, page_of(came, ("APIDown", "Queue"))),))


OUR_PAGE, AS_HTML = linked(answer(80, body="# APIDown\n")), linked(answer(80, body="<h1>APIDown</h1>"))
NO_LINKS = RunbookLinks(())
OTHER_PAGE, NO_PAGE = linked(answer(80, body="# Queue\nNot APIDown.")), linked(answer(80, 404))
LOGIN, HANGING, NOBODY = linked(answer(80, 302)), linked(None), linked(refused(80))
SIGN_IN, WELCOME = linked(answer(80, body="<form action=/login>")), linked(answer(80, body="# Welcome"))
ERROR_PAGE = linked(answer(80, 500, body="# Queue"))
READ, UNREAD_LINKS = (OUR_PAGE, AS_HTML, NO_LINKS), (LOGIN, HANGING, NOBODY, SIGN_IN, WELCOME, ERROR_PAGE)
DEAD = (OTHER_PAGE, NO_PAGE)

RULES = [
    *(
        healthy(drifted.test_the_rules_are_ours, rule_comparison=one, runbook_links=NO_LINKS)
        for one in (SAME, JUST_LOADED)
    ),
    *(
        healthy(drifted.test_the_rules_are_ours, rule_comparison=SAME, runbook_links=one)
        for one in (*READ, *UNREAD_LINKS)
    ),
    *(
        faulty(
            drifted.test_the_rules_are_ours,
            f"dead: APIDown: https://here/APIDown.md {says}",
            rule_comparison=SAME,
            runbook_links=one,
        )
        for one, says in (
            (OTHER_PAGE, "answered 200 after 10 ms, with the runbook of Queue"),
            (NO_PAGE, "answered 404"),
        )
    ),
    faulty(drifted.test_the_rules_are_ours, "no rule: Queue", rule_comparison=NO_QUEUE, runbook_links=NO_LINKS),
    faulty(
        drifted.test_the_rules_are_ours, "more than one: Queue (2 rules)", rule_comparison=TWICE, runbook_links=NO_LINKS
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "not evaluated: Queue: many-to-many",
        rule_comparison=IN_ERROR,
        runbook_links=NO_LINKS,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "not evaluated: Queue 31 s ago, every 15 s",
        rule_comparison=LATE,
        runbook_links=NO_LINKS,
    ),
    faulty(
        drifted.test_the_rules_are_ours,
        "not evaluated: APIDown never since it was loaded 1 h ago, every 15 s",
        rule_comparison=NEVER_EVALUATED,
        runbook_links=NO_LINKS,
    ),
    faulty(drifted.test_the_rules_are_ours, "`for` 2 min, ours 10 min", rule_comparison=SOONER, runbook_links=NO_LINKS),
    healthy(drifted.test_no_rule_is_missing, rule_comparison=SAME),
    faulty(drifted.test_no_rule_is_missing, "no rule for Queue", rule_comparison=NO_QUEUE),
    healthy(drifted.test_every_rule_can_be_evaluated, rule_comparison=SAME),
    faulty(drifted.test_every_rule_can_be_evaluated, "many-to-many", rule_comparison=IN_ERROR),
    healthy(drifted.test_no_rule_is_there_twice, rule_comparison=SAME),
    faulty(drifted.test_no_rule_is_there_twice, "Queue (2 rules)", rule_comparison=TWICE),
    *(healthy(drifted.test_every_rule_is_evaluated_in_time, rule_comparison=one) for one in (SAME, JUST_LOADED)),
    faulty(drifted.test_every_rule_is_evaluated_in_time, "Queue 31 s ago", rule_comparison=LATE),
    healthy(drifted.test_every_rule_is_evaluated_in_time, rule_comparison=AFTER_NINE),
    faulty(drifted.test_every_rule_is_evaluated_in_time, "Queue 11 s ago", rule_comparison=AFTER_ELEVEN),
    faulty(drifted.test_every_rule_is_evaluated_in_time, "APIDown never", rule_comparison=NEVER_EVALUATED),
    *(healthy(drifted.test_no_rule_differs, rule_comparison=one) for one in (SAME, NO_QUEUE)),
    faulty(drifted.test_no_rule_differs, "expression `depth > 100`, ours `depth > 1000`", rule_comparison=SOONER),
    faulty(drifted.test_no_rule_differs, "severity warning, ours critical", rule_comparison=OTHER_SEVERITY),
    faulty(drifted.test_no_rule_differs, "runbook api-down, ours APIDown.md", rule_comparison=OTHER_RUNBOOK),
    faulty(drifted.test_no_rule_differs, "`up from the future`, ours `up == 0`", rule_comparison=UNREADABLE),
    *(healthy(drifted.test_every_runbook_is_where_its_rule_says, runbook_links=one) for one in (*READ, *UNREAD_LINKS)),
    *(
        faulty(drifted.test_every_runbook_is_where_its_rule_says, "APIDown.md answered", runbook_links=one)
        for one in DEAD
    ),
    *(healthy(drifted.test_the_runbooks_can_be_read_from_here, runbook_links=one) for one in (*READ, *DEAD)),
    *(
        faulty(drifted.test_the_runbooks_can_be_read_from_here, says, runbook_links=one)
        for one, says in (
            (LOGIN, "answered 302"),
            (HANGING, "did not answer in time"),
            (NOBODY, "refused"),
            (SIGN_IN, "answered 200 after 10 ms, not with APIDown"),
            (ERROR_PAGE, "answered 500"),
        )
    ),
]

# -- whether rules can fire

DISK = Selector("node_filesystem_avail_bytes", (("mountpoint", "=", "/data"),))
ALL_THERE = RuleSeries(())
NEVER = RuleSeries((Lost(("Slow",), Selector("postgres_max_tx"), metric_seen=False),))
NO_LABEL = RuleSeries((Lost(("Full",), DISK, True, ("mountpoint",)),))
NO_VALUE = RuleSeries((Lost(("Full",), DISK, True),))
NO_PATTERN = RuleSeries((Lost(("Full",), DISK, True, may_be=True),))
UNREAD = RuleSeries((), unreadable=("Full (unknown function)",))
UNREAD_TOO = replace(NEVER, unreadable=UNREAD.unreadable)
VANISHED = RuleSeries((Lost(("Full",), DISK, True, (), Span(2 * DAY)),))
BLINKED = RuleSeries((Lost(("Full",), DISK, True, (), Span(10 * MINUTE)),))
NO_ZERO = RuleSeries((), (Disappearing("NoWorkers", Selector("active_workers"), Span(5 * HOUR)),))
SHORT_GAP = RuleSeries((), (Disappearing("NoWorkers", Selector("active_workers"), Span(10 * MINUTE)),))

CANNOT_FIRE = [
    *(
        healthy(cannot_fire.test_every_rule_can_fire, rule_series=one)
        for one in (ALL_THERE, BLINKED, SHORT_GAP, NO_PATTERN)
    ),
    *(
        faulty(cannot_fire.test_every_rule_can_fire, "metric never seen: `postgres_max_tx` (Slow)", rule_series=one)
        for one in (NEVER, UNREAD_TOO)
    ),
    unknown(cannot_fire.test_every_rule_can_fire, "could not be read: Full (unknown function)", rule_series=UNREAD),
    faulty(cannot_fire.test_every_rule_can_fire, "label never present: mountpoint of", rule_series=NO_LABEL),
    faulty(cannot_fire.test_every_rule_can_fire, "value never seen", rule_series=NO_VALUE),
    faulty(cannot_fire.test_every_rule_can_fire, "gone: ", rule_series=VANISHED),
    faulty(cannot_fire.test_every_rule_can_fire, "== 0 on what goes away: NoWorkers", rule_series=NO_ZERO),
    *(healthy(cannot_fire.test_every_metric_was_seen, rule_series=one) for one in (ALL_THERE, NO_LABEL, VANISHED)),
    faulty(cannot_fire.test_every_metric_was_seen, "`postgres_max_tx` (Slow)", rule_series=NEVER),
    *(healthy(cannot_fire.test_every_label_was_seen, rule_series=one) for one in (ALL_THERE, NEVER, NO_VALUE)),
    faulty(cannot_fire.test_every_label_was_seen, "mountpoint of", rule_series=NO_LABEL),
    *(
        healthy(cannot_fire.test_every_value_was_seen, rule_series=one)
        for one in (ALL_THERE, NEVER, NO_LABEL, VANISHED)
    ),
    *(
        faulty(cannot_fire.test_every_value_was_seen, '{mountpoint="/data"}` (Full)', rule_series=one)
        for one in (NO_VALUE, NO_PATTERN)
    ),
    *(healthy(cannot_fire.test_nothing_has_vanished, rule_series=one) for one in (ALL_THERE, NO_VALUE, BLINKED)),
    faulty(cannot_fire.test_nothing_has_vanished, "for 2 d", rule_series=VANISHED),
    *(
        healthy(cannot_fire.test_no_rule_waits_for_a_zero_that_never_comes, rule_series=one)
        for one in (ALL_THERE, SHORT_GAP)
    ),
    faulty(cannot_fire.test_no_rule_waits_for_a_zero_that_never_comes, "was not there for 5 h", rule_series=NO_ZERO),
]

# -- Alertmanager

PROMETHEUS_GONE = Unknown("Prometheus at http://127.0.0.1:9090 refused the connection", "prometheus")
SETTLED = AlertmanagerHealth(answer(9093), "ready", Span(HOUR), reloaded=True, metrics="answered 200 after 10 ms")
ALONE = replace(SETTLED, cluster="disabled", up_for=Span(1))
AM_GONE = AlertmanagerHealth(refused(9093))
AM_HTML = AlertmanagerHealth(answer(9093, 404, "no such page"))
AM_CLOSED = [AlertmanagerHealth(answer(9093, status, "not for you")) for status in (401, 403)]
SETTLING = replace(SETTLED, cluster="settling", up_for=Span(5 * MINUTE))
STARTED = [replace(SETTLING, up_for=Span(seconds)) for seconds in (1, 119, -3)]
STARTED_BADLY = replace(STARTED[0], reloaded=False)
NO_METRICS = replace(SETTLED, reloaded=None, metrics="answered 404 after 10 ms")
AM_NOT_RELOADED = replace(SETTLED, reloaded=False)
CONNECTED = Notifier(1, 0.0)
NO_PROMETHEUS = Notifier()
NOT_ASKED = Notifier(untold=PROMETHEUS_GONE)
UNCOUNTED = Notifier(1)
DISCONNECTED = Notifier(0, 0.0)
DROPPING = Notifier(1, 12.4, Span(120))


ALERTMANAGER = [
    *(
        healthy(alertmanager.test_alertmanager_is_well, alertmanager_health=health, notifier=notifier)
        for health, notifier in ((SETTLED, CONNECTED), (ALONE, NO_PROMETHEUS), (SETTLED, UNCOUNTED))
    ),
    *(
        faulty(alertmanager.test_alertmanager_is_well, says, alertmanager_health=health, notifier=notifier)
        for says, health, notifier in (
            ("refused the connection", AM_GONE, CONNECTED),
            ("not as Alertmanager does: 'no such page'", AM_HTML, CONNECTED),
            ("its cluster is settling, 5 min after its start", SETTLING, CONNECTED),
            ("goes on with the old one", STARTED_BADLY, CONNECTED),
            ("refused the connection", AM_GONE, NOT_ASKED),
            ("connected to no Alertmanager", AM_CLOSED[0], DISCONNECTED),
            ("goes on with the old one", AM_NOT_RELOADED, CONNECTED),
            ("connected to no Alertmanager", SETTLED, DISCONNECTED),
            ("dropped 12 notifications in the last 2 min", SETTLED, DROPPING),
        )
    ),
    *(
        unknown(alertmanager.test_alertmanager_is_well, says, alertmanager_health=health, notifier=notifier)
        for says, health, notifier in (
            ("the suite may not ask Alertmanager: http://127.0.0.1:9093 answered 40", AM_CLOSED[0], CONNECTED),
            ("the suite may not ask Alertmanager: http://127.0.0.1:9093 answered 40", AM_CLOSED[1], CONNECTED),
            *(("its cluster is settling, as it may be", one, CONNECTED) for one in STARTED),
            ("not known: /metrics answered 404", NO_METRICS, CONNECTED),
            ("Prometheus at http://127.0.0.1:9090 refused", SETTLED, NOT_ASKED),
        )
    ),
    *(healthy(alertmanager.test_alertmanager_answers, alertmanager_health=one) for one in (SETTLED, AM_HTML)),
    faulty(alertmanager.test_alertmanager_answers, "refused", alertmanager_health=AM_GONE),
    *(
        healthy(alertmanager.test_what_answers_is_alertmanager, alertmanager_health=one)
        for one in (SETTLED, AM_GONE, *AM_CLOSED)
    ),
    faulty(alertmanager.test_what_answers_is_alertmanager, "not as Alertmanager", alertmanager_health=AM_HTML),
    *(
        healthy(alertmanager.test_the_cluster_is_ready, alertmanager_health=one)
        for one in (SETTLED, ALONE, AM_GONE, *STARTED)
    ),
    faulty(alertmanager.test_the_cluster_is_ready, "settling", alertmanager_health=SETTLING),
    *(healthy(alertmanager.test_the_configuration_was_loaded, alertmanager_health=one) for one in (SETTLED, ALONE)),
    faulty(alertmanager.test_the_configuration_was_loaded, "reload failed", alertmanager_health=AM_NOT_RELOADED),
    *(healthy(alertmanager.test_prometheus_is_connected, notifier=one) for one in (CONNECTED, NOT_ASKED)),
    faulty(alertmanager.test_prometheus_is_connected, "no Alertmanager", notifier=DISCONNECTED),
    *(healthy(alertmanager.test_prometheus_drops_nothing, notifier=one) for one in (CONNECTED, NOT_ASKED)),
    *(
        healthy(alertmanager.test_losses_are_counted, notifier=one)
        for one in (CONNECTED, DROPPING, NOT_ASKED, NO_PROMETHEUS)
    ),
    faulty(alertmanager.test_losses_are_counted, "does not scrape itself", notifier=UNCOUNTED),
    faulty(alertmanager.test_prometheus_drops_nothing, "dropped 12", notifier=DROPPING),
]

# -- routes

ROOT = {"alertname": "APIDown", "severity": "critical", "service": "api"}
LESSER = {"alertname": "Latency", "severity": "critical", "service": "api"}
QUEUES = {"alertname": "Queue", "severity": "warning", "service": "worker"}
CRITICAL = (Matcher("severity", "critical"),)
SENT = Routing(
    ways=(
        Way("APIDown", ROOT, ("oncall",)),
        Way("Latency", LESSER, ("oncall",)),
        Way("Queue", QUEUES, ("team", "archive")),
    ),
    gravest=("APIDown",),
    first=(),
    integrations={"oncall": ("pagerduty",), "team": ("email",), "archive": ("webhook",), "unused": ()},
    placeholders={"oncall": (), "team": (), "archive": (), "unused": ("ops@example.com",)},
    routes=(Route("oncall", CRITICAL, ("team", "oncall")),),
    inhibitions=(),
)


def inhibiting(source: dict[str, str], target: dict[str, str], *equal: str) -> Routing:
    matchers = [tuple(Matcher(name, value) for name, value in one.items()) for one in (source, target)]
    return replace(SENT, inhibitions=(Inhibition(matchers[0], matchers[1], equal),))


ROOT_HIDES = inhibiting({"alertname": "APIDown"}, {"alertname": "Latency"}, "service")
CRITICAL_HIDES_WARNING = inhibiting({"severity": "critical"}, {"severity": "warning"}, "service", "alertname")
OF_ITSELF = inhibiting({"severity": "critical"}, {"severity": "critical"})
OF_THE_SAME_NAME = inhibiting({"severity": "warning"}, {"severity": "critical"}, "alertname")
HOST_DOWN_HIDES = inhibiting({"alertname": "HostDown"}, {"severity": "critical"})
WARNING_HIDES = inhibiting({"severity": "warning"}, {"severity": "critical"})
FOREIGN_WARNING_HIDES = inhibiting({"severity": "warning"}, {"severity": "critical"}, "service")
ANYTHING_HIDES = replace(
    SENT,
    inhibitions=(Inhibition((Matcher("alertname", ".+", is_regex=True),), (Matcher("alertname", "APIDown"),), ()),),
)
DATABASE = {"alertname": "DatabaseDown", "severity": "critical", "service": "postgres"}
TWO_ROOTS = replace(
    SENT, ways=(*SENT.ways, Way("DatabaseDown", DATABASE, ("oncall",))),
    gravest=("APIDown", "DatabaseDown"), first=("DatabaseDown",),
)  # fmt: skip
EXPLAINED_HIDDEN = replace(
    TWO_ROOTS, inhibitions=inhibiting({"alertname": "DatabaseDown"}, {"alertname": "APIDown"}).inhibitions
)
FIRST_HIDDEN = replace(
    TWO_ROOTS, inhibitions=inhibiting({"alertname": "APIDown"}, {"alertname": "DatabaseDown"}).inhibitions
)
SHADOWED = replace(SENT, routes=(Route("oncall", CRITICAL, ("team",)),))
UNREACHED_AND_UNJUDGED = [
    replace(SENT, routes=(Route("dba", (matcher,), ("team",)),))
    for matcher in (Matcher("severity", "critical", is_equal=False), Matcher("service", "p.*", is_regex=True))
]
NOT_ALL_TRIED = replace(SENT, routes=(Route("oncall", CRITICAL, ("team",), "amtool was asked 100 times"),))
NOT_ALL_TOLD = replace(SENT, untold=Unknown("amtool was asked 100 times"))
WORDS = replace(SENT, routes=(Route("dba", (Matcher("service", "pg|redis", is_regex=True),), ("team",)),))
TELLS_NOBODY = replace(SENT, integrations={**SENT.integrations, "oncall": ()})
TOLD_BY_THE_OTHER = replace(SENT, integrations={**SENT.integrations, "archive": ()})
NOBODY_TELLS = replace(SENT, integrations={**SENT.integrations, "archive": (), "team": ()})
EXAMPLE = replace(SENT, placeholders={**SENT.placeholders, "oncall": ("oncall@example.com",)})

ARRIVED = SentAlert(("oncall",), ("oncall",), is_gone=True)
LOST, MISSENT = replace(ARRIVED, seen=()), replace(ARRIVED, seen=("team",))
STAYED = replace(ARRIVED, is_gone=False)
ROUTING = [
    *(
        healthy(broken.test_every_alert_is_heard_of, routing=one, sent_alert=None)
        for one in (
            SENT,
            ROOT_HIDES,
            CRITICAL_HIDES_WARNING,
            OF_ITSELF,
            *UNREACHED_AND_UNJUDGED,
            NOT_ALL_TRIED,
            TOLD_BY_THE_OTHER,
        )
    ),
    unknown(broken.test_every_alert_is_heard_of, "asked 100 times", routing=NOT_ALL_TOLD, sent_alert=None),
    *(
        faulty(broken.test_every_alert_is_heard_of, says, routing=one, sent_alert=None)
        for says, one in (
            ("shadowed route", SHADOWED),
            ("without integration: oncall (APIDown, Latency)", TELLS_NOBODY),
            ("without integration: oncall (APIDown, Latency)", replace(TELLS_NOBODY, untold=NOT_ALL_TOLD.untold)),
            ("placeholder address", EXAMPLE),
            ("root alert inhibited", WARNING_HIDES),
        )
    ),
    *(
        healthy(broken.test_every_route_is_reached, routing=one)
        for one in (SENT, *UNREACHED_AND_UNJUDGED, NOT_ALL_TRIED)
    ),
    *(
        faulty(broken.test_every_route_is_reached, says, routing=one)
        for says, one in (
            ('{severity="critical"} is meant for oncall and comes to team', SHADOWED),
            ('{service=~"pg|redis"} is meant for dba and comes to team', WORDS),
        )
    ),
    *(healthy(broken.test_every_receiver_tells_somebody, routing=one) for one in (SENT, TOLD_BY_THE_OTHER)),
    faulty(broken.test_every_receiver_tells_somebody, "oncall (APIDown, Latency)", routing=TELLS_NOBODY),
    faulty(broken.test_every_receiver_tells_somebody, "team, archive (Queue)", routing=NOBODY_TELLS),
    healthy(broken.test_no_receiver_is_at_its_placeholder, routing=SENT),
    faulty(broken.test_no_receiver_is_at_its_placeholder, "oncall: oncall@example.com", routing=EXAMPLE),
    *(
        healthy(broken.test_no_root_alert_is_hidden, routing=one)
        for one in (
            SENT,
            ROOT_HIDES,
            CRITICAL_HIDES_WARNING,
            OF_THE_SAME_NAME,
            HOST_DOWN_HIDES,
            TWO_ROOTS,
            EXPLAINED_HIDDEN,
        )
    ),
    *(
        faulty(broken.test_no_root_alert_is_hidden, says, routing=one)
        for says, one in (
            ("APIDown is hidden by Queue", WARNING_HIDES),
            ('APIDown is hidden by whatever has {severity="warning"}', FOREIGN_WARNING_HIDES),
            ("APIDown is hidden by Latency, Queue, whatever has", ANYTHING_HIDES),
            ("DatabaseDown is hidden by APIDown", FIRST_HIDDEN),
        )
    ),
    *(healthy(broken.test_every_alert_is_heard_of, routing=SENT, sent_alert=one) for one in (None, ARRIVED)),
    *(
        faulty(broken.test_every_alert_is_heard_of, says, routing=SENT, sent_alert=one)
        for says, one in (("is for oncall and came to nobody", LOST), ("Alertmanager still has it", STAYED))
    ),
    healthy(broken.test_a_test_alert_arrives, notification=ARRIVED),
    faulty(broken.test_a_test_alert_arrives, "is for oncall and came to nobody", notification=LOST),
    faulty(broken.test_a_test_alert_arrives, "is for oncall and came to team", notification=MISSENT),
    faulty(broken.test_a_test_alert_arrives, "Alertmanager still has it", notification=STAYED),
]

# -- silences

NOW = datetime(2026, 1, 1, tzinfo=UTC)


PLAIN = AlertLabels({"APIDown": (ROOT,), "Latency": (LESSER,), "Queue": (QUEUES,)})
OF_A_CLUSTER = AlertLabels({name: ({**one, "cluster": "home"},) for name, (one,) in PLAIN.sets.items()})
ROOT_OF_A_SERIES = AlertLabels({**PLAIN.sets, "APIDown": (ROOT, {**ROOT, "job": "orchestrator-api"})})
UNTOLD = AlertLabels(PLAIN.sets, PROMETHEUS_GONE)


def silenced(
    value: str,
    comment: str = "a new disk",
    lasts: float = HOUR,
    label: str = "alertname",
    labels: AlertLabels = PLAIN,
    now: tuple[str, ...] = (),
) -> JudgedSilences:
    regex = Matcher(label, value, is_regex=True)
    one = Silence("0123456789", (regex,), "ops", comment, NOW, NOW + timedelta(seconds=lasts))
    return judged((one,), labels, ("APIDown",), {one.identity: now} if now else {})


NO_SILENCE = judged((), UNTOLD, ("APIDown",), {})
NARROW = silenced("Queue")
OF_A_DAY = silenced("Queue", lasts=DAY)
OF_NONE = silenced("NoSuchAlert")
ALL = silenced(".+")
OF_THE_ROOT = silenced("APIDown")
ENDLESS = silenced("Queue", lasts=3650 * DAY)
NO_COMMENT = silenced("Queue", comment=" ")
HIDING = silenced("Queue", now=("Queue",))
OF_THE_CLUSTER = silenced("home", label="cluster", labels=OF_A_CLUSTER)
OF_ANOTHER_CLUSTER = silenced("abroad", label="cluster", labels=OF_A_CLUSTER)
OF_A_JOB = silenced("orchestrator-.*", label="job", labels=ROOT_OF_A_SERIES)
HIDING_THE_ROOT = silenced("host-7", label="instance", now=("APIDown", "Foreign"))
PERHAPS_MORE = silenced("home", label="cluster", labels=UNTOLD)
CERTAINLY_ALL = silenced(".+", labels=UNTOLD)
IN_GO = [silenced(value) for value in ("[[:alpha:]]+", r"\pL+", "(?U)Q.*")]
IN_GO_OF_NOTHING = judged(
    (Silence("1", (Matcher("alertname", r"\pL", is_regex=True), Matcher("job", "none")), "ops", "why", NOW, NOW),),
    PLAIN, ("APIDown",), {},
)  # fmt: skip

SILENCES = [
    *(
        healthy(silence_too_broad.test_no_silence_is_too_broad, judged_silences=one)
        for one in (NO_SILENCE, NARROW, OF_A_DAY, OF_NONE, HIDING, OF_ANOTHER_CLUSTER, IN_GO_OF_NOTHING)
    ),
    *(
        faulty(silence_too_broad.test_no_silence_is_too_broad, says, judged_silences=one)
        for says, one in (
            ('matches everything: silence 01234567 {cluster=~"home"}', OF_THE_CLUSTER),
            ("hides APIDown", OF_A_JOB),
            ('{instance=~"host-7"} hides APIDown', HIDING_THE_ROOT),
            ("matches everything", CERTAINLY_ALL),
        )
    ),
    unknown(silence_too_broad.test_no_silence_is_too_broad, "refused the connection", judged_silences=PERHAPS_MORE),
    *(
        unknown(silence_too_broad.test_no_silence_is_too_broad, "silence 01234567 {alertname", judged_silences=one)
        for one in IN_GO
    ),
    faulty(silence_too_broad.test_no_silence_is_too_broad, "matches everything", judged_silences=ALL),
    faulty(silence_too_broad.test_no_silence_is_too_broad, "hides severity 0", judged_silences=OF_THE_ROOT),
    faulty(silence_too_broad.test_no_silence_is_too_broad, "too long", judged_silences=ENDLESS),
    faulty(silence_too_broad.test_no_silence_is_too_broad, "without a comment", judged_silences=NO_COMMENT),
    *(
        healthy(silence_too_broad.test_no_silence_matches_everything, judged_silences=one)
        for one in (NARROW, OF_THE_ROOT)
    ),
    faulty(silence_too_broad.test_no_silence_matches_everything, '{alertname=~".+"}', judged_silences=ALL),
    healthy(silence_too_broad.test_no_silence_hides_the_gravest, judged_silences=NARROW),
    faulty(silence_too_broad.test_no_silence_hides_the_gravest, "hides APIDown", judged_silences=OF_THE_ROOT),
    *(healthy(silence_too_broad.test_no_silence_lasts_too_long, judged_silences=one) for one in (NARROW, OF_A_DAY)),
    faulty(
        silence_too_broad.test_no_silence_lasts_too_long,
        "2035-12-30 00:00 UTC; limit 1 d",
        judged_silences=ENDLESS,
    ),
    healthy(silence_too_broad.test_every_silence_says_why, judged_silences=NARROW),
    faulty(silence_too_broad.test_every_silence_says_why, "silence 01234567", judged_silences=NO_COMMENT),
    *(healthy(silence_too_broad.test_no_silence_hides_what_fires, judged_silences=one) for one in (NARROW, NO_SILENCE)),
    faulty(silence_too_broad.test_no_silence_hides_what_fires, "hides Queue", judged_silences=HIDING),
    faulty(
        silence_too_broad.test_no_silence_hides_what_fires, "hides APIDown, Foreign", judged_silences=HIDING_THE_ROOT
    ),
]

# -- Grafana

SHOWS = GrafanaHealth(answer(3000), "ok")
G_GONE = GrafanaHealth(refused(3000))
G_HTML = GrafanaHealth(answer(3000, body="<html>"))
G_NO_DATABASE = GrafanaHealth(answer(3000, 503), "failing")
DATA = Dashboards((), 5, ())
NOTHING = Dashboards((), 0, ())
NO_SOURCE = Dashboards(("Prometheus (answered 502 after 10 ms)",), 0, ())
EMPTY = Dashboards((), 5, ("Overview: Queue Depth",))
SLOW_PANEL = Dashboards((), 2, (), ("Overview: Requests (did not answer in time after 3 s)",))
EMPTY_AND_SLOW = replace(EMPTY, untold=SLOW_PANEL.untold)

GRAFANA = [
    *(healthy(grafana.test_grafana_shows_something, grafana_health=SHOWS, dashboards=one) for one in (DATA, NOTHING)),
    *(
        faulty(grafana.test_grafana_shows_something, says, grafana_health=health, dashboards=shown)
        for says, health, shown in (
            ("refused", G_GONE, NOTHING),
            ("not as Grafana does", G_HTML, NOTHING),
            ("its database is failing", G_NO_DATABASE, NOTHING),
            ("data source: Prometheus (answered 502", SHOWS, NO_SOURCE),
            ("panel without data: Overview: Queue Depth", SHOWS, EMPTY),
            ("panel without data: Overview: Queue Depth", SHOWS, EMPTY_AND_SLOW),
        )
    ),
    unknown(
        grafana.test_grafana_shows_something,
        "is not known: Overview: Requests (did not answer in time",
        grafana_health=SHOWS,
        dashboards=SLOW_PANEL,
    ),
    *(healthy(grafana.test_grafana_answers, grafana_health=one) for one in (SHOWS, G_HTML)),
    faulty(grafana.test_grafana_answers, "refused", grafana_health=G_GONE),
    *(healthy(grafana.test_what_answers_is_grafana, grafana_health=one) for one in (SHOWS, G_GONE, G_NO_DATABASE)),
    faulty(grafana.test_what_answers_is_grafana, "not as Grafana does", grafana_health=G_HTML),
    *(healthy(grafana.test_its_database_works, grafana_health=one) for one in (SHOWS, G_GONE, G_HTML)),
    faulty(grafana.test_its_database_works, "failing", grafana_health=G_NO_DATABASE),
    *(healthy(grafana.test_the_data_sources_answer, dashboards=one) for one in (DATA, NOTHING)),
    faulty(grafana.test_the_data_sources_answer, "answered 502", dashboards=NO_SOURCE),
    *(healthy(grafana.test_the_panels_have_data, dashboards=one) for one in (DATA, NOTHING)),
    faulty(grafana.test_the_panels_have_data, "of 5 panels without data: Overview: Queue Depth", dashboards=EMPTY),
]

CASES = [*PROMETHEUS, *SCRAPING, *RULES, *CANNOT_FIRE, *ALERTMANAGER, *ROUTING, *SILENCES, *GRAFANA]


@parametrized(CASES)
def test_a_check_of_monitoring_judges_literal_facts(case: Case) -> None:
    prove(case)


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ("up == 0", ["up"]),
        ('rate(hits_total{code=~"5..",path!="/health",env=""}[5m]) > 1', ['hits_total{code=~"5.."}']),
        ("late > 1 or absent(late) and on () pg_up == 1", ["late", "or", "pg_up"]),
        ("sum(a) / sum(b) > bool 0.5 unless absent_over_time(c[5m])", ["a", "b"]),
        ("a unless b", ["a"]),
        ("(a or b) * c", ["a", "c", "or", "b", "c"]),
        ("count(a) or vector(0)", []),
        ("(a or vector(0)) / (b or c)", ["b", "or", "c"]),
        (" + ".join(["(a or vector(0))"] * 18) + " > b", ["b"]),
        ('ALERTS{alertname="A"} and on () a', ["a"]),
        ("max_over_time(a[1h:5m] offset 1d) > 0", ["a"]),
    ],
)
def test_what_an_expression_asks_for(expression: str, asked: list[str]) -> None:
    assert " or ".join(" ".join(map(str, way)) for way in ways_of(expression)).split() == asked


def test_an_expression_of_more_ways_than_are_looked_at_cannot_be_read() -> None:
    assert len(ways_of(" + ".join(["(a or b)"] * 6))) == 64
    with pytest.raises(ValueError, match="it can have a value in more than 100 ways"):
        ways_of(" + ".join(["(a or b)"] * 18))


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ('up{job="api"} == 0', ('up{job="api"}', True)),
        ("(sum by (job) (up)) < 1", ("up", True)),
        ("count(up) == 0", ("up", False)),
        ("up == 1", None),
        ("up == bool 0", None),
        ("rate(up[5m]) == 0", None),
        ("up > 0", None),
        ("up", None),
    ],
)
def test_what_an_expression_waits_for_to_be_zero(expression: str, asked: tuple[str, bool] | None) -> None:
    zero = zero_of(expression)
    assert (zero and (str(zero.selector), zero.comes)) == asked


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("to: ops@alerts.example.com", ["ops@alerts.example.com"]),
        ("url: http://example.com/hook", ["example.com"]),
        ("api_url: https://hooks.slack.com/services/YOUR/SLACK/WEBHOOK", ["YOUR/SLACK/WEBHOOK"]),
        ("routing_key: YOUR_KEY", ["YOUR_KEY"]),
        ("routing_key: your-pagerduty-key", ["your-pagerduty-key"]),
        ("channel: '#your-team'", []),
        ("url: http://counterexample.com/hook", []),
        ("url: http://127.0.0.1:9000/notify", []),
    ],
)
def test_what_is_a_placeholder(written: str, found: list[str]) -> None:
    assert PLACEHOLDER.findall(written) == found


def test_the_silence_to_end_is_named() -> None:
    assert (ALL.first_of_everything, ALL.first_of_the_gravest) == ("0123456789", "0123456789")
    assert (OF_THE_ROOT.first_of_everything, OF_THE_ROOT.first_of_the_gravest) == (None, "0123456789")
    assert (NARROW.first_of_everything, NARROW.first_of_the_gravest) == (None, None)


SOURCES = Sources(
    (
        {"uid": "logs", "name": "Loki", "type": "loki"},
        {"uid": "ours", "name": "Prometheus", "type": "prometheus", "isDefault": True},
        {"uid": "theirs", "name": "Mimir", "type": "prometheus"},
    )
)


@pytest.mark.parametrize(
    ("reference", "uid"),
    [
        (None, "ours"),
        ({"uid": "theirs", "type": "prometheus"}, "theirs"),
        ({"type": "prometheus"}, "ours"),
        ("Mimir", "theirs"),
        ({"uid": "logs"}, None),
        ("Loki", None),
        ({"uid": "${source}"}, None),
        ("-- Mixed --", None),
    ],
)
def test_which_prometheus_a_panel_asks(reference: object, uid: str | None) -> None:
    assert SOURCES.named(reference) == uid
