// The search of messages and of requests, with the syntax of Mailpit: words, "phrases", key:value,
// - for not.
import { isRefused } from "./entry_list.js";

const TERM = /(-|!)?(?:(\w+):)?(?:"([^"]*)"|(\S+))/g;

const KEYS = {
  to: (message, text) => message.recipients.some((recipient) => contains(recipient.to, text)),
  from: (message, text) => contains(message.from, text),
  subject: (message, text) => contains(message.subject ?? message.title, text),
  status: (message, text) => message.status.startsWith(text)
    || message.recipients.some((recipient) => recipient.status.startsWith(text)),
  token: (message, text) => contains(message.account, text),
  channel: (message, text) => message.channel === text,
  id: (message, text) => contains(message.id, text),
  is: (message, text, readMessages) =>
    text !== "refused" && (text === "unread") !== readMessages.has(message),
};

// The same keys for requests; what is not here fits none.
const REQUEST_KEYS = {
  to: (entry, text) => entry.to.some((recipient) => contains(recipient, text)),
  status: (entry, text) => String(entry.status ?? "none").startsWith(text),
  token: (entry, text) => contains(entry.account, text),
  channel: (entry, text) => entry.path.endsWith(`/${text}`),
  id: (entry, text) => contains(entry.id, text),
  is: (entry, text) => text === "refused" && isRefused(entry),
};

// The tests of texts that the server's search looks at.
const SEARCHED = [matchesAnywhere, KEYS.to, KEYS.from, KEYS.subject];

export const EXAMPLES = [
  "to:+2567", "from:Shop", "status:failed", "token:test_", "channel:email", "is:unread",
  "-is:refused", "-word",
];

// Return the function that tells whether a message matches, or null where every message does.
// `found` has the ids of messages that the server found for a text, because the page has only the
// beginning of long ones.
export function parseSearch(query, readMessages, found = new Map()) {
  const terms = parseTerms(query);
  if (!terms.length) return null;
  const matches = (message, { test, text }) =>
    test(message, text, readMessages) || isFound(message, test, found.get(text));
  return (message) => terms.every((term) => matches(message, term) !== term.negated);
}

// Return the function that tells whether a request matches.
export function parseRequestSearch(query) {
  const terms = parseTerms(query).map(({ key, text, negated }) => {
    const test = key ? REQUEST_KEYS[key] ?? (() => false) : isAnywhereIn;
    return (entry) => test(entry, text) !== negated;
  });
  return (entry) => terms.every((matches) => matches(entry));
}

// Whether a query can find messages, and refused calls.
export function kindsOf(query) {
  const terms = parseTerms(query).filter(({ key }) => key === "is");
  return {
    messages: !terms.some(({ text, negated }) => text === "refused" && !negated),
    refusals: !terms.some(({ text, negated }) => (text === "refused") === negated),
  };
}

// Return the query for messages and refused calls ("all"), or with one of them only.
export function withKind(query, kind) {
  const rest = query.replace(/(^|\s)[-!]?is:refused(?=\s|$)/g, "").trim();
  const term = { messages: "-is:refused", refusals: "is:refused" }[kind];
  return [rest, term].filter(Boolean).join(" ");
}

// Return the texts of a query that may be anywhere in a message; not an empty one, which any has.
export function searchedTexts(query) {
  const terms = parseTerms(query).filter(({ test, text }) => test === matchesAnywhere && text);
  return terms.map(({ text }) => text);
}

// Return the parameters of the server's search for messages that can match: it finds all of them,
// and others, which the page leaves out. Letters beyond ASCII have one case only there.
export function serverParameters(query) {
  const narrowing = parseTerms(query).filter(({ negated }) => !negated);
  const isAscii = (text) => [...text].every((character) => character < "\x80");
  const isSearched = ({ test, text }) => SEARCHED.includes(test) && text && isAscii(text)
    && !text.startsWith("msg_");
  const texts = narrowing.filter(isSearched);
  const channel = narrowing.find(({ test }) => test === KEYS.channel)?.text;
  const q = texts.length ? `&q=${encodeURIComponent(texts[0].text)}` : "";
  return q + (["sms", "email", "push"].includes(channel) ? `&channel=${channel}` : "");
}

function parseTerms(query) {
  return [...query.matchAll(TERM)].filter(isComplete).map(parseTerm);
}

function isFound(message, test, ids) {
  return test === matchesAnywhere && Boolean(message.truncated && ids?.has(message.id));
}

function parseTerm([, not, key, phrase, word]) {
  const name = key?.toLowerCase();
  const test = key && keyTest(name);
  const text = (phrase ?? word).toLowerCase();
  // An unknown key is part of the text, as in 12:30.
  const unknownKey = key && !test ? `${name}:` : "";
  return {
    negated: Boolean(not),
    key: test ? name : null,
    test: test || matchesAnywhere,
    text: unknownKey + text,
  };
}

// Only own properties: `constructor:x` is text.
function keyTest(key) {
  const name = key.toLowerCase();
  return Object.hasOwn(KEYS, name) ? KEYS[name] : null;
}

// While `to:` or `-` is being typed, it filters nothing.
function isComplete([term]) {
  const text = term.replace(/^[-!]/, "");
  return text !== "" && !(text.endsWith(":") && keyTest(text.slice(0, -1)));
}

function matchesAnywhere(message, text) {
  const { id, subject, title, recipients } = message;
  if (text.startsWith("msg_") && contains(id, text)) return true;
  return contains(message.message, text) || contains(subject ?? title, text)
    || contains(message.from, text) || recipients.some((recipient) => contains(recipient.to, text));
}

function isAnywhereIn({ method, path, query, status, id, account, key, to, error, fault }, text) {
  const { code, message, field, value, reason } = error ?? {};
  const facts = [
    `${method} ${path}`, query, status, id, account, key, ...to, code, message, field, value,
    reason, fault,
  ];
  return facts.some((fact) => contains(fact && String(fact), text));
}

function contains(value, text) {
  return Boolean(value) && value.toLowerCase().includes(text);
}
