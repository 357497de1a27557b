// JSON laid out as it was sent: every number and every name stays as it is.

export function laidOut(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return text.replace(PARTS, (part, empty, open, close, comma, colon) => {
    if (empty) return empty.replace(/\s/g, "");
    if (open) return open + (depth++, line());
    if (close) return (depth--, line()) + close;
    if (comma) return comma + line();
    if (colon) return ": ";
    return part.trim();
  });
}

const PARTS = /"(?:[^"\\]|\\.)*"|(\{\s*\}|\[\s*\])|([{[])|([}\]])|(,)|(:)|\s+|[^\s{}[\],:"]+/g;
