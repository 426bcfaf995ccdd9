// A key of the person's own for each team, for an hour: asked for when it is needed, and anew before it ends.

const EARLY_MS = 60_000;

// What stopped a run before anything was asked, in words for people.
export class Refused extends Error {}

const SIGNED_OUT =
  "You are signed out. Sign in again in another tab, load this page anew, and go on: what you typed is kept.";

export class Keys {
  #address;
  #token;
  #known = new Map();

  constructor(address, token) {
    this.#address = address;
    this.#token = token;
  }

  async headers(team) {
    return { authorization: `Bearer ${await this.#of(team)}` };
  }

  forget(team) {
    this.#known.delete(team);
  }

  // Columns that start together share one that is asked for; one that was refused, or ends soon, is asked for anew.
  async #of(team) {
    const asked = this.#known.get(team);
    const known = asked && (await asked.catch(() => null));
    const isGood = known && Date.parse(known.expires_at) - Date.now() >= EARLY_MS;
    if (!isGood && this.#known.get(team) === asked) this.#known.set(team, this.#ask(team));
    return (await this.#known.get(team)).key;
  }

  async #ask(team) {
    const body = new URLSearchParams({ team, csrfmiddlewaretoken: this.#token });
    const answer = await fetch(this.#address, { method: "POST", body });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    if (answer.status === 401) throw new Refused(SIGNED_OUT);
    throw new Refused(told.error ?? (answer.status === 403 ? SIGNED_OUT : `There is no key to call with (${answer.status}).`));
  }
}
