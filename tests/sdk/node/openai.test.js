// OpenAI's SDK for Node, unchanged, against the product at GATEHOUSE_URL.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const { GATEHOUSE_URL, GATEHOUSE_KEY, GATEHOUSE_LIMITED_KEY } = process.env;
const CHAT = "demo/chat";
const EMBED = "demo/embed";
const messages = [{ role: "user", content: "Is it raining?" }];
const weather = {
  type: "function",
  function: {
    name: "look_outside",
    description: "The weather of a place.",
    parameters: {
      type: "object",
      properties: { place: { type: "string" }, days: { type: "integer" } },
      required: ["place"],
    },
  },
};

function connect(options = {}) {
  const asked = [];
  const counted = (url, init) => {
    asked.push(url);
    return fetch(url, init);
  };
  const client = new OpenAI({
    apiKey: GATEHOUSE_KEY,
    baseURL: `${GATEHOUSE_URL}/v1`,
    fetch: counted,
    ...options,
  });
  return { client, asked };
}

async function refusal(promise, kind) {
  const error = await promise.then(
    () => assert.fail("it was answered"),
    (caught) => caught,
  );
  assert.ok(error instanceof kind, `${error}`);
  return error;
}

const { client } = connect();

test("models are listed", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes(CHAT) && ids.includes(EMBED), `${ids}`);
});

for (const name of [CHAT, "demo"]) {
  test(`model is looked up as ${name}`, async () => {
    assert.equal((await client.models.retrieve(name)).id, CHAT);
  });
}

test("chat is answered with usage", async () => {
  const answer = await client.chat.completions.create({ model: CHAT, messages });
  assert.match(answer.choices[0].message.content, /Is it raining\?/);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.ok(answer.usage.total_tokens > 0);
});

test("stream has text, a finish, and usage in its last chunk", async () => {
  const options = { include_usage: true };
  const chunks = [];
  const stream = await client.chat.completions.create({
    model: CHAT,
    messages,
    stream: true,
    stream_options: options,
  });
  for await (const chunk of stream) chunks.push(chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  assert.match(choices.map((choice) => choice.delta.content ?? "").join(""), /Is it raining\?/);
  assert.equal(choices.at(-1).finish_reason, "stop");
  assert.deepEqual(
    chunks.map((chunk) => Boolean(chunk.usage)),
    chunks.map((_, index) => index === chunks.length - 1),
  );
});

test("tool is called", async () => {
  const answer = await client.chat.completions.create({ model: CHAT, messages, tools: [weather] });
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  assert.equal(call.function.name, "look_outside");
  assert.ok("place" in JSON.parse(call.function.arguments));
});

test("tool is called in a stream", async () => {
  const stream = client.chat.completions.stream({ model: CHAT, messages, tools: [weather] });
  const [call] = (await stream.finalMessage()).tool_calls;
  assert.equal(call.function.name, "look_outside");
  assert.ok("place" in JSON.parse(call.function.arguments));
});

test("embeddings in the SDK's own encoding are those in floats", async () => {
  const input = ["one", "two"];
  const own = await client.embeddings.create({ model: EMBED, input });
  const floats = await client.embeddings.create({ model: EMBED, input, encoding_format: "float" });
  assert.deepEqual(
    own.data.map((item) => item.index),
    [0, 1],
  );
  own.data.forEach((item, index) => {
    const expected = floats.data[index].embedding;
    assert.equal(item.embedding.length, expected.length);
    item.embedding.forEach((value, at) => assert.ok(Math.abs(value - expected[at]) < 1e-6));
  });
});

test("unknown key is an authentication error", async () => {
  const { client: stranger, asked } = connect({ apiKey: "sk-nobody" });
  const error = await refusal(
    stranger.chat.completions.create({ model: CHAT, messages }),
    OpenAI.AuthenticationError,
  );
  assert.equal(error.code, "invalid_api_key");
  assert.equal(asked.length, 1);
});

test("unknown model is not found, and the message names near ones", async () => {
  const error = await refusal(
    client.chat.completions.create({ model: "demo/chats", messages }),
    OpenAI.NotFoundError,
  );
  assert.match(error.message, /'demo\/chat'/);
  assert.deepEqual([error.code, error.param], ["model_not_found", "model"]);
});

test("mistake is a bad request that names the parameter", async () => {
  const error = await refusal(
    client.chat.completions.create({ model: CHAT, messages, temperature: 7 }),
    OpenAI.BadRequestError,
  );
  assert.deepEqual([error.param, error.type], ["temperature", "invalid_request_error"]);
});

test("key over its limit is a rate limit error that says when to try again", async () => {
  const { client: limited } = connect({ apiKey: GATEHOUSE_LIMITED_KEY, maxRetries: 0 });
  await limited.chat.completions.create({ model: CHAT, messages });
  const error = await refusal(
    limited.chat.completions.create({ model: CHAT, messages }),
    OpenAI.RateLimitError,
  );
  assert.ok(Number(error.headers.get("retry-after")) > 0);
});

for (const maxRetries of [0, 1]) {
  test(`trouble at the providers is tried again ${maxRetries} times`, async () => {
    const { client: patient, asked } = connect({ maxRetries });
    const body = { model: CHAT, messages, demo: { failure: "500" } };
    const error = await refusal(patient.chat.completions.create(body), OpenAI.InternalServerError);
    assert.equal(error.status, 502);
    assert.equal(asked.length, maxRetries + 1);
    await patient.chat.completions.create({ model: CHAT, messages });
  });
}

test("stream that breaks throws and does not just end", async () => {
  const body = { model: CHAT, messages, stream: true, demo: { failure: "cut", chunks: 6 } };
  const read = async () => {
    for await (const _ of await client.chat.completions.create(body));
  };
  await refusal(read(), OpenAI.APIError);
});

test("every answer and error has a request id", async () => {
  const answer = await client.chat.completions.create({ model: CHAT, messages });
  const found = await client.models.retrieve(CHAT);
  const error = await refusal(client.models.retrieve("nobody/nothing"), OpenAI.NotFoundError);
  for (const id of [answer._request_id, found._request_id, error.requestID]) {
    assert.match(id, /^req_/);
  }
});
