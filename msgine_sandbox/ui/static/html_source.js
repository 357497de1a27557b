// The source of HTML, coloured. It is only split into pieces: no element is made of it.
import { html } from "./preact.js";
import { visibleText } from "./text.js";

const MOST_SPANS = 8000; // what follows has no colours, so that a large email is shown at once

// Each finds the next piece in one pass, whatever the source, and PART finds one everywhere.
const MARKUP = /<!--[^]*?(?:-->|$)|<[!?][^>]*>?|<\/?[a-z][^\s/>]*/gi;
const PART = /(\s*\/?>)|([\s/]+)|(=\s*(?:"[^"]*"?|'[^']*'?|[^\s>]*))|[^\s/>=]+/y;

export function HtmlSource({ source }) {
  return html`<pre class="source" tabindex="0" aria-label="HTML" data-testid="source">
    ${htmlPieces(source).map(([text, kind]) => (
      kind ? html`<span class=${kind}>${visibleText(text)}</span>` : visibleText(text)))}</pre>`;
}

// Return pairs of a text and its kind; a text that gets no colour has none.
function htmlPieces(source) {
  const pieces = [];
  let at = 0;
  let spans = 0;
  const take = (end, kind) => {
    if (end > at) pieces.push([source.slice(at, end), kind]);
    if (kind) spans++;
    at = end;
  };
  while (spans < MOST_SPANS) {
    MARKUP.lastIndex = at;
    const found = MARKUP.exec(source);
    if (!found) break;
    take(found.index);
    const isTag = !/^<[!?]/.test(found[0]);
    take(MARKUP.lastIndex, isTag ? "tag" : "comment");
    for (let isOpen = isTag; isOpen && at < source.length && spans < MOST_SPANS;) {
      PART.lastIndex = at;
      const [, end, space, value] = PART.exec(source);
      isOpen = end === undefined;
      take(PART.lastIndex, end ? "tag" : space ? null : value ? "value" : "attribute");
    }
  }
  take(source.length);
  return pieces;
}
