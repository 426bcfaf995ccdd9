// What was typed into a form that was sent after its session was over: kept in this tab, and offered again on its page
// once the same person is signed in. Never passwords, secrets, codes or files; without storage nothing is kept.
(() => {
  const NAME = "sent-form";
  const LASTS_MS = 24 * 60 * 60 * 1000;
  const LARGEST = 100_000;
  const SECRET = /pass|secret|token|code|credential|address|url/i;
  const UNKEPT = ["password", "file", "hidden", "submit", "button", "image", "reset"];
  // The admin's frame takes scripts by their addresses alone: there the person stands behind the #.
  const { dataset, src } = document.currentScript;
  const person = dataset.person ?? new URL(src).hash.slice(1);
  const here = location.pathname + location.search;

  function read() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(NAME));
      return kept && Date.now() - kept.at < LASTS_MS ? kept : null;
    } catch {
      return null;
    }
  }

  function write(kept) {
    try {
      const text = kept ? JSON.stringify(kept) : "";
      if (text && text.length <= LARGEST) sessionStorage.setItem(NAME, text);
      else sessionStorage.removeItem(NAME);
    } catch {
      // Storage may be forbidden.
    }
  }

  const isKept = (field) => field.name && !UNKEPT.includes(field.type) && !SECRET.test(field.name) && field.type !== "fieldset";
  const fieldsOf = (form) => [...form.elements].filter(isKept);
  const formsOf = (action) => [...document.querySelectorAll("#content form[method=post]")].filter((form) => (form.getAttribute("action") ?? "") === action);

  function valueOf(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked;
    return field.multiple ? [...field.selectedOptions].map((each) => each.value) : field.value;
  }

  function put(field, value) {
    if (field.type === "checkbox" || field.type === "radio") field.checked = value;
    else if (field.multiple) for (const option of field.options) option.selected = value.includes(option.value);
    // What a chooser has not loaded cannot be chosen: it stays as it is.
    else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value)) field.value = value;
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  }

  function putBack(kept) {
    const form = formsOf(kept.action)[kept.place];
    const fields = form ? fieldsOf(form) : [];
    kept.fields.forEach(([name, value], at) => {
      if (fields[at]?.name === name) put(fields[at], value);
    });
    for (let box = form; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
    fields[0]?.focus();
  }

  function button(label, act) {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    made.addEventListener("click", act);
    return made;
  }

  function offer(kept) {
    if (!formsOf(kept.action)[kept.place]) return;
    const line = Object.assign(document.createElement("p"), { className: "notice info" });
    line.setAttribute("role", "status");
    const over = (act) => () => {
      write(null);
      line.remove();
      act();
    };
    line.append("What you typed before you were signed out is kept in this tab, without secrets. ");
    line.append(button("Put it back", over(() => putBack(kept))), " ", button("Forget it", over(() => {})));
    document.getElementById("content").prepend(line);
  }

  document.addEventListener("submit", ({ target: form }) => {
    if (!person || form.method !== "post" || !form.closest("#content") || form.closest("[data-unkept]")) return;
    const action = form.getAttribute("action") ?? "";
    const fields = fieldsOf(form).map((field) => [field.name, valueOf(field)]);
    write(fields.length ? { person, page: here, action, place: formsOf(action).indexOf(form), fields, at: Date.now() } : null);
  });

  function begin() {
    const kept = read();
    if (!kept) return;
    if (!person || document.querySelector("[data-not-taken]")) write({ ...kept, isInterrupted: true });
    else if (kept.person !== person || !kept.isInterrupted) write(null);
    else if (kept.page === here) offer(kept);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
