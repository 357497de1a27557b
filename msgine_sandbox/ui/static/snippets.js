// The same call in five languages, and a message as the test that sends it.
import { BASE } from "./calls.js";

// Magic recipients that never arrive by themselves, or only after an hour.
const NEVER = /^\+25670000000[34]$|\b(stuck|unconfirmed)\b/;
const SLOW = /^\+256700000005$|\bslow\b/;
const LANGUAGES = { curl, JavaScript: javascript, Python: python, PHP: php, Ruby: ruby };

export const NAMES = Object.keys(LANGUAGES);

export function snippet(language, call) {
  return LANGUAGES[language]({ ...call, url: location.origin + BASE + call.path });
}

export function curlOf(message) {
  return snippet("curl", callOf(message, "YOUR_TOKEN"));
}

export function pytestOf(message) {
  const call = callOf(message, "");
  const [first] = message.recipients;
  const about = `to=${literal(first.to)}, channel=${literal(message.channel)}`;
  return `import httpx


def test_a_message_like_${message.id}(msgine):
    httpx.post(
        f"{msgine.base_url}${call.path}",
        headers={"Authorization": f"Bearer {msgine.token}"},
        json=${literal(JSON.parse(call.body), "        ")},
    ).raise_for_status()
    message = msgine.wait_for_message(${about})
${ended(message)}`;
}

// How the same end comes about: by the clock, or by a hand; who is still on the way has none.
function ended({ status, message, recipients }) {
  if (status !== "delivered" && status !== "failed") return `    assert message.text == ${literal(message)}\n`;
  const byHand = recipients.some((each) => each.reason === "Failed by hand") ? "fail"
    : status === "delivered" && recipients.some((each) => NEVER.test(each.to)) ? "deliver" : null;
  if (byHand) return `    assert message.${byHand}().status == ${literal(status)}\n`;
  return `    msgine.clock.advance(${recipients.some((each) => SLOW.test(each.to)) ? "hours=1" : "seconds=3"})
    assert message.refresh().status == ${literal(status)}\n`;
}

// How a message can be sent that is like this one.
function callOf(message, token) {
  const { channel } = message;
  const many = (values) => (values.length === 1 ? values[0] : values);
  const fields = {
    sms: () => ({ to: many(message.to), message: message.message, from: message.from, callbackUrl: message.callbackUrl }),
    email: () => ({
      from: message.from, to: many(message.to), cc: message.cc, bcc: message.bcc, subject: message.subject,
      text: message.html === message.content ? null : message.message, html: message.html,
    }),
    push: () => ({ title: message.title, body: message.message, ...targets(message), data: message.data, imageUrl: message.imageUrl }),
  }[channel]();
  // A time that is over would be refused.
  const later = message.scheduledAt && Date.parse(message.scheduledAt) > Date.now();
  if (later) fields.scheduledFor = message.scheduledAt;
  const given = Object.entries(fields).filter(([, value]) => value != null && value.length !== 0 && (typeof value !== "object" || Object.keys(value).length));
  return {
    method: "POST",
    path: channel === "sms" && !later ? "/messages/sms" : `/developers/${channel}`,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries(given)),
  };
}

function targets({ topic, recipients }) {
  if (topic) return { topic };
  const all = recipients.map((each) => each.to);
  return {
    userIds: all.filter((each) => each.startsWith("user:")).map((each) => each.slice(5)),
    tokens: all.filter((each) => !each.startsWith("user:")),
  };
}

// Languages

function curl({ method, url, headers, body }) {
  const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = [`curl ${method === "GET" || (method === "POST" && body) ? "" : `-X ${method} `}${shell(url)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${shell(`${name}: ${value}`)}`);
  if (body) lines.push(`-d ${shell(body)}`);
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
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "Content-Type"));
  return `import requests

response = requests.request(
    ${literal(method)},
    ${literal(url)},
    headers=${literal(own, "    ")},${sent}
)
print(response.status_code, response.json())`;
}

function php({ method, url, headers, body }) {
  const text = (value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = Object.entries(headers).map(([name, value]) => `        ${text(`${name}: ${value}`)},`);
  const sent = body ? `\n    CURLOPT_POSTFIELDS => ${text(body)},` : "";
  return `<?php
$curl = curl_init(${text(url)});
curl_setopt_array($curl, [
    CURLOPT_CUSTOMREQUEST => ${text(method)},
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => [
${lines.join("\n")}
    ],${sent}
]);
$body = curl_exec($curl);
echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $body, PHP_EOL;`;
}

function ruby({ method, url, headers, body }) {
  const text = (value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const kind = method[0] + method.slice(1).toLowerCase();
  const lines = Object.entries(headers).map(([name, value]) => `request[${text(name)}] = ${text(value)}`);
  if (body) lines.push(`request.body = ${text(body)}`);
  return `require 'net/http'

uri = URI(${text(url)})
request = Net::HTTP::${kind}.new(uri)
${lines.join("\n")}
response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https') { |http| http.request(request) }
puts response.code, response.body`;
}

function indented(json, by) {
  return JSON.stringify(JSON.parse(json), null, 2).replaceAll("\n", `\n${by}`);
}

// A value as Python writes it.
function literal(value, by = "") {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map((each) => literal(each)).join(", ")}]`;
  if (typeof value === "object") {
    const lines = Object.entries(value).map(([name, each]) => `${by}    ${literal(name)}: ${literal(each, `${by}    `)},\n`);
    return lines.length ? `{\n${lines.join("")}${by}}` : "{}";
  }
  return typeof value === "string" ? JSON.stringify(value).replaceAll("\u007f", "\\x7f") : String(value);
}
