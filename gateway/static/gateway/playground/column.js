// One model's conversation: its turns, each with what it said, which tools it called, what it took and what went wrong.
import { Figures } from "./figures.js";
import { Refused } from "./key.js";
import { Said, events } from "./stream.js";
import { element, makeReadable } from "./text.js";
import { Trouble, refusalOf, troubleOf } from "./trouble.js";

const MOST_ROUNDS = 8;
const TICK_MS = 200;
let numbered = 0;

const part = (name, within) => within.querySelector(`[data-${name}]`);
const lengthOf = (messages) => JSON.stringify(messages).length;

export class Column {
  history = [];
  #last = null;
  #stopper = null;
  #room;

  // `room` is what all columns share: how to call, what to announce, where links lead, prices.
  constructor(model, room) {
    this.model = model;
    this.#room = room;
    this.article = document.getElementById("answer").content.cloneNode(true).firstElementChild;
    part("model", this.article).textContent = model;
    this.#button("stop").addEventListener("click", () => this.stop());
    this.article.addEventListener("click", (event) => event.target.closest("[data-retry]") && this.retry());
  }

  get isRunning() {
    return this.#stopper !== null;
  }

  stop() {
    this.#stopper?.abort();
  }

  // `turn` is the user's message; `settings` makes a body of messages, and knows the tools' answers.
  ask(turn, settings) {
    const place = document.getElementById("turn").content.cloneNode(true).firstElementChild;
    part("asked", place).textContent = typeof turn.content === "string" ? turn.content : this.#describe(turn.content);
    part("turns", this.article).append(place);
    // The prompt stays at the window's foot, so what was asked goes to its top: the answer has the room between.
    if (place.previousElementSibling) place.scrollIntoView({ block: "start" });
    return this.#run({ turn, settings, place });
  }

  retry() {
    if (this.isRunning || !this.#last) return undefined;
    part("said", this.#last.place).replaceChildren();
    for (const name of ["trouble", "again", "copy-answer"]) part(name, this.#last.place).hidden = true;
    return this.#run(this.#last);
  }

  async #run(run) {
    this.#last = run;
    this.#stopper = new AbortController();
    this.#room.changed();
    this.#state("Waiting for the first token …");
    this.#button("stop").hidden = false;
    this.article.setAttribute("aria-busy", "true");
    try {
      await this.#rounds(run, this.#stopper.signal);
    } finally {
      this.#stopper = null;
      this.article.removeAttribute("aria-busy");
      this.#button("stop").hidden = true;
      this.#room.changed();
    }
  }

  async #rounds({ turn, settings, place }, signal) {
    const messages = [...this.history, turn];
    const figures = new Figures(part("figures", place), {
      usd: this.#room.usd(this.model),
      characters: lengthOf(messages),
      receipt: this.#room.receipt,
    });
    const run = { messages, settings, figures, place, signal, said: null, before: 0 };
    const ticker = setInterval(() => figures.show(run.before + (run.said?.length ?? 0), false), TICK_MS);
    try {
      await this.#converse(run);
      this.history = messages;
      this.#finish("Done", run.said?.text);
    } catch (error) {
      this.#broke(error, run);
    } finally {
      clearInterval(ticker);
      figures.end();
      figures.show(run.before + (run.said?.length ?? 0), true);
    }
  }

  async #converse(run) {
    for (let round = 1; ; round += 1) {
      await this.#stream(run);
      run.messages.push(run.said.message());
      const { calls } = run.said;
      if (!calls.length) return;
      if (round === MOST_ROUNDS) throw new Trouble(`It called tools ${MOST_ROUNDS} times: the run ends here.`);
      for (const call of calls) {
        const result = run.settings.resultOf(call.function.name);
        if (result === undefined) {
          throw new Trouble(`It called ${call.function.name}, and no answer is given for that tool.`, {
            todo: "Type what the tool answers, under “Tools”, and send the prompt again.",
            canRetry: false,
          });
        }
        part("said", run.place).append(element("div", "step", `← ${result}`));
        run.messages.push({ role: "tool", tool_call_id: call.id, content: result });
      }
      run.before += run.said.length;
    }
  }

  async #stream(run) {
    run.said = new Said();
    const response = await this.#room.call(run.settings.bodyFor(this.model, run.messages), run.signal);
    run.figures.answeredBy(response);
    if (!response.ok) throw await refusalOf(response, this.model, this.#room.links);
    const step = new Step(part("said", run.place));
    for await (const data of events(response)) {
      run.said.take(data);
      if (run.said.hasBegun && run.figures.first === null) {
        run.figures.begin();
        this.#state("Answering …");
      }
      step.show(run.said);
    }
    if (run.said.usage) run.figures.add(run.said.usage);
    if (!run.said.isOver) throw new Error("it ended before the answer did.");
    step.finish(run.said);
  }

  // What came before a stop goes on as what was said; a turn that failed is left out of what follows.
  #broke(error, run) {
    if (run.signal.aborted) {
      if (run.said?.text) this.history = [...run.messages, { role: "assistant", content: run.said.text }];
      this.#finish("Stopped");
      part("again", run.place).hidden = false;
      return;
    }
    this.#finish("Failed");
    const trouble = error instanceof Refused ? new Trouble(error.message) : troubleOf(error, run.said);
    this.#tell(trouble, part("trouble", run.place));
    this.#room.announce(this.model, `failed. ${trouble.message}`);
  }

  #tell({ message, todo, waitS, link, canRetry }, place) {
    part("message", place).textContent = message;
    part("todo", place).textContent = todo;
    const lead = part("link", place);
    lead.hidden = link === null;
    if (link) Object.assign(lead, { textContent: link.text, href: link.href });
    const again = part("retry", place);
    again.hidden = !canRetry;
    again.disabled = waitS > 0;
    place.hidden = false;
    if (waitS > 0 && canRetry) this.#count(waitS, again, part("wait", place));
  }

  #count(seconds, button, place) {
    place.textContent = seconds > 0 ? `It may be tried again in ${seconds} s.` : "";
    button.disabled = seconds > 0;
    if (seconds > 0 && button.isConnected) setTimeout(() => this.#count(seconds - 1, button, place), 1_000);
  }

  #finish(word, text = "") {
    this.#state(word);
    if (word !== "Failed") this.#room.announce(this.model, text ? `has answered: ${text}` : word.toLowerCase());
  }

  #state(text) {
    part("state", this.article).textContent = text;
  }

  #button(name) {
    return part(name, this.article);
  }

  #describe(parts) {
    const images = parts.filter((each) => each.type === "image_url").length;
    const text = parts.filter((each) => each.type === "text").map((each) => each.text);
    return [...text, `[${images} ${images === 1 ? "image" : "images"}]`].join("\n");
  }
}

// What one call brings, as it comes.
class Step {
  #place;
  #thoughts = null;
  #text = null;
  #called = null;

  constructor(place) {
    this.#place = place;
  }

  show({ text, thoughts, refusal, calls }) {
    if (thoughts) this.#grow((this.#thoughts ??= this.#fold()), thoughts);
    if (text || refusal) this.#grow((this.#text ??= this.#add("div", "text")), text || refusal);
    if (calls.length) {
      const told = calls.map((call) => `→ ${call.function.name}(${call.function.arguments})`).join("\n");
      (this.#called ??= this.#add("div", "step")).textContent = told;
    }
  }

  finish({ text, images }) {
    if (this.#text && text) makeReadable(this.#text, text);
    for (const url of images) if (url.startsWith("data:image/")) this.#picture(url);
    if (text) this.#offerCopy(part("copy-answer", this.#place.closest("[data-turn]")));
  }

  // Only what is new, so that a selection stays.
  #grow(place, text) {
    const node = place.firstChild ?? place.appendChild(document.createTextNode(""));
    if (text.length > node.length) node.appendData(text.slice(node.length));
  }

  #add(name, className) {
    const made = element(name, className);
    made.dir = "auto";
    this.#place.append(made);
    return made;
  }

  #fold() {
    const fold = element("details", "thoughts");
    fold.append(element("summary", "", "Reasoning"), this.#inner());
    this.#place.append(fold);
    return fold.lastChild;
  }

  #inner() {
    const made = element("div", "thought");
    made.dir = "auto";
    return made;
  }

  #offerCopy(button) {
    this.#text.id = `answer-${(numbered += 1)}`;
    button.dataset.copy = this.#text.id;
    button.hidden = false;
  }

  #picture(url) {
    const image = element("img");
    Object.assign(image, { src: url, alt: "An image by the model" });
    this.#place.append(image);
  }
}
