"use strict";
// The critic beside the text: asks the server as somebody types, and shows what it says. Without this file a button does the same.
(function () {
  const form = document.querySelector("form.write");
  if (!form || !window.fetch) return;
  const box = form.querySelector("textarea");
  const critic = document.getElementById("critic");
  const place = document.getElementById("another");
  const told = document.getElementById("copied");
  const PAUSE = 400;
  let timer = 0;
  let running = null;

  const lost = "This could not be checked: open the page anew, and sign in if it asks you to. Your text stays here until you do.";

  // The form as it stands: [html, seconds]. No html where the server did not answer with a part of this page; seconds until it will look again, else 0.
  async function ask(address, signal) {
    const body = new URLSearchParams(new FormData(form));
    body.set("part", "fragment");
    const answer = await fetch(address, { method: "POST", body, signal, credentials: "same-origin" });
    if (answer.status === 429) return [await answer.text(), Number(answer.headers.get("Retry-After")) || 5];
    return [answer.ok && !answer.redirected ? await answer.text() : null, 0];
  }

  function show(where, html) {
    if (html === null) where.textContent = lost;
    else where.innerHTML = html; // our own template, in which every text is escaped
    where.querySelectorAll("[data-take]").forEach((button) => { button.hidden = false; });
  }

  async function check() {
    if (running) running.abort();
    const mine = (running = new AbortController());
    critic.setAttribute("aria-busy", "true");
    try {
      const [html, wait] = await ask(form.action, mine.signal);
      show(critic, html);
      if (wait) { clearTimeout(timer); timer = setTimeout(check, wait * 1000); }
    } catch (error) {
      if (error.name !== "AbortError") show(critic, null);
    }
    if (running === mine) critic.removeAttribute("aria-busy");
  }

  function soon() {
    clearTimeout(timer);
    told.textContent = "";
    timer = setTimeout(check, PAUSE);
  }

  // Offsets of the server count characters, those of a text box count half of some.
  const units = (count) => Array.from(box.value).slice(0, count).join("").length;

  async function copy() {
    try {
      await navigator.clipboard.writeText(box.value);
    } catch {
      // Plain HTTP has no clipboard for scripts.
      box.select();
      document.execCommand("copy");
    }
    told.textContent = "Copied. Paste it into your own mail.";
  }

  box.addEventListener("input", soon);
  if (box.value !== box.defaultValue) soon(); // somebody was quicker than this file
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const other = event.submitter && event.submitter.hasAttribute("data-another");
    if (!other) { check(); return; }
    event.submitter.disabled = true;
    try {
      show(place, (await ask(event.submitter.formAction))[0]);
    } catch {
      show(place, null);
    }
    event.submitter.disabled = false;
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.copy) copy();
    if (button.dataset.start) {
      box.focus();
      box.setSelectionRange(units(Number(button.dataset.start)), units(Number(button.dataset.end)));
    }
    if (button.dataset.take) {
      box.value = document.getElementById(button.dataset.take).textContent;
      check();
      box.focus();
    }
  });
  form.querySelector("[data-copy]").hidden = false;
})();
