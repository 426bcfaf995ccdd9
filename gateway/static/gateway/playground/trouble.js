// What went wrong with a call, and what to do about it.

const DO = {
  401: "The key that this page calls with is over, or was revoked. Load the page anew: what you typed is kept.",
  402: "Nothing was spent on this call.",
  404: "Nothing was spent. Choose another model.",
  410: "Nothing was spent. Choose another model.",
  413: "Nothing was spent. Send fewer or smaller images.",
};
const OURS = "Nothing of the conversation is lost: try again.";

export class Trouble extends Error {
  constructor(message, { todo = "", waitS = 0, link = null, canRetry = true } = {}) {
    super(message);
    Object.assign(this, { todo, waitS, link, canRetry });
  }
}

// Why it was refused, before anything came. `links` lead to where more can be asked for.
export async function refusalOf(response, model, links) {
  const told = await response.json().catch(() => null);
  const error = told?.error ?? {};
  const message = error.message ?? `The gateway answered ${response.status}.`;
  const canRetry = response.headers.get("x-should-retry") !== "false" && ![401, 404, 410].includes(response.status);
  const waitS = Math.ceil(Number(response.headers.get("retry-after"))) || 0;
  const todo = DO[response.status] ?? (response.status >= 500 ? OURS : "");
  return new Trouble(message, { todo, waitS, canRetry, link: linkFor(response.status, error.code, model, links) });
}

function linkFor(status, code, model, links) {
  if (status === 402) return { text: "Ask for more budget", href: links.budget };
  if (status === 429 && code?.startsWith("r")) return { text: "Ask for a higher limit", href: links.limit };
  if (status === 403 && code !== "floor_not_met") {
    return { text: `Ask for access to ${model}`, href: `${links.model}&model=${encodeURIComponent(model)}` };
  }
  return null;
}

// Why it ended, once something may have come.
export function troubleOf(error, said) {
  if (error instanceof Trouble) return error;
  const what = error.error ? error.message : `The connection broke: ${error.message}`;
  const todo = said?.hasBegun
    ? "What came before stands above, and is charged as far as it came. Try again to have it whole."
    : OURS;
  return new Trouble(what, { todo });
}
