// The playground. A client like any other: it asks for a key of its own, and calls the API with it.
import { announcer } from "./announce.js";
import { remarksOn } from "./bodies.js";
import { Column } from "./column.js";
import { Images } from "./images.js";
import { Keys, Refused } from "./key.js";
import { Pickers } from "./pickers.js";
import { sample } from "./samples.js";
import { Saved, showSaved } from "./saved.js";
import { Settings } from "./settings.js";
import { Tools } from "./tools.js";

const form = document.getElementById("playground");
const find = (name) => form.querySelector(`[data-${name}]`);
const { most, base, receipt, person } = form.dataset;
const root = form.dataset.root.replace(/\/$/, "");
const keys = new Keys(form.dataset.key, form.elements.csrfmiddlewaretoken.value);
const saved = new Saved(person);
const columns = new Map();

const team = () => form.elements.team.value;

function tell(message) {
  find("fault").textContent = message;
  find("fault").hidden = !message;
}

const pickers = new Pickers(find("models"), Number(most), () => changed());
const tools = new Tools(find("tools"), find("add-tool"), () => changed());
const images = new Images(form.elements.images, find("images-list"), { tell, onChange: () => changed() });
const settings = new Settings(form, tools, pickers);

// Calls

async function call(body, signal) {
  const send = async () =>
    fetch(`${root}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(await keys.headers(team())) },
      body: JSON.stringify(body),
      signal,
    });
  const response = await send();
  if (response.status !== 401) return response;
  // It was revoked, or ended while this page slept: another one is asked for, once.
  keys.forget(team());
  return send();
}

const room = {
  call,
  receipt,
  announce: announcer(find("told")),
  links: { budget: form.dataset.askBudget, limit: form.dataset.askLimit, model: form.dataset.askModel },
  usd: (model) => pickers.find(model)?.usd,
  changed: () => showRunning(),
};

function columnsOf(names) {
  for (const [name, column] of columns) {
    if (names.includes(name)) continue;
    column.stop();
    column.article.remove();
    columns.delete(name);
  }
  for (const name of names) {
    if (!columns.has(name)) columns.set(name, new Column(name, room));
    find("answers").append(columns.get(name).article);
  }
  return names.map((name) => columns.get(name));
}

function turnOf(prompt, urls) {
  if (!urls.length) return { role: "user", content: prompt };
  const pictures = urls.map((url) => ({ type: "image_url", image_url: { url } }));
  return { role: "user", content: [...(prompt.trim() ? [{ type: "text", text: prompt }] : []), ...pictures] };
}

async function run() {
  tell("");
  const prompt = form.elements.prompt.value;
  try {
    const names = pickers.chosen;
    if (!names.length) throw new Refused("Name a model first: an id, an alias, or auto.");
    if (!prompt.trim() && !images.urls.length) throw new Refused("Type a prompt first.");
    const asked = settings.read();
    // Once for all columns, so that what is wrong with it is said once.
    await keys.headers(team());
    const turn = turnOf(prompt, images.urls);
    form.elements.prompt.value = "";
    images.clear();
    await Promise.all(columnsOf(names).map((column) => column.ask(turn, asked)));
  } catch (error) {
    tell(error.message);
  }
}

const running = () => [...columns.values()].filter((each) => each.isRunning);

function showRunning() {
  const some = running().length > 0;
  find("run").hidden = some;
  find("stop-all").hidden = !some;
  find("clear").hidden = !columns.size;
  writeCode();
}

// The same call as code

function writeCode() {
  const [language, surface] = ["language", "surface"].map((id) => document.getElementById(id).value);
  const place = document.getElementById("playground-code");
  const model = pickers.chosen[0] ?? "auto";
  try {
    const draft = form.elements.prompt.value;
    const before = columns.get(model)?.history ?? [];
    const isDrafted = draft.trim() || images.urls.length || !before.length;
    const messages = isDrafted ? [...before, turnOf(draft.trim() ? draft : "Hello!", images.urls)] : before;
    const asked = messages.at(-1).role === "assistant" ? messages.slice(0, -1) : messages;
    const body = settings.read().bodyFor(model, asked);
    place.textContent = sample(language, surface, base, body);
    find("remarks").textContent = remarksOn(surface, body).join(" ");
  } catch (error) {
    place.textContent = error.message;
    find("remarks").textContent = "";
  }
}

function changed() {
  settings.gate();
  find("add-model").hidden = pickers.isFull;
  saved.draft = settings.values;
  writeCode();
}

async function learn() {
  try {
    const answer = await fetch(`${form.dataset.offered}?team=${encodeURIComponent(team())}`);
    if (!answer.ok) return;
    const { models } = await answer.json();
    find("none").hidden = models.length > 0;
    pickers.learn(models);
  } catch {
    // The names can be typed all the same.
  }
}

// Prompts that are kept

function load(values) {
  settings.values = values;
  changed();
  form.elements.prompt.focus();
}

function save() {
  const name = form.elements.saved_name.value.trim();
  if (!name) return tell("Give it a name first.");
  const isKept = saved.keep(name, settings.values);
  tell(isKept ? "" : "This browser keeps nothing for this page: it is full, or forbids it.");
  form.elements.saved_name.value = "";
  return showSaved(find("saved"), saved, load);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running().length) run();
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    if (!running().length) run();
  } else if (event.target.name === "saved_name") {
    event.preventDefault();
    save();
  }
});
form.addEventListener("input", () => changed());
form.addEventListener("change", () => changed());
find("add-model").addEventListener("click", () => pickers.add("").focus());
find("stop-all").addEventListener("click", () => running().forEach((each) => each.stop()));
find("save").addEventListener("click", save);
find("clear").addEventListener("click", () => {
  columnsOf([]);
  showRunning();
  form.elements.prompt.focus();
});
addEventListener("pagehide", () => running().forEach((each) => each.stop()));

const named = pickers.chosen;
settings.values = { ...saved.draft, models: named.length ? named : (saved.draft.models ?? ["auto"]) };
showSaved(find("saved"), saved, load);
form.dataset.ready = "";
changed();
learn();
