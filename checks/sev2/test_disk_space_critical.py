"""DiskSpaceCritical: a file system of the stack is almost full."""

from fixtures.database.statistics import Tables
from fixtures.platform.containers import DockerSpace
from fixtures.platform.host import Disks, LargeFiles
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, gibibytes, minutes, percent
from playbook.quantities import Share, Size, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    free: Share = percent(15)
    inodes_free: Share = percent(15)
    reclaimable: Size = gibibytes(1)
    volume_size: Size = gibibytes(5)
    log_size: Size = gibibytes(1)
    table_size: Size = gibibytes(5)


ALERT = Alert(
    name="DiskSpaceCritical",
    severity=2,
    trigger="less than {free} of a file system's space is free, or less than {inodes_free} of its inodes",
    impact="risk of system failure",
    limits=Limits,
    expression=(
        'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs"} / node_filesystem_size_bytes < $free'
        ' or node_filesystem_files_free{fstype!~"tmpfs|ramfs"} / (node_filesystem_files > 0) < $inodes_free'
    ),
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "host"},
)


@trigger(step=1, measures="host_disks.least_free", against="free")
def test_the_disks_have_room(host_disks: Disks, limits: Limits) -> None:
    """Every file system that the stack uses has enough space and inodes free."""
    low = host_disks.low(limits.free, limits.inodes_free)
    assert not low, f"{listed(dict.fromkeys(low))} (limits: space {limits.free}, inodes {limits.inodes_free})"


@diagnostic(cause="space-low", step=1, fills={"mount": "host_disks.fullest"})
def test_space_is_left(host_disks: Disks, limits: Limits) -> None:
    """Every file system has enough free space."""
    low = host_disks.below(limits.free)
    assert not low, f"{listed(low)} (limit {limits.free})"


@diagnostic(cause="inodes-low", step=1, fills={"mount": "host_disks.shortest_of_inodes"})
def test_inodes_are_left(host_disks: Disks, limits: Limits) -> None:
    """Every file system has enough free inodes: many small files use them up while space is left."""
    low = host_disks.short_of_inodes(limits.inodes_free)
    assert not low, f"{listed(low)} (limit {limits.inodes_free})"


@diagnostic(cause="docker-leftovers", step=2)
def test_docker_holds_little_that_is_unused(docker_space: DockerSpace, limits: Limits) -> None:
    """Unused images and build cache take little space."""
    assert docker_space.reclaimable <= limits.reclaimable, f"{docker_space} (limit {limits.reclaimable})"


@diagnostic(cause="volumes-large", step=3)
def test_no_volume_is_large(docker_space: DockerSpace, limits: Limits) -> None:
    """The engine's volumes together take little space."""
    largest = listed(docker_space.largest_volumes)
    assert docker_space.volumes <= limits.volume_size, (
        f"volumes {docker_space.volumes} (limit {limits.volume_size}), largest: {largest}"
    )


@diagnostic(cause="logs-large", step=3)
def test_no_log_is_large(large_logs: LargeFiles, limits: Limits) -> None:
    """No log is larger than the limit."""
    large = large_logs.larger_than(limits.log_size)
    assert not large, f"{listed(large)} (limit {limits.log_size})"


@diagnostic(cause="tables-large", step=4)
def test_no_table_is_large(tables: Tables, limits: Limits) -> None:
    """No table is larger than the limit, by the sizes of the last VACUUM or ANALYZE."""
    large = tables.larger_than(limits.table_size)
    assert not large, f"{listed(large)} (limit {limits.table_size})"
