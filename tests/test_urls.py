from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest

from fixtures.clients.urls import tidied


@pytest.mark.parametrize("password", ["plain", "p#ss", "p[ss", "p?ss", "p/ss", "p:ss", "p@ss", "50%off", "p ss", ""])
@pytest.mark.parametrize(
    "rest", ["@db:5432/orchestrator", "@db/orchestrator?application_name=a@b", "@[::1]:5432/o", "@db"]
)
def test_a_url_is_read_whatever_its_password_holds(password: str, rest: str) -> None:
    parts = urlsplit(tidied(f"postgresql+psycopg://orchestrator:{password}{rest}"))
    assert unquote(parts.password or "") == password
    assert parts.hostname == ("::1" if "::1" in rest else "db")
    assert parts.username == "orchestrator"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40ss@db/x",
        "redis://redis:6379/0",
        "postgresql:///x?host=/run/postgresql",
        "http://10.0.0.5:8080",
        "",
    ],
)
def test_what_is_a_url_already_stays_as_it_is(url: str) -> None:
    assert tidied(url) == url
