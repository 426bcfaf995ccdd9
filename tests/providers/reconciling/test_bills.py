"""Bills in the admin: how they are read, brought in, compared with the ledger, and booked by a person."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import ledger_files
from accounts.booking import adjust
from accounts.keys import DEPLOYMENT
from accounts.ledger_files import export_due
from accounts.models import AuditEntry, Key, LedgerEntry
from accounts.money import usd_of
from accounts.recording import count_missed
from accounts.spending import spent_in
from accounts.spending_proof import prove
from accounts.windows import LIFETIME, window_at
from gateway.core.refusals import InvalidField
from gateway.core.sealing import SecretUnreadable
from providers import services as provider_services
from providers.models import AdministratorCredential, Bill, BillMapping, Provider
from providers.reconciling.comparing import Booked, Cause
from providers.reconciling.services import book_difference, booked_at, differences_of, keep_secret
from providers.secrets import ADMINISTRATOR, decrypt, encrypt
from tests import make
from tests.providers.reconciling.test_fetching import openai_page, openai_result, reporting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("credential_key")]
SECRET = "admin-secret-of-us-a1b2"
DAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIST = "/admin/providers/bill/"
ADD = f"{LIST}add/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make.make_staff("curator"))
    return client


@pytest.fixture
def provider() -> Provider:
    return make.make_provider("vendor", name="Vendor", base_url="https://api.vendor.example/v1")


@pytest.fixture
def key() -> Key:
    return make.make_key(make.make_team("atlas"))[0]


@pytest.fixture
def mapping(provider: Provider) -> BillMapping:
    return BillMapping.objects.create(
        provider=provider, date_column="Day", model_column="Model", amount_column="Cost"
    )


def book(key: Key, cost: str, *, at: datetime = NOON, name: str = "m-1", **fields: Any) -> LedgerEntry:
    entry = make.make_entry(
        key,
        fields.pop("outcome", "finished"),
        cost_usd=Decimal(cost),
        provider="vendor",
        upstream_name=name,
        started_at=at,
        **fields,
    )
    count_missed()
    return entry


def bill_of(provider: Provider, *lines: tuple[str, str, str]) -> Bill:
    days = sorted(date.fromisoformat(day) for day, _, _ in lines)
    return Bill.objects.create(
        provider=provider,
        source="sheet",
        first_day=days[0],
        last_day=days[-1],
        lines=[[*line, None, None] for line in lines],
        total_usd=sum(Decimal(usd) for _, _, usd in lines),
    )


def bring(staff: Client, provider: Provider, text: str) -> Any:
    return staff.post(ADD, {"provider": provider.pk, "sheet": SimpleUploadedFile("june.csv", text.encode())})


def test_sheet_is_brought_in_and_its_differences_are_shown(
    staff: Client, provider: Provider, mapping: BillMapping, key: Key
) -> None:
    book(key, "1")
    answer = bring(
        staff, provider, "Day,Model,Cost\n2026-06-01,m-1,0.75\n2026-06-01,m-1,0.5\n2026-06-01,other,2\n"
    )
    bill = Bill.objects.get()
    assert answer.headers["location"] == f"{LIST}{bill.pk}/change/"
    assert bill.lines == [["2026-06-01", "m-1", "1.25", None, None], ["2026-06-01", "other", "2", None, None]]
    assert (bill.total_usd, bill.file_name, bill.source) == (Decimal("3.25"), "june.csv", "sheet")
    assert "curator" in bill.brought_by
    page = staff.get(f"{LIST}{bill.pk}/change/").text
    assert "Model unknown here" in page
    assert "<b>2.25 USD more</b> than the ledger" in page
    assert "3.25" in staff.get(LIST).text


def test_bad_cells_are_told_and_nothing_is_brought_in(
    staff: Client, provider: Provider, mapping: BillMapping
) -> None:
    page = bring(staff, provider, "Day,Model,Cost\n2026-06-01,m-1,<b>1</b>\n").text
    assert (
        "Row 2, Cost: “&lt;b&gt;1&lt;/b&gt;” cannot be read; the mapping says that amounts are as 1234.56"
        in page
    )
    assert not Bill.objects.exists()


def test_provider_without_a_mapping_is_no_choice(staff: Client, provider: Provider) -> None:
    assert "not one of the available choices" in bring(staff, provider, "x").text


def test_bill_beyond_all_measure_is_refused(staff: Client, provider: Provider, mapping: BillMapping) -> None:
    rows = "2026-06-01,m,999999999\n"
    assert bring(staff, provider, f"Day,Model,Cost\n{rows}").status_code == 302
    assert "1,000,000,000 are the most" in bring(staff, provider, f"Day,Model,Cost\n{rows * 2}").text
    assert Bill.objects.count() == 1


def test_odd_names_of_models_and_files_are_refused_or_escaped(
    staff: Client, provider: Provider, mapping: BillMapping
) -> None:
    assert "use the model" in bring(staff, provider, "Day,Model,Cost\n2026-06-01,a\0b,1\n").text
    sheet = SimpleUploadedFile("a\tb\x1b.csv", b"Day,Model,Cost\n2026-06-01,m,1\n")
    assert staff.post(ADD, {"provider": provider.pk, "sheet": sheet}).status_code == 302
    assert Bill.objects.get().file_name.isprintable()


def test_sheet_that_agrees_says_so(staff: Client, provider: Provider, mapping: BillMapping, key: Key) -> None:
    book(key, "1.01")
    bring(staff, provider, "Day,Model,Cost\n2026-06-01,m-1,1\n")
    assert "agree on every day and model" in staff.get(f"{LIST}{Bill.objects.get().pk}/change/").text


def test_names_and_tolerance_of_the_mapping_count(provider: Provider, mapping: BillMapping, key: Key) -> None:
    book(key, "1")
    bill = bill_of(provider, ("2026-06-01", "m-1-2026-01-01", "1.5"))
    assert {each.cause for each in differences_of(bill)} == {Cause.MODEL_NOT_HERE, Cause.MODEL_NOT_THERE}
    mapping.names = "m-1-2026-01-01 = m-1\n\n"
    mapping.save()
    (found,) = differences_of(bill)
    assert (found.model, found.usd) == ("m-1", Decimal("0.5"))
    mapping.tolerance_usd = Decimal("0.5")
    mapping.save()
    assert differences_of(bill) == []


def test_ledger_is_added_up_by_day_of_utc_and_upstream_model(provider: Provider, key: Key) -> None:
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    book(key, "1", at=midnight - timedelta(microseconds=1), input_tokens=7, output_tokens=3)
    book(key, "0.3", at=midnight - timedelta(hours=24), loss_usd=Decimal("0.2"), outcome="cut")
    book(key, "0", at=NOON, outcome="failed")
    book(key, "5", at=midnight)
    book(key, "9", at=midnight - timedelta(hours=24, microseconds=1))
    book(key, "0", own_credential_id=1, input_tokens=100)
    make.make_entry(key, provider="else", upstream_name="m-1", started_at=NOON, cost_usd=3)
    assert booked_at("vendor", DAY, DAY) == {
        (DAY, "m-1"): Booked(Decimal("1.5"), 7, 3, unpriced_failures=1, failed_usd=Decimal("0.5"))
    }
    assert set(booked_at("vendor", DAY, DAY + timedelta(days=1))) == {(DAY, "m-1"), (midnight.date(), "m-1")}


def test_difference_is_booked_by_a_person_and_is_none_any_more(
    staff: Client, provider: Provider, mapping: BillMapping, key: Key, settings: Any, tmp_path: Any
) -> None:
    book(key, "1", model="acme/one")
    bill = bill_of(provider, ("2026-06-01", "m-1", "1.5"))
    page = f"{LIST}{bill.pk}/book/?day=2026-06-01&model=m-1"
    assert 'value="0.5"' in staff.get(page).text
    assert staff.post(page, {"amount_usd": "0.5", "note": "They bill the searches"}).status_code == 302
    made = LedgerEntry.objects.get(kind="correction")
    assert (made.team_id, made.key_id, made.corrects_id) == (0, 0, None)
    assert (made.cost_usd, made.charge_usd, made.loss_usd) == (0, 0, Decimal("0.5"))
    assert (made.model, made.upstream_name, made.started_at) == ("acme/one", "m-1", NOON)
    ever = window_at(LIFETIME, "UTC", NOON.timestamp())
    assert usd_of(spent_in(DEPLOYMENT, ever)) == usd_of(spent_in("provider:vendor", ever)) == Decimal("1.5")
    assert usd_of(spent_in(f"team:{key.team_id}", ever)) == 1
    assert not list(prove(at=timezone.now()))
    assert differences_of(bill) == []
    assert staff.get(page).status_code == 404
    assert any("They bill the searches" in json.dumps(entry.changes) for entry in AuditEntry.objects.all())
    # It leaves with the ledger's files as all else does.
    settings.LEDGER_EXPORT = str(tmp_path)
    LedgerEntry.objects.filter(pk=made.pk).update(ended_at=NOON)
    export_due(at=NOON + timedelta(days=1), most_s=60)
    assert str(made.pk) in (tmp_path / "ledger-2026-06-01-0002.csv").read_text()
    assert ledger_files.exported_until(NOON) == datetime(2026, 6, 2, tzinfo=UTC)


def test_less_can_be_billed_and_no_more_is_taken_off_than_is_there(
    provider: Provider, mapping: BillMapping, key: Key
) -> None:
    book(key, "1")
    bill = bill_of(provider, ("2026-06-01", "m-1", "0.25"))
    made = book_difference(bill=bill, day=DAY, model="m-1", amount_usd=Decimal("-0.75"), note="A discount")
    assert made.loss_usd == Decimal("-0.75")
    assert differences_of(bill) == []
    with pytest.raises(InvalidField, match=r"Only 0\.25 USD are booked there"):
        adjust(provider="vendor", upstream_name="m-1", day=DAY, amount_usd=Decimal("-0.2500000001"), note="x")


@pytest.mark.parametrize(
    ("amount", "told"),
    [("0.5000000001", "The difference is 0.5"), ("-0.1", "The difference is 0.5"), ("0", "not 0")],
)
def test_other_amounts_than_a_part_of_the_difference_are_refused(
    staff: Client, provider: Provider, mapping: BillMapping, key: Key, amount: str, told: str
) -> None:
    book(key, "1")
    bill = bill_of(provider, ("2026-06-01", "m-1", "1.5"))
    page = staff.post(f"{LIST}{bill.pk}/book/?day=2026-06-01&model=m-1", {"amount_usd": amount, "note": "x"})
    assert page.status_code == 200
    assert not LedgerEntry.objects.filter(kind="correction").exists()
    assert told in page.text or "The difference is" in page.text


def test_what_two_people_book_at_once_is_booked_once(
    provider: Provider, mapping: BillMapping, key: Key
) -> None:
    book(key, "1")
    bill = bill_of(provider, ("2026-06-01", "m-1", "1.5"))
    given: dict[str, Any] = {
        "bill": bill,
        "day": DAY,
        "model": "m-1",
        "amount_usd": Decimal("0.5"),
        "note": "x",
    }
    book_difference(**given)
    with pytest.raises(InvalidField, match="agree on this day"):
        book_difference(**given)


def test_day_that_the_ledger_has_not_can_be_booked(provider: Provider, mapping: BillMapping) -> None:
    bill = bill_of(provider, ("2026-06-01", "m-1", "1.5"))
    made = book_difference(bill=bill, day=DAY, model="m-1", amount_usd=Decimal("1.5"), note="x")
    assert (made.model, differences_of(bill)) == ("m-1", [])


@pytest.mark.parametrize(
    "query", ["", "?day=x&model=m-1", "?day=2026-06-01&model=other", "?day=2026-06-02&model=m-1"]
)
def test_what_does_not_differ_has_no_page_to_book_it(
    staff: Client, provider: Provider, mapping: BillMapping, query: str
) -> None:
    bill = bill_of(provider, ("2026-06-01", "m-1", "1.5"))
    assert staff.get(f"{LIST}{bill.pk}/book/{query}").status_code == 404


def test_booking_takes_the_right_to_put_entries_right(
    client: Client, provider: Provider, mapping: BillMapping
) -> None:
    user = make.make_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_bill"))
    client.force_login(user)
    bill = bill_of(provider, ("2026-06-01", "m-1", "1.5"))
    page = client.get(f"{LIST}{bill.pk}/change/")
    assert page.status_code == 200
    assert "Book it" not in page.text
    book_page = f"{LIST}{bill.pk}/book/?day=2026-06-01&model=m-1"
    assert client.post(book_page, {"amount_usd": "1", "note": "x"}).status_code == 403
    assert client.get(ADD).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="correct_ledgerentry"))
    assert client.post(book_page, {"amount_usd": "1", "note": "x"}).status_code == 302


def test_report_is_asked_for_with_the_administrators_credential(staff: Client, settings: Any) -> None:
    page = openai_page([openai_result(0.5, "m-1, input"), openai_result(0.250000000001, "m-1, output")])
    page["data"][0] |= {"start_time": int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())}
    with reporting(lambda _query: (200, page)) as vendor:
        settings.PRIVATE_ADDRESSES_ALLOWED = [f"127.0.0.1:{vendor.port}"]
        provider = make.make_provider("vendor", name="Vendor", base_url=f"http://127.0.0.1:{vendor.port}/v1")
        keep_secret(provider=provider, secret=SECRET)
        given = {"report-provider": provider.pk, "report-first": "2026-06-01", "report-last": "2026-06-02"}
        answer = staff.post(ADD, given)
        assert answer.status_code == 302, answer.text
        bill = Bill.objects.get()
        assert bill.lines == [["2026-06-01", "m-1", "0.75", None, None]]
        assert (bill.source, bill.first_day, bill.last_day) == ("report", DAY, date(2026, 6, 2))
        assert vendor.asked[0][2]["authorization"] == f"Bearer {SECRET}"
        again = staff.post(ADD, given | {"report-last": "2026-05-01"})
        assert "Ask for 1 to 92 days" in again.text


def test_administrators_secret_is_kept_encrypted_and_never_shown(staff: Client, provider: Provider) -> None:
    address = "/admin/providers/administratorcredential/"
    assert staff.post(f"{address}add/", {"provider": provider.pk, "secret": SECRET}).status_code == 302
    kept = AdministratorCredential.objects.get()
    assert kept.masked == "…a1b2"
    assert SECRET not in repr(AdministratorCredential.objects.values().get())
    page = staff.get(f"{address}{kept.pk}/change/").text
    assert SECRET not in page
    assert kept.ciphertext not in page
    assert SECRET not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert staff.post(f"{address}{kept.pk}/change/", {"secret": f"{SECRET}-new"}).status_code == 302
    kept.refresh_from_db()
    assert decrypt(kept.ciphertext, provider=provider, purpose=ADMINISTRATOR) == f"{SECRET}-new"


def test_administrators_secret_opens_no_calls(provider: Provider) -> None:
    kept = keep_secret(provider=provider, secret=SECRET)
    with pytest.raises(SecretUnreadable, match="something else"):
        decrypt(kept.ciphertext, provider=provider)
    main = encrypt(SECRET, provider=provider)
    with pytest.raises(SecretUnreadable, match="something else"):
        decrypt(main, provider=provider, purpose=ADMINISTRATOR)


def test_administrators_secret_is_forgotten_where_its_provider_moves(provider: Provider) -> None:
    keep_secret(provider=provider, secret=SECRET)
    provider.base_url = "https://api.else.example/v1"
    provider_services.save_provider(provider=provider)
    assert AdministratorCredential.objects.get().masked == "forgotten"


def test_administrators_secret_is_encrypted_anew_with_the_newest_key(
    provider: Provider, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    before = keep_secret(provider=provider, secret=SECRET).ciphertext
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert provider_services.rotate_secrets() == []
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]
    kept = AdministratorCredential.objects.get()
    assert kept.ciphertext != before
    assert decrypt(kept.ciphertext, provider=provider, purpose=ADMINISTRATOR) == SECRET


def test_provider_without_a_report_takes_no_administrators_credential(staff: Client) -> None:
    google = make.make_provider("google", wire_format="gemini")
    page = staff.post(
        "/admin/providers/administratorcredential/add/", {"provider": google.pk, "secret": SECRET}
    )
    assert "import this one" in page.text
    assert not AdministratorCredential.objects.exists()


def test_mapping_is_declared_in_the_admin(staff: Client, provider: Provider) -> None:
    given = {
        "provider": provider.pk,
        "date_column": "Date",
        "model_column": "Model",
        "amount_column": "Amount",
        "date_form": "dotted",
        "decimal_form": "comma",
        "unit": "cent",
        "delimiter": "semicolon",
        "names": "a = b",
        "tolerance_usd": "0.01",
    }
    address = "/admin/providers/billmapping/add/"
    for names in ("a=b", "a = ", "one = two\nthree"):
        assert "write it as" in staff.post(address, given | {"names": names}).text
    assert staff.post(address, given).status_code == 302
    mapping = BillMapping.objects.get()
    assert (mapping.renamed, mapping.columns.decimal_form, str(mapping)) == (
        {"a": "b"},
        "comma",
        "bills of Vendor",
    )
    assert staff.get(f"/admin/providers/billmapping/{mapping.pk}/change/").status_code == 200


def test_bill_that_is_not_there_leads_back(staff: Client) -> None:
    assert staff.get(f"{LIST}77/change/").status_code == 302
    assert staff.get(f"{LIST}77/book/?day=2026-06-01&model=x").status_code == 404
