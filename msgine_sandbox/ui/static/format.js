// Numbers and times as people read them.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export function duration(seconds) {
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  const index = UNITS.findIndex(([each]) => each === unit);
  const whole = Math.floor(Math.abs(seconds) / size);
  const next = UNITS[index + 1];
  const rest = next ? Math.floor((Math.abs(seconds) - whole * size) / next[1]) : 0;
  return `${whole} ${unit}${rest ? ` ${rest} ${next[0]}` : ""}`;
}

export function age(text, now) {
  const seconds = (now - Date.parse(text)) / 1000;
  if (seconds < 1) return "now";
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? UNITS.at(-1);
  return `${Math.floor(seconds / size)} ${unit}`;
}

export function clock(text) {
  return text.replace("T", " ").replace(/\.(\d{3})\d*Z$/, ".$1Z").replace(/Z$/, " UTC");
}

export function money(amount, currency) {
  return `${amount} ${currency}`;
}

export function many(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

// The account's time at this moment, which a frozen clock keeps where it is.
export function accountNow(known) {
  if (!known) return Date.now();
  const began = Date.parse(known.now);
  return known.frozen ? began : began + (performance.now() - known.at);
}
