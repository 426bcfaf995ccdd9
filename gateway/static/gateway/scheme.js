// Light or dark: what was chosen, or what the system asks for. The admin keeps its choice under the same name.
(() => {
  const NAME = "adminTheme";
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const LABELS = { auto: "Theme: auto", light: "Theme: light", dark: "Theme: dark" };

  function read() {
    try {
      const choice = JSON.parse(localStorage.getItem(NAME));
      return Object.hasOwn(NEXT, choice) ? choice : "auto";
    } catch {
      return "auto";
    }
  }

  function apply(choice) {
    if (choice === "auto") delete document.documentElement.dataset.scheme;
    else document.documentElement.dataset.scheme = choice;
  }

  function remember(choice) {
    try {
      localStorage.setItem(NAME, JSON.stringify(choice));
    } catch {
      // Storage may be forbidden; the choice then holds for this page.
    }
  }

  let choice = read();
  apply(choice);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-scheme-switch]");
    button.textContent = LABELS[choice];
    button.hidden = false;
    button.addEventListener("click", () => {
      choice = NEXT[choice];
      apply(choice);
      remember(choice);
      button.textContent = LABELS[choice];
    });
  });
})();
