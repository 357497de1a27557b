// Keys that act wherever one is, but not while one writes, nor behind a dialog.

export function isElsewhere(event) {
  return event.ctrlKey || event.metaKey || event.altKey
    || event.target.matches("input, textarea, select") || Boolean(document.querySelector("dialog[open]"));
}

// Where j and k lead in a list of which one row is open.
export function stepped(key, at, count) {
  if (!count) return -1;
  if (key === "j") return Math.min(at + 1, count - 1);
  return key === "k" ? Math.max(at - 1, 0) : -1;
}
