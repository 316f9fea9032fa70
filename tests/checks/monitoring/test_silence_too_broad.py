from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checks.monitoring import test_silence_too_broad as too_broad
from fixtures.clients.alertmanager import Matcher, Silence
from fixtures.monitoring.labels import AlertLabels
from fixtures.monitoring.silences import JudgedSilences, judged
from playbook.evidence import Unknown
from tests.cases import Case, faulty, healthy, parametrized, unobserved

HOUR, DAY = 3600.0, 86400.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)

API_DOWN = {"alertname": "APIDown", "severity": "critical", "service": "api"}
LATENCY = {"alertname": "Latency", "severity": "critical", "service": "api"}
QUEUE = {"alertname": "Queue", "severity": "warning", "service": "worker"}

LABELS = AlertLabels({"APIDown": (API_DOWN,), "Latency": (LATENCY,), "Queue": (QUEUE,)})
OF_A_CLUSTER = AlertLabels({name: ({**labels, "cluster": "home"},) for name, (labels,) in LABELS.sets.items()})
OF_A_SERIES = AlertLabels({**LABELS.sets, "APIDown": (API_DOWN, {**API_DOWN, "job": "orchestrator-api"})})
PROMETHEUS_DOWN = AlertLabels(
    LABELS.sets, Unknown("Prometheus at http://127.0.0.1:9090 refused the connection", "prometheus")
)


def silenced(
    value: str,
    label: str = "alertname",
    *,
    comment: str = "a new disk",
    seconds: float = HOUR,
    labels: AlertLabels = LABELS,
    fires: tuple[str, ...] = (),
) -> JudgedSilences:
    """Return a silence of what matches this regular expression; `fires` are the alerts that it hides just now."""
    matcher = Matcher(label, value, is_regex=True)
    silence = Silence("0123456789", (matcher,), "ops", comment, NOW, NOW + timedelta(seconds=seconds))
    return judged((silence,), labels, ("APIDown",), {silence.identity: fires} if fires else {})


NO_SILENCE = judged((), PROMETHEUS_DOWN, ("APIDown",), {})
GO_PATTERN_BESIDE_ANOTHER_MATCHER = judged(
    (Silence("1", (Matcher("alertname", r"\pL", is_regex=True), Matcher("job", "none")), "ops", "why", NOW, NOW),),
    LABELS,
    ("APIDown",),
    {},
)
PERHAPS_MORE = silenced("home", label="cluster", labels=PROMETHEUS_DOWN)  # Prometheus may add that label
GO_PATTERNS = [silenced(value) for value in ("[[:alpha:]]+", r"\pL+", "(?U)Q.*")]
REFUSED = "Prometheus at http://127.0.0.1:9090 refused the connection"

CASES: list[Case] = [
    *(
        healthy(too_broad.test_no_silence_is_too_broad, judged_silences=silences)
        for silences in (
            NO_SILENCE,
            silenced("Queue"),
            silenced("Queue", seconds=DAY),
            silenced("NoSuchAlert"),
            silenced("Queue", fires=("Queue",)),
            silenced("abroad", label="cluster", labels=OF_A_CLUSTER),
            GO_PATTERN_BESIDE_ANOTHER_MATCHER,  # which alone decides
        )
    ),
    *(
        faulty(too_broad.test_no_silence_is_too_broad, says, judged_silences=silences)
        for says, silences in (
            ('matches everything: silence 01234567 {alertname=~".+"}', silenced(".+")),
            ("matches everything: silence 01234567", silenced(".+", labels=PROMETHEUS_DOWN)),
            (
                'matches everything: silence 01234567 {cluster=~"home"}',
                silenced("home", "cluster", labels=OF_A_CLUSTER),
            ),
            ('hides severity 0: silence 01234567 {alertname=~"APIDown"} hides APIDown', silenced("APIDown")),
            ("hides APIDown", silenced("orchestrator-.*", "job", labels=OF_A_SERIES)),
            ('{instance=~"host-7"} hides APIDown', silenced("host-7", "instance", fires=("APIDown", "Foreign"))),
            ("too long: silence 01234567", silenced("Queue", seconds=3650 * DAY)),
            ("without a comment: silence 01234567", silenced("Queue", comment=" ")),
        )
    ),
    unobserved(too_broad.test_no_silence_is_too_broad, REFUSED, judged_silences=PERHAPS_MORE),
    *(
        unobserved(
            too_broad.test_no_silence_is_too_broad,
            "silence 01234567 {alertname=~",
            judged_silences=silences,
        )
        for silences in GO_PATTERNS
    ),
    unobserved(too_broad.test_no_silence_is_too_broad),
    #
    healthy(too_broad.test_no_silence_matches_everything, judged_silences=NO_SILENCE),
    healthy(too_broad.test_no_silence_matches_everything, judged_silences=silenced("Queue")),
    healthy(too_broad.test_no_silence_matches_everything, judged_silences=silenced("APIDown")),
    faulty(
        too_broad.test_no_silence_matches_everything,
        'silence 01234567 {alertname=~".+"}',
        judged_silences=silenced(".+"),
    ),
    unobserved(too_broad.test_no_silence_matches_everything, REFUSED, judged_silences=PERHAPS_MORE),
    unobserved(
        too_broad.test_no_silence_matches_everything, "is Go's, and is not read here", judged_silences=GO_PATTERNS[0]
    ),
    unobserved(too_broad.test_no_silence_matches_everything),
    #
    healthy(too_broad.test_no_silence_hides_severity_0, judged_silences=silenced("Queue")),
    faulty(
        too_broad.test_no_silence_hides_severity_0,
        'silence 01234567 {alertname=~"APIDown"} hides APIDown',
        judged_silences=silenced("APIDown"),
    ),
    unobserved(too_broad.test_no_silence_hides_severity_0, REFUSED, judged_silences=PERHAPS_MORE),
    unobserved(
        too_broad.test_no_silence_hides_severity_0, "is Go's, and is not read here", judged_silences=GO_PATTERNS[1]
    ),
    unobserved(too_broad.test_no_silence_hides_severity_0),
    #
    healthy(too_broad.test_no_silence_lasts_too_long, judged_silences=silenced("Queue", seconds=DAY)),
    healthy(too_broad.test_no_silence_lasts_too_long, judged_silences=PERHAPS_MORE),
    faulty(
        too_broad.test_no_silence_lasts_too_long,
        "ends at 2035-12-30 00:00 UTC (limit 1 d)",
        judged_silences=silenced("Queue", seconds=3650 * DAY),
    ),
    unobserved(too_broad.test_no_silence_lasts_too_long),
    #
    healthy(too_broad.test_every_silence_says_why, judged_silences=silenced("Queue")),
    faulty(
        too_broad.test_every_silence_says_why,
        'silence 01234567 {alertname=~"Queue"}',
        judged_silences=silenced("Queue", comment=" "),
    ),
    unobserved(too_broad.test_every_silence_says_why),
    #
    healthy(too_broad.test_no_silence_hides_what_fires, judged_silences=silenced("Queue")),
    healthy(too_broad.test_no_silence_hides_what_fires, judged_silences=NO_SILENCE),
    faulty(
        too_broad.test_no_silence_hides_what_fires,
        'silence 01234567 {alertname=~"Queue"} hides Queue',
        judged_silences=silenced("Queue", fires=("Queue",)),
    ),
    faulty(
        too_broad.test_no_silence_hides_what_fires,
        "hides APIDown, Foreign",
        judged_silences=silenced("host-7", "instance", fires=("APIDown", "Foreign")),
    ),
    unobserved(too_broad.test_no_silence_hides_what_fires),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
