// What the playground asks, as code to paste: for each API and language. Pure: from a request's body to text.
(() => {
  const KEY = "$GATEWAY_KEY";

  const NAMES = new Map([[null, "None"], [true, "True"], [false, "False"]]);
  const asPython = (value) => {
    if (NAMES.has(value)) return NAMES.get(value);
    if (Array.isArray(value)) return `[${value.map(asPython).join(", ")}]`;
    if (typeof value !== "object") return JSON.stringify(value);
    const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${asPython(each)}`);
    return `{${members.join(", ")}}`;
  };

  const parts = (content) => (typeof content === "string" ? [{ type: "text", text: content }] : content);

  const responsesContent = (content) =>
    parts(content).map((part) =>
      part.type === "text"
        ? { type: "input_text", text: part.text }
        : { type: "input_image", image_url: part.image_url.url },
    );

  const messagesContent = (content) =>
    parts(content).map((part) => {
      if (part.type === "text") return part;
      const [, type, data] = /^data:([^;]+);base64,(.*)$/s.exec(part.image_url.url);
      return { type: "image", source: { type: "base64", media_type: type, data } };
    });

  const system = (body) => body.messages.find((each) => each.role === "system")?.content;
  const user = (body) => body.messages.find((each) => each.role === "user").content;
  const only = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

  const BODIES = {
    chat: ({ stream, stream_options, ...body }) => body,
    responses: (body) =>
      only({
        model: body.model,
        instructions: system(body),
        input: [{ role: "user", content: responsesContent(user(body)) }],
        max_output_tokens: body.max_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        reasoning: body.reasoning_effort && { effort: body.reasoning_effort },
        tools: body.tools?.map((tool) => ({ type: "function", ...tool.function })),
        text: body.response_format && {
          format: { type: "json_schema", ...body.response_format.json_schema },
        },
      }),
    messages: (body) =>
      only({
        model: body.model,
        max_tokens: body.max_tokens ?? 1024,
        system: system(body),
        messages: [{ role: "user", content: messagesContent(user(body)) }],
        temperature: body.temperature,
        top_p: body.top_p,
        tools: body.tools?.map(({ function: tool }) =>
          only({ name: tool.name, description: tool.description, input_schema: tool.parameters ?? { type: "object" } }),
        ),
        output_config: body.response_format && {
          format: { type: "json_schema", schema: body.response_format.json_schema.schema },
        },
      }),
  };
  const PATHS = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" };

  const quoted = (text) => text.replaceAll("'", `'\\''`);
  const inOneLine = (members) =>
    Object.entries(members)
      .map(([name, value]) => `    ${name}=${asPython(value)},`)
      .join("\n");
  const indented = (body) => JSON.stringify(body, null, 2);

  const WRITERS = {
    curl: (base, surface, body) =>
      `curl ${base}${PATHS[surface]} \\\n  -H "Authorization: Bearer ${KEY}" \\\n  -H "Content-Type: application/json" \\\n  -d '${quoted(indented(body))}'`,
    python: (base, surface, body) => {
      if (surface === "messages")
        return `import os\nfrom anthropic import Anthropic\n\nclient = Anthropic(base_url="${base}", auth_token=os.environ["GATEWAY_KEY"])\n\nanswer = client.messages.create(\n${inOneLine(body)}\n)\nprint(answer.content)`;
      const call = surface === "chat" ? "chat.completions.create" : "responses.create";
      const shown = surface === "chat" ? "answer.choices[0].message.content" : "answer.output_text";
      return `import os\nfrom openai import OpenAI\n\nclient = OpenAI(base_url="${base}/v1", api_key=os.environ["GATEWAY_KEY"])\n\nanswer = client.${call}(\n${inOneLine(body)}\n)\nprint(${shown})`;
    },
    node: (base, surface, body) => {
      if (surface === "messages")
        return `import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic({ baseURL: "${base}", authToken: process.env.GATEWAY_KEY });\n\nconst answer = await client.messages.create(${indented(body)});\nconsole.log(answer.content);`;
      const call = surface === "chat" ? "chat.completions.create" : "responses.create";
      const shown = surface === "chat" ? "answer.choices[0].message.content" : "answer.output_text";
      return `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${base}/v1", apiKey: process.env.GATEWAY_KEY });\n\nconst answer = await client.${call}(${indented(body)});\nconsole.log(${shown});`;
    },
  };

  window.playgroundSample = (language, surface, base, body) => WRITERS[language](base, surface, BODIES[surface](body));
})();
