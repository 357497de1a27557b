// Code to copy: a request in five languages and with the SDK, and a message as a command.
import { BASE_PATH } from "./api.js";
import { sdkSnippet } from "./sdk_snippet.js";

const WRITERS = {
  curl, JavaScript: javascript, Python: python, PHP: php, Ruby: ruby, "TypeScript SDK": sdkSnippet,
};

export const LANGUAGES = Object.keys(WRITERS);

export function requestSnippet(language, request) {
  return WRITERS[language]({ ...request, url: location.origin + BASE_PATH + request.path });
}

// Requests of the journal

// Headers that curl sets by itself, or that only belong to the connection of that time.
const OWN_HEADERS = new Set([
  "accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding",
  "user-agent",
]);

// Return a request of the journal as a command; what is masked in it has to be inserted.
export function entryAsCurl({ method, path, query, request: { headers, body } }) {
  const own = Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name));
  const sent = own.map(([name, value]) => [name, value.replace(/\S*…\S*/, "YOUR_TOKEN")]);
  // Without a type, curl would send that of a form.
  if (body && !headers["content-type"]) sent.push(["Content-Type", ""]);
  const target = encodeURI(path.replace("/api/v1", "")) + (query && `?${query}`);
  return requestSnippet("curl", {
    method,
    headers: Object.fromEntries(sent),
    body,
    path: target.replace(/[[\]{}]/g, encodeURIComponent), // which curl would expand
  });
}

// Messages

// Whether the page knows which request sends messages of this channel.
export function isCopyable({ channel }) {
  return Object.hasOwn(FIELDS, channel);
}

// Of tokens that are not for tests the page only has the masked form: they have to be inserted.
export function messageAsCurl(message) {
  return requestSnippet("curl", requestOf(message, /^test_[^…]+$/.exec(message.account) ?? "YOUR_TOKEN"));
}

// Return a request that sends a message like this one.
export function requestOf(message, token) {
  const { channel, scheduledAt } = message;
  const fields = FIELDS[channel](message);
  // A time that has passed would be refused.
  const isLater = scheduledAt && Date.parse(scheduledAt) > Date.now();
  if (isLater) fields.scheduledFor = scheduledAt;
  const given = Object.entries(fields).filter(([, value]) => !isEmpty(value));
  return {
    method: "POST",
    // Only the Developers API has scheduled SMS.
    path: channel === "sms" && !isLater ? "/messages/sms" : `/developers/${channel}`,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries(given)),
  };
}

const FIELDS = {
  sms: ({ to, message, from, callbackUrl }) => ({ to: oneOrAll(to), message, from, callbackUrl }),
  email: ({ from, to, cc, bcc, subject, message, html, content }) => ({
    from, to: oneOrAll(to), cc, bcc, subject, text: html === content ? null : message, html,
  }),
  push: (message) => ({
    title: message.title, body: message.message, ...pushTargets(message),
    data: message.data, imageUrl: message.imageUrl,
  }),
};

function oneOrAll(values) {
  return values.length === 1 ? values[0] : values;
}

function isEmpty(value) {
  return value == null || value.length === 0
    || (typeof value === "object" && Object.keys(value).length === 0);
}

// A push to a user is a recipient such as user:1042. One without a target stays without, because
// MsGine knows no tokens.
function pushTargets({ ownDevices, topic, recipients }) {
  if (ownDevices) return {};
  if (topic) return { topic };
  const targets = recipients.map(({ to }) => to);
  return {
    userIds: targets.filter((to) => to.startsWith("user:")).map((to) => to.slice("user:".length)),
    tokens: targets.filter((to) => !to.startsWith("user:")),
  };
}

// Languages

function curl({ method, url, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  // Without -X, curl sends a GET, and with -d a POST.
  const isDefault = method === (body ? "POST" : "GET");
  const lines = [`curl ${isDefault ? "" : `-X ${method} `}${quoted(url)}`];
  for (const [name, value] of Object.entries(headers)) {
    lines.push(`-H ${quoted(`${name}: ${value}`.trim())}`);
  }
  if (body) lines.push(`${body.startsWith("@") ? "--data-raw" : "-d"} ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

function javascript({ method, url, headers, body }) {
  const sent = body ? `\n  body: JSON.stringify(${indented(body, "  ")}),` : "";
  return `const response = await fetch(${JSON.stringify(url)}, {
  method: ${JSON.stringify(method)},
  headers: ${indented(JSON.stringify(headers), "  ")},${sent}
});
console.log(response.status, await response.json());`;
}

function python({ method, url, headers, body }) {
  const sent = body ? `\n    json=${literal(JSON.parse(body), "    ")},` : "";
  const { "Content-Type": contentType, ...others } = headers; // which json= sets by itself
  return `import requests

response = requests.request(
    ${literal(method)},
    ${literal(url)},
    headers=${literal(others, "    ")},${sent}
)
print(response.status_code, response.json())`;
}

function php({ method, url, headers, body }) {
  const quoted = (value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = Object.entries(headers).map(
    ([name, value]) => `        ${quoted(`${name}: ${value}`)},`,
  );
  const sent = body ? `\n    CURLOPT_POSTFIELDS => ${quoted(body)},` : "";
  return `<?php
$curl = curl_init(${quoted(url)});
curl_setopt_array($curl, [
    CURLOPT_CUSTOMREQUEST => ${quoted(method)},
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => [
${lines.join("\n")}
    ],${sent}
]);
$body = curl_exec($curl);
echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $body, PHP_EOL;`;
}

function ruby({ method, url, headers, body }) {
  const quoted = (value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const className = method[0] + method.slice(1).toLowerCase();
  const lines = Object.entries(headers).map(
    ([name, value]) => `request[${quoted(name)}] = ${quoted(value)}`,
  );
  if (body) lines.push(`request.body = ${quoted(body)}`);
  return `require 'net/http'

uri = URI(${quoted(url)})
request = Net::HTTP::${className}.new(uri)
${lines.join("\n")}
response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https') do |http|
  http.request(request)
end
puts response.code, response.body`;
}

// JSON with an indent before every line but the first.
function indented(json, indent) {
  return JSON.stringify(JSON.parse(json), null, 2).replaceAll("\n", `\n${indent}`);
}

// A value as a Python literal, with an indent before every line but the first.
export function literal(value, indent = "") {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map((item) => literal(item)).join(", ")}]`;
  if (typeof value === "object") {
    const inner = `${indent}    `;
    const lines = Object.entries(value).map(
      ([name, member]) => `${inner}${literal(name)}: ${literal(member, inner)},\n`,
    );
    return lines.length ? `{\n${lines.join("")}${indent}}` : "{}";
  }
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value).replaceAll("\u007f", "\\x7f"); // DEL would be invisible
}
