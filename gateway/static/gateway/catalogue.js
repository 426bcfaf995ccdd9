// `/` goes to the search, and the list answers each choice at once. Without this file its buttons do the same.
(() => {
  const WRITABLE = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  const TYPED_MS = 250;
  const SWAPPED = ["to-facets", "said", "facets", "found"];
  const KEPT = "#facets details, [data-facet-search], [data-kept]";
  const announcer = document.querySelector("[data-announcer]");
  const form = document.getElementById("narrow");
  const here = () => location.pathname + location.search;
  let shown = here();
  let turn = 0;
  let typing;

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest(WRITABLE)) return;
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  if (!form) return;

  function address() {
    const asked = [...new FormData(form)].filter(([, value]) => value.trim());
    const query = new URLSearchParams(asked).toString().replaceAll("%2F", "/").replaceAll("%3A", ":");
    return query ? `${form.action}?${query}` : form.action;
  }

  // What was typed into a long filter hides the choices that do not have it.
  function find(field) {
    const text = field.value.trim().toLowerCase();
    for (const option of field.parentElement.querySelectorAll(".option")) {
      option.hidden = !option.textContent.toLowerCase().includes(text);
    }
  }

  function revealFacetSearches() {
    for (const field of document.querySelectorAll("[data-facet-search]")) field.hidden = false;
  }

  // What is open, typed or ticked and asks nothing of the list stays as it was.
  function keep(before) {
    for (const { id, open, value, checked } of before) {
      const element = document.getElementById(id);
      if (!element) continue;
      if (element.matches("details")) element.open ||= open;
      else if (element.matches("[data-kept]")) element.checked = checked;
      else {
        element.value = value;
        find(element);
      }
    }
  }

  function swap(page) {
    const focused = document.activeElement?.id;
    const before = [...document.querySelectorAll(KEPT)];
    // Their content only: filters that are open on a phone stay open.
    for (const id of SWAPPED) document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    keep(before);
    revealFacetSearches();
    const again = focused && document.getElementById(focused);
    if (again && again !== document.activeElement) {
      again.focus({ preventScroll: true });
      again.scrollIntoView({ block: "nearest" });
    }
    announcer.textContent = document.querySelector("[data-total], #found h2").textContent;
    document.dispatchEvent(new Event("content-swapped"));
  }

  // An older answer that comes late is not shown.
  async function show(target, remember) {
    const mine = ++turn;
    const found = document.getElementById("found");
    found.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(target);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== turn) return;
      found.removeAttribute("aria-busy");
      if (!page.getElementById("found")) return location.assign(target);
      swap(page);
      history[remember](null, "", target);
      shown = here();
    } catch {
      location.assign(target);
    }
  }

  // The form remembers what is ticked for a comparison, so that other pages of the list know it.
  function rememberTicks() {
    for (const field of form.querySelectorAll("[name=id]")) field.remove();
    for (const ticked of new FormData(document.querySelector("form.compare")).getAll("id")) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: "id", value: ticked });
      form.append(field);
    }
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-facet-search]")) find(event.target);
  });

  document.addEventListener("click", (event) => {
    const head = event.target.closest("a.sort");
    if (!head || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(head.href, "pushState");
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-kept]")) return;
    if (event.target.closest("form.compare")) rememberTicks();
    else if (event.target.form !== form || event.target.name === "q") return;
    show(address(), "pushState");
  });

  form.addEventListener("input", (event) => {
    if (event.target.name !== "q") return;
    clearTimeout(typing);
    typing = setTimeout(() => show(address(), "replaceState"), TYPED_MS);
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    show(address(), "pushState");
  });

  revealFacetSearches();

  // Going to a part of the page is not going to another list.
  addEventListener("popstate", () => {
    if (here() !== shown) location.reload();
  });
})();
