// The operations of the public API, as forms: their fields, and the request made from their values.

const PRINTABLE = /^[\x21-\x7e]*$/;

const field = (name, hint = "", initial = "") => ({ name, hint, initial });

const COMMAS = "one or more, separated by commas";
const SMS = [
  field("to", COMMAS, "+256701234567"),
  field("message", "the text", "Hello from MsGine!"),
  field("from", "sender ID"),
  field("callbackUrl", "URL for the webhooks of this message"),
];
const SENDING = [
  field("scheduledFor", "ISO 8601 with Z"),
  field("idempotencyKey", "at most 64 characters"),
];
const EMAIL = [
  field("from", "address, or Name <address>", "Shop <shop@example.com>"),
  field("to", COMMAS, "jane@example.com"),
  field("cc"),
  field("bcc"),
  field("subject", "", "Your order"),
  field("text", "", "It is on its way"),
  field("html"),
];
const PUSH = [
  field("title", "", "Your order"),
  field("body", "", "It is on its way"),
  field("userIds", `${COMMAS}; without a target, the devices`, "user-1042"),
  field("topic", "if given, userIds are ignored"),
  field("data", "JSON object of strings"),
  field("imageUrl"),
];
const PAGE = [field("page", "from 1"), field("limit", "at most 100")];
const DEVICE = [field("token", "", "token-of-a-phone")];
const PLATFORM = field("platform", "android, ios or web", "android");
const DATES = [field("from", "a date"), field("to", "a date")];
const ID = [field("id", "msg_…, or a UUID")];

const operation = (name, method, path, fields) => ({ name, method, path, fields });

export const OPERATIONS = {
  sms: operation("Send an SMS", "POST", "/messages/sms", SMS),
  messages: operation("List messages", "GET", "/messages", PAGE),
  message: operation("Read a message", "GET", "/messages/{id}", ID),
  developerSms: operation(
    "Send an SMS (Developers API)", "POST", "/developers/sms", [...SMS, ...SENDING],
  ),
  email: operation("Send an email", "POST", "/developers/email", [...EMAIL, ...SENDING]),
  push: operation("Send a push", "POST", "/developers/push", [...PUSH, ...SENDING]),
  device: operation("Register a device", "POST", "/developers/push/device", [...DEVICE, PLATFORM]),
  removal: operation("Remove a device", "DELETE", "/developers/push/device", DEVICE),
  smsHistory: operation("SMS history", "GET", "/developers/sms/history", PAGE),
  emailHistory: operation("Email history", "GET", "/developers/email/history", PAGE),
  pushHistory: operation("Push history", "GET", "/developers/push/history", PAGE),
  any: operation("Read any message (Developers API)", "GET", "/developers/{id}", ID),
  overview: operation("Analytics overview", "GET", "/developers/analytics/overview", DATES),
  daily: operation(
    "Analytics by day", "GET", "/developers/analytics/daily", [field("days", "1 to 90")],
  ),
};

// The field that a magic recipient goes into, and the member of GET /_sandbox/magic that it is.
export const MAGIC_FIELDS = {
  sms: ["to", "number"],
  developerSms: ["to", "number"],
  email: ["to", "address"],
  push: ["userIds", "token"],
};

export function initialValues(id) {
  return Object.fromEntries(OPERATIONS[id].fields.map(({ name, initial }) => [name, initial]));
}

// Return the request of an operation, or the problem because of which it cannot be sent. Empty
// fields are left out.
export function buildRequest(id, values, token, idempotencyKey) {
  const { method, path, fields } = OPERATIONS[id];
  if (!PRINTABLE.test(token + idempotencyKey)) {
    return { problem: "Token and Idempotency-Key must be printable ASCII without spaces" };
  }
  const given = fields.map(({ name }) => [name, values[name] ?? ""]).filter(([, value]) => value);
  const headers = credential(path, token);
  if (method !== "GET") headers["Content-Type"] = "application/json";
  if (method === "POST" && idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  try {
    if (method === "GET") {
      return { request: { method, headers, path: fillPath(path, values.id, given) } };
    }
    const body = given.map(([name, value]) => [name, bodyValue(id, name, value)]);
    return { request: { method, headers, path, body: JSON.stringify(Object.fromEntries(body)) } };
  } catch (error) {
    return { problem: error.message };
  }
}

// The SDKs of the two APIs send the credential in different headers.
function credential(path, token) {
  const isDevelopersApi = path.startsWith("/developers");
  return isDevelopersApi ? { "X-Api-Key": token } : { Authorization: `Bearer ${token}` };
}

function fillPath(path, id, given) {
  if (path.includes("{id}")) {
    if (!/^[\w-]+$/.test(id?.trim() ?? "")) {
      throw new Error("An id has letters, digits, _ and -, such as msg_018f3a5b00c1d2e3");
    }
    return path.replace("{id}", id.trim());
  }
  const query = new URLSearchParams(given);
  return path + (query.size ? `?${query}` : "");
}

function bodyValue(id, name, value) {
  if (name === "data") return parseData(value);
  const parts = value.split(",").map((part) => part.trim());
  if (name === "userIds") return parts;
  // The Messages API takes several recipients as an array, the Developers API as one string.
  return id === "sms" && name === "to" && parts.length > 1 ? parts : value;
}

function parseData(value) {
  try {
    return JSON.parse(value);
  } catch {
    throw new Error('data must be JSON, such as {"order": "1042"}');
  }
}
