// Looks further back by itself where filters fit few requests, piece by piece, until a page is full or somebody stops
// it. Without this file the link that stands there leads on.
(() => {
  const ENOUGH = 50;
  const MOST_LOOKS = 60;
  const body = document.querySelector("table.log")?.tBodies[0];
  const announcer = document.querySelector("[data-announcer]");
  let line = document.querySelector("[data-looked]");
  if (!body || !line?.querySelector("[data-further]")) return;
  let isStopped = false;

  function stopButton() {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Stop" });
    button.addEventListener("click", () => {
      isStopped = true;
    });
    return button;
  }

  function showRunning() {
    line.querySelector("[data-further]").hidden = true;
    line.prepend("Looking further. ");
    line.append(stopButton());
  }

  function take(page) {
    for (const row of page.querySelectorAll("table.log tbody tr")) {
      if (!body.querySelector(`tr[data-place="${CSS.escape(row.dataset.place)}"]`)) body.append(document.adoptNode(row));
    }
    if (body.rows.length) body.closest(".scroll").hidden = false;
    const older = document.querySelector("nav.pages [data-older]");
    const next = page.querySelector("nav.pages [data-older]");
    if (older && next) older.href = next.href;
    else older?.remove();
    const told = page.querySelector("[data-looked]") ?? Object.assign(document.createElement("p"), { className: "hint under", textContent: body.rows.length ? "That is all." : "No request fits this." });
    line.replaceWith(document.adoptNode(told));
    line = told;
  }

  async function look() {
    for (let looks = 0; looks < MOST_LOOKS && body.rows.length < ENOUGH && !isStopped; looks += 1) {
      const link = line.querySelector("[data-further]");
      if (!link) break;
      showRunning();
      const answer = await fetch(link.href);
      if (!answer.ok || answer.redirected) break;
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  }

  function ended() {
    const link = line.querySelector("[data-further]");
    if (link) link.hidden = false;
    line.querySelector("button")?.remove();
    if (announcer) announcer.textContent = `${body.rows.length} found. ${line.textContent}`;
  }

  look().catch(() => {}).finally(ended);
})();
