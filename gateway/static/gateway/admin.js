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
