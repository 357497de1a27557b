// JSON in colours: names, strings, and other values. Any other text as it is.
import { formatJson } from "./format.js";
import { html } from "./preact.js";
import { visibleText } from "./text.js";

const VALUES = /("(?:[^"\\]|\\.)*")(:)?|[^\s"{}[\],:]+/g;

export function colouredJson(text) {
  const formatted = formatJson(text);
  if (!isJson(text)) return visibleText(formatted);
  const pieces = [];
  let start = 0;
  for (const match of formatted.matchAll(VALUES)) {
    const [token, string, colon] = match;
    const kind = colon ? "name" : string ? "string" : "literal";
    pieces.push(
      formatted.slice(start, match.index),
      html`<span class=${`json-${kind}`}>${visibleText(string ?? token)}</span>`,
      colon,
    );
    start = match.index + token.length;
  }
  return [...pieces, formatted.slice(start)];
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
