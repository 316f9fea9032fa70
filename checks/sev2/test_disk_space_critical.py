"""DiskSpaceCritical: a file system of the stack is running full."""

from types import SimpleNamespace

from fixtures.database.sessions import Tables
from fixtures.platform.containers import DockerSpace
from fixtures.platform.host import Disks, LargeFiles
from playbook.alert import Alert, diagnostic, gibibytes, minutes, percent, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="DiskSpaceCritical",
    severity=2,
    trigger="less than 15 % of disk space remains",
    impact="risk of system failure",
    limits={
        "free": percent(15),
        "inodes_free": percent(15),
        "reclaimable": gibibytes(1),
        "volume_size": gibibytes(5),
        "log_size": gibibytes(1),
        "table_size": gibibytes(5),
    },
    expression=(
        'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs"} / node_filesystem_size_bytes < $free'
        ' or node_filesystem_files_free{fstype!~"tmpfs|ramfs"} / (node_filesystem_files > 0) < $inodes_free'
    ),
    respond_within=minutes(30),
    escalate_after=minutes(60),
    labels={"service": "host"},
)


@trigger(step=1, measures="host_disks.least_free", against="free")
def test_the_disks_have_room(host_disks: Disks, limits: SimpleNamespace) -> None:
    """Every file system that matters to the stack has space and inodes left."""
    low = [*host_disks.below(limits.free), *host_disks.short_of_inodes(limits.inodes_free)]
    assert not low, f"{listed(dict.fromkeys(low))}; limits: space {limits.free}, inodes {limits.inodes_free}"


@diagnostic(cause="space-low", step=1, fills={"mount": "host_disks.fullest"})
def test_space_is_left(host_disks: Disks, limits: SimpleNamespace) -> None:
    """It is not space that is short."""
    low = host_disks.below(limits.free)
    assert not low, f"{listed(low)}, limit {limits.free}"


@diagnostic(cause="inodes-low", step=1, fills={"mount": "host_disks.shortest_of_inodes"})
def test_inodes_are_left(host_disks: Disks, limits: SimpleNamespace) -> None:
    """It is not inodes that are short: many small files take them while space is left."""
    low = host_disks.short_of_inodes(limits.inodes_free)
    assert not low, f"{listed(low)}, limit {limits.inodes_free}"


@diagnostic(cause="docker-leftovers", step=2)
def test_docker_holds_little_that_is_unused(docker_space: DockerSpace, limits: SimpleNamespace) -> None:
    """Images and build cache that nothing uses are few."""
    assert docker_space.reclaimable <= limits.reclaimable, f"{docker_space}, limit {limits.reclaimable}"


@diagnostic(cause="volumes-large", step=3)
def test_no_volume_is_large(docker_space: DockerSpace, limits: SimpleNamespace) -> None:
    """The volumes of the engine are small, all together."""
    largest = listed(docker_space.largest_volumes)
    assert docker_space.volumes <= limits.volume_size, (
        f"volumes {docker_space.volumes}, limit {limits.volume_size}, largest: {largest}"
    )


@diagnostic(cause="logs-large", step=3)
def test_no_log_is_large(large_logs: LargeFiles, limits: SimpleNamespace) -> None:
    """No log has grown without bound."""
    large = large_logs.larger_than(limits.log_size)
    assert not large, f"{listed(large)}, limit {limits.log_size}"


@diagnostic(cause="tables-large", step=4)
def test_no_table_is_large(tables: Tables, limits: SimpleNamespace) -> None:
    """No table has grown without bound; sizes are those of the last VACUUM or ANALYZE."""
    large = tables.larger_than(limits.table_size)
    assert not large, f"{listed(large)}, limit {limits.table_size}"
