// Says before the upload what the server would say after it: that the files are too large together. Shows that an upload is under way.
"use strict";

const form = document.querySelector("form[data-most]");
if (form) {
  form.addEventListener("submit", (event) => {
    const files = [...form.querySelectorAll("input[type=file]")].flatMap((field) => [...field.files]);
    const tooLarge = files.reduce((sum, file) => sum + file.size, 0) > Number(form.dataset.most);
    form.querySelector("[data-too-large]").hidden = !tooLarge;
    if (tooLarge) {
      event.preventDefault();
      return;
    }
    const button = form.querySelector("button");
    button.textContent = "Sending the files";
    button.setAttribute("aria-busy", "true");
  });
}
