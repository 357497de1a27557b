// Requests to the control API and to the public API.
import { controlToken } from "./browser_storage.js";
import { formatJson } from "./format.js";
import { ROOT } from "./root.js";

export const BASE_PATH = `${ROOT}/api/v1`;

// An error response of the control API.
class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? {};
  }
}

// An account is named by its id, because the page only has its masked token.
function controlHeaders(account) {
  const headers = {};
  if (account) headers["X-Sandbox-Account"] = account.id;
  const token = controlToken.get();
  if (token) headers["X-Control-Token"] = token;
  return headers;
}

export async function callControlApi(method, path, { account = null, body } = {}) {
  const headers = controlHeaders(account);
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(`${ROOT}/_sandbox${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
  });
  const content = await response.json();
  if (!response.ok) throw new ApiError(response.status, content.error);
  return content;
}

// Send a request as a client would; error responses are returned like any other.
export async function sendRequest({ method, path, headers, body }) {
  const startedAt = performance.now();
  const response = await fetch(BASE_PATH + path, { method, headers, body, cache: "no-store" });
  const text = await response.text();
  return {
    status: response.status,
    headers: [...response.headers],
    body: formatJson(text),
    milliseconds: performance.now() - startedAt,
  };
}
