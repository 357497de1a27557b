// A request of the journal in the playground: the address that opens it there, and its form filled.
import { callControlApi } from "./api.js";
import { OPERATIONS } from "./operations.js";
import { useEffect } from "./preact.js";
import { store } from "./store.js";

// Return null where the playground has no such call.
export function addressOfRequest({ id, method, path }) {
  const call = operationOf(method, path);
  return call && `#/playground?call=${call}&request=${id}`;
}

// Call `fill` with the operation, values, token and idempotency key of the request that the address
// names, if it does.
export function useAddressedRequest(parameters, fill) {
  const call = parameters.get("call");
  const id = parameters.get("request");
  useEffect(() => {
    if (!id || !Object.hasOwn(OPERATIONS, call ?? "")) return;
    callControlApi("GET", `/requests/${encodeURIComponent(id)}`).then(
      (entry) => fill({ call, ...formOf(call, entry) }),
      () => store.notify("This request is no longer in the journal", true),
    );
  }, [call, id]);
}

function operationOf(method, path) {
  const found = Object.entries(OPERATIONS).filter(
    ([, operation]) => operation.method === method && patternOf(operation.path).test(path),
  );
  // A fixed path goes before one with an id, which fits it as well.
  return found.sort(([, a], [, b]) => a.path.includes("{") - b.path.includes("{"))[0]?.[0] ?? null;
}

function patternOf(path) {
  return new RegExp(`^/api/v1${path.replace("{id}", "([\\w-]+)")}$`);
}

function formOf(call, { path, query, request }) {
  const { headers } = request;
  const given = OPERATIONS[call].method === "GET" ? Object.fromEntries(new URLSearchParams(query))
    : parsed(request.body);
  const [, id] = patternOf(OPERATIONS[call].path).exec(path) ?? [];
  const known = OPERATIONS[call].fields.map(({ name }) => name);
  const missing = Object.keys(given).filter((name) => !known.includes(name));
  if (missing.length) store.notify(`The form has no field for ${missing.join(", ")}`, true);
  const values = Object.fromEntries(known.map((name) => [name, textOf(given[name] ?? "")]));
  return {
    values: id ? { ...values, id } : values,
    // Only tokens for tests are not masked.
    token: /(?:^|\s)(test_\S+)$/.exec(headers.authorization ?? headers["x-api-key"] ?? "")?.[1],
    key: headers["idempotency-key"],
  };
}

function parsed(body) {
  try {
    return Object(JSON.parse(body));
  } catch {
    store.notify("The body of this request is not JSON, or not kept in full", true);
    return {};
  }
}

function textOf(value) {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
