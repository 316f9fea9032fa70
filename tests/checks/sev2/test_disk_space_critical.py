from __future__ import annotations

from checks.sev2 import test_disk_space_critical as disk_space
from fixtures.database.statistics import Table, Tables
from fixtures.platform.containers import DockerSpace
from fixtures.platform.host import Disk, Disks, LargeFile, LargeFiles
from playbook.quantities import Share, Size
from tests.cases import Case, faulty, healthy, parametrized, unobserved

GIB = 1024**3


def disk(mount: str, free: float, inodes_free: float | None = 0.9) -> Disk:
    """Return a file system of 100 GiB; `inodes_free` is None where it does not count inodes."""
    inodes = None if inodes_free is None else Share(inodes_free)
    return Disk(mount, Size(round(free * 100 * GIB)), Size(round((1 - free) * 100 * GIB)), inodes)


def disks(*rows: Disk) -> Disks:
    return Disks(rows)


def space(*, reclaimable: float = 0, volumes: float = 0) -> DockerSpace:
    return DockerSpace(
        images=Size(2 * GIB),
        containers=Size(0),
        volumes=Size(volumes * GIB),
        build_cache=Size(GIB),
        reclaimable=Size(reclaimable * GIB),
        largest_volumes=("ops_pgdata 4.5 GiB", "ops_redisdata 1.0 GiB"),
    )


def logs(*sizes: float, unreadable: tuple[str, ...] = ()) -> LargeFiles:
    rows = tuple(LargeFile(f"/var/log/{n}.log", Size(size * GIB)) for n, size in enumerate(sizes))
    return LargeFiles(rows, unreadable)


def tables(**sizes: float) -> Tables:
    return Tables(tuple(Table(name, Size(size * GIB)) for name, size in sizes.items()))


CASES: list[Case] = [
    healthy(disk_space.test_the_disks_have_room, host_disks=disks(disk("/", 0.4), disk("/var/lib/docker", 0.5))),
    healthy(disk_space.test_the_disks_have_room, host_disks=disks(disk("/", 0.15, inodes_free=0.15))),
    healthy(disk_space.test_the_disks_have_room, host_disks=disks(disk("/backups", 0.3, inodes_free=None))),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 10 % free (10.0 GiB), inodes 90 % free (limits: space 15 %, inodes 15 %)",
        host_disks=disks(disk("/", 0.4), disk("/backups", 0.1)),
    ),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 90 % free (90.0 GiB), inodes 14.9 % free (limits: space 15 %, inodes 15 %)",
        host_disks=disks(disk("/", 0.4), disk("/backups", 0.9, inodes_free=0.149)),
    ),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 10 % free (10.0 GiB), inodes 10 % free (limits:",  # once, though both are short
        host_disks=disks(disk("/", 0.4), disk("/backups", 0.1, inodes_free=0.1)),
    ),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 10 % free (10.0 GiB) (limits:",
        host_disks=disks(disk("/", 0.4, inodes_free=None), disk("/backups", 0.1, inodes_free=None)),
    ),
    unobserved(disk_space.test_the_disks_have_room),
    #
    healthy(disk_space.test_space_is_left, host_disks=disks(disk("/backups", 0.9, inodes_free=0.1))),
    faulty(
        disk_space.test_space_is_left,
        "/backups 10 % free (10.0 GiB), inodes 90 % free (limit 15 %)",
        host_disks=disks(disk("/", 0.4), disk("/backups", 0.1)),
    ),
    unobserved(disk_space.test_space_is_left),
    #
    healthy(disk_space.test_inodes_are_left, host_disks=disks(disk("/", 0.1))),
    healthy(disk_space.test_inodes_are_left, host_disks=disks(disk("/", 0.4), disk("/backups", 0.4, inodes_free=None))),
    faulty(
        disk_space.test_inodes_are_left,
        "/backups 90 % free (90.0 GiB), inodes 14.9 % free (limit 15 %)",
        host_disks=disks(disk("/", 0.4, inodes_free=None), disk("/backups", 0.9, inodes_free=0.149)),
    ),
    unobserved(
        disk_space.test_inodes_are_left,
        "no file system counts inodes: /backups 30 % free (30.0 GiB)",
        host_disks=disks(disk("/backups", 0.3, inodes_free=None)),
    ),
    unobserved(disk_space.test_inodes_are_left),
    #
    healthy(disk_space.test_docker_holds_little_that_is_unused, docker_space=space(reclaimable=1, volumes=90)),
    faulty(
        disk_space.test_docker_holds_little_that_is_unused,
        "images 2.0 GiB, containers 0 B, volumes 0 B, build cache 1.0 GiB; 1.5 GiB of it unused (limit 1.0 GiB)",
        docker_space=space(reclaimable=1.5),
    ),
    unobserved(disk_space.test_docker_holds_little_that_is_unused),
    #
    healthy(disk_space.test_no_volume_is_large, docker_space=space(reclaimable=9, volumes=5)),
    faulty(
        disk_space.test_no_volume_is_large,
        "volumes 5.5 GiB (limit 5.0 GiB), largest: ops_pgdata 4.5 GiB, ops_redisdata 1.0 GiB",
        docker_space=space(volumes=5.5),
    ),
    unobserved(disk_space.test_no_volume_is_large),
    #
    healthy(disk_space.test_no_log_is_large, large_logs=logs()),
    healthy(disk_space.test_no_log_is_large, large_logs=logs(1, 0.5)),
    faulty(disk_space.test_no_log_is_large, "/var/log/0.log 2.5 GiB (limit 1.0 GiB)", large_logs=logs(2.5, 0.5)),
    faulty(
        disk_space.test_no_log_is_large,
        "/var/log/0.log 2.5 GiB (limit 1.0 GiB)",
        large_logs=logs(2.5, unreadable=("/var/lib/docker/containers",)),
    ),
    unobserved(
        disk_space.test_no_log_is_large,
        "this user may not read /var/lib/docker/containers",
        large_logs=logs(0.5, unreadable=("/var/lib/docker/containers",)),
    ),
    unobserved(disk_space.test_no_log_is_large),
    #
    healthy(disk_space.test_no_table_is_large, tables=tables(task_run=5, audit_log=1)),
    faulty(
        disk_space.test_no_table_is_large,
        "task_run 6.0 GiB (limit 5.0 GiB)",
        tables=tables(task_run=6, audit_log=1),
    ),
    unobserved(disk_space.test_no_table_is_large, "the database has no table", tables=tables()),
    unobserved(disk_space.test_no_table_is_large),
]


@parametrized(CASES)
def test_a_case(case: Case) -> None:
    case.prove()
