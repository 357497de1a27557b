// The search of the inbox, in Mailpit's manner: words, "phrases", key:value, and - for not.

const PART = /(-|!)?(?:(\w+):)?(?:"([^"]*)"|(\S+))/g;

const KEYS = {
  to: (message, text) => message.recipients.some((each) => has(each.to, text)),
  from: (message, text) => has(message.from, text),
  status: (message, text) =>
    message.status === text || message.recipients.some((each) => each.status === text),
  token: (message, text) => has(message.account, text),
  channel: (message, text) => message.channel === text,
  id: (message, text) => has(message.id, text),
  is: (message, text, read) => (text === "unread") !== read.has(message.id),
};

export const HINTS = ["to:+2567", "from:Shop", "status:failed", "token:test_", "channel:email", "is:unread", "-word"];

export function matcher(query, read) {
  const asked = [...query.matchAll(PART)].filter(isFinished).map(([, not, key, phrase, word]) => {
    const known = key && Object.hasOwn(KEYS, key.toLowerCase()) && KEYS[key.toLowerCase()];
    const text = (phrase ?? word).toLowerCase();
    return { not: Boolean(not), test: known || anywhere, text: known || !key ? text : `${key}:${text}`.toLowerCase() };
  });
  if (!asked.length) return null;
  return (message) => asked.every(({ not, test, text }) => test(message, text, read) !== not);
}

// Who is still writing `to:` or `-` has not asked for anything yet.
function isFinished([part]) {
  return part !== "-" && part !== "!" && !(part.endsWith(":") && Object.hasOwn(KEYS, part.replace(/^[-!]/, "").slice(0, -1).toLowerCase()));
}

function anywhere(message, text) {
  const { subject, title } = message;
  return has(message.message, text) || has(subject ?? title, text) || has(message.from, text)
    || message.recipients.some((each) => has(each.to, text));
}

function has(value, text) {
  return Boolean(value) && value.toLowerCase().includes(text);
}
