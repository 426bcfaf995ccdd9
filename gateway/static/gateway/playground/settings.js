// What is asked besides the prompt: parameters by what the chosen models declare, tools, a schema, the system prompt.
import { Refused } from "./key.js";
import { asJson } from "./tools.js";

// Under which other names an offering may declare a parameter.
const DECLARED_AS = {
  max_tokens: ["max_tokens", "max_completion_tokens", "max_output_tokens"],
  reasoning_effort: ["reasoning_effort", "reasoning", "thinking", "thinking_budget"],
  schema: ["structured_outputs", "response_format", "tools"],
};
const NUMBERS = ["max_tokens", "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"];
const WHOLE = ["max_tokens", "seed"];
const TYPED = ["system", "prompt", ...NUMBERS, "stop", "reasoning_effort", "schema"];

// A model of which nothing is known, or that declares nothing, is given the benefit.
function takes(model, name) {
  if (!model) return true;
  if (name === "images") return !model.reads.length || model.reads.includes("image");
  return !model.params.length || (DECLARED_AS[name] ?? [name]).some((each) => model.params.includes(each));
}

function reasonFor(name, names, without) {
  if (!without.length) return "";
  const isOfImages = name === "images";
  if (without.length < names.length) {
    const which = without.join(", ");
    return isOfImages ? `Not read by ${which}: images are refused there.` : `Not sent to ${which}: not declared there.`;
  }
  if (names.length > 1) return `None of the models ${isOfImages ? "reads images" : "declares this"}.`;
  return `${names[0]} does not ${isOfImages ? "read images" : "declare this"}.`;
}

export class Settings {
  #form;
  #tools;
  #pickers;

  constructor(form, tools, pickers) {
    this.#form = form;
    this.#tools = tools;
    this.#pickers = pickers;
  }

  // Grey out what none of the chosen models takes, and say which of them do not.
  gate() {
    const names = this.#pickers.chosen;
    for (const place of this.#form.querySelectorAll("[data-param]")) {
      const name = place.dataset.param;
      const without = names.filter((each) => !takes(this.#pickers.find(each), name));
      const isOff = names.length > 0 && without.length === names.length;
      for (const each of place.querySelectorAll("input, select, textarea, button")) each.disabled = isOff;
      place.classList.toggle("off", isOff);
      const reason = place.querySelector("[data-reason]");
      reason.textContent = reasonFor(name, names, without);
      reason.hidden = !reason.textContent;
    }
  }

  // What one conversation asks of each model. Raises Refused.
  read() {
    const given = { ...this.#numbers(), ...this.#words() };
    const schema = this.#isOn("schema") ? asJson(this.#text("schema"), "The schema") : undefined;
    const tools = this.#isOn("tools") ? this.#tools.defined : [];
    const results = new Map(tools.map(({ function: { name } }) => [name, this.#tools.resultOf(name)]));
    const system = this.#text("system");
    return {
      resultOf: (name) => results.get(name),
      bodyFor: (model, messages) => {
        const known = this.#pickers.find(model);
        const own = Object.entries(given).filter(([name]) => takes(known, name));
        return {
          model,
          messages: [...(system.trim() ? [{ role: "system", content: system }] : []), ...messages],
          ...Object.fromEntries(own),
          ...(tools.length && takes(known, "tools") ? { tools } : {}),
          ...(schema && takes(known, "schema")
            ? { response_format: { type: "json_schema", json_schema: { name: "answer", schema } } }
            : {}),
          stream: true,
          stream_options: { include_usage: true },
        };
      },
    };
  }

  get values() {
    return {
      ...Object.fromEntries(TYPED.map((name) => [name, this.#text(name)])),
      tools: this.#tools.values,
      models: this.#pickers.chosen,
    };
  }

  set values(values) {
    for (const name of TYPED) this.#form.elements[name].value = values[name] ?? "";
    this.#tools.values = Array.isArray(values.tools) ? values.tools : [];
    if (values.models?.length) this.#pickers.chosen = values.models;
  }

  #numbers() {
    const found = {};
    for (const name of NUMBERS) {
      const text = this.#text(name).trim();
      if (!text || !this.#isOn(name)) continue;
      const value = Number(text.replace(",", "."));
      if (Number.isNaN(value) || (WHOLE.includes(name) && !Number.isInteger(value))) {
        const label = this.#form.elements[name].labels[0].textContent;
        throw new Refused(`${label} is “${text}”: type a ${WHOLE.includes(name) ? "whole " : ""}number.`);
      }
      found[name] = value;
    }
    return found;
  }

  #words() {
    const stop = this.#text("stop").split("\n").filter(Boolean);
    const effort = this.#text("reasoning_effort");
    return {
      ...(stop.length && this.#isOn("stop") ? { stop } : {}),
      ...(effort && this.#isOn("reasoning_effort") ? { reasoning_effort: effort } : {}),
    };
  }

  #text(name) {
    return this.#form.elements[name].value;
  }

  #isOn(name) {
    return !this.#form.querySelector(`[data-param="${name}"]`)?.classList.contains("off");
  }
}
