// Prompts that a person keeps in this browser, and what was typed last. Nothing of it is sent anywhere.
import { element } from "./text.js";

const MOST = 100;

export class Saved {
  #key;

  constructor(person) {
    this.#key = `gatehouse.playground.${person}`;
  }

  get draft() {
    return this.#read("draft", {});
  }

  set draft(values) {
    this.#write("draft", values);
  }

  get list() {
    return this.#read("prompts", []);
  }

  // Under a name that is there already, it takes its place. False: the browser keeps nothing.
  keep(name, values) {
    const others = this.list.filter((each) => each.name !== name);
    return this.#write("prompts", [{ name, values }, ...others].slice(0, MOST));
  }

  remove(name) {
    this.#write("prompts", this.list.filter((each) => each.name !== name));
  }

  #read(what, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`${this.#key}.${what}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  #write(what, value) {
    try {
      localStorage.setItem(`${this.#key}.${what}`, JSON.stringify(value));
      return true;
    } catch {
      return false; // Full, or forbidden.
    }
  }
}

// The list of them, with what can be done with each.
export function showSaved(place, saved, load) {
  const rows = saved.list.map(({ name, values }) => {
    const row = element("li");
    const loads = element("button", "quiet", name);
    const removes = element("button", "quiet danger", "Delete");
    for (const each of [loads, removes]) each.type = "button";
    loads.dir = "auto";
    loads.title = "Load it";
    removes.setAttribute("aria-label", `Delete ${name}`);
    loads.addEventListener("click", () => load(values));
    removes.addEventListener("click", () => {
      saved.remove(name);
      showSaved(place, saved, load);
    });
    row.append(loads, removes);
    return row;
  });
  place.replaceChildren(...(rows.length ? rows : [element("li", "hint", "None yet. Give this one a name, and save it.")]));
}
