from __future__ import annotations

import re

import pytest

from fixtures.clients.masking import MASK, Masker, secrets_in_url, telling_values

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

BY_ITS_SHAPE = {
    "a URL": ("postgresql://user:Hidden1@db:5432/x", "Hidden1"),
    "a URL with a driver": ("postgresql+psycopg://user:Hidden1@db/x", "Hidden1"),
    "a URL without a user": ("redis://:Hidden1@redis:6379/0", "Hidden1"),
    "a URL whose password has an @": ("postgresql://user:Hid@den1@db/x", "Hid@den1"),
    "a URL whose password has a slash": ("postgresql://user:Hid/den1@db/x", "Hid/den1"),
    "a URL whose password has a colon": ("postgresql://user:Hid:den1@db/x", "Hid:den1"),
    "a URL whose password is encoded": ("postgresql://user:Hid%40den1@db/x", "Hid%40den1"),
    "a URL of an IPv6 address": ("postgresql://user:Hidden1@[::1]:5432/x", "Hidden1"),
    "a URL within a sentence": ('could not connect to "amqp://u:Hidden1@mq/" (refused)', "Hidden1"),
    "the second of two URLs": ("from http://a/b to http://u:Hidden1@c/d", "Hidden1"),
    "a bearer token": ("Authorization: Bearer abcDEF123456.xyz", "abcDEF123456.xyz"),
    "basic authentication": ("authorization: basic dXNlcjpIaWRkZW4x", "dXNlcjpIaWRkZW4x"),
    "any other authorization": ("Authorization: Digest abcdefghij", "abcdefghij"),
    "a JSON web token": (f"seen {JWT} in a cookie", JWT),
    "a value of the environment": ("POSTGRES_PASSWORD=Hidden1", "Hidden1"),
    "a value in quotes": ("password = 'Hidden 1'", "Hidden 1"),
    "a libpq connection string": ("host=db user=u password=Hidden1 dbname=x", "Hidden1"),
    "an option": ("--api-key=Hidden1 --verbose", "Hidden1"),
    "a query string": ("GET /hook?token=Hidden1&page=2", "Hidden1"),
    "JSON": ('{"user": "u", "api_key": "Hidden1"}', "Hidden1"),
    "JSON with a quote in it": (r'{"secret": "Hid\"den1", "page": 2}', "den1"),
    "YAML": ("client_secret: Hidden1", "Hidden1"),
    "a Python dict": ("{'private_key': 'Hidden1'}", "Hidden1"),
    "SQL": ("ALTER ROLE orchestrator WITH PASSWORD 'Hidden1' LOGIN", "Hidden1"),
    "SQL with a doubled quote": ("ALTER ROLE u PASSWORD 'Hid''den1' LOGIN", "den1"),
    "SQL of an encrypted password": ("CREATE ROLE u ENCRYPTED PASSWORD 'SCRAM-SHA-256$4096:Hidden1'", "Hidden1"),
}


def test_what_is_no_text_can_be_written_all_the_same() -> None:
    assert Masker(set())("caf\udce9 ☕") == "caf\\udce9 ☕"


HARMLESS = [
    "PostgreSQL at db:5432/orchestrator refuses the password",
    "FATAL:  password authentication failed for user \"orchestrator\"",
    "the secret of a quiet night is a runbook",
    "newest heartbeat 7 min 12 s old, limit 3 min",
    "http://127.0.0.1:8080/health answered 200 after 12 ms",
    "GET /tasks?page=2&limit=10 at 12:30:01",
    "mail ops@example.org about it",
    "SELECT worker_id FROM worker_heartbeat ORDER BY last_seen DESC",
    "redis-cli -u redis://redis:6379/0 ping",
    "a basic check of the token bucket",
    "unix:///var/run/docker.sock",
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), BY_ITS_SHAPE.values(), ids=BY_ITS_SHAPE)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    masked = Masker(set())(text)
    assert not [part for part in re.findall(r"\w{3,}", secret) if part in masked]
    assert MASK in masked


@pytest.mark.parametrize("text", HARMLESS)
def test_plain_words_are_left_alone(text: str) -> None:
    assert Masker(set())(text) == text


def test_the_rest_of_a_masked_text_stays() -> None:
    masked = Masker(set())("psql postgresql://user:Hidden1@db:5432/x -c 'select 1'; token=abcdef, next")
    assert masked == f"psql postgresql://user:{MASK}@db:5432/x -c 'select 1'; token={MASK}, next"


@pytest.mark.parametrize("spelling", ["p@ss/w:rd%", "p%40ss%2Fw%3Ard%25"])
def test_a_known_secret_is_masked_in_each_of_its_spellings(spelling: str) -> None:
    mask = Masker(secrets_in_url("postgresql://u:p%40ss%2Fw%3Ard%25@db/x"))
    assert mask(f"it said {spelling} aloud") == f"it said {MASK} aloud"


def test_a_known_secret_that_holds_another_is_masked_whole() -> None:
    assert Masker({"tiger", "tiger-and-more"})("tiger-and-more") == MASK


def test_a_secret_of_a_letter_does_not_blot_out_everything() -> None:
    mask = Masker(secrets_in_url("redis://:a@redis:6379"))
    assert mask("a plain answer") == "a plain answer"
    assert mask("redis://:a@redis:6379") == f"redis://:{MASK}@redis:6379"


def test_masking_twice_is_masking_once() -> None:
    mask = Masker({"Hidden1"})
    once = mask("postgresql://u:Hidden1@db/x password=Hidden1 Bearer Hidden1")
    assert mask(once) == once


@pytest.mark.parametrize("url", [None, "", "http://127.0.0.1:8080", "redis://redis:6379/0"])
def test_a_url_without_a_password_holds_no_secret(url: str | None) -> None:
    assert secrets_in_url(url) == set()


@pytest.mark.parametrize(
    "text", ["a", "password", "secret_token=", "x://:", "a://b.", "a.b-", "eyJabcde-", "password='"]
)
def test_an_endless_word_is_masked_in_one_go(text: str) -> None:
    endless = text * (200_000 // len(text))
    assert len(Masker(set())(endless)) <= len(endless)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", "Hidden1"), ("POSTGRES_PASSWORD", "Hidden1"), ("JWT_SECRET_KEY", "Hidden1"),
        ("GITHUB_TOKEN", "Hidden1"), ("PGPASSWORD", "Hidden1"), ("redis_password", "12345"),
        ("SLACK_WEBHOOK", "https://u:Hidden1@hooks/x"), ("SERVICE_ACCOUNT_TOKEN", "Hidden1"),
        ("BACKEND_API_KEY", "Hidden1"), ("MONDAY_API_TOKEN", "Hidden1"), ("PROFILE_SECRET", "Hidden1"),
        ("SECRET_URL", "Hidden1"), ("API_KEY_BACKEND", "Hidden1"),
        ("DATABASE_URL", "postgresql+psycopg://u:Hid#den[1@db/x"),
    ],
)  # fmt: skip
def test_what_an_environment_keeps_secret_is_known(name: str, value: str) -> None:
    about = {"TZ": "Europe/Chisinau", "TOKEN_EXPIRE_MINUTES": "1440", "SECRET_BACKEND": "postgres"}
    found = telling_values({name: value, **about})
    assert len(found) == 1
    assert MASK in Masker(found)("it said Hidden1, or Hid#den[1, or 12345")
    assert Masker(found)("postgres for 1440 s in Europe/Chisinau") == "postgres for 1440 s in Europe/Chisinau"


def test_a_token_that_stands_for_a_user_is_a_secret() -> None:
    assert secrets_in_url("https://glsa_0123456789abcdef@grafana:3000") == {"glsa_0123456789abcdef"}
    assert secrets_in_url("https://admin:Hidden1@grafana:3000") == {"Hidden1"}
    assert secrets_in_url("postgresql://orchestrator@db/x") == set()
