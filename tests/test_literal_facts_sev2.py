from __future__ import annotations

import pytest
from msgspec.structs import replace

from checks.sev2 import test_disk_space_critical as disk_space
from checks.sev2 import test_high_queue_depth as depth
from checks.sev2 import test_memory_usage_critical as memory
from fixtures.clients.postgres import DatabaseState
from fixtures.clients.prometheus import DepthLately
from fixtures.database.sessions import Table, Tables
from fixtures.platform.containers import DockerSpace
from fixtures.platform.host import (
    Disk,
    Disks,
    LargeFile,
    LargeFiles,
    Memory,
    Process,
    Processes,
    read_disks,
    read_meminfo,
)
from fixtures.queue.runs import Processing, Queue, QueueDepth
from playbook.evidence import Unknown
from playbook.quantities import Count, Share, Size, Span
from tests.literal_facts import Case, faulty, healthy, parametrized, prove, unknown
from tests.test_literal_facts_sev0 import (
    FRESH,
    GIB,
    HOUR,
    SERVES,
    SILENT,
    container,
    containers,
    heartbeat,
    heartbeats,
    met,
    usage,
)

MINUTE = 60.0

# -- disks, as df tells of them: kind, KiB used, KiB available, inodes, free inodes, mount point

EXT4 = "ext4 40000 60000 1000 900 /"
DOCKER = "xfs 50000 50000 1000 500 /var/lib/docker"
BTRFS = "btrfs 70000 30000 0 0 /backups"  # makes inodes as it needs them
FULL = "ext4 90000 10000 1000 900 /backups"
OUT_OF_INODES = "ext4 10000 90000 1000 149 /backups"
RESERVED = "ext4 90000 5000 1000 900 /backups"  # of 100,000 blocks, 5,000 are root's
SNAP = "squashfs 90000 0 1000 0 /snap/core"
OVERLAY = "overlay 99000 1000 1000 900 /var/lib/docker/overlay2/merged"
TMPFS = "tmpfs 99000 1000 1000 10 /run"
CD = "iso9660 90000 0 0 0 /media/cd"
EMPTY = "ext4 0 0 0 0 /empty"
NO_NUMBERS = "fuse - - - - /mnt/fuse"
WITH_A_SPACE = "ext4 95000 5000 1000 900 /mnt/old data"


def df(*file_systems: str, read_only: tuple[str, ...] = ()) -> str:
    spaces = ["Filesystem Type 1024-blocks Used Available Capacity Mounted on"]
    inodes = ["Filesystem Inodes IUsed IFree IUse% Mounted on"]
    mounts = []
    for line in file_systems:
        kind, used, available, all_inodes, free_inodes, mount = line.split(maxsplit=5)
        blocks = str(int(used) + int(available)) if used.isdecimal() else "-"
        spaces.append(f"/dev/sda1 {kind} {blocks} {used} {available} 50% {mount}")
        inodes.append(f"/dev/sda1 {all_inodes} 0 {free_inodes} {'-' if all_inodes == '0' else '50%'} {mount}")
        mounts.append(f"/dev/sda1 {mount} {kind} {'ro' if mount in read_only else 'rw'},relatime 0 0")
    return "\n--\n".join("\n".join(lines) for lines in (spaces, inodes, mounts)) + "\n"


def disks(*file_systems: str, read_only: tuple[str, ...] = ()) -> Disks:
    return read_disks(df(*file_systems, read_only=read_only))


HEALTHY_DISKS = [
    disks(EXT4, DOCKER),
    disks(EXT4, BTRFS),
    disks(EXT4, SNAP, OVERLAY, TMPFS, CD, EMPTY, NO_NUMBERS),
    disks(EXT4, FULL, read_only=("/backups",)),
    disks("ext4 85000 15000 1000 150 /"),
]

# -- what takes the space


def space(*, reclaimable: float = 0, volumes: float = 0) -> DockerSpace:
    return DockerSpace(
        images=Size(2 * GIB), containers=Size(0), volumes=Size(volumes * GIB), build_cache=Size(GIB),
        reclaimable=Size(reclaimable * GIB), largest_volumes=("ops_pgdata 4.5 GiB", "ops_redisdata 1.0 GiB"),
    )  # fmt: skip


def logs(*sizes: float) -> LargeFiles:
    return LargeFiles(tuple(LargeFile(f"/var/log/{n}.log", Size(size * GIB)) for n, size in enumerate(sizes)))


def tables(size: float) -> Tables:
    return Tables((Table("task_run", Size(size * GIB)), Table("audit_log", Size(GIB))))


# -- memory


def available(share: float) -> Memory:
    return Memory(Size(16 * GIB), Size(share * 16 * GIB))


def processes(*resident: float) -> Processes:
    return Processes(
        "host", tuple(Process(100 + n, "S", Size(size * GIB), "uvicorn") for n, size in enumerate(resident))
    )


MEMINFO = """MemTotal:       16000000 kB
MemFree:          200000 kB
MemAvailable:    8000000 kB
Buffers:          100000 kB
HugePages_Total:       0
DirectMap4k:
"""

# -- the queue


def queue(due: int, *stale: str) -> Queue:
    return Queue(Count(due), Count(1001), stale)


def runs(count: int, within: float = HOUR) -> Processing:
    return Processing(Count(count), Span(2) if count else None, Span(within))


STALE = [f"worker-{n} on task 4f1c, expired 15 min ago" for n in range(5)]

CASES: list[Case] = [
    # HighQueueDepth
    *(  # the future's do not count
        healthy(
            depth.test_the_queue_is_short, queue_depth=QueueDepth(queue(due), DepthLately(Count(9000), Count(9000)))
        )
        for due in (0, 1, 1000)
    ),
    *(
        faulty(
            depth.test_the_queue_is_short,
            f"1,001 or more items due{says}, limit 1,000",
            queue_depth=QueueDepth(queue(1001), lately),
        )
        for says, lately in (
            ("", DepthLately()),
            (" (Prometheus: 4,800 now)", DepthLately(Count(4800))),
            (" (Prometheus: 4,800 now, at least 1,200 in the last 10 min)", DepthLately(Count(4800), Count(1200))),
            (" (Prometheus has no series)", DepthLately(why="Prometheus has no series")),
        )
    ),
    healthy(depth.test_some_worker_is_there, heartbeats=heartbeats(FRESH, SILENT)),
    healthy(depth.test_some_worker_is_there, heartbeats=heartbeats(system_age=60)),
    faulty(
        depth.test_some_worker_is_there,
        "newest heartbeat 7 min 12 s old (worker-2 7 min 12 s ago)",
        heartbeats=heartbeats(SILENT),
    ),
    faulty(depth.test_some_worker_is_there, "no worker ever sent a heartbeat", heartbeats=heartbeats()),
    unknown(
        depth.test_some_worker_is_there,
        "the newest heartbeat lies 10 min in the future: worker-1",
        heartbeats=heartbeats(heartbeat("worker-1", -600)),
    ),
    healthy(depth.test_no_worker_fell_silent, heartbeats=heartbeats(FRESH, heartbeat("forgotten", 2 * HOUR))),
    healthy(depth.test_no_worker_fell_silent, heartbeats=heartbeats(heartbeat("worker-3", 5, born=400), SILENT)),
    faulty(depth.test_no_worker_fell_silent, "silent: worker-2 7 min 12 s ago", heartbeats=heartbeats(FRESH, SILENT)),
    healthy(depth.test_the_queue_drains_in_time, queue=queue(0), processing=runs(0)),
    healthy(depth.test_the_queue_drains_in_time, queue=queue(100), processing=runs(600)),
    healthy(depth.test_the_queue_drains_in_time, queue=queue(400), processing=runs(2000, within=10 * MINUTE)),
    faulty(
        depth.test_the_queue_drains_in_time,
        "101 items due, 600 runs within 1 h, 2 s each: that takes 10 min 6 s",
        queue=queue(101),
        processing=runs(600),
    ),
    faulty(
        depth.test_the_queue_drains_in_time,
        "1,001 or more items due, 2,000 runs within 30 min, 2 s each: that takes 15 min 1 s",
        queue=queue(1001),
        processing=runs(2000, within=30 * MINUTE),
    ),
    faulty(
        depth.test_the_queue_drains_in_time,
        "1 items due and nothing was run in the last hour",
        queue=queue(1),
        processing=runs(0),
    ),
    healthy(depth.test_no_lock_is_stale, queue=queue(1001)),
    faulty(
        depth.test_no_lock_is_stale,
        "5 stale locks: worker-0 on task 4f1c, expired 15 min ago, worker-1 on task 4f1c, expired 15 min ago, "
        "worker-2 on task 4f1c, expired 15 min ago and 2 more",
        queue=queue(0, *STALE),
    ),
    # DiskSpaceCritical
    *(healthy(disk_space.test_the_disks_have_room, host_disks=facts) for facts in HEALTHY_DISKS),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 10 % free (9.8 MiB), inodes 90 % free; limits: space 15 %, inodes 15 %",
        host_disks=disks(EXT4, FULL),
    ),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 90 % free (87.9 MiB), inodes 14.9 % free; limits: space 15 %, inodes 15 %",
        host_disks=disks(EXT4, OUT_OF_INODES),
    ),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 10 % free (9.8 MiB), inodes 10 % free; limits",  # once, though both are short
        host_disks=disks(EXT4, "ext4 90000 10000 1000 100 /backups"),
    ),
    faulty(disk_space.test_the_disks_have_room, "/backups 5.3 % free (4.9 MiB)", host_disks=disks(EXT4, RESERVED)),
    faulty(
        disk_space.test_the_disks_have_room,
        "/backups 10 % free (9.8 MiB); limits: space 15 %",
        host_disks=disks(EXT4, "btrfs 90000 10000 0 0 /backups"),
    ),
    faulty(
        disk_space.test_the_disks_have_room, "/mnt/old data 5 % free (4.9 MiB)", host_disks=disks(EXT4, WITH_A_SPACE)
    ),
    healthy(disk_space.test_space_is_left, host_disks=disks(OUT_OF_INODES)),
    faulty(
        disk_space.test_space_is_left,
        "/backups 10 % free (9.8 MiB), inodes 90 % free, limit 15 %",
        host_disks=disks(EXT4, FULL),
    ),
    healthy(disk_space.test_inodes_are_left, host_disks=disks(EXT4, BTRFS, FULL)),
    faulty(
        disk_space.test_inodes_are_left,
        "/backups 90 % free (87.9 MiB), inodes 14.9 % free, limit 15 %",
        host_disks=disks(EXT4, OUT_OF_INODES),
    ),
    healthy(disk_space.test_docker_holds_little_that_is_unused, docker_space=space(reclaimable=1, volumes=90)),
    faulty(
        disk_space.test_docker_holds_little_that_is_unused,
        "images 2.0 GiB, containers 0 B, volumes 0 B, build cache 1.0 GiB; 1.5 GiB of it unused, limit 1.0 GiB",
        docker_space=space(reclaimable=1.5),
    ),
    healthy(disk_space.test_no_volume_is_large, docker_space=space(reclaimable=9, volumes=5)),
    faulty(
        disk_space.test_no_volume_is_large,
        "volumes 5.5 GiB, limit 5.0 GiB, largest: ops_pgdata 4.5 GiB, ops_redisdata 1.0 GiB",
        docker_space=space(volumes=5.5),
    ),
    healthy(disk_space.test_no_log_is_large, large_logs=logs()),
    healthy(disk_space.test_no_log_is_large, large_logs=logs(1, 0.5)),
    faulty(disk_space.test_no_log_is_large, "/var/log/0.log 2.5 GiB, limit 1.0 GiB", large_logs=logs(2.5, 0.5)),
    healthy(disk_space.test_no_table_is_large, tables=tables(5)),
    faulty(disk_space.test_no_table_is_large, "task_run 6.0 GiB, limit 5.0 GiB", tables=tables(6)),
    # MemoryUsageCritical
    healthy(memory.test_memory_is_available, host_memory=Memory(Size(1000), Size(100))),
    healthy(memory.test_memory_is_available, host_memory=read_meminfo(MEMINFO)),  # little is free, much is available
    faulty(
        memory.test_memory_is_available,
        "1.4 GiB of 16.0 GiB memory available (9 %), limit 10 %",
        host_memory=available(0.09),
    ),
    healthy(memory.test_no_process_holds_much, processes=processes(4, 0.1), host_memory=available(0.05)),
    faulty(
        memory.test_no_process_holds_much,
        "uvicorn (pid 101) holds 6.0 GiB, uvicorn (pid 100) holds 4.5 GiB, limit 25 % of 16.0 GiB",
        processes=processes(4.5, 6, 1),
        host_memory=available(0.05),
    ),
    healthy(memory.test_no_container_is_near_its_limit, container_usage=usage("redis", 0.9)),
    faulty(
        memory.test_no_container_is_near_its_limit,
        "ordinaut-redis-1 uses 972.8 MiB of 1.0 GiB (95 %)",
        container_usage=usage("redis", 0.95),
    ),
    healthy(memory.test_no_container_was_killed, containers=containers(container("worker", "exited"))),
    faulty(
        memory.test_no_container_was_killed,
        "ordinaut-worker-1 is exited with exit code 137, killed for want of memory",
        containers=containers(container("api"), container("worker", "exited", oom_killed=True)),
    ),
    faulty(
        memory.test_no_container_was_killed,
        "ordinaut-worker-1 is running, killed for want of memory, restarted 3 times",  # it came back
        containers=containers(container("worker", oom_killed=True, restarts=Count(3))),
    ),
    healthy(
        memory.test_shared_buffers_leave_room,
        database=replace(SERVES, shared_buffers=Size(6.4 * GIB)),
        host_memory=available(0.05),
    ),
    faulty(
        memory.test_shared_buffers_leave_room,
        "shared_buffers 8.0 GiB are 50 % of memory",
        database=replace(SERVES, shared_buffers=Size(8 * GIB)),
        host_memory=available(0.05),
    ),
    unknown(
        memory.test_shared_buffers_leave_room,
        "PostgreSQL at db:5432/orchestrator did not answer in time",
        database=met(DatabaseState.TIMED_OUT),
        host_memory=available(0.05),
    ),
]


@parametrized(CASES)
def test_a_check_judges_literal_facts(case: Case) -> None:
    prove(case)


@pytest.mark.parametrize(
    ("file_systems", "mounts"),
    [
        ((EXT4, DOCKER), ["/", "/var/lib/docker"]),
        ((EXT4, EXT4, EXT4), ["/"]),  # several places of the stack on one file system
        ((EXT4, TMPFS, OVERLAY, SNAP, CD, EMPTY, NO_NUMBERS), ["/"]),
        ((EXT4, WITH_A_SPACE), ["/", "/mnt/old data"]),
    ],
)
def test_each_file_system_that_can_fill_up_is_read_once(file_systems: tuple[str, ...], mounts: list[str]) -> None:
    assert [disk.mount for disk in disks(*file_systems).rows] == mounts


def test_a_disk_is_read_in_bytes_with_the_inodes_it_counts() -> None:
    assert disks(EXT4, BTRFS).rows == (
        Disk("/", Size(60000 * 1024), Size(40000 * 1024), Share(0.9)),
        Disk("/backups", Size(30000 * 1024), Size(70000 * 1024), None),
    )


@pytest.mark.parametrize("file_systems", [(), (TMPFS, OVERLAY), (NO_NUMBERS,)])
def test_a_host_without_a_file_system_to_fill_is_not_known_to_have_room(file_systems: tuple[str, ...]) -> None:
    with pytest.raises(Unknown, match="df lists no file system that the stack could fill"):
        disks(*file_systems)


def test_a_host_with_nothing_but_a_read_only_file_system_is_not_known_to_have_room() -> None:
    with pytest.raises(Unknown, match="df lists no file system"):
        disks(EXT4, read_only=("/",))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (disks(EXT4, DOCKER), "50 % free (/var/lib/docker)"),
        (disks(EXT4, OUT_OF_INODES), "14.9 % free (inodes of /backups)"),
        (disks(BTRFS), "30 % free (/backups)"),
    ],
)
def test_the_disks_say_which_is_fullest(facts: Disks, words: str) -> None:
    assert str(facts.least_free) == words


def test_a_disk_without_a_single_block_is_full() -> None:
    assert Disk("/", Size(0), Size(0)).free <= 0


def test_meminfo_is_read_in_bytes() -> None:
    assert read_meminfo(MEMINFO) == Memory(Size(16000000 * 1024), Size(8000000 * 1024))


@pytest.mark.parametrize(
    "text",
    ["", MEMINFO.replace("MemAvailable", "MemUsed"), MEMINFO.replace("MemTotal", "Total"), "MemTotal: 0 kB\n"],
)
def test_memory_that_the_kernel_does_not_tell_of_is_not_known(text: str) -> None:
    with pytest.raises(Unknown, match="no MemTotal or MemAvailable"):
        read_meminfo(text)


@pytest.mark.parametrize(
    ("due", "words"), [(0, "0 items due"), (1000, "1,000 items due"), (1001, "1,001 or more items due")]
)
def test_the_queue_says_where_counting_stopped(due: int, words: str) -> None:
    assert str(queue(due).measurement) == words


def test_a_process_that_has_ended_is_not_there_and_one_stuck_is_frozen() -> None:
    table = processes(1, 1, 1, 1)
    states = [replace(row, state=state) for row, state in zip(table.rows, ("Z+", "T", "D", "Ss"), strict=True)]
    table = replace(table, rows=tuple(states))
    assert table.get(100) is None
    assert [table.is_frozen(pid) for pid in (100, 101, 102, 103, 999, None)] == [False, True, True, False, False, False]
