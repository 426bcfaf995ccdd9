// The Vercel AI SDK with its providers for OpenAI (both APIs), Anthropic and compatible servers, in front of a provider of
// each wire format: see tests/sdk/house.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const { GATEHOUSE_URL, GATEHOUSE_KEY } = process.env;
const FORMATS = ["openai", "responses", "anthropic", "gemini"];
const SAID = "Hello there.";
const PLACE = { place: "Oslo", days: 3 };
const forecast = z.object({ place: z.string(), days: z.number() });

const given = { apiKey: GATEHOUSE_KEY, baseURL: `${GATEHOUSE_URL}/v1` };
const openai = createOpenAI(given);
const anthropic = createAnthropic(given);
const compatible = createOpenAICompatible({
  ...given,
  name: "gatehouse",
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const PROVIDERS = {
  "OpenAI's chat": (name) => openai.chat(`acme/${name}`),
  "OpenAI's Responses": (name) => openai.responses(`acme/${name}`),
  "Anthropic's Messages": (name) => anthropic(`acme/${name}`),
  "a compatible server": (name) => compatible(`acme/${name}`),
};
const prompt = "hi";

async function refusal(promise) {
  const error = await promise.then(
    () => assert.fail("it was answered"),
    (caught) => caught,
  );
  assert.ok(APICallError.isInstance(error), `${error}`);
  return error;
}

function tools(asked) {
  const execute = async (input) => {
    asked.push(input);
    return "It rains.";
  };
  const description = "The weather of a place.";
  return { look_outside: tool({ description, inputSchema: forecast, execute }) };
}

for (const [name, connect] of Object.entries(PROVIDERS)) {
  for (const format of FORMATS) {
    const model = connect(format);

    test(`text by ${name} from ${format}`, async () => {
      const answer = await generateText({ model, prompt });
      assert.equal(answer.text, SAID);
      assert.equal(answer.finishReason, "stop");
      assert.deepEqual([answer.usage.inputTokens, answer.usage.outputTokens], [7, 3]);
      assert.match(answer.response.headers["x-request-id"], /^req_/);
    });

    test(`stream by ${name} from ${format}`, async () => {
      const stream = streamText({ model, prompt });
      const pieces = [];
      for await (const piece of stream.textStream) pieces.push(piece);
      assert.equal(pieces.join(""), SAID);
      assert.equal(await stream.finishReason, "stop");
      assert.equal((await stream.usage).outputTokens, 3);
    });

    test(`tools by ${name} from ${format}`, async () => {
      const asked = [];
      const options = { model, prompt, tools: tools(asked), stopWhen: stepCountIs(2) };
      assert.equal((await generateText(options)).text, SAID);
      assert.equal(await streamText(options).text, SAID);
      assert.deepEqual(asked, [PLACE, PLACE]);
    });

    test(`object by ${name} from ${format}`, async () => {
      const answer = await generateObject({ model, prompt, schema: forecast });
      assert.deepEqual(answer.object, PLACE);
    });
  }

  for (const [model, status, isRetryable] of [
    ["anthropic-refuse-400", 400, false],
    ["nobody", 404, false],
    ["gemini-refuse-429", 429, true],
    ["responses-refuse-503", 502, true],
    ["off", 503, true],
  ]) {
    test(`${status} by ${name} is an APICallError`, async () => {
      const error = await refusal(generateText({ model: connect(model), prompt, maxRetries: 0 }));
      assert.deepEqual([error.statusCode, error.isRetryable], [status, isRetryable]);
      assert.match(error.message, /Scripted refusal|limiting our requests|acme/);
      assert.match(error.responseHeaders["x-request-id"], /^req_/);
    });
  }
}

test("wrong key is a 401", async () => {
  const stranger = createOpenAI({ ...given, apiKey: "sk-nobody" });
  const error = await refusal(generateText({ model: stranger("acme/openai"), prompt }));
  assert.deepEqual([error.statusCode, error.isRetryable], [401, false]);
});

for (const behaviour of ["trip-429", "trip-503"]) {
  test(`${behaviour} is tried again and then answered`, async () => {
    const model = openai.chat(`acme/openai-${behaviour}`);
    assert.equal((await generateText({ model, prompt, maxRetries: 1 })).text, SAID);
  });
}
