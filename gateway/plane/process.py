"""What a web process and a worker have in common: store, snapshot, engine, recorder and what calls are made with."""

import asyncio
import gc
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError, connection

from accounts.rule_loading import rules_in_force
from catalogue.pricing.rate_card import RateCards
from catalogue.published.loading import snapshots
from gateway.core import sql
from gateway.core.outbound import OutboundPolicy
from gateway.core.store import open_store
from gateway.core.store.interface import Store
from gateway.metrics.counting import counting
from gateway.metrics.gauges import PlaneGauges
from gateway.plane.bases import BudgetBases
from gateway.plane.control import Control, Directory
from gateway.plane.health_writer import HealthWriter
from gateway.plane.notes import NoteWriter
from gateway.plane.recorder import Recorder
from gateway.plane.spool import Spool
from gateway.proxy.admission.admission import Admission
from gateway.proxy.admission.settling import Settling
from gateway.proxy.health import HealthEvents, HealthObserver
from gateway.proxy.health_sharing import HealthSharing
from gateway.proxy.notes import PlanNotes
from gateway.proxy.observers import CallObserver, Observers
from gateway.proxy.services import CallServices
from providers.engine import Timeouts
from providers.health import HealthTable
from providers.operations.registry import choose_adapter
from providers.services import outbound_policy
from providers.transport import HttpEngine

logger = logging.getLogger(__name__)

_ASK_AGAIN_S = 1.0
_SAY_AGAIN_S = 30.0
_ANSWER_BYTES = 64 * 1024 * 1024
# With threads beside the loop, 5 ms between switches is what a chunk waits; a tenth of it costs nothing measurable.
_SWITCH_INTERVAL_S = 0.0005
# A call leaves nothing that only the collector finds. What waits for the ledger is young, and was looked through.
_COLLECT_AFTER = 50_000


def make_name() -> str:
    """A name for this process that no other has had."""
    return f"{socket.gethostname().split('.')[0]}-{os.getpid()}-{secrets.token_hex(3)}"


def _spare_the_collector() -> None:
    """What is loaded by now stays: looking through it again and again would stop the loop for milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)


def await_database(is_stopping: Callable[[], bool] = lambda: False) -> bool:
    """Block until SQL answers, and say so: to end would only make a supervisor start us again. False: stopping."""
    said_at = -_SAY_AGAIN_S
    while not is_stopping():
        try:
            with sql.answer_within(sql.QUICK_S), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except OperationalError as error:
            if connection.vendor == "sqlite":
                # A file that cannot be opened is a mistake, and no outage.
                raise
            if time.monotonic() - said_at >= _SAY_AGAIN_S:
                said_at = time.monotonic()
                logger.warning("Waiting for the database, which does not answer: %s", sql.brief(error))
            time.sleep(_ASK_AGAIN_S)
        else:
            return True
        finally:
            connection.close()
    return False


class Process:
    """The parts, bound to one event loop once opened."""

    def __init__(self, keys: Directory | None = None) -> None:
        self.name = make_name()
        self.control = Control(keys, on_providers=self._read_policy)
        self.store: Store = open_store(settings.REDIS_URL or None, self.name)
        self.spool = Spool(settings.SPOOL_DIR, self.name)
        self.bases = BudgetBases(self.store, rules_in_force)
        self.plans = PlanNotes()
        notes = NoteWriter(self.plans, is_kept=settings.ROUTING_DAYS > 0)
        self.health_events = HealthEvents()
        self.recorder = Recorder(
            self.spool,
            bases=self.bases,
            notes=notes,
            health=HealthWriter(self.health_events, self.name),
        )
        self.health = HealthTable()
        settling = Settling(self.store, rules_in_force, self.spool.name)
        self.health_observer = health = HealthObserver(self.health)
        self.health_sharing = HealthSharing(health, self.store, self.name, self.control, self.health_events)
        observers: list[CallObserver] = [health, settling]
        self.metrics = counting("web" if keys else "worker")
        if self.metrics:
            observers.append(self.metrics.observer)
            self.metrics.watch(PlaneGauges(self.spool, self.control, self.health, self.store))
        self.observers = Observers(self.spool, observers)
        self.rate_cards = RateCards()
        self.policy = OutboundPolicy()
        self.engine: HttpEngine | None = None
        self.admission = Admission(
            self.store,
            rules_in_force,
            self.bases,
            self.rate_cards,
            counts_cached_input=settings.COUNT_CACHED_INPUT,
        )

    async def open(self) -> CallServices:
        """Start the threads, then connect. Raises django.db.Error where SQL is away at the start."""
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        sql.limit_everywhere(sql.STATEMENT_S)
        await asyncio.to_thread(self.control.start)
        _spare_the_collector()
        self.recorder.start()
        await self.store.open()
        self.bases.open()
        await self.health_sharing.open()
        if self.metrics:
            self.metrics.start()
        self.engine = HttpEngine(self.policy, connections=settings.UPSTREAM_CONNECTIONS)
        return CallServices(
            engine=self.engine,
            adapters=choose_adapter,
            snapshots=snapshots,
            observers=self.observers,
            health=self.health,
            timeouts=Timeouts(
                connect_s=settings.CONNECT_TIMEOUT_S,
                first_byte_s=settings.FIRST_BYTE_TIMEOUT_S,
                idle_s=settings.IDLE_TIMEOUT_S,
                total_s=settings.TOTAL_TIMEOUT_S,
                thinking_s=settings.THINKING_TIMEOUT_S,
            ),
            answer_bytes=_ANSWER_BYTES,
            admission=self.admission,
            rate_cards=self.rate_cards,
            claim=self.health_sharing.claim,
        )

    def _read_policy(self) -> None:
        """In the control thread: a superuser's word, and a demo provider that moved, hold as soon as their row does."""
        self.policy = outbound_policy()
        if self.engine:
            self.engine.follow(self.policy)

    async def close(self) -> None:
        """Once no call is open: disconnect, then write what is still in the spool."""
        if self.engine:
            await self.engine.close()
        await self.health_sharing.close()
        await self.store.close()
        await asyncio.to_thread(self.recorder.stop)
        await asyncio.to_thread(self.control.stop)
        self.bases.close()
        if self.metrics:
            await asyncio.to_thread(self.metrics.stop)
