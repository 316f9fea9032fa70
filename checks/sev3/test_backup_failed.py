"""BackupFailed: there is no complete backup of late."""

from types import SimpleNamespace

from fixtures.platform.backups import Backups
from playbook.alert import Alert, diagnostic, hours, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="BackupFailed",
    severity=3,
    trigger="the daily backup failed: missing, older than 26 hours, or broken",
    impact="loss of backup protection",
    limits={"backup_age": hours(26), "settles": minutes(10), "takes": hours(2)},
    expression=(  # from `make report --metrics`; a report that old vouches for no backup
        'ordinaut_health_alert_state{alert="BackupFailed",state="firing"} == 1'
        " or time() - ordinaut_health_run_start_time_seconds > $backup_age"
    ),
    respond_within=hours(2),
    escalate_after=hours(8),
    labels={"service": "backup"},
)


@trigger(step=(1, 4), measures="backups.measurement", against="backup_age")
def test_backups_are_young_and_whole(backups: Backups, limits: SimpleNamespace) -> None:
    """The newest backup of PostgreSQL and of Redis is complete and young, and the backup log tells of no failure."""
    problems = backups.problems(limits.backup_age, limits.settles, limits.takes)
    assert not problems, f"{listed(problems)}; limit {limits.backup_age}"


@diagnostic(cause="backup-missing", step=1)
def test_there_are_backups(backups: Backups, limits: SimpleNamespace) -> None:
    """There is some backup of each kind, unless the system is younger than its first."""
    missing = backups.missing(limits.backup_age)
    assert not missing, f"no backup in {listed(missing)}"


@diagnostic(cause="dump-broken", step=4, fills={"file": "backups.newest_dump"})
def test_the_dump_is_whole(backups: Backups, limits: SimpleNamespace) -> None:
    """The newest dump of PostgreSQL is undamaged and has its closing line."""
    broken = backups.broken("postgres", limits.settles, limits.takes)
    assert not broken, broken


@diagnostic(cause="redis-backup-broken", step=4, fills={"file": "backups.newest_rdb"})
def test_the_redis_backup_is_whole(backups: Backups, limits: SimpleNamespace) -> None:
    """The newest RDB file of Redis is undamaged, from its first bytes to its checksum."""
    broken = backups.broken("redis", limits.settles, limits.takes)
    assert not broken, broken


@diagnostic(cause="backup-stale", step=1)
def test_the_backups_are_young(backups: Backups, limits: SimpleNamespace) -> None:
    """The newest complete backup of each kind is from the last day."""
    stale = [k for k in backups.files if backups.stale(k, limits.backup_age, limits.settles, limits.takes)]
    assert not stale, f"stale: {listed(stale)}; {backups.measurement}"


@diagnostic(cause="script-reported-failure", step=2)
def test_the_log_tells_of_no_failure(backups: Backups) -> None:
    """The newest log of the backup script has no failure that was not made good."""
    assert not backups.log_failures, f"{backups.log}: {listed(backups.failures)}"


@diagnostic(cause="no-room-for-a-backup", step=3)
def test_a_backup_could_be_made_now(backups: Backups) -> None:
    """The backups' file system has room for another one (making one would write, so it is not tried)."""
    assert not backups.lacks_room, f"{backups.room} left in {backups.folders['postgres']}, less than the newest dump"


@diagnostic(cause="backup-shrunken", step=4)
def test_the_backups_kept_their_size(backups: Backups) -> None:
    """No backup is less than half the size of the one before."""
    shrunken = [words for kind in backups.files if (words := backups.shrunken(kind))]
    assert not shrunken, listed(shrunken)
