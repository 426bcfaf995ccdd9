// What the playground asks, as code to paste: for each API and language. Pure: from a chat body to text.
import { bodyFor } from "./bodies.js";

const KEY = "$GATEWAY_KEY";
const NAMES = new Map([[null, "None"], [true, "True"], [false, "False"]]);

const isNumeric = (value) => typeof value === "number";
const indented = (value) => JSON.stringify(value, null, 2);
const quoted = (text) => text.replaceAll("'", `'\\''`);

// Python's own words for JSON, with `written` in the place of bytes.
function asPython(value, name = "") {
  if (NAMES.has(value)) return NAMES.get(value);
  if (Array.isArray(value)) return `[${value.map((each) => asPython(each)).join(", ")}]`;
  if (typeof value === "object") {
    const isBytes = "mimeType" in value && "data" in value;
    const members = Object.entries(value).map(
      ([key, each]) => `${JSON.stringify(key)}: ${isBytes && key === "data" ? `b64decode(${JSON.stringify(each)})` : asPython(each, key)}`,
    );
    return `{${members.join(", ")}}`;
  }
  return isNumeric(value) ? String(value) : JSON.stringify(value);
}

const argumentLines = (members) =>
  Object.entries(members)
    .map(([name, value]) => `    ${name}=${asPython(value)},`)
    .join("\n");

const pathOf = (surface, model) =>
  ({
    chat: "/v1/chat/completions",
    responses: "/v1/responses",
    messages: "/v1/messages",
    gemini: `/v1beta/models/${model}:generateContent`,
  })[surface];

function curl(base, surface, model, body) {
  return [
    `curl '${quoted(base + pathOf(surface, model))}' \\`,
    `  -H "Authorization: Bearer ${KEY}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${quoted(indented(body))}'`,
  ].join("\n");
}

const OPENAI = {
  chat: ["chat.completions.create", "answer.choices[0].message"],
  responses: ["responses.create", "answer.output"],
};

// Google's SDKs take all but the contents as one configuration.
function ofGoogle(body) {
  const { contents, generationConfig, ...others } = body;
  const config = { ...others, ...generationConfig };
  return Object.keys(config).length ? { contents, config } : { contents };
}

// Anthropic's SDK for Python has no arguments for them any more; the API takes them still.
function ofAnthropic({ temperature, top_p, ...body }) {
  const others = Object.entries({ temperature, top_p }).filter(([, value]) => value !== undefined);
  return others.length ? { ...body, extra_body: Object.fromEntries(others) } : body;
}

function python(base, surface, model, body) {
  if (surface === "gemini") {
    const bytes = JSON.stringify(body).includes('"inlineData"') ? "from base64 import b64decode\n" : "";
    return `${bytes}import os\nfrom google import genai\n\nclient = genai.Client(api_key=os.environ["GATEWAY_KEY"], http_options={"base_url": "${base}"})\n\nanswer = client.models.generate_content(\n${argumentLines({ model, ...ofGoogle(body) })}\n)\nprint(answer.candidates[0].content)`;
  }
  if (surface === "messages") {
    return `import os\nfrom anthropic import Anthropic\n\nclient = Anthropic(base_url="${base}", auth_token=os.environ["GATEWAY_KEY"])\n\nanswer = client.messages.create(\n${argumentLines(ofAnthropic(body))}\n)\nprint(answer.content)`;
  }
  const [call, shown] = OPENAI[surface];
  return `import os\nfrom openai import OpenAI\n\nclient = OpenAI(base_url="${base}/v1", api_key=os.environ["GATEWAY_KEY"])\n\nanswer = client.${call}(\n${argumentLines(body)}\n)\nprint(${shown})`;
}

function node(base, surface, model, body) {
  if (surface === "gemini") {
    return `import { GoogleGenAI } from "@google/genai";\n\nconst client = new GoogleGenAI({ apiKey: process.env.GATEWAY_KEY, httpOptions: { baseUrl: "${base}" } });\n\nconst answer = await client.models.generateContent(${indented({ model, ...ofGoogle(body) })});\nconsole.log(answer.candidates[0].content);`;
  }
  if (surface === "messages") {
    return `import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic({ baseURL: "${base}", authToken: process.env.GATEWAY_KEY });\n\nconst answer = await client.messages.create(${indented(body)});\nconsole.log(answer.content);`;
  }
  const [call, shown] = OPENAI[surface];
  return `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${base}/v1", apiKey: process.env.GATEWAY_KEY });\n\nconst answer = await client.${call}(${indented(body)});\nconsole.log(${shown});`;
}

const WRITERS = { curl, python, node };

export function sample(language, surface, base, body) {
  return WRITERS[language](base, surface, body.model, bodyFor(surface, body));
}
