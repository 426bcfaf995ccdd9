"""Every metric: its name, what it means, its labels and buckets. Labels hold words of our own configuration only."""

from dataclasses import dataclass
from typing import Literal

_DOUBLING = tuple(round(0.01 * 2**power, 2) for power in range(14))
_SECONDS = (*_DOUBLING, 163.84, 327.68, 655.36)
"""OpenTelemetry's of durations, and what reasoning takes beside."""
# Source: Envoy AI Gateway and OpenTelemetry's server metrics (November 2026).
_FIRST_TOKEN = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
_EACH_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_OWN_WORK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


@dataclass(frozen=True, slots=True)
class Counter:
    """`name` ends with `_total`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    name: str
    help: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gauge:
    """`merged`: how the values of several processes are one; those of a process that died vanish, but for `max`.

    Of `livemostrecent` the last one seen counts, wherever that was.
    """

    name: str
    help: str
    merged: Literal["livesum", "livemax", "livemin", "livemostrecent", "max"]
    labels: tuple[str, ...] = ()


REQUESTS = Counter(
    "gatehouse_requests_total",
    "Requests that were answered, by how they ended; error is 'none' where they ended well.",
    ("surface", "model", "provider", "outcome", "error"),
)
TEAM_REQUESTS = Counter(
    "gatehouse_team_requests_total", "The same, by team: 'none' where no key was valid.", ("team", "outcome")
)
REQUEST_SECONDS = Histogram(
    "gatehouse_request_duration_seconds",
    "From a request's head to the end of its answer, of those that a provider answered.",
    _SECONDS,
    ("surface", "stream"),
)
OVERHEAD_SECONDS = Histogram(
    "gatehouse_overhead_seconds",
    "What a request took besides its attempts at providers: reading it, limits, routing, the lane, the ledger.",
    _OWN_WORK,
    ("lane",),
)
ATTEMPTS_EACH = Histogram(
    "gatehouse_attempts_per_request", "Attempts of each request that was planned.", (0, 1, 2, 3, 5, 10)
)
LIMIT_REFUSALS = Counter(
    "gatehouse_limit_refusals_total",
    "Requests beyond a limit, by its unit and by whose it is.",
    ("kind", "level"),
)
BUDGET_REFUSALS = Counter(
    "gatehouse_budget_refusals_total",
    "Requests beyond a budget, by whether it is spent or held for calls that run, and by whose it is.",
    ("reason", "level"),
)
ATTEMPTS = Counter(
    "gatehouse_attempts_total",
    "Attempts at providers, by how they ended.",
    ("model", "provider", "outcome", "error"),
)
ATTEMPT_SECONDS = Histogram(
    "gatehouse_attempt_duration_seconds",
    "Of attempts, however they ended.",
    _SECONDS,
    ("provider", "stream"),
)
FIRST_TOKEN_SECONDS = Histogram(
    "gatehouse_ttft_seconds",
    "Until a stream's first output, from the attempt's beginning.",
    _FIRST_TOKEN,
    ("model", "provider"),
)
EACH_TOKEN_SECONDS = Histogram(
    "gatehouse_tpot_seconds",
    "Of a finished stream: the time after its first output for each further token.",
    _EACH_TOKEN,
    ("model", "provider"),
)
FALLBACKS = Counter(
    "gatehouse_fallbacks_total",
    "Attempts that were followed by one at another target, and why.",
    ("from", "to", "reason"),
)
TOKENS = Counter(
    "gatehouse_tokens_total", "What usage counts, as the ledger has it.", ("model", "provider", "type")
)
TEAM_TOKENS = Counter("gatehouse_team_tokens_total", "Input and output tokens by team.", ("team", "type"))
COST = Counter("gatehouse_cost_usd_total", "What teams' calls cost.", ("team", "provider"))
CHARGE = Counter("gatehouse_charge_usd_total", "What teams are charged for it.", ("team",))
LOSS = Counter(
    "gatehouse_loss_usd_total", "What the operator lost by attempts that no team pays.", ("provider",)
)
OWN_COST = Counter(
    "gatehouse_own_cost_usd_total",
    "What calls by teams' own credentials would have cost here.",
    ("team", "provider"),
)
UNPRICED = Counter(
    "gatehouse_unpriced_attempts_total", "Attempts at offerings that have no price.", ("model",)
)
ESTIMATED = Counter(
    "gatehouse_estimated_usage_total", "Attempts whose usage the provider did not report.", ("provider",)
)
TASKS = Counter(
    "gatehouse_tasks_total", "Background tasks that ended, by how: success or failure.", ("task", "outcome")
)
TASKS_SENT = Counter("gatehouse_tasks_sent_total", "Background tasks that were handed to workers.", ("task",))
TASK_SUCCESS = Gauge(
    "gatehouse_task_last_success_timestamp_seconds",
    "When a task last succeeded on this host, in Unix seconds.",
    "max",
    ("task",),
)
CPU = Counter("gatehouse_cpu_seconds_total", "Processor time of processes, by what they are.", ("process",))

PROCESSES = Gauge("gatehouse_processes", "Processes that live.", "livesum", ("process",))
MEMORY = Gauge("gatehouse_resident_memory_bytes", "Memory of processes.", "livesum", ("process",))
BUILD = Gauge("gatehouse_build_info", "1; which version runs.", "livemax", ("version",))
IN_FLIGHT = Gauge("gatehouse_inflight_requests", "Requests being answered.", "livesum", ("surface",))
OPEN_STREAMS = Gauge("gatehouse_open_streams", "Streams that have begun and go on.", "livesum")
BREAKER = Gauge(
    "gatehouse_breaker_open",
    "1 while an offering is left alone; no series: it never was.",
    "livemax",
    ("model", "provider"),
)
REMAINING = Gauge(
    "gatehouse_provider_ratelimit_remaining",
    "What is left of a provider's own limits by its main credential, as its last answer within five minutes said.",
    "livemostrecent",
    ("model", "provider", "kind"),
)
HOLDS = Gauge("gatehouse_holds_open", "Calls under way for which budgets hold money.", "livesum")
LEDGER_QUEUE = Gauge(
    "gatehouse_ledger_queue_depth", "Ended attempts that are not in the ledger yet.", "livesum"
)
LEDGER_LAG = Gauge("gatehouse_ledger_lag_seconds", "Age of the oldest of them.", "livemax")
SPOOL_BYTES = Gauge("gatehouse_spool_bytes", "Size of the spools' files.", "livesum")
SPOOL_WRITABLE = Gauge("gatehouse_spool_writable", "0 while a spool's disk takes nothing more.", "livemin")
REVISION = Gauge("gatehouse_snapshot_revision", "Of the catalogue in memory; the oldest.", "livemin")
SNAPSHOT_AGE = Gauge(
    "gatehouse_snapshot_age_seconds", "Since the database last said that nothing is newer.", "livemax"
)
DATABASE_SILENCE = Gauge(
    "gatehouse_database_silence_seconds", "Since the database last said anything.", "livemax"
)
STORE_UP = Gauge("gatehouse_store_up", "0 while the store (Redis) does not answer.", "livemin")
WORKERS = Gauge("gatehouse_live_workers", "Workers that web processes can hand calls to.", "livemax")
DRAINING = Gauge("gatehouse_draining_processes", "Web processes that take no new calls.", "livesum")

Family = Counter | Histogram | Gauge
FAMILIES: tuple[Family, ...] = tuple(
    each for each in list(globals().values()) if isinstance(each, Counter | Histogram | Gauge)
)
