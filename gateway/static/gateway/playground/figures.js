// What one answer took: first token, speed, tokens and cost. They count up while it streams, estimated until it is told.
import { element, written, writtenUsd } from "./text.js";

const CHARACTERS_A_TOKEN = 4;
const SHORTEST_MS = 50;

export class Figures {
  first = null;
  request = null;
  provider = null;
  #began = performance.now();
  #ended = null;
  #told = null;
  #list;
  #usd;
  #asked;
  #receipt;

  // `usd` are the lowest prices of a token, where they are known; `asked` is about how many tokens went in.
  constructor(list, { usd = {}, characters, receipt }) {
    this.#list = list;
    this.#usd = usd;
    this.#asked = characters / CHARACTERS_A_TOKEN;
    this.#receipt = receipt;
  }

  begin() {
    this.first ??= performance.now();
  }

  end() {
    this.#ended = performance.now();
  }

  answeredBy(response) {
    this.request = response.headers.get("x-request-id");
    this.provider = response.headers.get("x-gateway-provider");
  }

  // Of one of its calls: a run with tools has several.
  add(usage) {
    const sum = (this.#told ??= { prompt: 0, completion: 0, cached: 0, cost: 0, isEstimated: false });
    sum.prompt += usage.prompt_tokens ?? 0;
    sum.completion += usage.completion_tokens ?? 0;
    sum.cached += usage.prompt_tokens_details?.cached_tokens ?? 0;
    sum.cost += usage.cost ?? 0;
    sum.isEstimated ||= Boolean(usage.is_estimated);
  }

  // `characters` came so far.
  show(characters, isOver) {
    const rows = [
      ["First token", this.first && `${written(this.first - this.#began)} ms`],
      ["Speed", this.#speed(characters)],
      ["Tokens", isOver && this.#told ? this.#tokens() : null],
      ["Cost", isOver && this.#told ? writtenUsd(this.#told.cost) : this.#estimatedCost(characters, isOver)],
      ["Provider", this.provider],
      ["Receipt", isOver && this.request && this.provider ? this.#link() : null],
      ["Request", isOver && !this.provider ? this.request : null],
    ];
    this.#list.replaceChildren();
    for (const [name, value] of rows) {
      if (!value) continue;
      const told = element("dd");
      told.append(value);
      this.#list.append(element("dt", "", name), told);
    }
    this.#list.hidden = !this.#list.children.length;
  }

  #speed(characters) {
    if (this.first === null) return null;
    const took = (this.#ended ?? performance.now()) - this.first;
    const isTold = this.#ended !== null && this.#told?.completion;
    const tokens = isTold ? this.#told.completion : characters / CHARACTERS_A_TOKEN;
    if (took < SHORTEST_MS || !tokens) return null;
    return `${isTold ? "" : "≈ "}${written(tokens / (took / 1000), 1)} tokens a second`;
  }

  #tokens() {
    const { prompt, cached, completion, isEstimated } = this.#told;
    const fromCache = cached ? ` (${written(cached)} cached)` : "";
    return `${written(prompt)} in${fromCache}, ${written(completion)} out${isEstimated ? ", estimated" : ""}`;
  }

  #estimatedCost(characters, isOver) {
    const { prompt, completion } = this.#usd;
    if (isOver || completion === undefined || this.first === null) return null;
    const cost = this.#asked * Number(prompt ?? 0) + (characters / CHARACTERS_A_TOKEN) * Number(completion);
    return `≈ ${writtenUsd(cost, 6)}`;
  }

  #link() {
    const link = element("a", "", "Show it");
    link.title = this.request;
    link.href = this.#receipt.replace("REQUEST", encodeURIComponent(this.request));
    return link;
  }
}
