// OpenAI's SDK for Node, unchanged, verifies and reads a webhook that the product sent: GATEHOUSE_WEBHOOK, as JSON.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const { body, headers, secret, id, type } = JSON.parse(process.env.GATEHOUSE_WEBHOOK);
const { webhooks } = new OpenAI({ apiKey: "x" });
const refused = OpenAI.InvalidWebhookSignatureError;

test("a webhook is unwrapped", async () => {
  const event = await webhooks.unwrap(body, headers, secret);
  assert.deepEqual([event.object, event.id, event.type], ["event", id, type]);
  assert.equal(event.data.id, "x");
});

test("another body, secret or signature is refused", async () => {
  const other = `whsec_${Buffer.alloc(32).toString("base64")}`;
  await assert.rejects(webhooks.unwrap(`${body} `, headers, secret), refused);
  await assert.rejects(webhooks.unwrap(body, headers, other), refused);
  const forged = { ...headers, "webhook-signature": "v1,AAAA" };
  await assert.rejects(webhooks.unwrap(body, forged, secret), refused);
});
