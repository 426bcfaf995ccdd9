// One polite live region for all columns: what happens is said, at most every few seconds, and never token by token.

const EVERY_MS = 4_000;
const LONGEST = 400;

export function announcer(region) {
  const waiting = new Map();
  let timer = null;

  function speak() {
    timer = null;
    if (!waiting.size) return;
    region.textContent = [...waiting].map(([model, text]) => `${model}: ${text}`).join(" ");
    waiting.clear();
    timer = setTimeout(speak, EVERY_MS);
  }

  // The newest of each model counts.
  return (model, text) => {
    waiting.set(model, text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text);
    timer ??= setTimeout(speak, 0);
  };
}
