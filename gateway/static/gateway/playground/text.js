// Text of models stays text: nothing of it becomes markup. Blocks of code stand by themselves, and that is all.

const FENCE = /^ {0,3}```[^\n]*\n([\s\S]*?)(?:^ {0,3}```[ \t]*$|$(?![\s\S]))/gm;

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function block(text) {
  const made = element("pre", "", text);
  made.dir = "ltr";
  made.tabIndex = 0;
  return made;
}

// In place of the one piece of text that a stream left there.
export function makeReadable(place, text) {
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(FENCE)) {
    parts.push(text.slice(last, found.index), block(found[1]));
    last = found.index + found[0].length;
  }
  if (!parts.length) return;
  parts.push(text.slice(last).replace(/^\n/, ""));
  place.replaceChildren(...parts.filter((each) => each !== ""));
}

// As whoever reads the page writes numbers.
const { locale } = document.getElementById("playground").dataset;
const DOLLARS = { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" };

export const written = (number, decimals = 0) =>
  number.toLocaleString(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
export const writtenUsd = (cost, decimals = 10) => cost.toLocaleString(locale, { ...DOLLARS, maximumFractionDigits: decimals });
