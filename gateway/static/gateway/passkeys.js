// Passkeys: what a device proves goes into the form's hidden field, and the form is sent. Needs webauthn-json.js.
(() => {
  const isNumber = /^[\d.]+$|^\[/.test(location.hostname);
  const isPossible = isSecureContext && !isNumber && webauthnJSON.supported();

  async function optionsOf(form) {
    if (!form.dataset.options) return JSON.parse(document.getElementById("passkey-options").textContent);
    const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`The gateway answered ${answer.status}.`);
    return answer.json();
  }

  function say(form, error) {
    const place = form.querySelector("[data-passkey-said]");
    const isGivenUp = ["AbortError", "NotAllowedError"].includes(error.name);
    place.textContent = isGivenUp
      ? "No passkey was chosen, or there is none for this address."
      : error.name === "InvalidStateError"
        ? "This device has a passkey for your account already."
        : `The passkey could not be used. ${error.message}`;
    place.hidden = false;
  }

  async function prove(form) {
    try {
      const options = await optionsOf(form);
      const proof = await (form.dataset.passkey === "create" ? webauthnJSON.create(options) : webauthnJSON.get(options));
      form.elements.credential.value = JSON.stringify(proof);
      form.submit();
    } catch (error) {
      say(form, error);
    }
  }

  for (const note of document.querySelectorAll("[data-passkey-missing]")) note.hidden = isPossible;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = !isPossible;
    form.querySelector("button[type=button]").addEventListener("click", () => prove(form));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      prove(form);
    });
  }
})();
