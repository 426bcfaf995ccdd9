"""`/healthz` and `/readyz`."""

import asyncio
from dataclasses import replace

import pytest
from django.test import AsyncClient, Client

from gateway.plane.runtime import RuntimeStatus
from gateway.web.views import readiness

WELL = RuntimeStatus(
    snapshot_revision=7,
    snapshot_age_s=0.2,
    database_silence_s=0.2,
    store="up",
    workers=1,
    lane="worker",
    spool_lag_s=0.0,
    spool_trouble="",
    is_draining=False,
)


def test_health_asks_nothing() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_answers_on_the_loop() -> None:
    answer = asyncio.run(AsyncClient().get("/healthz"))
    assert answer.status_code == 200


def test_health_is_only_read() -> None:
    assert Client().post("/healthz").status_code == 405


def test_process_without_a_data_plane_is_not_ready() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "unknown")
    assert answer.json()["reasons"] == ["The data plane of this process has not started."]


def test_process_that_is_well_is_ready() -> None:
    status, body = readiness(WELL)
    assert (status, body["status"], body["reasons"], body["degraded"]) == (200, "ready", [], [])
    assert (body["snapshot_revision"], body["workers"], body["lane"]) == (7, 1, "worker")


def test_calls_outlive_the_database() -> None:
    status, body = readiness(replace(WELL, database_silence_s=5.0))
    assert (status, body["status"], body["database"], len(body["degraded"])) == (200, "degraded", "down", 1)


def test_calls_outlive_the_store() -> None:
    status, body = readiness(replace(WELL, store="down"))
    assert (status, body["status"]) == (200, "degraded")


def test_direct_lane_needs_no_worker() -> None:
    status, _ = readiness(replace(WELL, lane="direct", workers=0))
    assert status == 200


@pytest.mark.parametrize(
    "trouble",
    [
        {"is_draining": True},
        {"snapshot_revision": -1},
        {"workers": 0},
        {"spool_lag_s": 61.0},
        {"spool_trouble": "no space is left"},
        {"snapshot_age_s": 10_000.0},
    ],
)
def test_process_that_cannot_serve_says_why(trouble: dict[str, object]) -> None:
    status, body = readiness(replace(WELL, **trouble))  # type: ignore[arg-type]
    assert (status, body["status"], len(body["reasons"])) == (503, "unready", 1)
