"""The members of named routes that a sheet's rows are about."""

from collections.abc import Iterator, Sequence

from accounts.models import Project, Team
from catalogue.models import Model, Route, RouteMember
from catalogue.sheets.columns import RouteMemberSheet
from catalogue.sheets.judged import Fault
from catalogue.sheets.known_base import Key, Known, Made, cell_texts, faults_of
from catalogue.sheets.upload import Row
from providers.models import Provider


class KnownRouteMembers(Known):
    """Told apart by route, model, provider and tier, and by whether it is a canary. Those that no row names stay."""

    sheet_class = RouteMemberSheet
    key_columns = ("route", "model", "provider", "tier", "canary_percent")

    def __init__(self, made: Made | None = None, *, has_decimal_comma: bool = False) -> None:
        super().__init__(made, has_decimal_comma=has_decimal_comma)
        self._members: dict[Key, RouteMember] = {}
        self._named = {
            "provider": {provider.slug: provider for provider in Provider.objects.all()},
            "team": {team.slug: team for team in Team.objects.all()},
            "project": {
                f"{each.team.slug}/{each.slug}": each for each in Project.objects.select_related("team")
            },
        }

    def load(self, rows: Sequence[Row]) -> None:
        routes = {
            route.public_id: route for route in Route.objects.filter(public_id__in=cell_texts(rows, "route"))
        }
        named = Model.objects.filter(public_id__in=cell_texts(rows, "model")).prefetch_related("offerings")
        models = self.made.models | {model.public_id: model for model in named}
        for name, known in {"route": routes, "model": models, **self._named}.items():
            self.sheet.fields[name].widget.rows = known
        members = RouteMember.objects.filter(route__in=routes.values()).order_by("-pk")
        related = members.select_related("route", "model", "provider", "team", "project__team")
        self._members = {_key_of_row(member): member for member in related}

    def key_of(self, row: Row) -> Key:
        *name, tier, canary = super().key_of(row)
        return (*name, tier or "0", "canary" if canary else "")

    def find(self, key: Key) -> RouteMember | None:
        return self._members.get(key)

    def new(self, key: Key) -> RouteMember:  # noqa: ARG002
        return RouteMember()

    def check(self, row: RouteMember) -> Iterator[Fault]:
        missing = [name for name in ("route", "model") if row._state.fields_cache.get(name) is None]
        yield from (Fault(name, f"It has no {name}.") for name in missing)
        if not missing:
            yield from faults_of(row.check_member)
            yield from faults_of(row.check_conditions)

    def keep(self, key: Key, row: RouteMember) -> None:
        self._members.setdefault(key, row)

    @staticmethod
    def model_id(row: RouteMember) -> int | None:
        return row.route_id

    @staticmethod
    def place_of(row: RouteMember) -> str:
        return f"member {row.model}:"


def _key_of_row(member: RouteMember) -> Key:
    provider = member.provider.slug if member.provider else ""
    kind = "canary" if member.is_canary else ""
    return member.route.public_id, member.model.public_id, provider, str(member.tier), kind
