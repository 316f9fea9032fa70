"""The image of the compose sandbox: made once from Debian's archive, kept by the engine, and never pulled.

It has two layers: the base (debootstrap, packages of Debian and of the lock file), which takes minutes to make, and the
stand-ins, which take a second.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import BuildError

from sandbox.compose import engine
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

HERE = Path(__file__).resolve().parent
SANDBOX = HERE.parent
LOCK = SANDBOX.parent / "requirements-dev.lock"
NAME, BASE, DEBIAN = "ordinaut-sandbox", "ordinaut-sandbox-base", "ordinaut-sandbox-debian"
SUITE = "bookworm"
PYTHON = "3.11"  # of that suite
# Of the lock file, what the services import, with dependencies; base.Dockerfile checks that none is missing.
NEEDED = (
    "annotated-doc", "annotated-types", "anyio", "apscheduler", "async-timeout", "click", "fastapi", "h11", "idna",
    "opentelemetry-api", "prometheus-client", "psutil", "psycopg", "psycopg-binary", "pydantic", "pydantic-core",
    "redis", "sqlalchemy", "starlette", "typing-extensions", "typing-inspection", "tzlocal", "uvicorn",
)  # fmt: skip
STAND_INS = ("__init__.py", "processes.py", "state.py", "switches.py", "services", "compose/__init__.py",
             "compose/inside.py")  # fmt: skip


def ensure(client: DockerClient) -> str:
    """Return the name of the image, which is made where there is none of this recipe."""
    base = f"{BASE}:{_digest(_base_recipe())}"
    name = f"{NAME}:{_digest([base.encode(), *_files()])}"
    if client.images.list(name):
        return name
    with _alone():
        if not client.images.list(base):
            _make_base(client, base)
        _make(client, base, name)
    return name


def _make_base(client: DockerClient, base: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ordinaut-image-") as temporary:
        folder = Path(temporary)
        if not client.images.list(f"{DEBIAN}:{SUITE}"):
            with _reporting(f"Debian {SUITE} by debootstrap"):
                _debootstrap(client, folder / "root")
        with _reporting("the services' Python packages"):
            _packages(folder / "context" / "packages", folder / "lock")
        shutil.copy(HERE / "base.Dockerfile", folder / "context" / "Dockerfile")
        with _reporting("PostgreSQL, Redis and Python of Debian"):
            _build(client, folder / "context", base, {})


def _debootstrap(client: DockerClient, root: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise SandboxError(
            "the base image is made once by debootstrap, which must be installed and run as root: "
            "`sudo python -m sandbox.compose.image`"
        )
    engine.run(["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(root), *_mirror()])
    for path in (root / "var/cache/apt/archives").glob("*.deb"):
        path.unlink()
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:  # noqa: S603, S607  ours
        client.api.import_image_from_stream(tar.stdout, repository=DEBIAN, tag=SUITE)
    if tar.returncode != 0:
        raise SandboxError("the file system that debootstrap made could not be read")


def _mirror() -> list[str]:
    """Return the archive of this suite that apt uses here; where it has none, debootstrap chooses."""
    if shutil.which("apt-get"):
        listed = engine.run(["apt-get", "indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages"])
        for line in listed.splitlines():
            release, _, site = line.partition(" ")
            if release == SUITE and site:
                return [site]
    return []


def _packages(destination: Path, lock: Path) -> None:
    """Install from the lock file what the container's Python needs, independently of the Python that runs this."""
    lock.write_text(_locked())
    machine = platform.machine()
    platforms = [f"--platform={kind}_{machine}" for kind in ("manylinux_2_28", "manylinux2014", "manylinux_2_17")]
    engine.run([
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
        "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms,
        "--target", str(destination), "--require-hashes", "--requirement", str(lock),
    ])  # fmt: skip


def _locked() -> str:
    """Return the entries of the lock file that the services need.

    Without their markers, which pip would evaluate for the Python that runs it.
    """
    entries = re.split(r"\n(?=\S)", LOCK.read_text())
    kept = [entry for entry in entries if re.split("[=;[ ]", entry)[0] in NEEDED]
    return "".join(re.sub(r" ;[^\\\n]*", " ", entry, count=1) + "\n" for entry in kept)


def _make(client: DockerClient, base: str, name: str) -> None:
    with _reporting(f"the image {name}"), tempfile.TemporaryDirectory(prefix="ordinaut-image-") as temporary:
        context = Path(temporary)
        for path in _stand_ins():
            copy = context / "sandbox" / path.relative_to(SANDBOX)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        for file in ("Dockerfile", "entrypoint"):
            shutil.copy(HERE / file, context / file)
        _build(client, context, name, {"BASE": base})


def _build(client: DockerClient, context: Path, name: str, arguments: dict[str, str]) -> None:
    try:
        client.images.build(path=str(context), tag=name, buildargs=arguments, network_mode="host", rm=True)
    except BuildError as error:
        said = [str(line.get("stream") or line.get("error", "")).strip() for line in error.build_log]
        raise SandboxError(f"the image cannot be built: {' / '.join([each for each in said if each][-3:])}") from error


def _base_recipe() -> list[bytes]:
    return [(HERE / "base.Dockerfile").read_bytes(), SUITE.encode(), platform.machine().encode(), _locked().encode()]


def _stand_ins() -> list[Path]:
    found = [SANDBOX / name for name in STAND_INS]
    return sorted(path for each in found for path in (each.glob("*.py") if each.is_dir() else [each]))


def _files() -> list[bytes]:
    return [path.read_bytes() for path in (*_stand_ins(), HERE / "Dockerfile", HERE / "entrypoint")]


def _digest(parts: list[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:12]


@contextmanager
def _alone() -> Iterator[None]:
    """Lock the making of the image: one process makes it, the others wait and find it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{NAME}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _reporting(what: str) -> Iterator[None]:
    print(f"image: {what} …", flush=True)
    began = time.monotonic()
    yield
    print(f"image: … {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    print(ensure(engine.connect()))
