"""The admin of bills: how they are read, bringing them in, what differs from the ledger, and booking it."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.corrections import BookingForm
from accounts.admin.history import HistoryAdminBase
from accounts.booking import CORRECT
from accounts.measures import write_exactly
from gateway.core.admin_base import AdminBase, PasswordInput, Select, TextInput
from gateway.core.refusals import InvalidField
from gateway.core.sealing import SecretError
from providers.credentials import check_secret
from providers.models import Provider
from providers.reconciling import services
from providers.reconciling.comparing import Cause, Difference
from providers.reconciling.fetching import FetchFailed, has_report
from providers.reconciling.models import AdministratorCredential, Bill, BillMapping
from providers.reconciling.reading import SheetUnreadable

_CAUSES = {
    Cause.MODEL_NOT_HERE: "Model unknown here",
    Cause.MODEL_NOT_THERE: "Model not on the bill",
    Cause.DAY_NOT_HERE: "Day missing here",
    Cause.DAY_NOT_THERE: "Day missing on the bill",
    Cause.DAYS_SHIFTED: "Days shifted",
    Cause.DAYS_CUT_ELSEWHERE: "Other time zone",
    Cause.PRICE: "Price differs",
    Cause.FAILED_ATTEMPTS: "Failed attempts",
    Cause.TOKENS: "Tokens differ",
    Cause.UNKNOWN: "Unexplained",
}


class AdministratorCredentialForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    secret = forms.CharField(
        strip=True,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted, never shown again, and sent to this provider's cost report only.",
    )

    class Meta:
        model = AdministratorCredential
        fields = ["provider"]

    def clean_provider(self) -> Provider:
        provider: Provider = self.cleaned_data["provider"]
        if not has_report(provider.wire_format):
            message = "Only OpenAI's and Anthropic's forms have a cost report: import this one's sheets."
            raise forms.ValidationError(message)
        return provider

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        try:
            check_secret(secret)
        except InvalidField as fault:
            raise forms.ValidationError(fault.message) from None
        return secret


@admin.register(AdministratorCredential)
class AdministratorCredentialAdmin(HistoryAdminBase):
    form = AdministratorCredentialForm
    list_display = ["provider", "masked", "rotated_at"]
    list_select_related = ["provider"]
    autocomplete_fields = ["provider"]
    readonly_fields = ["masked", "rotated_at"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """There is no field for a secret where nobody may give one, and nothing to tell of one that is new."""
        fields = ["provider"]
        if obj is None or self.has_change_permission(request, obj):
            fields.append("secret")
        if obj is not None:
            fields += ["masked", "rotated_at"]
        return [("What opens its cost report", {"fields": fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        return [*self.readonly_fields, "provider"] if obj else self.readonly_fields

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ARG002
        obj.pk = services.keep_secret(provider=obj.provider, secret=form.cleaned_data["secret"]).pk


class BillMappingForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    class Meta:
        model = BillMapping
        fields = "__all__"  # noqa: DJ007  # the page's own fieldsets name them
        labels = {
            "date_form": "Date format",
            "decimal_form": "Number format",
            "unit": "Currency unit",
            "delimiter": "Delimiter",
            "names": "Model names",
        }


@admin.register(BillMapping)
class BillMappingAdmin(HistoryAdminBase):
    form = BillMappingForm
    list_display = [
        "provider",
        "date_column",
        "model_column",
        "amount_column",
        "date_form",
        "decimal_form",
        "unit",
    ]
    list_select_related = ["provider"]
    autocomplete_fields = ["provider"]
    fieldsets = [
        ("Whose bills", {"fields": ["provider"]}),
        (
            "Which column holds what",
            {
                "fields": [
                    "date_column",
                    "model_column",
                    "amount_column",
                    ("input_tokens_column", "output_tokens_column"),
                ]
            },
        ),
        ("How it is written", {"fields": [("date_form", "decimal_form"), ("unit", "delimiter")]}),
        ("How it is compared", {"fields": ["names", "tolerance_usd"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        return ["provider"] if obj else []


class SheetForm(forms.Form):
    provider = forms.ModelChoiceField(
        Provider.objects.filter(bill_mapping__isnull=False),
        widget=Select,
        help_text="Those that have a bill mapping.",
    )
    sheet = forms.FileField(label="Sheet", help_text="CSV in UTF-8, of 92 days at most.")

    def bring(self) -> Bill:
        sheet = self.cleaned_data["sheet"]
        return services.bring_sheet(
            provider=self.cleaned_data["provider"], data=sheet.read(), file_name=sheet.name
        )


class ReportForm(forms.Form):
    prefix = "report"
    provider = forms.ModelChoiceField(
        Provider.objects.exclude(administrator_credential__isnull=True).exclude(
            administrator_credential__ciphertext=""
        ),
        widget=Select,
        help_text="Those that have an admin credential.",
    )
    first = forms.DateField(label="First day", widget=TextInput, help_text="Of UTC, as 2026-11-01.")
    last = forms.DateField(label="Last day", widget=TextInput, help_text="Included.")

    def bring(self) -> Bill:
        return services.bring_report(**self.cleaned_data)


@admin.register(Bill)
class BillAdmin(AdminBase):
    list_display = ["provider", "first_day", "last_day", "total", "source", "imported_by", "imported_at"]
    list_filter = ["provider", "source"]
    list_select_related = ["provider"]

    @admin.display(description="total, USD", ordering="total_usd")
    def total(self, bill: Bill) -> str:
        return write_exactly(bill.total_usd)

    @admin.display(description="imported by", ordering="brought_by")
    def imported_by(self, bill: Bill) -> str:
        return bill.brought_by

    @admin.display(description="imported, UTC", ordering="brought_at")
    def imported_at(self, bill: Bill) -> str:
        return f"{bill.brought_at:%Y-%m-%d %H:%M}"

    def get_urls(self) -> list[URLPattern]:
        book = self.admin_site.admin_view(self.book_view)
        return [path("<int:pk>/book/", book, name="providers_bill_book"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_report = "report-provider" in request.POST
        sheet = SheetForm(request.POST or None, request.FILES or None) if not is_report else SheetForm()
        report = ReportForm(request.POST) if is_report else ReportForm()
        sent: SheetForm | ReportForm = report if is_report else sheet
        faults: list[str] = []
        if request.method == "POST" and sent.is_valid():
            try:
                bill = sent.bring()
            except SheetUnreadable as unreadable:
                faults = list(map(str, unreadable.faults))
            except (FetchFailed, InvalidField, SecretError) as failure:
                faults = [str(failure)]
            else:
                messages.success(request, f"Imported: {bill}.")
                return HttpResponseRedirect(_after_bringing(self, request, bill))
        told = {"title": "Import a bill", "sheet": sheet, "report": report, "faults": faults}
        return self._page(request, "admin/providers/bring_bill.html", told)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: Any = None,  # noqa: ARG002
    ) -> HttpResponse:
        bill = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, bill):
            raise PermissionDenied
        if bill is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        differences = services.differences_of(bill)
        told = {
            "title": f"Bill of {bill}",
            "bill": bill,
            "total": write_exactly(bill.total_usd),
            "rows": [_row(each) for each in differences],
            "apart": _apart(sum((each.usd for each in differences), Decimal(0))),
            "may_book": request.user.has_perm(CORRECT),
        }
        return self._page(request, "admin/providers/bill.html", told)

    def book_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a person decides of the difference of `?day=…&model=…`. Raises Http404, PermissionDenied."""
        if not request.user.has_perm(CORRECT) or not self.has_view_permission(request):
            raise PermissionDenied
        bill = get_object_or_404(Bill.objects.select_related("provider"), pk=pk)
        day, model = _asked_day(request), request.GET.get("model", "")
        found = next((e for e in services.differences_of(bill) if (e.day, e.model) == (day, model)), None)
        if day is None or found is None:
            raise Http404
        form = BookingForm(request.POST or None, initial={"amount_usd": write_exactly(found.usd)})
        back = reverse("admin:providers_bill_change", args=[bill.pk])
        about = {"bill": bill, "day": day, "model": model}
        if request.method == "POST" and (made := form.book(services.book_difference, **about)):
            booked = write_exactly(made.loss_usd)
            messages.success(request, f"Booked: {booked} USD for {model} on {day}, by a new entry.")
            return HttpResponseRedirect(back)
        told = {"title": f"Book what differs: {model}, {day}", "form": form, "row": _row(found), "back": back}
        return self._page(request, "admin/providers/book_difference.html", told)

    def _page(self, request: HttpRequest, template: str, told: dict[str, Any]) -> HttpResponse:
        context = self.admin_site.each_context(request) | {"opts": self.opts} | told
        return TemplateResponse(request, template, context)


def _after_bringing(page: BillAdmin, request: HttpRequest, bill: Bill) -> str:
    if page.has_view_permission(request, bill):
        return reverse("admin:providers_bill_change", args=[bill.pk])
    return reverse("admin:index")


def _asked_day(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return None


def _apart(more: Decimal) -> str:
    return f"{write_exactly(abs(more))} USD {'less' if more < 0 else 'more'}"


def _row(found: Difference) -> dict[str, Any]:
    return {
        "day": found.day.isoformat(),
        "model": found.model,
        "billed": write_exactly(found.billed.usd) if found.billed else "nothing",
        "booked": write_exactly(found.booked.usd) if found.booked else "nothing",
        "more": write_exactly(found.usd),
        "cause": _CAUSES[found.cause],
        "hint": found.hint,
    }
