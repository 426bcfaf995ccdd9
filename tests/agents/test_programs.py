"""Every agent with every wire format: it calls its tool, the file is there, and it hears of that and says so."""

from collections.abc import Iterator

import pytest

from tests.agents.programs import PROGRAMS
from tests.agents.running import PAIRS, Pair, Runs, running_house
from tests.agents.worker import DONE, WRITTEN
from tests.services import require_service

pytestmark = pytest.mark.drill


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Of all the pairs that were chosen."""
    chosen = [item.callspec.params["pair"] for item in request.session.items if hasattr(item, "callspec")]
    pairs = [pair for pair in chosen if PROGRAMS[pair.program].is_installed]
    with running_house(tmp_path_factory.mktemp("house")) as house:
        runs = Runs(house, tmp_path_factory.mktemp("runs"), pairs)
        try:
            yield runs
        finally:
            runs.close()


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_agent_writes_a_file_by_its_tool(runs: Runs, pair: Pair) -> None:
    program = PROGRAMS[pair.program]
    require_service(f"{program.name} (make agents)", program.is_installed)
    ended = runs.ended(pair)
    reason = program.reasons.get((pair.surface, pair.wire_format))
    if reason:
        assert reason in ended.failed
        return
    assert not ended.failed
    assert (ended.written.strip(), DONE in ended.said) == (WRITTEN, True), ended
    assert len(ended.requests) >= 2 or pair.program == "aider"
