// One conversation as each API's body. Pure: from the body of a chat call, which is what the playground itself sends.

const PLACEHOLDER_FROM = 8_000;

const given = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
const partsOf = (content) => (typeof content === "string" ? [{ type: "text", text: content }] : content);
const systemOf = (body) => body.messages.find((each) => each.role === "system")?.content;
const spoken = (body) => body.messages.filter((each) => each.role !== "system");
const schemaOf = (body) => body.response_format?.json_schema?.schema;
const imageOf = (part) => /^data:([^;,]+);base64,(.*)$/s.exec(part.image_url.url);

function argumentsOf(call) {
  try {
    return JSON.parse(call.function.arguments || "{}");
  } catch {
    return {};
  }
}

// Code with a photo in it is too long for a command line: a word stands in its place.
function withoutLongImages(body) {
  const shorter = (part) =>
    part.type === "image_url" && part.image_url.url.length > PLACEHOLDER_FROM
      ? { ...part, image_url: { url: part.image_url.url.replace(/,.*$/s, ",BASE64_OF_THE_IMAGE") } }
      : part;
  const messages = body.messages.map((each) =>
    Array.isArray(each.content) ? { ...each, content: each.content.map(shorter) } : each,
  );
  return { ...body, messages };
}

function chat({ stream, stream_options, ...body }) {
  const messages = body.messages.map(({ role, content, tool_calls, tool_call_id }) =>
    given({ role, content, tool_calls, tool_call_id }),
  );
  return { ...body, messages };
}

function responses(body) {
  const content = (message) =>
    typeof message.content === "string"
      ? message.content
      : message.content.map((part) =>
          part.type === "text"
            ? { type: "input_text", text: part.text }
            : { type: "input_image", image_url: part.image_url.url },
        );
  const items = (message) => {
    if (message.role === "tool") {
      return [{ type: "function_call_output", call_id: message.tool_call_id, output: message.content }];
    }
    const calls = (message.tool_calls ?? []).map((call) => ({ type: "function_call", call_id: call.id, ...call.function }));
    const said = message.content ? [{ role: message.role, content: content(message) }] : [];
    return [...said, ...calls];
  };
  const input = spoken(body).flatMap(items);
  const isPlain = input.length === 1 && typeof input[0].content === "string";
  return given({
    model: body.model,
    instructions: systemOf(body),
    input: isPlain ? input[0].content : input,
    max_output_tokens: body.max_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
    reasoning: body.reasoning_effort && { effort: body.reasoning_effort },
    tools: body.tools?.map((tool) => ({ type: "function", ...tool.function })),
    text: schemaOf(body) && { format: { type: "json_schema", name: "answer", schema: schemaOf(body) } },
  });
}

function messagesTurn(message) {
  if (message.role === "tool") {
    const result = { type: "tool_result", tool_use_id: message.tool_call_id, content: message.content };
    return { role: "user", content: [result] };
  }
  const parts = partsOf(message.content ?? []).map((part) => {
    if (part.type === "text") return part;
    const [, media_type, data] = imageOf(part);
    return { type: "image", source: { type: "base64", media_type, data } };
  });
  const calls = (message.tool_calls ?? []).map((call) => ({
    type: "tool_use",
    id: call.id,
    name: call.function.name,
    input: argumentsOf(call),
  }));
  const isPlain = typeof message.content === "string" && !calls.length;
  return { role: message.role, content: isPlain ? message.content : [...parts, ...calls] };
}

// Results of one round come as one message there.
function joined(turns) {
  const found = [];
  for (const turn of turns) {
    const last = found.at(-1);
    if (last?.role === turn.role && Array.isArray(last.content) && Array.isArray(turn.content)) {
      last.content = [...last.content, ...turn.content];
    } else found.push({ ...turn });
  }
  return found;
}

function messages(body) {
  const thinks = body.reasoning_effort !== "none";
  const config = given({
    effort: thinks ? body.reasoning_effort : undefined,
    format: schemaOf(body) && { type: "json_schema", schema: schemaOf(body) },
  });
  return given({
    model: body.model,
    max_tokens: body.max_tokens ?? 1024,
    system: systemOf(body),
    messages: joined(spoken(body).map(messagesTurn)),
    temperature: body.temperature,
    top_p: body.top_p,
    stop_sequences: body.stop,
    tools: body.tools?.map(({ function: tool }) =>
      given({ name: tool.name, description: tool.description, input_schema: tool.parameters ?? { type: "object" } }),
    ),
    thinking: thinks ? undefined : { type: "disabled" },
    output_config: Object.keys(config).length ? config : undefined,
  });
}

function geminiTurn(message, names) {
  if (message.role === "tool") {
    const response = { name: names[message.tool_call_id], response: { result: message.content } };
    return { role: "user", parts: [{ functionResponse: response }] };
  }
  const parts = partsOf(message.content || []).map((part) => {
    if (part.type === "text") return { text: part.text };
    const [, mimeType, data] = imageOf(part);
    return { inlineData: { mimeType, data } };
  });
  const calls = (message.tool_calls ?? []).map((call) => ({
    functionCall: { name: call.function.name, args: argumentsOf(call) },
  }));
  return { role: message.role === "assistant" ? "model" : "user", parts: [...parts, ...calls] };
}

const thinkingOf = (effort) => (effort === "none" ? { thinkingBudget: 0 } : { thinkingLevel: effort.toUpperCase() });

function gemini(body) {
  const calls = body.messages.flatMap((message) => message.tool_calls ?? []);
  const names = Object.fromEntries(calls.map((call) => [call.id, call.function.name]));
  const config = given({
    maxOutputTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    seed: body.seed,
    stopSequences: body.stop,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    thinkingConfig: body.reasoning_effort && thinkingOf(body.reasoning_effort),
    responseMimeType: schemaOf(body) && "application/json",
    responseJsonSchema: schemaOf(body),
  });
  const system = systemOf(body);
  return given({
    contents: spoken(body).map((message) => geminiTurn(message, names)),
    systemInstruction: system && { parts: [{ text: system }] },
    tools: body.tools && [
      {
        functionDeclarations: body.tools.map(({ function: tool }) =>
          given({ name: tool.name, description: tool.description, parametersJsonSchema: tool.parameters }),
        ),
      },
    ],
    generationConfig: Object.keys(config).length ? config : undefined,
  });
}

const WRITERS = { chat, responses, messages, gemini };
// What an API has no word for.
const LACKS = {
  chat: [],
  responses: ["seed", "stop", "frequency_penalty", "presence_penalty"],
  messages: ["seed", "frequency_penalty", "presence_penalty"],
  gemini: [],
};

export function bodyFor(surface, body) {
  return WRITERS[surface](withoutLongImages(body));
}

// Sentences about what the code has not, or has otherwise.
export function remarksOn(surface, body) {
  const lost = LACKS[surface].filter((name) => body[name] !== undefined);
  const remarks = lost.length ? [`Left out, because this API has no such parameter: ${lost.join(", ")}.`] : [];
  if (JSON.stringify(bodyFor(surface, body)).includes("BASE64_OF_THE_IMAGE")) {
    remarks.push("Put the image's base64 in the place of BASE64_OF_THE_IMAGE.");
  }
  return remarks;
}

