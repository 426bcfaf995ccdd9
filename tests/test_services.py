"""The servers that other tests lean on."""

import psycopg
import pytest

from tests.services import PORTS_EACH, RedisServer, _share, require_service, running_redis


def test_redis_comes_back_empty_on_the_same_port_after_a_kill() -> None:
    with running_redis() as server:
        server.ask("SET", "a", "1")
        server.kill()
        server.start()
        assert server.ask("GET", "a") is None


def test_program_that_ends_in_place_of_starting_says_why_at_once() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:[^$]*nonsense"), running_redis("--nonsense", "yes"):
        pass


def test_redis_answers(redis_server: RedisServer) -> None:
    assert redis_server.ask("PING")


def test_postgres_gives_an_empty_database(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row == (0,)


def test_missing_program_skips_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEHOUSE_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="frobnicator is not installed"):
        require_service("frobnicator", is_present=False)


def test_missing_program_fails_where_services_are_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="frobnicator"):
        require_service("frobnicator", is_present=False)


def test_other_processes_have_other_ports() -> None:
    _, ours = _share()
    holder, theirs = _share.__wrapped__()
    with holder:
        assert {next(ours) for _ in range(PORTS_EACH)}.isdisjoint(next(theirs) for _ in range(PORTS_EACH))
