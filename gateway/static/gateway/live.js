// What a page left open says of itself: that nobody is signed in any more, or that the gateway does not answer just now.
(() => {
  const signIn = document.currentScript.dataset.signIn;
  const main = document.getElementById("content");

  function say(kind, text, link) {
    let line = main.querySelector(`:scope > [data-live="${kind}"]`);
    if (line) return;
    line = document.createElement("p");
    line.className = "notice warning";
    line.dataset.live = kind;
    line.setAttribute("role", "alert");
    line.append(text);
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = `${signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;
      anchor.textContent = link;
      line.append(" ", anchor);
    }
    main.prepend(line);
  }

  function unsay(kind) {
    main.querySelector(`:scope > [data-live="${kind}"]`)?.remove();
  }

  function isSignIn(xhr) {
    return xhr.status === 401 || (xhr.responseURL && new URL(xhr.responseURL).pathname === new URL(signIn, location).pathname);
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isSignIn(event.detail.xhr)) return;
    event.detail.shouldSwap = false;
    say("signed-out", "You are signed out: what you see is no longer brought up to date.", "Sign in again");
  });
  document.addEventListener("htmx:sendError", () => say("away", "The gateway does not answer just now. This page tries again by itself."));
  document.addEventListener("htmx:afterRequest", (event) => {
    const { status } = event.detail.xhr;
    if (status >= 500) say("away", "The gateway does not answer just now. This page tries again by itself.");
    else if (status > 0) unsay("away");
  });
})();
