// Acting on many sites: only the fields that the action has, and the count of the ticked sites.
const form = document.getElementById("bulk");
const all = document.getElementById("tick-all");
const ticks = [...document.querySelectorAll('input[name="site"][form="bulk"]')];
const picked = document.getElementById("bulk-picked");

function fit() {
  for (const field of form.querySelectorAll("[data-for]")) {
    field.hidden = !field.dataset.for.split(" ").includes(form.elements.kind.value);
    const choice = field.querySelector("select");
    if (choice) choice.required = !field.hidden;
  }
}

function count() {
  const number = ticks.filter((tick) => tick.checked).length;
  all.checked = number === ticks.length;
  all.indeterminate = number > 0 && number < ticks.length;
  picked.textContent = number ? `the ${number} ticked in the table` : "those ticked in the table";
  form.elements.scope.value = number ? "picked" : "filter";
  if (number) form.closest("details").open = true;
}

form.elements.kind.addEventListener("change", fit);
all.addEventListener("change", () => {
  for (const tick of ticks) tick.checked = all.checked;
  count();
});
for (const tick of ticks) tick.addEventListener("change", count);
fit();
count(); // the browser may have kept ticks over a reload
