"""Google's own SDK: its types, and its client in front of a server that answers with what we write."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from google import genai
from google.genai import errors, types

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.registry import GEMINI
from providers.wire.conversation import ChoiceMode, OutputKind, ReasoningConfig, Text, ToolChoice, ToolResult
from providers.wire.events import (
    CitationAdded,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.providers.formats.anew import anew
from tests.providers.formats.gemini.test_golden import golden
from tests.used import used

FACTS = AnswerFacts("gen-1", 1, "google/gemini-3-pro")
LOGPROBS = ({"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []},)
EVENTS = [
    ReasoningDelta("Hm. "),
    ReasoningSigned("c2ln", origin="gemini"),
    TextDelta("Grüße, ", LOGPROBS),
    TextDelta("世界"),
    CitationAdded("https://example.org/a", "A"),
    ToolCallStarted(0, "call_0", "get_weather", "c2lnbg==", "gemini"),
    ToolArguments(0, '{"city": "Oslo"}'),
    Finished(FinishReason.TOOL_CALLS),
    UsageSeen(used(9, 7, 2, 0, 3)),
]
ERROR = {
    "message": "Slow down.",
    "type": "rate_limit_error",
    "code": "rate_limited",
    "param": None,
    "status": 429,
}


class Google(BaseHTTPRequestHandler):
    """Answers as the model in the path says, and keeps what it was asked."""

    asked: list[tuple[str, dict]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append((self.path, orjson.loads(body)))
        if "limited" in self.path:
            return self._send(429, "application/json", orjson.dumps(GEMINI.error_body(ERROR, "req-1")))
        if "streamGenerateContent" not in self.path:
            return self._send(200, "application/json", orjson.dumps(GEMINI.write_answer(EVENTS, FACTS)))
        return self._send(200, "text/event-stream", _stream(is_broken="broken" in self.path))

    def _send(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def _stream(*, is_broken):
    writer = GEMINI.writer(FACTS)
    if is_broken:
        return writer.write(EVENTS[2:3]) + writer.fail(ERROR)
    return b"".join(writer.write([event]) for event in EVENTS) + writer.finish()


@pytest.fixture
def client() -> Iterator[genai.Client]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    Google.asked.clear()
    options = types.HttpOptions(
        base_url=f"http://127.0.0.1:{server.server_port}", client_args={"trust_env": False}
    )
    with genai.Client(api_key="key", http_options=options) as opened:
        yield opened
    server.shutdown()
    thread.join()
    server.server_close()


def asked() -> dict:
    return Google.asked[0][1]


def test_whole_answer_is_understood(client):
    answer = client.models.generate_content(model="gemini-3-pro", contents="Hello")
    thought, text, call = answer.candidates[0].content.parts
    assert (thought.thought, thought.text, thought.thought_signature) == (True, "Hm. ", b"sig")
    assert (text.text, call.thought_signature) == ("Grüße, 世界", b"sign")
    assert answer.function_calls[0].args == {"city": "Oslo"}
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.candidates[0].citation_metadata.citations[0].uri == "https://example.org/a"
    assert answer.usage_metadata.thoughts_token_count == 3
    assert (answer.response_id, answer.model_version) == ("gen-1", "google/gemini-3-pro")


def test_stream_is_understood(client):
    pieces = list(client.models.generate_content_stream(model="gemini-3-pro", contents="Hello"))
    texts = [
        part.text or "" for piece in pieces for part in piece.candidates[0].content.parts if not part.thought
    ]
    assert "".join(texts) == "Grüße, 世界"
    assert [call.name for piece in pieces for call in piece.function_calls or ()] == ["get_weather"]
    assert [piece.candidates[0].finish_reason for piece in pieces[-2:]] == [None, types.FinishReason.STOP]
    assert pieces[-1].usage_metadata.candidates_token_count == 4


def test_error_is_the_client_s_own_exception(client):
    with pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model="limited", contents="Hello")
    assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert raised.value.message == "Slow down."


def test_error_within_a_stream_is_the_client_s_own_exception(client):
    pieces = client.models.generate_content_stream(model="broken", contents="Hello")
    assert next(pieces).text == "Grüße, "
    with pytest.raises(errors.ClientError) as raised:
        next(pieces)
    assert raised.value.code == 429


def test_what_the_client_sends_is_read(client):
    client.models.generate_content(
        model="gemini-3-pro",
        contents=["What is it?", types.Part.from_bytes(data=b"\xfb\xff", mime_type="image/png")],
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            thinking_config=types.ThinkingConfig(
                thinking_level=types.ThinkingLevel.LOW, include_thoughts=True
            ),
            response_mime_type="application/json",
            response_schema={"type": "OBJECT", "properties": {"a_b": {"type": "STRING"}}},
            tools=[types.Tool(function_declarations=[{"name": "f", "parameters": {"type": "OBJECT"}}])],
            tool_config=types.ToolConfig(function_calling_config={"mode": "ANY"}),
        ),
    )
    conversation = GEMINI.read_request(asked())
    assert conversation.messages[0].parts == (Text("Be brief."),)
    assert base64.b64decode(conversation.messages[1].parts[1].data) == b"\xfb\xff"
    assert conversation.reasoning == ReasoningConfig("low", is_included=True)
    assert conversation.output.kind is OutputKind.SCHEMA
    assert conversation.output.schema == {"type": "object", "properties": {"a_b": {"type": "string"}}}
    assert conversation.tools[0].parameters == {"type": "object"}
    assert conversation.tool_choice == ToolChoice(ChoiceMode.REQUIRED)
    assert not conversation.extra


def test_chat_of_the_client_gives_signatures_and_ids_back(client):
    chat = client.chats.create(model="gemini-3-pro")
    call = chat.send_message("Hello").function_calls[0]
    Google.asked.clear()
    chat.send_message(
        types.Part(
            function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": "snow"})
        )
    )
    _, thoughts, results = GEMINI.read_request(asked()).messages
    assert (thoughts.parts[0].signature, thoughts.parts[-1].signature) == ("c2ln", "c2lnbg==")
    assert results.parts == (ToolResult("call_0", (Text("snow"),)),)


@pytest.mark.parametrize("name", ["request.json", "request.written.json"])
def test_requests_are_of_the_types_of_the_sdk(name):
    body = golden(name)
    body = body.get("body", body)
    types.GenerationConfig.model_validate(body["generationConfig"])
    types.ToolConfig.model_validate(body["toolConfig"])
    assert [types.Content.model_validate(content) for content in body["contents"]]
    assert [types.Tool.model_validate(tool) for tool in body["tools"]]


def test_request_of_another_client_is_of_the_types_of_the_sdk():
    conversation = anew(GEMINI.read_request(golden("request.json")))
    body = GEMINI.write_request(conversation, Upstream("gemini-3-pro", is_streamed=False)).body
    types.Content.model_validate(body["systemInstruction"])
    json.dumps(body)


def test_answer_is_of_the_types_of_the_sdk():
    types.GenerateContentResponse.model_validate(golden("answer.written.json"))
