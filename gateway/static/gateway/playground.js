// The playground. A client like any other: it asks for a key of its own, and calls the API with it.
(() => {
  const form = document.getElementById("playground");
  const { most, base, key: keyAddress, receipt } = form.dataset;
  const root = form.dataset.root.replace(/\/$/, "");
  const find = (name, within = form) => within.querySelector(`[data-${name}]`);
  const [models, answers, fault, runButton, stopButton, code] = ["models", "answers", "fault", "run", "stop", "code"].map((name) => find(name));
  const known = document.getElementById("known-models");
  const KEPT = "gatehouse.playground";
  const MOST_ROUNDS = 5;
  const NUMBERS = ["max_tokens", "temperature", "top_p", "seed"];
  const declared = new Map();
  let stopper = null;
  let keys = {};

  class Refused extends Error {}

  // What was typed stays in this browser.

  const typed = () => ["system", "prompt", ...NUMBERS, "reasoning_effort", "tools", "results", "schema"];

  function keep() {
    const values = Object.fromEntries(typed().map((name) => [name, form.elements[name].value]));
    try {
      localStorage.setItem(KEPT, JSON.stringify({ ...values, models: chosen() }));
    } catch {
      // Full, or forbidden: then nothing is kept.
    }
  }

  function recall() {
    try {
      return JSON.parse(localStorage.getItem(KEPT)) ?? {};
    } catch {
      return {};
    }
  }

  // Models

  const chosen = () => [...models.querySelectorAll("input")].map((each) => each.value.trim()).filter(Boolean);

  function addModel(name) {
    const line = document.getElementById("model-line").content.cloneNode(true);
    const input = line.querySelector("input");
    if (name !== undefined) input.value = name;
    models.append(line);
    limitModels();
    return input;
  }

  function limitModels() {
    find("add-model").hidden = models.children.length >= Number(most);
  }

  async function learnModels() {
    if (known.children.length) return;
    try {
      const answer = await fetch(`${root}/v1/gateway/models?limit=250`, { headers: await authorised() });
      if (!answer.ok) return;
      for (const model of (await answer.json()).models) {
        declared.set(model.id, new Set(model.supported_params ?? []));
        const option = document.createElement("option");
        option.value = model.id;
        known.append(option);
      }
    } catch {
      // The names can be typed all the same.
    }
  }

  // A key of the person's own, for an hour

  async function authorised() {
    const team = form.elements.team.value;
    if (!keys[team] || Date.parse(keys[team].expires_at) - Date.now() < 60_000) keys[team] = await askForKey(team);
    return { authorization: `Bearer ${keys[team].key}` };
  }

  async function askForKey(team) {
    const body = new URLSearchParams({ team, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
    const answer = await fetch(keyAddress, { method: "POST", body });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    if (answer.status === 401 || answer.status === 403) {
      throw new Refused("You are signed out. Sign in again in another tab, load this page anew, and go on: what you typed is kept.");
    }
    throw new Refused(told.error ?? `There is no key to call with (${answer.status}).`);
  }

  // What is asked

  function json(name, what) {
    const text = form.elements[name].value.trim();
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Refused(`${what} is not JSON: ${error.message}`);
    }
  }

  function number(name) {
    const text = form.elements[name].value.trim();
    if (!text) return undefined;
    const value = Number(text);
    if (Number.isNaN(value)) throw new Refused(`“${text}” is not a number: ${form.elements[name].labels[0].textContent}.`);
    return value;
  }

  const dataUrl = (file) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(new Refused(`${file.name} cannot be read.`));
      reader.readAsDataURL(file);
    });

  async function wanted() {
    const prompt = form.elements.prompt.value;
    if (!prompt.trim()) throw new Refused("Type a prompt first.");
    const images = await Promise.all([...form.elements.images.files].map(dataUrl));
    const content = images.length
      ? [{ type: "text", text: prompt }, ...images.map((url) => ({ type: "image_url", image_url: { url } }))]
      : prompt;
    const system = form.elements.system.value;
    const tools = json("tools", "Tools");
    if (tools !== undefined && !Array.isArray(tools)) throw new Refused("Tools must be a JSON list.");
    const schema = json("schema", "The schema");
    const body = {
      messages: [...(system.trim() ? [{ role: "system", content: system }] : []), { role: "user", content }],
      ...Object.fromEntries(NUMBERS.map((name) => [name, number(name)])),
      reasoning_effort: form.elements.reasoning_effort.value || undefined,
      tools: tools?.map((each) => (each.type ? each : { type: "function", function: each })),
      response_format: schema && { type: "json_schema", json_schema: { name: "answer", schema } },
    };
    return { body, results: json("results", "Tool results") ?? {} };
  }

  function bodyFor(model, body) {
    const takes = declared.get(model.split(":")[0]);
    const left = Object.entries(body).filter(
      ([name, value]) => value !== undefined && (![...NUMBERS, "reasoning_effort"].includes(name) || !takes?.size || takes.has(name)),
    );
    return { model, ...Object.fromEntries(left), stream: true, stream_options: { include_usage: true } };
  }

  // One answer

  function card(model) {
    const node = document.getElementById("answer").content.cloneNode(true);
    node.querySelector("h2").textContent = model;
    const article = node.querySelector("article");
    answers.append(node);
    return {
      state: find("state", article),
      text: find("text", article),
      reasoning: find("reasoning", article),
      error: find("error", article),
      figures: find("figures", article),
      began: performance.now(),
      first: null,
      usage: null,
    };
  }

  function failed(shown, message) {
    shown.error.textContent = message;
    shown.error.hidden = false;
  }

  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:") && !line.includes("[DONE]")) yield JSON.parse(line.slice(5));
      }
    }
  }

  function takeDelta(shown, delta, calls) {
    const thought = delta.reasoning_content ?? delta.reasoning;
    if (shown.first === null && (delta.content || thought || delta.tool_calls)) shown.first = performance.now();
    if (delta.content) shown.text.append(delta.content);
    if (typeof thought === "string" && thought) {
      shown.reasoning.hidden = false;
      shown.reasoning.querySelector("div").append(thought);
    }
    for (const call of delta.tool_calls ?? []) {
      const known = (calls[call.index ?? 0] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
      if (call.id) known.id = call.id;
      known.function.name += call.function?.name ?? "";
      known.function.arguments += call.function?.arguments ?? "";
    }
  }

  async function stream(shown, body, signal) {
    const headers = { "content-type": "application/json", ...(await authorised()) };
    const response = await fetch(`${root}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body), signal });
    shown.request = response.headers.get("x-request-id");
    shown.provider = response.headers.get("x-gateway-provider");
    if (!response.ok) {
      const told = await response.json().catch(() => null);
      throw new Refused(told?.error?.message ?? `The gateway answered ${response.status}.`);
    }
    const said = { content: "", calls: [] };
    for await (const event of events(response)) {
      if (event.error) throw new Refused(event.error.message);
      if (event.usage) addUsage(shown, event.usage);
      for (const choice of event.choices ?? []) {
        takeDelta(shown, choice.delta ?? {}, said.calls);
        said.content += choice.delta?.content ?? "";
      }
    }
    return said;
  }

  function addUsage(shown, usage) {
    const sum = (shown.usage ??= { prompt: 0, completion: 0, cached: 0, cost: 0, estimated: false });
    sum.prompt += usage.prompt_tokens ?? 0;
    sum.completion += usage.completion_tokens ?? 0;
    sum.cached += usage.prompt_tokens_details?.cached_tokens ?? 0;
    sum.cost += usage.cost ?? 0;
    sum.estimated ||= Boolean(usage.is_estimated);
  }

  async function answer(model, body, results, signal) {
    const shown = card(model);
    const asked = bodyFor(model, body);
    shown.state.textContent = "Waiting for the first token …";
    try {
      for (let round = 0; ; round += 1) {
        const said = await stream(shown, asked, signal);
        const calls = said.calls.filter(Boolean);
        if (!calls.length) break;
        for (const call of calls) shown.text.append(`\n→ ${call.function.name}(${call.function.arguments})\n`);
        const missing = calls.find((call) => !(call.function.name in results));
        if (missing) {
          shown.text.append(`No answer is given for ${missing.function.name}: the run ends here.`);
          break;
        }
        if (round + 1 >= MOST_ROUNDS) throw new Refused(`It called tools ${MOST_ROUNDS} times; the run ends here.`);
        asked.messages = [
          ...asked.messages,
          { role: "assistant", content: said.content || null, tool_calls: calls },
          ...calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: asText(results[call.function.name]) })),
        ];
      }
      shown.state.textContent = "Done";
    } catch (error) {
      shown.state.textContent = signal.aborted ? "Stopped" : "Failed";
      if (!signal.aborted) failed(shown, error instanceof Refused ? error.message : `The connection broke: ${error.message}`);
    }
    tell(shown);
  }

  const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

  function tell(shown) {
    const took = performance.now() - (shown.first ?? shown.began);
    const { usage } = shown;
    const rows = [
      ["First token", shown.first === null ? null : `${Math.round(shown.first - shown.began).toLocaleString()} ms`],
      ["Speed", usage?.completion && took >= 50 ? `${(usage.completion / (took / 1000)).toFixed(1)} tokens a second` : null],
      ["Tokens", usage && `${usage.prompt.toLocaleString()} in${usage.cached ? ` (${usage.cached.toLocaleString()} cached)` : ""}, ${usage.completion.toLocaleString()} out${usage.estimated ? ", estimated" : ""}`],
      ["Cost", usage && `$${plain(usage.cost)}`],
      ["Provider", shown.provider],
    ];
    for (const [name, value] of rows) if (value) row(shown.figures, name, value);
    if (shown.request && !shown.provider) row(shown.figures, "Request", shown.request);
    if (shown.request && shown.provider) {
      const link = document.createElement("a");
      link.href = receipt.replace("REQUEST", encodeURIComponent(shown.request));
      link.textContent = shown.request;
      row(shown.figures, "Receipt", link);
    }
    shown.figures.hidden = !shown.figures.children.length;
  }

  const plain = (cost) => cost.toFixed(10).replace(/\.?0+$/, "");

  function row(list, name, value) {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    told.append(value);
    list.append(term, told);
  }

  // Running

  async function run() {
    fault.hidden = true;
    const names = chosen();
    try {
      if (!names.length) throw new Refused("Name a model first: an id, an alias, or auto.");
      const { body, results } = await wanted();
      keep();
      await authorised();
      answers.replaceChildren();
      showCode(names[0], body);
      stopper = new AbortController();
      running(true);
      await Promise.all(names.map((name) => answer(name, body, results, stopper.signal)));
    } catch (error) {
      fault.textContent = error.message;
      fault.hidden = false;
    } finally {
      running(false);
    }
  }

  function running(is) {
    runButton.hidden = is;
    stopButton.hidden = !is;
  }

  function showCode(model, body) {
    code.hidden = false;
    code.asked = bodyFor(model, body);
    writeCode();
  }

  function writeCode() {
    const [language, surface] = ["language", "surface"].map((id) => document.getElementById(id).value);
    document.getElementById("playground-code").textContent = window.playgroundSample(language, surface, base, code.asked);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!runButton.hidden) run();
  });
  form.addEventListener("input", keep);
  form.addEventListener("focusin", (event) => event.target.name === "model" && learnModels());
  form.addEventListener("change", (event) => {
    if (["language", "surface"].includes(event.target.id)) writeCode();
    if (event.target.name === "team") find("team-name").textContent = event.target.selectedOptions[0].textContent;
  });
  find("add-model").addEventListener("click", () => addModel("").focus());
  models.addEventListener("click", (event) => {
    event.target.closest("[data-remove-model]")?.parentElement.remove();
    limitModels();
  });
  stopButton.addEventListener("click", () => stopper?.abort());
  find("clear").addEventListener("click", () => {
    answers.replaceChildren();
    code.hidden = true;
  });
  addEventListener("pagehide", () => stopper?.abort());

  const before = recall();
  for (const name of typed()) if (before[name]) form.elements[name].value = before[name];
  const first = addModel();
  if (!first.value) {
    const [one, ...others] = before.models?.length ? before.models : ["auto"];
    first.value = one;
    for (const name of others.slice(0, Number(most) - 1)) addModel(name);
  }
})();
