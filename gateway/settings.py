"""Settings: environment first, each with a default that works on a fresh clone."""

import os
import tomllib
from decimal import Decimal
from pathlib import Path

import django

from gateway import alert_settings, audit_settings, env, ledger_settings, schedule
from gateway.boot import local_secrets
from gateway.core.client_address import read_trusted_proxies
from gateway.core.redis_url import broker_url, is_usable, verified
from gateway.database import database
from gateway.env import read_mail_server
from gateway.identity_settings import *  # noqa: F403  # what allauth reads by name
from gateway.server.front import read_cors_origins, read_public_url
from gateway.server.patience import EdgeLimits
from gateway.web.theme import unfold_settings
from providers.origins import Origins, join, origins_of_vendors, read_origins

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("GATEWAY_DATA_DIR", str(BASE_DIR / "data"))).resolve()
DATABASE_URL = env.text("DATABASE_URL")


def _redis_url() -> str:
    url = env.text("REDIS_URL")
    if not is_usable(url):
        # Never repeated: it may hold the password.
        raise env.BadEnvironment(
            "REDIS_URL cannot be used; write it as redis://user:password@host:6379/0, rediss://… or unix:///path?db=0."
        )
    try:
        return verified(url, env.text("GATEWAY_REDIS_CA"))
    except ValueError as error:
        raise env.BadEnvironment(f"GATEWAY_REDIS_CA: {error}.") from None


REDIS_URL = _redis_url()

DEBUG = env.flag("GATEWAY_DEBUG")
_secrets = local_secrets.load(DATA_DIR)
SECRET_KEY = env.text("GATEWAY_SECRET_KEY") or _secrets.secret_key
# Newest first: encryption uses the first, decryption tries all.
CREDENTIAL_KEYS = env.words("GATEWAY_CREDENTIAL_KEYS") or [_secrets.credential_key]

HOST = env.text("HOST", "127.0.0.1")
PORT = env.whole("PORT", 8000, most=65_535)

PUBLIC_URL = env.parsed("GATEWAY_PUBLIC_URL", lambda words: read_public_url(" ".join(words)))
# Of Django's own links; the edge takes it off where a proxy has left it on.
FORCE_SCRIPT_NAME = PUBLIC_URL.base_path or None
ALLOWED_HOSTS = env.words("GATEWAY_ALLOWED_HOSTS", "localhost 127.0.0.1 [::1]")
CSRF_TRUSTED_ORIGINS = env.words("GATEWAY_TRUSTED_ORIGINS")
if PUBLIC_URL:
    ALLOWED_HOSTS.append(PUBLIC_URL.host)
    CSRF_TRUSTED_ORIGINS.append(PUBLIC_URL.origin)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("GATEWAY_SECURE_COOKIES", default=PUBLIC_URL.is_https)
CSRF_FAILURE_VIEW = "gateway.portal.late.refused"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = PUBLIC_URL.base_path or "/"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("GATEWAY_BEHIND_TLS_PROXY") else None
)

# Only what these peers say of whom they speak for counts: clients can write the same headers.
CORS_ORIGINS = env.parsed("GATEWAY_CORS_ORIGINS", read_cors_origins)
TRUSTED_PROXIES = env.parsed("GATEWAY_TRUSTED_PROXIES", read_trusted_proxies)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "rest_framework",
    "django_filters",
    "import_export",
    "drf_spectacular",
    "auditlog",
    "gateway",
    "catalogue",
    "providers",
    "accounts",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "gateway.web.middleware.UnwantedPacking",
    "gateway.web.static_files.StaticFiles",
    "gateway.web.middleware.CompressedPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "gateway.web.middleware.Common",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "gateway.web.middleware.ContentSecurityPolicy",
    "gateway.web.middleware.OtherSlash",
    "gateway.web.middleware.UsableValues",
    "gateway.web.middleware.AskedToWait",
    "gateway.identity.required.Sessions",
    "gateway.portal.viewing.ReadOnlyView",
    "gateway.portal.late.SentTooLate",
    "gateway.core.audit_context.AuditContext",
    "gateway.core.reader.ReadersPages",
]

ROOT_URLCONF = "gateway.urls"
ASGI_APPLICATION = "gateway.asgi.application"
APPEND_SLASH = False
# A model with its offerings and prices is one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gateway.public.access.navigation",
                "gateway.portal.eyes.seeing.seeing",
                "gateway.portal.shell.console",
            ]
        },
    }
]

# How many connections the pages and the API of one web process share.
DATABASE_CONNECTIONS = env.whole("GATEWAY_DATABASE_CONNECTIONS", 8, least=1)
DATABASES = {"default": database(DATABASE_URL, DATA_DIR / "gatehouse.sqlite3", DATABASE_CONNECTIONS)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUDITLOG_LOGENTRY_MODEL = "accounts.AuditEntry"
# Its migrations would make the table of the model that ours replaces, and its reference to users bars `flush`.
MIGRATION_MODULES = {"auditlog": None}
AUDITLOG_STORE_JSON_CHANGES = True
AUDITLOG_USE_FK_STRING_REPRESENTATION = True

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
# Bringing a sheet in changes the catalogue, taking one out reads it.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
IMPORT_EXPORT_USE_TRANSACTIONS = True
FORMAT_MODULE_PATH = ["gateway.web.formats"]
STATIC_URL = f"{PUBLIC_URL.base_path}/static/"
STATICFILES_DIRS = [BASE_DIR / "gateway" / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "gateway.web.static_files.AddressedByContent"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "gateway.core.errors.render_exception",
    "UNAUTHENTICATED_USER": None,
    # `format` is a parameter of the published list, which says itself what is wrong with a value.
    "URL_FORMAT_OVERRIDE": None,
}

# Kept in memory for as long as SQL is away: after this a key is no longer believed.
# More than this one of staff does not add to a budget without another; not set: there is no bound.
RAISE_ALONE_MOST_USD = (
    Decimal(str(env.number("GATEWAY_RAISE_ALONE_MOST", 0))) if env.text("GATEWAY_RAISE_ALONE_MOST") else None
)
KEY_STALENESS_S = env.number("GATEWAY_KEY_STALENESS_S", 300)
# Whether a model may be called that no list of a key or a team has; a team may say otherwise.
NEW_MODELS = env.choice("GATEWAY_NEW_MODELS", "open", ("open", "closed"))
# After how many days without use a key expires, unless its team says otherwise; 0: never.
UNUSED_KEY_DAYS = env.whole("GATEWAY_UNUSED_KEY_DAYS", 0, most=36_500)
CHAT_LANE = env.choice("GATEWAY_CHAT_LANE", "auto", ("auto", "worker", "direct"))
COUNT_CACHED_INPUT = env.flag("GATEWAY_COUNT_CACHED_INPUT", default=True)
COUNTS_PER_MINUTE = env.whole("GATEWAY_COUNTS_PER_MINUTE", 600, least=1)
BODY_LIMIT_BYTES = env.whole("GATEWAY_BODY_LIMIT_BYTES", 10 * 1024 * 1024, least=1024)
# Bodies of everything else, before Django takes them in; sheets that staff bring in have a limit of their own.
FORM_LIMIT_BYTES = env.whole("GATEWAY_FORM_LIMIT_BYTES", 2_621_440, least=1024)
IMPORT_LIMIT_BYTES = env.whole("GATEWAY_IMPORT_LIMIT_BYTES", 32 * 1024 * 1024, least=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = FORM_LIMIT_BYTES
CONNECT_TIMEOUT_S = env.number("GATEWAY_CONNECT_TIMEOUT_S", 3)
FIRST_BYTE_TIMEOUT_S = env.number("GATEWAY_FIRST_BYTE_TIMEOUT_S", 60)
THINKING_TIMEOUT_S = env.number("GATEWAY_THINKING_TIMEOUT_S", 300)
IDLE_TIMEOUT_S = env.number("GATEWAY_IDLE_TIMEOUT_S", 60)
TOTAL_TIMEOUT_S = env.number("GATEWAY_TOTAL_TIMEOUT_S", 600)
WRITE_TIMEOUT_S = env.number("GATEWAY_WRITE_TIMEOUT_S", 60)
EDGE_LIMITS = EdgeLimits(
    head_bytes=env.whole("GATEWAY_HEAD_LIMIT_BYTES", 64 * 1024, least=1024),
    head_fields=env.whole("GATEWAY_HEAD_FIELDS", 200, least=1),
    head_s=env.number("GATEWAY_HEAD_TIMEOUT_S", 10, least=1),
    body_silence_s=env.number("GATEWAY_BODY_TIMEOUT_S", 60, least=1),
    body_bytes_per_s=env.whole("GATEWAY_BODY_BYTES_PER_S", 1024),
    idle_s=env.number("GATEWAY_KEEP_ALIVE_S", 75, least=1),
    write_s=WRITE_TIMEOUT_S,
    connections=env.whole("GATEWAY_CONNECTIONS", 10_000, least=1),
    per_address=env.whole("GATEWAY_CONNECTIONS_PER_ADDRESS", 0),
    proxies=TRUSTED_PROXIES,
    base_path=PUBLIC_URL.base_path,
)
# Shorter than what proxies between us and clients call idle.
HEARTBEAT_S = env.number("GATEWAY_HEARTBEAT_S", 10)
OPEN_AFTER_S = env.number("GATEWAY_OPEN_AFTER_S", 20)
DRAIN_S = env.number("GATEWAY_DRAIN_S", 25)
MOST_CALLS = env.whole("GATEWAY_MOST_CALLS", 4000, least=1)
UPSTREAM_CONNECTIONS = env.whole("GATEWAY_UPSTREAM_CONNECTIONS", 2000, least=1)
PROBE_INTERVAL_S = env.number("GATEWAY_PROBE_INTERVAL_S", 60, least=1)
# Private addresses are refused for providers, but for these host:port pairs and networks.
PRIVATE_ADDRESSES_ALLOWED = env.words("GATEWAY_ALLOW_PRIVATE")
# Whether a superuser may allow a server of this machine in the admin: with one process it is the operator's own.
LOCAL_SERVERS_ALLOWED = env.flag("GATEWAY_ALLOW_LOCAL", default=not REDIS_URL)
# Names that `env:` credentials may read; nothing else of the environment can leave through a provider.
CREDENTIAL_VARIABLES = env.words(
    "GATEWAY_CREDENTIAL_VARIABLES",
    "GROQ_API_KEY GEMINI_API_KEY CLOUDFLARE_API_TOKEN OPENROUTER_API_KEY CEREBRAS_API_KEY VOYAGE_API_KEY "
    "OPENAI_API_KEY ANTHROPIC_API_KEY MISTRAL_API_KEY COHERE_API_KEY DEEPSEEK_API_KEY XAI_API_KEY "
    "TOGETHER_API_KEY FIREWORKS_API_KEY NVIDIA_API_KEY SAMBANOVA_API_KEY PERPLEXITY_API_KEY MOONSHOT_API_KEY "
    "ZHIPU_API_KEY DASHSCOPE_API_KEY MINIMAX_API_KEY DEEPINFRA_API_KEY NEBIUS_API_KEY BASETEN_API_KEY "
    "NOVITA_API_KEY SILICONFLOW_API_KEY SCALEWAY_API_KEY INCEPTION_API_KEY STEPFUN_API_KEY UPSTAGE_API_KEY "
    "XIAOMI_API_KEY AZURE_OPENAI_API_KEY AWS_BEARER_TOKEN_BEDROCK",
)


def _credential_origins() -> Origins:
    """Those of the vendors that the bootstrap catalogue names, and those that the operator adds."""
    vendors = tomllib.loads((BASE_DIR / "catalogue/bootstrap/providers.toml").read_text(encoding="utf-8"))
    own = env.parsed("GATEWAY_CREDENTIAL_ORIGINS", read_origins)
    return join(origins_of_vendors(vendors.values(), os.environ), own)


# Where each of them may be sent to. Whoever may edit a provider could else have it sent to a host of their own.
CREDENTIAL_ORIGINS = _credential_origins()
ALARM_EMAILS, ALERTS_BEFORE_DIGEST = alert_settings.ALARM_EMAILS, alert_settings.BEFORE_DIGEST
ALERT_PRIVATE_ADDRESSES_ALLOWED = alert_settings.PRIVATE_ADDRESSES_ALLOWED
ALERT_MAIL_DOMAINS = alert_settings.MAIL_DOMAINS
SPEND_LEAP_FACTOR: float = alert_settings.SPEND_LEAP_FACTOR
LEAKED_KEYS: str = alert_settings.LEAKED_KEYS
DEFAULT_FROM_EMAIL = env.text("GATEWAY_EMAIL_FROM", "gatehouse@localhost")
_MAIL_SERVER = read_mail_server(env.text("GATEWAY_SMTP_URL", "smtp://localhost"))
# Where it is not said, nobody waits for a mail that may never leave: links are handed on.
MAIL_IS_SET = bool(env.text("GATEWAY_SMTP_URL", ""))
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"OPTIONS": _MAIL_SERVER._asdict()}}
else:
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL_SERVER[:4]
    EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _MAIL_SERVER[4:]
# A price that nobody has looked at for longer is on the curators' worklist.
STALE_PRICE_DAYS = env.whole("GATEWAY_STALE_PRICE_DAYS", 180, least=1)
ROUTING_DAYS, STATEMENT_DAYS = ledger_settings.ROUTING_DAYS, ledger_settings.STATEMENT_DAYS
LEDGER_DAYS: int = ledger_settings.LEDGER_DAYS
LEDGER_EXPORT, LEDGER_EXPORT_FORM = ledger_settings.EXPORT, ledger_settings.EXPORT_FORM
AUDIT_DAYS: int = audit_settings.DAYS
AUDIT_PUSH, AUDIT_PUSH_SECRETS = audit_settings.PUSH, audit_settings.PUSH_SECRETS
# How long answers of /v1/responses are kept for those who go on from them.
RESPONSE_DAYS = env.whole("GATEWAY_RESPONSE_DAYS", 30, least=1)
# Whether lists of models may be asked for what the key itself may call.
TEAM_SCOPE = env.flag("GATEWAY_TEAM_SCOPE")
# Who may look at the catalogue's pages; the API asks for a key all the same.
PUBLIC_CATALOGUE = env.choice("GATEWAY_PUBLIC_CATALOGUE", "public", ("public", "signed-in", "off"))
# Who may look at the status page and its feeds.
STATUS_PAGE = env.choice("GATEWAY_STATUS_PAGE", PUBLIC_CATALOGUE, ("public", "signed-in", "off"))
SPOOL_DIR = Path(env.text("GATEWAY_SPOOL_DIR", str(DATA_DIR / "spool")))
# host:port of the bundled demo providers, set by the command that starts them; allowed by the outbound policy.
DEMO_ADDRESSES = env.words("GATEWAY_DEMO_ADDRESSES")

# Prometheus: at a port of their own, or at /metrics for whoever shows the token. Neither: nothing is counted.
METRICS_PORT = env.whole("GATEWAY_METRICS_PORT", 0, most=65_535)
METRICS_HOST = env.text("GATEWAY_METRICS_HOST", "127.0.0.1")
METRICS_TOKEN = env.text("GATEWAY_METRICS_TOKEN")
METRICS_DIR = DATA_DIR / "metrics"
# So many teams, the oldest, are told apart: each is a label of many series.
METRICS_TEAMS = env.whole("GATEWAY_METRICS_TEAMS", 100)

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # 501 is what a client asked for, not something that failed; 503 is told by `gateway.core.sql`, once
    # and then counted.
    "filters": {
        "failures": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) not in {501, 503},
        }
    },
    "formatters": {
        "line": {
            "()": "gateway.core.lines.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.choice("GATEWAY_LOG_LEVEL", "WARNING", LOG_LEVELS)},
    "loggers": {
        # What strangers send wrongly they are told; they cannot fill the log with it, nor with tracebacks.
        "django.request": {"level": "ERROR", "filters": ["failures"]},
        "django.security": {"level": "CRITICAL"},
        # Each try to connect, while requests that ask for it are counted.
        "psycopg.pool": {"level": "ERROR"},
        "django.security.csrf": {"level": "WARNING"},
    },
}

CELERY_BROKER_URL = broker_url(REDIS_URL) or "memory://localhost"
if REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, float] = {
        # A broker that is there and says nothing: whoever waits for an answer gives up, and whoever waits for
        # a task asks anew 1 s (the wait for one) and twice the interval later.
        "socket_connect_timeout": 3,
        "socket_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 2,
    }
else:
    # The wait of a task before it is seen; 1 s otherwise.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.05}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 60
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONSUMER = "gateway.plane.consumer:Consumer"
# For ever: a beat that gave up would have to be started by hand.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# None of ours can be cancelled, nor has to be: each is acknowledged when it begins. Off, Celery warns of it.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# In memory, not in a file of the working folder: every entry comes within a day.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = schedule.ROUNDS

SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse",
    "DESCRIPTION": "One API for language models at many providers. Send a key of your team as a bearer token.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [{"url": str(PUBLIC_URL)}] if PUBLIC_URL else [],
    "SCHEMA_PATH_PREFIX": "/v1",
    "ENUM_NAME_OVERRIDES": {
        "CallOutcome": "catalogue.lifecycle.check.Outcome",
        "StatusEnum": "catalogue.lifecycle.status.STATUSES",
        "ProviderHealth": "providers.models.Provider.Health",
        "RoutingState": "catalogue.api.health_serializers.STATUSES",
        "LifecyclePolicyEnum": "accounts.policies.POLICY_CHOICES",
        "AlertChannelKind": "accounts.models.AlertChannel.Kind",
        "AlertDeliveryState": "accounts.models.AlertDelivery.State",
        "AllowanceUnit": "accounts.models.Allowance.Unit",
        "BudgetWindow": "accounts.models.Budget.Period",
        "LimitUnit": "accounts.models.Limit.Unit",
        "ModelKind": "catalogue.models.Model.Kind",
        "StateEnum": "accounts.models.Key.State",
        "TeamStateEnum": "accounts.models.Team.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "gateway.openapi.schema.complete_document",
    ],
    "TAGS": [
        {"name": "inference", "description": "Calls of models, in OpenAI's form."},
        {"name": "catalogue", "description": "Which models there are, and what they cost."},
        {"name": "keys", "description": "Issuing, rotating and revoking keys, and what a key may do."},
        {
            "name": "team",
            "description": "The team, its service accounts and projects, and the limits of all.",
        },
        {"name": "usage", "description": "What was used and spent, in our form and in those of others."},
        {"name": "machines", "description": "For monitoring."},
    ],
}

UNFOLD = unfold_settings(PUBLIC_URL.base_path, has_catalogue=PUBLIC_CATALOGUE != "off")
