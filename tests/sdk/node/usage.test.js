// OpenAI's SDK for Node, unchanged, reads usage and costs of the product at GATEHOUSE_URL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import OpenAI from "openai";

const { GATEHOUSE_URL, GATEHOUSE_KEY, GATEHOUSE_USAGE_KEY } = process.env;
const CHAT = "demo/chat";
const client = new OpenAI({
  apiKey: GATEHOUSE_KEY,
  adminAPIKey: GATEHOUSE_USAGE_KEY,
  baseURL: `${GATEHOUSE_URL}/v1`,
});
const { usage } = client.admin.organization;
const today = { start_time: Math.floor(Date.now() / 86_400_000) * 86_400 };

async function results(page) {
  return (await page).data.flatMap((bucket) => bucket.results);
}

async function recorded() {
  const asked = { ...today, group_by: ["model"], models: [CHAT] };
  for (;;) {
    const found = await results(usage.completions(asked));
    if (found.length) return found;
    await setTimeout(100);
  }
}

test("usage is told by model", { timeout: 60_000 }, async () => {
  await client.chat.completions.create({ model: CHAT, messages: [{ role: "user", content: "hi" }] });
  const [told] = await recorded();
  assert.equal(told.object, "organization.usage.completions.result");
  assert.equal(told.model, CHAT);
  assert.ok(told.num_model_requests >= 1 && told.input_tokens > 0 && told.output_tokens > 0);
});

test("costs are told by line item", async () => {
  const lines = await results(usage.costs({ ...today, group_by: ["line_item"] }));
  const chat = lines.find((line) => line.line_item === CHAT);
  assert.equal(chat.object, "organization.costs.result");
  assert.equal(chat.amount.currency, "usd");
  assert.ok(Number(chat.amount.value) > 0);
});

test("usage of embeddings has its own address", async () => {
  const page = await usage.embeddings(today);
  assert.equal(page.object, "page");
  assert.deepEqual([page.has_more, page.next_page], [false, null]);
});
