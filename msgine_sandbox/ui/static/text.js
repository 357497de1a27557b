// Texts exactly as they were sent: never as markup, and with a label for every invisible character.
import { html } from "./preact.js";

// Characters that a reader cannot see: control, formatting and filler characters, lone surrogates.
// eslint-disable-next-line no-control-regex, no-misleading-character-class
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\ud800-\udfff]|[\u{e0000}-\u{e007f}]/gu;
const EMOJI = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u;
const ZERO_WIDTH_JOINER = "\u200d";
const PREVIEW_LENGTH = 240;
const NAMES = {
  0x00ad: "soft hyphen", 0x061c: "Arabic letter mark", 0x200b: "zero-width space",
  0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner", 0x200e: "left-to-right mark",
  0x200f: "right-to-left mark", 0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding", 0x202c: "pop directional formatting",
  0x202d: "left-to-right override", 0x202e: "right-to-left override", 0x2060: "word joiner",
  0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate",
  0x2068: "first strong isolate", 0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};

// Return the pieces of a text for a template. `marked` is a character to highlight: the one because
// of which an SMS is sent as UCS-2.
export function visibleText(text, marked) {
  const pieces = [];
  let start = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (joinsEmoji(text, match)) continue;
    pieces.push(...highlight(text.slice(start, match.index), marked), label(match[0]));
    start = match.index + match[0].length;
  }
  pieces.push(...highlight(text.slice(start), marked));
  return pieces;
}

// The beginning of a text, on one line, for a row of a list.
export function previewText(text) {
  if (text.length <= PREVIEW_LENGTH) return visibleText(text.replaceAll("\n", " "));
  // One code unit more and one code point less, so that no surrogate pair is cut in half.
  const beginning = [...text.slice(0, PREVIEW_LENGTH + 1)].slice(0, -1).join("");
  return visibleText(`${beginning.replaceAll("\n", " ")}…`);
}

function codePointName(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

// What is said of a character beside it; an invisible one is shown by its code point.
export function characterName(character) {
  return character.match(INVISIBLE) ? invisibleName(character) : codePointName(character);
}

function invisibleName(character) {
  return NAMES[character.codePointAt(0)] ?? "invisible character";
}

// A zero-width joiner between two emoji makes one picture of them, so it needs no label.
function joinsEmoji(text, match) {
  if (match[0] !== ZERO_WIDTH_JOINER) return false;
  const before = [...text.slice(Math.max(match.index - 2, 0), match.index)].at(-1) ?? "";
  const after = String.fromCodePoint(text.codePointAt(match.index + 1) ?? 32);
  return EMOJI.test(before) && EMOJI.test(after);
}

function label(character) {
  return html`<bdi class="code-point" title=${invisibleName(character)}>
    ${codePointName(character)}</bdi>`;
}

function highlight(text, marked) {
  if (!marked || !text.includes(marked)) return [text];
  const at = text.indexOf(marked);
  const reason = `${codePointName(marked)} is not in GSM 03.38`;
  return [
    text.slice(0, at),
    html`<mark title=${reason} data-testid="forced">${marked}</mark>`,
    text.slice(at + marked.length),
  ];
}
