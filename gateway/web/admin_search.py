"""One box in the admin that finds models, providers, teams, keys, people, calls and pages."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Key, LedgerEntry, Team, User
from catalogue.listing.search import fold
from catalogue.models import Alias, Model, Organisation
from gateway.web.admin_site import may_view, navigation
from providers.models import Provider

MOST_OF_A_KIND = 20
_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Found:
    """A page that the text leads to. `rank` is 0 where the text is its very name, and more the farther it is."""

    title: str
    about: str
    link: str
    rank: int


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind, the nearest first."""

    title: str
    found: Sequence[Found]


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """All that the person may see. Where that is one page, and the text its very name, straight to it."""
    text = request.GET.get("s", "").strip()
    groups = find(request, text) if len(text) >= _SHORTEST else []
    found = [each for group in groups for each in group.found]
    if len(found) == 1 and found[0].rank == 0:
        return redirect(found[0].link)
    context = admin.site.each_context(request) | {
        "title": "Search",
        "search_text": text,
        "groups": groups,
        "most": MOST_OF_A_KIND,
    }
    return render(request, "admin/search.html", context)


def find(request: HttpRequest, text: str) -> Sequence[Group]:
    """Only kinds of which something was found."""
    groups = [Group("Pages", _nearest(_pages(request, text)))]
    for title, (right, read) in _KINDS.items():
        if may_view(request, right):
            groups.append(Group(title, _nearest(read(text))))
    return [group for group in groups if group.found]


def rank_of(text: str, names: Iterable[str]) -> int | None:
    """How near the nearest of the names is; None where the text is in none of them.

    0: the very name; 1: but for its case; 2: but for hyphens, dots and blanks too; 3: begins so; 4: holds it.
    """
    ranks = [rank for name in names if (rank := _rank(text, name)) is not None]
    return min(ranks, default=None)


def _rank(text: str, name: str) -> int | None:
    if text == name:
        return 0
    if text.lower() == name.lower():
        return 1
    asked, told = fold(text), fold(name)
    if not asked or asked not in told:
        return None
    return 2 if asked == told else 3 if told.startswith(asked) else 4


def _nearest(found: Iterable[Found]) -> Sequence[Found]:
    return sorted(found, key=lambda each: (each.rank, each.title))[:MOST_OF_A_KIND]


def _pages(request: HttpRequest, text: str) -> Iterator[Found]:
    for group in navigation(request):
        for item in group["items"]:
            if (rank := rank_of(text, [item["title"]])) is not None:
                yield Found(item["title"], "", item["link"], rank)


def _models(text: str) -> Iterator[Found]:
    """By id, slug, name and aliases, whatever stands between their letters."""
    aliases: dict[int, list[str]] = {}
    for pk, name in Alias.objects.values_list("model", "name"):
        aliases.setdefault(pk, []).append(name)
    for pk, public_id, slug, name in Model.objects.values_list("pk", "public_id", "slug", "name"):
        if (rank := rank_of(text, [public_id, slug, name, *aliases.get(pk, ())])) is not None:
            yield Found(public_id, name, _change("catalogue_model", pk), rank)


def _organisations(text: str) -> Iterator[Found]:
    for id_, name in Organisation.objects.values_list("pk", "name"):
        if (rank := rank_of(text, [id_, name])) is not None:
            yield Found(name, id_, _change("catalogue_organisation", id_), rank)


def _providers(text: str) -> Iterator[Found]:
    for pk, slug, name in Provider.objects.values_list("pk", "slug", "name"):
        if (rank := rank_of(text, [slug, name])) is not None:
            yield Found(name, slug, _change("providers_provider", pk), rank)


def _teams(text: str) -> Iterator[Found]:
    teams = Team.objects.filter(Q(name__icontains=text) | Q(slug__icontains=text))
    for team in teams[:MOST_OF_A_KIND]:
        rank = rank_of(text, [team.slug, team.name])
        yield Found(team.name, team.slug, _change("accounts_team", team.pk), 4 if rank is None else rank)


def _keys(text: str) -> Iterator[Found]:
    """By name, or by the id with which a key begins: four letters of it, or as much of the key as somebody pasted."""
    keys = Key.objects.select_related("team")
    shown, begun = keys.shown_as(text), keys.begun_as(text)
    named = keys.filter(name__icontains=text).exclude(pk__in=shown).exclude(pk__in=begun)
    for key in shown:
        yield _key(key, 0)
    for key in begun[:MOST_OF_A_KIND]:
        yield _key(key, 3)
    for key in named[:MOST_OF_A_KIND]:
        rank = rank_of(text, [key.name])
        yield _key(key, 4 if rank is None else rank)


def _key(key: Key, rank: int) -> Found:
    about = f"sk-gw-{key.public_id}-… of {key.team.name}"
    return Found(key.name, about, _change("accounts_key", key.pk), rank)


def _people(text: str) -> Iterator[Found]:
    people = User.objects.filter(Q(username__icontains=text) | Q(email__icontains=text))
    for person in people[:MOST_OF_A_KIND]:
        rank = rank_of(text, [person.username, person.email])
        page = _change("accounts_user", person.pk)
        yield Found(person.username, person.email, page, 4 if rank is None else rank)


def _calls(text: str) -> Iterator[Found]:
    """By the id of a request, a call or an attempt, or by a project: all in full, as the ledger is searched."""
    latest = LedgerEntry.objects.found_by(text).first()
    if latest is not None:
        page = reverse("admin:accounts_ledgerentry_changelist", query={"q": text})
        about = f"last: {latest.model} at {latest.provider}, {latest.get_outcome_display().lower()}"
        yield Found(text, about, page, 0)


def _change(name: str, pk: object) -> str:
    return reverse(f"admin:{name}_change", args=[pk])


_KINDS: dict[str, tuple[str, Callable[[str], Iterable[Found]]]] = {
    "Models": ("catalogue.model", _models),
    "Organisations": ("catalogue.organisation", _organisations),
    "Providers": ("providers.provider", _providers),
    "Teams": ("accounts.team", _teams),
    "Keys": ("accounts.key", _keys),
    "People": ("accounts.user", _people),
    "Calls": ("accounts.ledgerentry", _calls),
}
