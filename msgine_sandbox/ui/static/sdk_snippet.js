// A request as a call of the official TypeScript SDK: version 1.0 for the Messages API, and 2.0 for
// the Developers API. Where it cannot send a field, the code says so.
import { BASE_PATH } from "./api.js";

const DEVICE_CALLS = { POST: "push.registerDevice", DELETE: "push.removeDevice" };

export function sdkSnippet({ method, path, headers, body }) {
  const [plain, query] = path.split("?");
  const [, api, first, second] = plain.split("/");
  const isOld = api === "messages";
  const name = isOld ? method === "POST" && "sendSms" : callOf(method, first, second);
  if (!name) return "// The SDK has no such call.";
  const values = body ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(query));
  const isLeft = (field) => (isOld ? !["to", "message"].includes(field) : field === "callbackUrl");
  const entries = Object.entries(values).filter(([field]) => !isLeft(field)).map(typed);
  const left = Object.keys(values).filter(isLeft);
  if (headers["Idempotency-Key"]) left.push("Idempotency-Key");
  const options = Object.fromEntries(entries);
  // Version 1.0 sends to one recipient at a time.
  const calls = [options.to].flat().map((to) => (to ? { ...options, to } : options));
  const key = headers["X-Api-Key"] ?? headers.Authorization.slice("Bearer ".length);
  const config = { [isOld ? "apiToken" : "apiKey"]: key, baseUrl: location.origin + BASE_PATH };
  return `import { MsGineClient } from "@msgine/sdk"; // ${isOld ? "1.0" : "2.0"}

const client = new MsGineClient(${code(config)});
${left.length ? `// It cannot send ${left.join(", ")}.\n` : ""}${calls.map((one) =>
    `console.log(await client.${name}(${code(name === "messages.get" ? first : one)}));`,
  ).join("\n")}`;
}

function callOf(method, first, second) {
  if (second === "device") return DEVICE_CALLS[method];
  if (method === "POST") return `${first}.send`;
  return second ? `${first}.${second}` : "messages.get";
}

const NUMBERS = ["page", "limit", "days"];
const typed = ([field, text]) => [field, NUMBERS.includes(field) ? Number(text) : text];
const code = (value) => JSON.stringify(value, null, 2);
