// Tools that a model may call, each with the schema of its arguments and the answer that stands in for it.
import { Refused } from "./key.js";

const FIELDS = ["name", "description", "parameters", "result"];
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

const field = (card, name) => card.querySelector(`[data-tool-${name}]`);

export function asJson(text, what) {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refused(`${what} is not JSON: ${error.message}`);
  }
}

export class Tools {
  #place;

  constructor(place, addButton, onChange) {
    this.#place = place;
    addButton.addEventListener("click", () => {
      field(this.add({}), "name").focus();
      onChange();
    });
    place.addEventListener("click", (event) => {
      if (!event.target.closest("[data-remove-tool]")) return;
      event.target.closest("[data-tool]").remove();
      addButton.focus();
      onChange();
    });
  }

  add(values) {
    const card = document.getElementById("tool").content.cloneNode(true).firstElementChild;
    for (const name of FIELDS) if (values[name] !== undefined) field(card, name).value = values[name];
    this.#place.append(card);
    return card;
  }

  get values() {
    return [...this.#place.children].map((card) => Object.fromEntries(FIELDS.map((name) => [name, field(card, name).value])));
  }

  set values(list) {
    this.#place.replaceChildren();
    for (const each of list) this.add(each);
  }

  // As chat takes them. Raises Refused.
  get defined() {
    const tools = this.values.filter((each) => each.name.trim() || each.parameters.trim());
    return tools.map(({ name, description, parameters }) => {
      if (!NAME.test(name.trim())) {
        throw new Refused(`“${name}” is no name of a tool: use up to 64 letters, digits, _ and -.`);
      }
      const schema = asJson(parameters, `The schema of ${name}`);
      const said = description.trim() ? { description: description.trim() } : {};
      return { type: "function", function: { name: name.trim(), ...said, parameters: schema ?? { type: "object", properties: {} } } };
    });
  }

  // Undefined where nothing was typed.
  resultOf(name) {
    return this.values.find((each) => each.name.trim() === name)?.result.trim() || undefined;
  }
}
