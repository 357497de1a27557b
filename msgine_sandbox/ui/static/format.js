// Numbers, times and JSON in the form that people read.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function largestUnit(seconds) {
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  return index < 0 ? UNITS.length - 1 : index;
}

// The two largest units, such as "1 h 30 min".
export function formatDuration(seconds) {
  const length = Math.abs(seconds);
  if (length > 0 && length < 1) return "less than 1 s";
  const index = largestUnit(length);
  const [unit, size] = UNITS[index];
  const count = Math.floor(length / size);
  const next = UNITS[index + 1];
  const rest = next ? Math.floor((length - count * size) / next[1]) : 0;
  return `${count} ${unit}${rest ? ` ${rest} ${next[0]}` : ""}`;
}

// How long it is until something is due, such as "in 25 s"; it may be late.
export function formatLeft(seconds) {
  if (seconds <= 0) return "now";
  return `in ${formatDuration(seconds < 1 ? seconds : Math.ceil(seconds))}`;
}

// How long before `now`, in milliseconds, an ISO 8601 time is.
export function formatAge(time, now) {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < 1) return "now";
  const [unit, size] = UNITS[largestUnit(seconds)];
  return `${Math.floor(seconds / size)} ${unit}`;
}

// An ISO 8601 time in UTC, to the millisecond where it has a fraction.
export function formatTime(time) {
  return time.replace("T", " ").replace(/\.(\d{3})\d*Z$/, ".$1Z").replace(/Z$/, " UTC");
}

// The time in a row of a list: to the second, with the date unless it is that of today, because
// accounts have clocks of their own.
export function timeOfRow(at) {
  const isToday = at.slice(0, 10) === new Date().toISOString().slice(0, 10);
  return formatTime(at).slice(isToday ? 11 : 0, 19);
}

export function formatCount(count) {
  return count.toLocaleString("en");
}

export function plural(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

// The time of an account's clock in milliseconds; `readAt` is when the page read that clock.
export function clockNow(clock) {
  if (!clock) return Date.now();
  const time = Date.parse(clock.now);
  return clock.frozen ? time : time + (performance.now() - clock.readAt);
}

const JSON_TOKENS =
  /"(?:[^"\\]|\\.)*"|(\{\s*\}|\[\s*\])|([{[])|([}\]])|(,)|(:)|\s+|[^\s{}[\],:"]+/g;

// Indent JSON token by token. Parsing and writing it anew would change what was sent: large
// numbers, 1.10, escapes and repeated names.
export function formatJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  const newLine = () => `\n${"  ".repeat(depth)}`;
  return text.replace(JSON_TOKENS, (token, empty, open, close, comma, colon) => {
    if (empty) return empty.replace(/\s/g, "");
    if (open) return open + (depth++, newLine());
    if (close) return (depth--, newLine()) + close;
    if (comma) return comma + newLine();
    if (colon) return ": ";
    return token.trim();
  });
}
