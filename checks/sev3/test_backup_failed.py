"""BackupFailed: there is no recent complete backup."""

from fixtures.platform.backups import Backups
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, hours, minutes
from playbook.quantities import Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    backup_age: Span = hours(26)
    write_grace: Span = minutes(10)
    max_duration: Span = hours(2)


ALERT = Alert(
    name="BackupFailed",
    severity=3,
    trigger="the newest backup is missing, older than {backup_age} or broken, or its script reported a failure",
    impact="loss of backup protection",
    limits=Limits,
    expression=(  # from `make report --metrics`; a report that old vouches for no backup
        'ordinaut_health_alert_state{alert="BackupFailed",state="firing"} == 1'
        " or time() - ordinaut_health_run_start_time_seconds > $backup_age"
    ),
    respond_within=hours(2),
    escalate_after=hours(8),
    labels={"service": "backup"},
)


@trigger(step=(1, 4), measures="backups.measurement", against="backup_age")
def test_backups_are_young_and_whole(backups: Backups, limits: Limits) -> None:
    """The newest backups of PostgreSQL and Redis are complete and recent, and their log reports no failure."""
    problems = backups.problems(limits.backup_age, limits.write_grace, limits.max_duration)
    assert not problems, f"{listed(problems)} (limit {limits.backup_age})"


@diagnostic(cause="backup-missing", step=1)
def test_there_are_backups(backups: Backups, limits: Limits) -> None:
    """There is a backup of each kind, unless the system is too young for its first."""
    missing = backups.missing(limits.backup_age)
    assert not missing, f"no backup in {listed(missing)}"


@diagnostic(cause="dump-broken", step=4, fills={"file": "backups.newest_dump"})
def test_the_dump_is_whole(backups: Backups, limits: Limits) -> None:
    """The newest dump of PostgreSQL is undamaged, has its closing line, and is of the database that is judged."""
    broken = backups.broken("postgres", limits.write_grace, limits.max_duration)
    assert not broken, broken


@diagnostic(cause="redis-backup-broken", step=4, fills={"file": "backups.newest_rdb"})
def test_the_redis_backup_is_whole(backups: Backups, limits: Limits) -> None:
    """The newest RDB file of Redis is undamaged, from its first bytes to its checksum."""
    broken = backups.broken("redis", limits.write_grace, limits.max_duration)
    assert not broken, broken


@diagnostic(cause="backup-stale", step=1)
def test_the_backups_are_young(backups: Backups, limits: Limits) -> None:
    """The newest complete backup of each kind is recent."""
    stale = backups.stale(limits.backup_age, limits.write_grace, limits.max_duration)
    assert not stale, f"stale: {listed(stale)}; {backups.measurement} (limit {limits.backup_age})"


@diagnostic(cause="backup-dated-ahead", step=1)
def test_no_backup_is_dated_ahead(backups: Backups) -> None:
    """No backup was last written in the future: such a time says nothing about its age."""
    assert not backups.dated_ahead, listed(backups.dated_ahead)


@diagnostic(cause="script-reported-failure", step=2)
def test_the_log_reports_no_failure(backups: Backups) -> None:
    """The newest log of the backup script reports no failure that was not made good later."""
    assert not backups.log_failures, f"{backups.log}: {listed(backups.failures)}"


@diagnostic(cause="no-room-for-a-backup", step=3)
def test_a_backup_could_be_made_now(backups: Backups) -> None:
    """The backups' file system has room for another one (not tried: making one would write)."""
    assert not backups.lacks_room, f"{backups.room} left in {backups.folders['postgres']}, less than the newest dump"


@diagnostic(cause="backup-shrunken", step=4)
def test_the_backups_kept_their_size(backups: Backups) -> None:
    """No backup is less than half the size of the one before."""
    assert not backups.shrunken, listed(backups.shrunken)


@diagnostic(cause="backup-not-verified", step=4)
def test_the_backups_were_read_whole(backups: Backups) -> None:
    """The newest complete backups were read whole: in a run, or by `make verify-backups` where they are too large."""
    assert not backups.not_verified, listed(backups.not_verified)
