// Keeps the progress of a job up to date, and loads the page again when the job is over: the server says how it ended.
"use strict";

for (const place of document.querySelectorAll("[data-events]")) {
  const said = place.querySelector("[data-said]");
  const bar = place.querySelector("progress");
  const events = new EventSource(place.dataset.events);
  events.addEventListener("message", (event) => {
    const job = JSON.parse(event.data);
    if (job.state === "done" || job.state === "failed") {
      events.close();
      location.reload();
      return;
    }
    if (job.said && said.textContent !== job.said) said.textContent = job.said;
    if (job.total) {
      bar.max = job.total;
      bar.value = job.done;
    } else {
      bar.removeAttribute("value");
    }
  });
}
