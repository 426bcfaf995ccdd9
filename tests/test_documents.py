"""What README and docs show is there, and goes on working: pictures, links, and the models of examples."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import pytest

from accounts.alerts.kinds import KINDS
from catalogue.bootstrap.entries import ModelEntry
from catalogue.bootstrap.reader import read_bootstrap
from gateway.web.views import api_document

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
BOOTSTRAP = ROOT / "catalogue" / "bootstrap"
LIVES_ON = timedelta(days=180)
PICTURE_BYTES_MOST = 120_000
ONE_SCREEN_LINES = 65


@cache
def models_by_name() -> dict[str, ModelEntry]:
    """Ids and aliases of the bootstrap catalogue."""
    models = read_bootstrap().models
    return {name: model for model in models for name in (model.public_id, *model.aliases)}


@cache
def read_day() -> date:
    """The day of the newest fact in the bootstrap catalogue: with it examples are compared, and never with today."""
    texts = (file.read_text("utf-8") for file in BOOTSTRAP.rglob("*.toml"))
    days = (day for text in texts for day in re.findall(r"\bread on (\d{4}-\d\d-\d\d)", text, re.IGNORECASE))
    return max(map(date.fromisoformat, days))


def ending(text: str) -> set[str]:
    """Names in the text of models that are deprecated, or end within half a year of the catalogue's own day."""
    limit = datetime.combine(read_day() + LIVES_ON, time(), UTC)
    named = {word for word in re.findall(r"[\w@][\w@./:+-]*\w", text) if word in models_by_name()}
    return {name for name in named if any(at <= limit for at in ends(models_by_name()[name]))}


def ends(model: ModelEntry) -> Iterable[datetime]:
    return [at for at in (model.deprecation_at, model.retirement_at) if at is not None]


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", [*DOCUMENTS, *TEMPLATES], ids=relative)
def test_examples_name_models_that_live(document: Path) -> None:
    assert ending(document.read_text("utf-8")) == set()


def test_examples_of_the_api_reference_name_models_that_live() -> None:
    assert ending(json.dumps(api_document())) == set()


def test_model_that_ends_soon_would_be_found() -> None:
    assert ending('curl … -d \'{"model": "openai/gpt-5-mini"}\'') == {"openai/gpt-5-mini"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        address, _, anchor = target.partition("#")
        if "://" in address:
            continue
        file = document.parent / address if address else document
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_document_was_merged_to_its_end(document: Path) -> None:
    assert not re.findall(r"^(?:<{7}|>{7}|={7})(?: .*)?$", document.read_text(), re.MULTILINE)


def test_first_page_is_one_screen_with_six_small_pictures() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= ONE_SCREEN_LINES
    pictures = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text))
    assert len(pictures) == 6
    assert max((ROOT / picture).stat().st_size for picture in pictures) < PICTURE_BYTES_MOST


def test_first_page_says_how_to_hand_over_the_key_and_what_to_install() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for words in ("export GATEWAY_KEY", "pip install openai", "npm i openai", "**Licence.**"):
        assert words in text


PACKAGES = ("accounts", "catalogue", "gateway", "providers")
# What people of the field, or of the language, say otherwise; what they say stands beside it.
FOREIGN = re.compile(
    r"""\b(
    dear(er|est)?                   # expensive
    | mend(s|ed|ing)?               # fix, repair
    | wish(es|ed)?                  # preference
    | (un)?seal(s|ed|ing)?          # signature, encrypt
    | (re)?spelt | unsayable        # spelling, unsupported
    | own\ words                    # passed on word for word
    | shel(f|ves) | hurried         # store, soon
    | untick | ticked               # select
    | (put|set)\ aside              # quarantined
    | is\ no\ (address|day|folder|instant|JSON|number|text|whole\ number)   # is not a
    | answers?\ no\ calls\ any\ more   # no longer answers
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
_NO_PROSE = re.compile(
    r"^```.*?^```|`[^`\n]*`|<!--.*?-->|\{[#%{].*?[#%}]\}|<[^>]*>", re.DOTALL | re.MULTILINE
)


def prose(text: str) -> str:
    """Without code and markup."""
    return _NO_PROSE.sub(" ", text)


def messages(tree: ast.AST) -> Iterator[str]:
    """Texts of more than one word that are no docstrings: what code may say to people."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
        if is_text and " " in node.value.strip():
            yield node.value


@pytest.mark.parametrize("document", [*DOCUMENTS, *TEMPLATES], ids=relative)
def test_pages_and_documents_speak_the_words_of_the_field(document: Path) -> None:
    assert [found[0] for found in FOREIGN.finditer(prose(document.read_text("utf-8")))] == []


def test_messages_speak_the_words_of_the_field() -> None:
    texts = {file: file.read_text("utf-8") for package in PACKAGES for file in (ROOT / package).rglob("*.py")}
    suspected = [file for file, text in texts.items() if FOREIGN.search(text)]
    said = [(relative(file), text) for file in suspected for text in messages(ast.parse(texts[file]))]
    assert [(place, text) for place, text in said if FOREIGN.search(text)] == []


def test_foreign_word_would_be_found() -> None:
    assert FOREIGN.search("Dearest input")
    assert FOREIGN.search("'x' is no number.")
    assert not FOREIGN.search("no_wished_provider, amended, and there is no addressee")


def glossary(document: str) -> list[str]:
    """The words of its table below “Words”."""
    text = (ROOT / "docs" / document).read_text("utf-8").partition("## Words")[2].partition("\n## ")[0]
    return re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)[1:]


def test_word_has_one_meaning_in_one_glossary() -> None:
    words = [*glossary("catalogue.md"), *glossary("architecture.md")]
    assert len(words) > 50
    assert sorted(words) == sorted(set(words))


def test_each_kind_of_alert_is_described() -> None:
    told = (ROOT / "docs" / "alerts.md").read_text("utf-8").partition("## Kinds")[2].partition("## ")[0]
    assert sorted(re.findall(r"`(\w+\.\w+)`", told.replace("`GATEWAY", ""))) == sorted(KINDS)
