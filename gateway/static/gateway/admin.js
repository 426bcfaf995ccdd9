// The admin's choosers name themselves: the script that draws them leaves out the field's own label.
(() => {
  const UNNAMED = ".select2-selection[role=combobox]:not([data-named])";

  function nameOne(chooser) {
    const select = chooser.closest(".select2-container")?.previousElementSibling;
    const label = select?.getAttribute("aria-label") ?? select?.labels?.[0]?.textContent.replace("*", "").trim();
    if (!label) return;
    chooser.dataset.named = "";
    const shown = chooser.querySelector(".select2-selection__rendered");
    const name = shown?.title ? `${label}: ${shown.title}` : label;
    chooser.removeAttribute("aria-labelledby");
    chooser.setAttribute("aria-label", name);
    shown?.setAttribute("aria-label", name);
    chooser.querySelector(".select2-search__field")?.setAttribute("aria-label", label);
  }

  function nameAll() {
    document.querySelectorAll(UNNAMED).forEach(nameOne);
  }

  document.addEventListener("DOMContentLoaded", () => {
    nameAll();
    new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
    // What was chosen anew is said anew.
    document.addEventListener("focusin", (event) => {
      const chooser = event.target.closest?.(".select2-selection");
      if (!chooser) return;
      delete chooser.dataset.named;
      nameOne(chooser);
    });
  });
})();

// A box in a table's head stands for all that are sent under one name below it. Without this script there is none.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-all]").forEach((all) => {
    const boxes = [...all.form.querySelectorAll(`input[name="${all.dataset.all}"]`)];
    all.hidden = false;
    all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
    all.form.addEventListener("change", () => {
      const chosen = boxes.filter((box) => box.checked).length;
      all.checked = chosen === boxes.length;
      all.indeterminate = chosen > 0 && !all.checked;
    });
  });
});

// The theme's dialog, which asks before an act: it has a name, takes the focus, keeps it, and gives it back.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("modal-content");
  if (!box) return;
  let opener = null;
  let hasFocus = false;
  const isShown = (element) => element.getClientRects().length > 0;
  const stops = () => [...box.querySelectorAll("a[href], button, input, select, textarea")].filter(isShown);

  function take() {
    const field = box.querySelector("#dialog-form :is(input, select, textarea)");
    (field && isShown(field) ? field : stops()[0])?.focus();
  }

  function giveBack() {
    // On a phone it was in a menu, which has closed.
    const menu = opener.closest("[x-data]")?.querySelector("a, button");
    (isShown(opener) ? opener : menu)?.focus();
    opener = null;
    hasFocus = false;
  }

  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === box) opener = event.detail.elt;
  });
  new MutationObserver(() => {
    if (!isShown(box)) {
      if (opener && hasFocus) giveBack();
    } else if (!box.contains(document.activeElement)) {
      hasFocus = true;
      const title = box.querySelector("h1")?.textContent.trim();
      if (title) box.setAttribute("aria-label", title);
      take();
    }
  }).observe(box.parentElement, { attributes: true, childList: true, subtree: true });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || !isShown(box)) return;
    const all = stops();
    const at = all.indexOf(document.activeElement);
    const leaves = event.shiftKey ? at <= 0 : at < 0 || at === all.length - 1;
    if (!leaves || !all.length) return;
    event.preventDefault();
    all.at(event.shiftKey ? -1 : 0).focus();
  });
});
