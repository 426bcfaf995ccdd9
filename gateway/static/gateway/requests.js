// The log of requests: new rows come in, or wait while somebody reads; j, k and Enter walk. Without this file the page
// is a plain one with a link to load it again.
(() => {
  const table = document.querySelector("table.log");
  if (!table) return;
  const body = table.tBodies[0];
  const EVERY_MS = 2000, SLOWEST_MS = 60000, MOST_ROWS = 500, AT_TOP = 80;
  const more = document.querySelector("[data-waiting]");
  const toggle = document.querySelector("[data-live-switch]");
  let news = table.dataset.news, etag = "", wait = EVERY_MS, timer = 0;
  const waiting = new Map();

  // Places are microseconds, a dash and an id: by number, then by text.
  function isNewer(one, other) {
    const [at, id] = one.split("-"), [otherAt, otherId] = other.split("-");
    return at === otherAt ? id > otherId : BigInt(at) > BigInt(otherAt);
  }

  function knows(row) {
    return body.querySelector(`tr[data-place="${CSS.escape(row.dataset.place)}"]`) !== null;
  }

  function put(row) {
    for (const before of body.querySelectorAll(`tr[data-call="${CSS.escape(row.dataset.call)}"]`)) before.remove();
    const next = [...body.rows].find((each) => isNewer(row.dataset.place, each.dataset.place));
    body.insertBefore(row, next ?? null);
  }

  function trim() {
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
    const older = document.querySelector("[data-older]");
    if (!older || !body.lastElementChild) return;
    const address = new URL(older.href);
    // What was looked through without a find stays behind: the link of a page that is not full leads beyond it.
    if (body.rows.length < MOST_ROWS) return;
    address.searchParams.set("before", body.lastElementChild.dataset.place);
    older.href = address;
  }

  function show() {
    for (const row of waiting.values()) put(row);
    waiting.clear();
    document.querySelector("[data-empty]")?.remove();
    table.parentElement.hidden = false;
    trim();
    tell();
  }

  function tell() {
    more.hidden = waiting.size === 0;
    more.textContent = `${waiting.size} new`;
  }

  function isRead() {
    return scrollY > AT_TOP || document.hidden || table.matches(":hover") || table.contains(document.activeElement);
  }

  function take(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    for (const row of holder.content.querySelectorAll("tr")) if (!knows(row)) waiting.set(row.dataset.call, row);
    if (waiting.size && !isRead()) show();
    else tell();
  }

  // The same events as htmx's: live.js says by them that nobody is signed in any more, or that nothing answers.
  function announce(name, xhr) {
    return document.dispatchEvent(new CustomEvent(`htmx:${name}`, { detail: { xhr, shouldSwap: true }, cancelable: true }));
  }

  function ended(xhr) {
    announce("afterRequest", xhr);
    announce("beforeSwap", xhr);
    const next = xhr.getResponseHeader("X-Next");
    if (next === null) return later(xhr.status >= 500 ? wait * 2 : SLOWEST_MS);
    news = `${news.split("?")[0]}?${next}`;
    if (xhr.status === 200) {
      etag = xhr.getResponseHeader("ETag") ?? "";
      take(xhr.responseText);
    }
    later(EVERY_MS);
  }

  function ask() {
    if (document.hidden) return later(wait);
    const xhr = new XMLHttpRequest();
    xhr.open("GET", news);
    xhr.timeout = 20000;
    if (etag) xhr.setRequestHeader("If-None-Match", etag);
    xhr.onload = () => ended(xhr);
    xhr.onerror = xhr.ontimeout = () => {
      announce("sendError", xhr);
      later(wait * 2);
    };
    xhr.send();
  }

  function later(ms) {
    wait = Math.min(Math.max(ms, EVERY_MS), SLOWEST_MS);
    clearTimeout(timer);
    if (toggle.getAttribute("aria-pressed") === "true") timer = setTimeout(ask, wait);
  }

  function walk(step) {
    const links = [...body.querySelectorAll("a.call")];
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)];
    next?.focus();
    next?.closest("tr").scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
    else if (event.key === "/") document.querySelector("[data-search]")?.focus();
    else return;
    event.preventDefault();
  });

  if (!news || !toggle) return;
  more.addEventListener("click", show);
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const goesOn = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(goesOn));
    toggle.textContent = goesOn ? "Live" : "Paused";
    if (goesOn) ask();
    else clearTimeout(timer);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) later(EVERY_MS);
  });
  later(EVERY_MS);
})();
