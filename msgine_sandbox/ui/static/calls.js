// Calls to the control API and to the public one. An account is named by its id, because the page
// does not know its token.

import { laidOut } from "./json.js";

export const BASE = "/api/v1";

const CONTROL_TOKEN = "msgine-control-token";

export class Refusal extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? {};
  }
}

export function controlHeaders(account) {
  const headers = {};
  if (account) headers["X-Sandbox-Account"] = account.id;
  const token = sessionStorage.getItem(CONTROL_TOKEN);
  if (token) headers["X-Control-Token"] = token;
  return headers;
}

export function rememberControlToken(token) {
  sessionStorage.setItem(CONTROL_TOKEN, token);
}

export async function control(method, path, { account = null, body } = {}) {
  const headers = controlHeaders(account);
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/_sandbox${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store",
  });
  const content = await answer.json();
  if (!answer.ok) throw new Refusal(answer.status, content.error);
  return content;
}

// A call as a client would make it; the answer with all that came, whatever it was.
export async function ask({ method, path, headers, body }) {
  const began = performance.now();
  const answer = await fetch(BASE + path, { method, headers, body, cache: "no-store" });
  const text = await answer.text();
  return {
    status: answer.status,
    phrase: answer.statusText,
    headers: [...answer.headers],
    body: laidOut(text),
    milliseconds: performance.now() - began,
  };
}
