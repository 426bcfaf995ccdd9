"""What beat asks for, and how often."""

from celery.schedules import crontab


def _every(seconds: float, task: str) -> dict[str, object]:
    """A round that nobody took is forgotten before many of them wait; not sooner, since clocks differ."""
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 300.0)}}


ROUNDS = {
    "forget expired responses": _every(3600.0, "gateway.responses.tasks.forget_expired_responses"),
    "end unused keys": _every(3600.0, "accounts.tasks.end_unused_keys"),
    "forget repeats": _every(60.0, "accounts.tasks.forget_repeats"),
    "forget sessions": _every(3600.0, "accounts.tasks.forget_sessions"),
    "end grants": _every(60.0, "accounts.tasks.end_grants"),
    "tell budgets": _every(60.0, "accounts.tasks.tell_budgets"),
    "prove spending": {
        **_every(86_400.0, "accounts.tasks.prove_spending"),
        "schedule": crontab(hour=3, minute=10),
    },
    "tend usage": _every(60.0, "accounts.tasks.tend_usage"),
    "prove usage": {
        **_every(86_400.0, "accounts.tasks.prove_usage"),
        "schedule": crontab(hour=3, minute=40),
    },
    "export the ledger": _every(300.0, "accounts.tasks.export_ledger"),
    "forget old entries": _every(3600.0, "accounts.tasks.forget_entries"),
    "send the audit on": _every(10.0, "accounts.tasks.send_audit"),
    "close months": _every(3600.0, "accounts.tasks.close_months"),
    "probe providers": _every(5.0, "providers.tasks.probe_due_providers"),
    "probe quiet offerings": _every(30.0, "catalogue.tasks.probe_quiet_offerings"),
    "look for imports": _every(5.0, "catalogue.tasks.look_for_imports"),
    "send alerts": _every(5.0, "accounts.tasks.send_alerts"),
    "watch keys and spending": _every(900.0, "accounts.tasks.watch_keys_and_spending"),
    "send weekly digests": _every(900.0, "gateway.weekly.tasks.send_weekly_digests"),
    "tell of models": _every(3600.0, "catalogue.tasks.tell_of_models"),
    "count status days": _every(60.0, "gateway.status.tasks.count_status_days"),
    "mail alarms": _every(60.0, "providers.tasks.mail_alarms"),
}
