"use strict";
document.querySelectorAll(".unscripted").forEach((note) => { note.hidden = true; });
for (const box of document.querySelectorAll(".chooser")) {
  const select = box.querySelector("select");
  const figures = box.querySelectorAll("figure");
  const show = () => figures.forEach((figure, i) => { figure.hidden = i !== select.selectedIndex; });
  select.addEventListener("change", show);
  for (const button of box.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const last = figures.length - 1;
      select.selectedIndex = Math.min(last, Math.max(0, select.selectedIndex + Number(button.dataset.step)));
      show();
    });
  }
  show();
  box.hidden = false;
}
for (const box of document.querySelectorAll(".long")) {
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  if (rows.length < 8) continue;
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "search";
  label.className = "filter";
  label.append("Show rows with ", input);
  box.prepend(label);
  input.addEventListener("input", () => {
    const text = input.value.toLowerCase();
    rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(text); });
  });
  box.querySelectorAll("th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      box.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].textContent;
      const number = (text) => parseFloat(text.replace(/,/g, ""));
      const compare = (a, b) => {
        const x = number(key(a)), y = number(key(b));
        return Number.isNaN(x) || Number.isNaN(y) ? key(a).localeCompare(key(b)) : x - y;
      };
      rows.sort(compare);
      if (down) rows.reverse();
      body.append(...rows);
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
