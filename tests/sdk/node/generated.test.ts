// openapi-fetch with the types that openapi-typescript makes of the API document, against the product at GATEHOUSE_URL.
// It is compiled first: what is read of an answer here must be declared.
import assert from "node:assert/strict";
import { test } from "node:test";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

const { GATEHOUSE_URL, GATEHOUSE_KEY, GATEHOUSE_MANAGEMENT_KEY } = process.env;
const CHAT = "demo/chat";
const api = connect(GATEHOUSE_KEY);
const keys = connect(GATEHOUSE_MANAGEMENT_KEY);

function connect(key: string | undefined) {
  return createClient<paths>({ baseUrl: GATEHOUSE_URL, headers: { authorization: `Bearer ${key}` } });
}

async function issueKey() {
  const { data, error } = await keys.POST("/v1/keys", { body: { name: "generated", requests_per_minute: 60 } });
  assert.ok(data, JSON.stringify(error));
  return data;
}

const body: components["schemas"]["ChatCompletionRequest"] = {
  model: CHAT,
  messages: [{ role: "user", content: "Is it raining?" }],
};

test("models are listed", async () => {
  const { data } = await api.GET("/v1/models");
  assert.ok(data && "object" in data && data.object === "list");
  const found = data.data.find((model) => model.id === CHAT);
  assert.equal(found?.object, "model");
});

test("one model is got", async () => {
  const { data } = await api.GET("/v1/models/{id}", { params: { path: { id: CHAT } } });
  assert.ok(data && "owned_by" in data);
  assert.equal(data.id, CHAT);
});

test("a model that nobody knows is an error of the declared form", async () => {
  const { error, response } = await api.GET("/v1/models/{id}", { params: { path: { id: "nobody" } } });
  assert.equal(response.status, 404);
  assert.ok(error && "error" in error && "param" in error.error);
  assert.equal(error.error.code, "model_not_found");
});

test("the catalogue is filtered", async () => {
  const query = { endpoints: ["chat.completions", "embeddings"], params: ["nothing"], limit: 5 };
  const { data } = await api.GET("/v1/gateway/models", { params: { query } });
  assert.ok(typeof data === "object");
  assert.deepEqual(data.models, []);
  assert.equal(data.warnings?.[0]?.param, "params");
});

test("one record of the catalogue is got", async () => {
  const { data } = await api.GET("/v1/gateway/models/{id}", { params: { path: { id: CHAT } } });
  assert.equal(data?.lifecycle.status, "active");
});

test("a key is made, listed, changed and revoked", async () => {
  const issued = await issueKey();
  const path = { id: issued.id };
  assert.equal((await connect(issued.key ?? undefined).GET("/v1/models")).response.status, 200);

  const listed = await keys.GET("/v1/keys");
  assert.ok(listed.data?.data.some((key) => key.id === issued.id));

  const changed = await keys.PATCH("/v1/keys/{id}", { params: { path }, body: { name: "renamed" } });
  assert.equal(changed.data?.name, "renamed");

  const revoked = await keys.DELETE("/v1/keys/{id}", { params: { path } });
  assert.ok(revoked.response.ok, JSON.stringify(revoked.error));
  const { data } = await keys.GET("/v1/keys/{id}", { params: { path } });
  assert.ok(data?.revoked_at);
});

test("a chat is answered", async () => {
  const { data, error, response } = await api.POST("/v1/chat/completions", { body });
  assert.ok(typeof data === "object", JSON.stringify(error));
  assert.match(String(data.choices[0]?.message.content), /raining/);
  assert.ok(data.usage && data.usage.total_tokens > 0);
  assert.ok(response.headers.get("x-request-id"));
});

test("a chat is streamed", async () => {
  const asked = { body: { ...body, stream: true }, parseAs: "stream" } as const;
  const { data } = await api.POST("/v1/chat/completions", asked);
  let text = "";
  for await (const piece of data as unknown as AsyncIterable<Uint8Array>) text += Buffer.from(piece).toString();
  assert.ok(text.endsWith("data: [DONE]\n\n"), text);
});

test("texts are embedded", async () => {
  const { data } = await api.POST("/v1/embeddings", { body: { model: "demo/embed", input: ["Gates."] } });
  assert.equal(typeof data?.data[0]?.embedding[0], "number");
});
