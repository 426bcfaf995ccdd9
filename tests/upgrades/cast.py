"""What a frozen database holds: a row or two of everything that an upgrade must not lose."""

import sys
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal


def fill() -> str:
    """Returns the text of a key that may read the catalogue and call the model."""
    from tests import make

    team = make.make_team("upgraded", name="Upgraded")
    make.make_staff("curator")
    make.make_user("member", teams=[team])
    provider = make.make_provider("acme-cloud", name="Acme Cloud")
    offering = make.make_offering(make.make_model("acme/one", aliases=["one"]), provider)
    make.make_price(offering, "input_text_tokens", "1")
    make.make_price(offering, "output_text_tokens", "2.5")
    make.publish_all()
    key, text = make.make_key(team, "kept")
    _spend(team.id, key.id)
    return text


def _spend(team_id: int, key_id: int) -> None:
    from django.utils import timezone

    from accounts.models import LedgerEntry

    started_at = timezone.now() - timedelta(days=3)
    LedgerEntry.objects.create(
        attempt_id="0" * 31 + "1",
        call_id="0" * 31 + "2",
        request_id="req_upgraded",
        number=1,
        lane="direct",
        endpoint="chat.completions",
        team_id=team_id,
        key_id=key_id,
        requested_model="one",
        model="acme/one",
        provider="acme-cloud",
        upstream_name="one",
        is_streamed=False,
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=1),
        outcome="finished",
        status=200,
        usage={"input_tokens": 10, "output_tokens": 4},
        input_tokens=10,
        output_tokens=4,
        prices=[],
        cost_usd=Decimal("0.00002"),
        loss_usd=Decimal(0),
        latency_ms=1000,
    )
    _add_up()


def _add_up() -> None:
    """As the recorder would have; trees from before there were sums have none."""
    with suppress(ImportError):
        from accounts.recording import count_missed

        count_missed()


if __name__ == "__main__":
    # Run in the tree that is to be frozen, which need not be this one.
    import django

    django.setup()
    sys.stdout.write(fill())
