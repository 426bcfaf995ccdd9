"""The Celery application: background duties, and the worker that hosts the lane."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

app = Celery("gatehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["gateway", "gateway.responses", "catalogue", "providers", "accounts"])
# By name: its module needs Django's models, which are loaded only once a worker is made.
app.steps["worker"].add("gateway.worker:LaneStep")


@app.task(name="gateway.wake_worker")
def wake_worker() -> None:
    """Do nothing: a worker that waits for its next message looks at its stop flag only when one comes."""
