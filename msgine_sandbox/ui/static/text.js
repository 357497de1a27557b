// Texts as they were sent, harmless and with nothing hidden: what a person cannot see is drawn.
import { html } from "./preact.js";

// Control and combining characters are exactly what this looks for.
// eslint-disable-next-line no-control-regex, no-misleading-character-class
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\ud800-\udfff]|[\u{e0000}-\u{e007f}]/gu;
const PICTURE = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u;
const LONG = 240; // of a text in a list
const NAMES = {
  0x00ad: "soft hyphen", 0x061c: "Arabic letter mark", 0x200b: "zero-width space",
  0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner", 0x200e: "left-to-right mark",
  0x200f: "right-to-left mark", 0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting", 0x202d: "left-to-right override",
  0x202e: "right-to-left override", 0x2060: "word joiner", 0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate", 0x2068: "first strong isolate", 0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};

// One of these characters is marked, as the one that made the text dearer.
export function visible(text, mark) {
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (joinsPictures(text, found)) continue;
    pieces.push(...marked(text.slice(from, found.index), mark), sign(found[0]));
    from = found.index + found[0].length;
  }
  pieces.push(...marked(text.slice(from), mark));
  return pieces;
}

// One line of a list; only as much as can be seen of it.
export function glimpse(text) {
  if (text.length <= LONG) return visible(text.replaceAll("\n", " "));
  return visible(`${[...text.slice(0, LONG + 1)].slice(0, -1).join("").replaceAll("\n", " ")}…`);
}

export function characterName(character) {
  const code = character.codePointAt(0);
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

function joinsPictures(text, found) {
  if (found[0] !== "\u200d") return false;
  const before = [...text.slice(Math.max(found.index - 2, 0), found.index)].at(-1) ?? "";
  const after = String.fromCodePoint(text.codePointAt(found.index + 1) ?? 32);
  return PICTURE.test(before) && PICTURE.test(after);
}

function sign(character) {
  const name = NAMES[character.codePointAt(0)] ?? "a character that is not seen";
  return html`<span class="sign" title=${name}>${characterName(character)}</span>`;
}

function marked(text, mark) {
  if (!mark || !text.includes(mark)) return [text];
  const at = text.indexOf(mark);
  const told = `${characterName(mark)} is not in GSM 03.38`;
  return [text.slice(0, at), html`<mark title=${told} data-testid="forced">${mark}</mark>`, text.slice(at + mark.length)];
}
