"""What the dashboard and the alerts name is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.metrics.families import FAMILIES, Counter, Histogram
from gateway.metrics.files import OwnFiles
from gateway.metrics.serving import scrape
from gateway.metrics.totals import Totals

DOCS = Path(__file__).parents[3] / "docs"
DASHBOARD = DOCS / "grafana-dashboard.json"
ALERTS = DOCS / "prometheus-alerts.yaml"
NAME = re.compile(r"\bgatehouse_\w+")
SELECTED = re.compile(r"\b(gatehouse_\w+)\{([^}]*)\}")
BUILT_IN = {"le", "instance"}


def expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name in {"expr", "definition"}:
                yield member
            yield from expressions(member)
    elif isinstance(value, list):
        for member in value:
            yield from expressions(member)


@pytest.fixture
def told(tmp_path: Path) -> set[str]:
    """The names of all numbers of a scrape in which each metric has one."""
    totals, files = Totals(), OwnFiles(tmp_path, "1-a")
    for family in FAMILIES:
        if isinstance(family, Counter):
            totals.add(family, *family.labels)
        elif isinstance(family, Histogram):
            totals.observe(family, *family.labels, value=1.0)
        elif family.merged == "livemostrecent":
            totals.tell(family, *family.labels, to=1.0, at=1.0)
        else:
            totals.set(family, *family.labels, to=1.0)
    files.write(totals.end_round())
    text = scrape(tmp_path, "")[0].decode()
    files.close()
    return {line.partition("{")[0].split()[0] for line in text.splitlines() if not line.startswith("#")}


@pytest.mark.parametrize("file", [DASHBOARD, ALERTS, DOCS / "metrics.md"], ids=lambda file: file.name)
def test_every_metric_that_is_named_is_in_a_scrape(file: Path, told: set[str]) -> None:
    text = "\n".join(expressions(json.loads(file.read_text()))) if file is DASHBOARD else file.read_text()
    named = set(NAME.findall(text))
    assert len(named) > 10
    families = {family.name for family in FAMILIES if isinstance(family, Histogram)}
    assert named - told - families == set()


@pytest.mark.parametrize("file", [DASHBOARD, ALERTS], ids=lambda file: file.name)
def test_every_label_that_is_asked_for_is_one_of_its_metric(file: Path) -> None:
    text = "\n".join(expressions(json.loads(file.read_text()))) if file is DASHBOARD else file.read_text()
    labels = {family.name: set(family.labels) | BUILT_IN for family in FAMILIES}
    found = SELECTED.findall(text)
    assert found
    for name, selected in found:
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))
        assert asked <= labels[re.sub(r"_(bucket|sum|count)$", "", name)], name


def test_every_metric_is_on_the_dashboard_and_explained() -> None:
    named = set(NAME.findall(DASHBOARD.read_text()))
    for family in FAMILIES:
        assert any(name.startswith(family.name) for name in named), family.name
    explained = set(NAME.findall((DOCS / "metrics.md").read_text()))
    assert {family.name for family in FAMILIES} - explained == set()


def test_the_dashboard_can_be_brought_in_anywhere() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["__inputs"][0]["name"] == "DS_PROMETHEUS"
    sources = {panel["datasource"]["uid"] for panel in dashboard["panels"] if panel["type"] != "row"}
    assert sources == {"${DS_PROMETHEUS}"}
    assert {each["name"] for each in dashboard["templating"]["list"]} == {"team", "model", "provider"}
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert len(rows) == 7
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
