"""What one version writes and another reads: every message of the lane, and every line of the spool."""

from dataclasses import MISSING, fields
from typing import Any

import orjson
import pytest

from accounts.attempts import AttemptClosed, AttemptOpened
from gateway.core import codec
from gateway.core.codec import Newer, Unreadable
from gateway.plane.spool import Spool
from gateway.proxy.call import NEEDED, OPTIONAL, decode_call, encode_call
from gateway.proxy.exchange import CallResult, ResponseHead
from providers.wire.call import Call
from tests.gateway.spooling import closed, opened

CALL = Call(
    "chat.completions",
    {"a": 1},
    is_streamed=True,
    id="c" * 32,
    created=1,
    request_id="req_1",
    team_id=2,
    key_id=3,
    requested_model="acme/one",
    offering_ids=(4, 5),
    raw=b'{"a":1,\n"project_id":"x"}',
)
RECORDS = [
    ResponseHead("acme", "acme/one", 2, 10, "0.1", ["seed"]),
    CallResult({"code": "x"}, 2),
    opened(),
    closed("a" * 32),
]


def facts_of(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def has_default(kind: type, name: str) -> bool:
    [field] = [field for field in fields(kind) if field.name == name]
    return field.default is not MISSING or field.default_factory is not MISSING


EACH_FACT = [(record, field.name) for record in RECORDS for field in fields(record)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_strange_fact_is_dropped(record):
    assert codec.read(type(record), {**facts_of(record), "mood": "good"}) == record


@pytest.mark.parametrize(("record", "name"), EACH_FACT)
def test_a_missing_fact_has_its_default_or_the_record_is_refused(record, name):
    given = facts_of(record)
    del given[name]
    if has_default(type(record), name):
        read = codec.read(type(record), given)
        assert {**facts_of(read), name: None} == {**facts_of(record), name: None}
    else:
        with pytest.raises(Unreadable, match=name):
            codec.read(type(record), given)


def test_a_call_reads_back_as_it_was_and_names_its_version():
    line = encode_call(CALL)
    assert decode_call(line) == CALL
    assert orjson.loads(line.split(b"\n")[0])["v"] == codec.VERSION


def changed(**facts: Any) -> bytes:
    told = orjson.loads(encode_call(CALL).partition(b"\n")[0]) | facts
    return orjson.dumps({name: value for name, value in told.items() if value is not None}) + b"\n" + CALL.raw


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_fact_that_a_call_can_do_without_has_its_default(name):
    assert getattr(decode_call(changed(**{name: None})), name) == getattr(Call("", {}), name)


@pytest.mark.parametrize("name", NEEDED)
def test_a_call_that_lacks_what_it_needs_is_refused(name):
    with pytest.raises(Unreadable, match=name):
        decode_call(changed(**{name: None}))


def test_a_strange_fact_of_a_call_is_dropped():
    assert decode_call(changed(mood="good")) == CALL


@pytest.mark.parametrize("record", RECORDS[:2], ids=lambda record: type(record).__name__)
def test_a_message_reads_back_as_it_was_and_names_its_version(record):
    line = record.encode()
    assert type(record).decode(line) == record
    assert orjson.loads(line.split(b"\n")[0])["v"] == codec.VERSION


@pytest.mark.parametrize("version", [codec.VERSION + 1, "1", None, 1.5])
def test_another_meaning_is_refused_as_a_whole(version):
    with pytest.raises(Newer):
        codec.parse(orjson.dumps({"v": version, "provider": "acme"}))


def test_what_was_written_before_there_were_versions_is_read():
    assert ResponseHead.decode(b'{"provider":"acme","model":"acme/one","attempts":1}') == ResponseHead(
        "acme", "acme/one", 1
    )


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[]", b"null", b"7", b'"text"'])
def test_what_is_no_record_is_refused(line):
    with pytest.raises(Unreadable):
        codec.parse(line)


@pytest.mark.parametrize("text", ["lone \ud800", "né ☃", "line\nbreak"])
def test_any_text_travels_in_one_line(text):
    end = CallResult(error={"message": text})
    assert b"\n" not in end.encode()
    assert CallResult.decode(end.encode()) == end


def test_spooled_attempts_need_no_more_than_what_is_billed():
    needed = {name for record, name in EACH_FACT if type(record) is AttemptClosed}
    needed = {name for name in needed if not has_default(AttemptClosed, name)}
    assert needed == {"attempt_id", "ended_at", "outcome", "cost_usd", "loss_usd"}
    assert has_default(AttemptOpened, "project")


LANDED = (
    b'{"v":1,"t":"o","r":{"attempt_id":"aa","call_id":"cc","request_id":"req_1","number":1,"lane":"direct",'
    b'"endpoint":"chat.completions","team_id":1,"key_id":1,"requested_model":"acme/one","model":"acme/one",'
    b'"provider":"acme","upstream_name":"one","is_streamed":false,"started_at":1780000000.5,"prices":[],'
    b'"project":"","redirected_from":"","input_tokens":7}}\n'
    b'{"v":1,"t":"c","r":{"attempt_id":"aa","ended_at":1780000001.5,"outcome":"finished","cost_usd":"0.1",'
    b'"loss_usd":"0","status":200,"error_code":"","usage":{"input_tokens":3,"output_tokens":5},'
    b'"is_estimated":false,"latency_ms":1000.0,"first_token_ms":null,"prices":null,"about_us":""}}\n'
)


def test_a_spool_that_the_version_before_this_one_left_is_read(tmp_path):
    (tmp_path / "left.spool").write_bytes(LANDED)
    spool = Spool(tmp_path)
    [orphan] = spool.orphans()
    [attempt], unreadable = orphan.read()
    orphan.discard()
    spool.close()
    assert (attempt.opened.call_id, attempt.closed.outcome, unreadable) == ("cc", "finished", [])
    assert (attempt.opened.input_tokens, attempt.input_tokens, attempt.closed.cost_usd) == (7, 3, "0.1")
