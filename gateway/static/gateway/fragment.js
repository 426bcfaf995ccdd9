// The secret of a mailed link stands behind the #, which no server is told: it goes into the form, and out of the address.
(() => {
  const field = document.querySelector("[data-from-fragment]");
  const secret = location.hash.slice(1);
  if (!field || !secret) return;
  field.value = secret;
  history.replaceState(null, "", location.pathname + location.search);
})();
