// Which models answer: up to four lines, each a search over what the team may call, with price and context.
import { element } from "./text.js";

const SHOWN = 50;
const folded = (text) => text.toLowerCase();

export class Pickers {
  #place;
  #most;
  #onChange;
  #known = new Map();
  #numbered = 0;
  #hasLearnt = false;

  constructor(place, most, onChange) {
    this.#place = place;
    this.#most = most;
    this.#onChange = onChange;
    for (const line of place.children) this.#equip(line);
    place.addEventListener("click", (event) => {
      if (!event.target.closest("[data-remove-model]")) return;
      const line = event.target.closest(".model-line");
      const near = line.nextElementSibling ?? line.previousElementSibling;
      line.remove();
      near?.querySelector("input").focus();
      onChange();
    });
  }

  get chosen() {
    const names = [...this.#place.querySelectorAll("input")].map((each) => each.value.trim()).filter(Boolean);
    return [...new Set(names)];
  }

  set chosen(names) {
    this.#place.replaceChildren();
    for (const name of names.slice(0, this.#most)) this.add(name);
    if (!names.length) this.add("");
  }

  get isFull() {
    return this.#place.children.length >= this.#most;
  }

  add(name) {
    const line = document.getElementById("model-line").content.cloneNode(true).firstElementChild;
    line.querySelector("input").value = name;
    this.#place.append(line);
    this.#equip(line);
    this.#onChange();
    return line.querySelector("input");
  }

  // What the team may call, as the gateway tells it.
  learn(models) {
    this.#hasLearnt = true;
    this.#known.clear();
    for (const model of models) for (const name of [model.id, ...model.aliases]) this.#known.set(name, model);
    for (const line of this.#place.children) this.#describe(line);
    this.#onChange();
  }

  // What is known of a name as it is typed: with a provider before it, or a word behind it, of its model.
  find(name) {
    const bare = name.replace(/:(cheap|fast|free)$/, "");
    return this.#known.get(name) ?? this.#known.get(bare) ?? this.#known.get(bare.slice(bare.indexOf(":") + 1));
  }

  #equip(line) {
    const input = line.querySelector("input");
    const list = line.querySelector("[role=listbox]");
    list.id = `models-${(this.#numbered += 1)}`;
    input.setAttribute("aria-controls", list.id);
    input.addEventListener("input", () => this.#open(line));
    input.addEventListener("click", () => this.#open(line));
    input.addEventListener("blur", () => this.#close(line));
    input.addEventListener("keydown", (event) => this.#press(event, line));
    // Before the field loses the focus, which closes the list.
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.#take(line, option);
    });
    this.#describe(line);
  }

  #matching(text) {
    const words = folded(text).split(/\s+/).filter(Boolean);
    const matches = ({ id, name, aliases }) => {
      const all = folded([id, name, ...aliases].join(" "));
      return words.every((word) => all.includes(word));
    };
    return [...new Set(this.#known.values())].filter(matches);
  }

  #open(line) {
    const input = line.querySelector("input");
    const list = line.querySelector("[role=listbox]");
    // A name that stands there is what was chosen, and no search.
    const found = this.#matching(this.find(input.value.trim()) ? "" : input.value);
    list.replaceChildren(...found.slice(0, SHOWN).map((model, index) => this.#option(model, `${list.id}-${index}`)));
    if (found.length > SHOWN) list.append(element("div", "hint", `${found.length - SHOWN} more: type to search.`));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }

  #option(model, id) {
    const option = element("div", "option");
    Object.assign(option, { id, role: "option" });
    option.dataset.id = model.id;
    const name = element("bdi", "", model.name);
    const status = model.status === "active" ? [] : [element("span", `chip ${model.status}`, model.status)];
    option.append(name, ...status, element("code", "", model.id), element("span", "hint", termsOf(model)));
    return option;
  }

  #close(line) {
    const input = line.querySelector("input");
    line.querySelector("[role=listbox]").hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    this.#describe(line);
    this.#onChange();
  }

  #press(event, line) {
    const list = line.querySelector("[role=listbox]");
    const options = [...list.querySelectorAll("[role=option]")];
    const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      this.#close(line);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return this.#open(line);
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      this.#mark(line, options, (next + options.length) % options.length);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      // It sends nothing: the model is being chosen.
      event.preventDefault();
      if (!list.hidden && at >= 0) this.#take(line, options[at]);
      else this.#close(line);
    }
    return undefined;
  }

  #mark(line, options, index) {
    options.forEach((each, place) => each.setAttribute("aria-selected", String(place === index)));
    options[index]?.scrollIntoView({ block: "nearest" });
    line.querySelector("input").setAttribute("aria-activedescendant", options[index]?.id ?? "");
  }

  #take(line, option) {
    line.querySelector("input").value = option.dataset.id;
    this.#close(line);
  }

  #describe(line) {
    const name = line.querySelector("input").value.trim();
    const model = this.find(name);
    const unknown = name && name !== "auto" && this.#hasLearnt ? "Not among the models that the team may call now." : "";
    line.querySelector("[data-terms]").textContent = model ? termsOf(model) : unknown;
  }
}

function termsOf({ price, context }) {
  const prices = [price.prompt && `${price.prompt} in`, price.completion && `${price.completion} out`].filter(Boolean);
  const free = price.prompt === "free" && price.completion === "free";
  const asked = free ? "free" : prices.length ? `${prices.join(", ")} per million` : "no known price";
  return context ? `${asked} · ${context} context` : asked;
}
