"""Indexes of few rows, by which rare calls are found: those that had trouble, on own credentials, of an end user."""

from django.db import migrations, models
from django.db.models import Q

_TROUBLED = ~Q(outcome="finished") | Q(number__gt=1) | Q(status__gte=300) | ~Q(error_code="")
_OF_TROUBLE = ["-started_at", "status", "error_code", "outcome", "number", "key"]
_INDEXES = (
    models.Index(fields=_OF_TROUBLE, condition=_TROUBLED, name="ledger_troubled"),
    models.Index(fields=["team", *_OF_TROUBLE], condition=_TROUBLED, name="ledger_troubled_by_team"),
    models.Index(
        fields=["end_user", "-started_at"], condition=Q(end_user__isnull=False), name="ledger_by_end_user"
    ),
    models.Index(
        fields=["team", "-started_at"], condition=Q(own_credential_id__isnull=False), name="ledger_by_own"
    ),
)


class Migration(migrations.Migration):

    dependencies = [("accounts", "0048_let_desks_tell_of_incidents")]

    operations = [migrations.AddIndex("ledgerentry", index) for index in _INDEXES]
