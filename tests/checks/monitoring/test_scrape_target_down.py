from __future__ import annotations

from msgspec.structs import replace

from checks.monitoring import test_scrape_target_down as scraping
from fixtures.monitoring.scraping import Exporter, ScrapeTarget, ScrapeTargets
from tests.cases import Case, faulty, healthy, parametrized, unobserved

API = ScrapeTarget("orchestrator-api", "api:8080", "up")
POSTGRES = ScrapeTarget("postgres", "postgres:9187", "up")
REDIS = ScrapeTarget("redis", "redis:9121", "up")
WORKERS_DOWN = ScrapeTarget("orchestrator-workers", "worker-1:8090", "down")  # not needed: nothing serves it
PG_UP = Exporter("postgres", "postgres:9187", "pg_up", sees=True)
REDIS_UP = Exporter("redis", "redis:9121", "redis_up", sees=True)
JOBS = ("orchestrator-api", "postgres", "redis")

ALL_UP = ScrapeTargets(needed=JOBS, targets=(API, POSTGRES, REDIS), jobs=JOBS, exporters=(PG_UP, REDIS_UP))
ANOTHER_DOWN = replace(ALL_UP, targets=(*ALL_UP.targets, WORKERS_DOWN))
API_DOWN = replace(ALL_UP, targets=(replace(API, health="down", error="connection refused"), POSTGRES, REDIS))
NOT_SCRAPED_YET = replace(ALL_UP, targets=(replace(API, health="unknown"), POSTGRES, REDIS))
NO_REDIS = replace(ALL_UP, targets=(API, POSTGRES), jobs=("orchestrator-api", "postgres"))
REDIS_WITHOUT_TARGET = replace(ALL_UP, targets=(API, POSTGRES))
NOTHING = ScrapeTargets(needed=JOBS, targets=(), jobs=(), exporters=())
OLD_PROMETHEUS = replace(ALL_UP, jobs=())  # before 2.42: it does not report which jobs are configured
BLIND = replace(ALL_UP, exporters=(replace(PG_UP, sees=False), REDIS_UP))
ANOTHER_BLIND = replace(ALL_UP, exporters=(*ALL_UP.exporters, Exporter("billing", "billing:1", "pg_up", sees=False)))
NO_EXPORTER = replace(ALL_UP, exporters=())

CASES: list[Case] = [
    healthy(scraping.test_every_job_is_scraped, scrape_targets=ALL_UP),
    healthy(scraping.test_every_job_is_scraped, scrape_targets=ANOTHER_DOWN),
    healthy(scraping.test_every_job_is_scraped, scrape_targets=ANOTHER_BLIND),
    healthy(scraping.test_every_job_is_scraped, scrape_targets=OLD_PROMETHEUS),
    faulty(
        scraping.test_every_job_is_scraped,
        "down: orchestrator-api api:8080 (connection refused)",
        scrape_targets=API_DOWN,
    ),
    faulty(scraping.test_every_job_is_scraped, "no job: redis", scrape_targets=NO_REDIS),
    faulty(scraping.test_every_job_is_scraped, "no job: orchestrator-api, postgres, redis", scrape_targets=NOTHING),
    faulty(scraping.test_every_job_is_scraped, "no target of: redis", scrape_targets=REDIS_WITHOUT_TARGET),
    faulty(scraping.test_every_job_is_scraped, "sees nothing: pg_up of postgres:9187 is 0", scrape_targets=BLIND),
    faulty(
        scraping.test_every_job_is_scraped,
        "no job: redis",
        scrape_targets=replace(NO_REDIS, targets=(replace(API, health="unknown"), POSTGRES)),
    ),
    unobserved(
        scraping.test_every_job_is_scraped,
        "Prometheus has just found orchestrator-api api:8080, and has not scraped all of it since: ask again",
        scrape_targets=NOT_SCRAPED_YET,
    ),
    unobserved(scraping.test_every_job_is_scraped),
    #
    healthy(scraping.test_no_job_is_missing, scrape_targets=ALL_UP),
    healthy(scraping.test_no_job_is_missing, scrape_targets=REDIS_WITHOUT_TARGET),
    healthy(scraping.test_no_job_is_missing, scrape_targets=OLD_PROMETHEUS),
    faulty(scraping.test_no_job_is_missing, "Prometheus has no job redis", scrape_targets=NO_REDIS),
    unobserved(scraping.test_no_job_is_missing),
    #
    healthy(scraping.test_every_job_has_a_target, scrape_targets=ALL_UP),
    healthy(scraping.test_every_job_has_a_target, scrape_targets=NO_REDIS),
    faulty(scraping.test_every_job_has_a_target, "jobs without any target: redis", scrape_targets=REDIS_WITHOUT_TARGET),
    unobserved(
        scraping.test_every_job_has_a_target,
        "Prometheus does not report which jobs are configured",
        scrape_targets=OLD_PROMETHEUS,
    ),
    unobserved(scraping.test_every_job_has_a_target),
    #
    healthy(scraping.test_no_target_is_down, scrape_targets=ALL_UP),
    healthy(scraping.test_no_target_is_down, scrape_targets=ANOTHER_DOWN),
    healthy(scraping.test_no_target_is_down, scrape_targets=NO_REDIS),
    faulty(
        scraping.test_no_target_is_down,
        "down: orchestrator-api api:8080 (connection refused)",
        scrape_targets=API_DOWN,
    ),
    unobserved(scraping.test_no_target_is_down, "since: ask again", scrape_targets=NOT_SCRAPED_YET),
    unobserved(
        scraping.test_no_target_is_down,
        "Prometheus has no target of orchestrator-api, postgres, redis",
        scrape_targets=NOTHING,
    ),
    #
    healthy(scraping.test_no_exporter_is_blind, scrape_targets=ALL_UP),
    healthy(scraping.test_no_exporter_is_blind, scrape_targets=ANOTHER_BLIND),
    faulty(scraping.test_no_exporter_is_blind, "pg_up of postgres:9187 is 0", scrape_targets=BLIND),
    unobserved(
        scraping.test_no_exporter_is_blind,
        "Prometheus has no series pg_up and no redis_up of these jobs",
        scrape_targets=NO_EXPORTER,
    ),
    unobserved(scraping.test_no_exporter_is_blind),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
