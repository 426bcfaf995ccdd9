// Buttons that copy the text of another element. Without this file they stay hidden and the text can be selected.
(() => {
  const announcer = document.querySelector("[data-announcer]");
  const SHOWN_MS = 2000;

  function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  async function copy(element) {
    try {
      await navigator.clipboard.writeText(element.dataset.text ?? element.textContent);
      return "Copied";
    } catch {
      // Browsers refuse the clipboard to pages without TLS, but on localhost.
      select(element);
      return "Selected: press Ctrl+C";
    }
  }

  async function answer(button) {
    const label = button.textContent;
    const outcome = await copy(document.getElementById(button.dataset.copy));
    announcer.textContent = outcome;
    button.classList.add("done");
    if (label) button.textContent = outcome;
    setTimeout(() => {
      button.classList.remove("done");
      if (label) button.textContent = label;
      announcer.textContent = "";
    }, SHOWN_MS);
  }

  function reveal() {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button && !button.classList.contains("done")) answer(button);
  });
  document.addEventListener("content-swapped", reveal);
  reveal();
})();
