// Keyboard shortcuts, and the dialog that lists them.
import { html, useEffect, useRef } from "./preact.js";

const SHORTCUTS = [
  ["/", "search"],
  ["j, k", "next, previous"],
  ["Enter", "open"],
  ["Esc", "go back, or leave a field"],
  ["1 to 6", "switch to a view, counted from the left"],
  ["?", "show this list"],
];

// Shortcuts do nothing while somebody types or while a dialog is open.
export function ignoresShortcuts(event) {
  return event.ctrlKey || event.metaKey || event.altKey
    || event.target.matches("input, textarea, select")
    || Boolean(document.querySelector("dialog[open]"));
}

// The shortcuts that work in every view.
export function useShortcuts(views, openHelp) {
  useEffect(() => {
    const onKeyDown = (event) => {
      const { target, key } = event;
      if (key === "Escape" && target.matches("input, textarea, select")) target.blur();
      if (ignoresShortcuts(event)) return;
      const view = views[Number(key) - 1];
      if (view) location.hash = `#/${view}`;
      else if (key === "?") openHelp();
      else if (key === "/") {
        event.preventDefault(); // or the slash would be typed into the field
        document.querySelector("[data-search]")?.focus();
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

export function ShortcutsDialog({ close }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} onClose=${close} aria-labelledby="keys" data-testid="help">
    <h2 id="keys">Keyboard shortcuts</h2>
    <dl class="keys">
      ${SHORTCUTS.map(([key, action]) => html`<dt><kbd>${key}</kbd></dt><dd>${action}</dd>`)}</dl>
    <form method="dialog"><button autofocus>Close</button></form></dialog>`;
}
