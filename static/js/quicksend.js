// Ctrl+Enter (on a Mac Cmd+Enter) sends the form that is being filled in, from any of its fields, and once.

const QUICK = "form[data-quick-send]";
const sent = new WeakSet();

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
  event.target.closest(QUICK)?.requestSubmit();
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches(QUICK)) return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", () => document.querySelectorAll(QUICK).forEach((form) => sent.delete(form)));
