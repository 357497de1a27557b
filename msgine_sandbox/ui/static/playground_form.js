// What is filled into the forms of the playground, by this view or by another that leads to it. It
// is kept until the tab is closed.
import { playgroundForm } from "./browser_storage.js";
import { initialValues } from "./operations.js";
import { addressOf } from "./route.js";

const EMPTY = { call: "sms", values: {}, tokens: {}, key: "" };

// The call, the values of each call's fields, the tokens by the id of the chosen account, and the
// Idempotency-Key.
export function readForm() {
  return { ...EMPTY, ...playgroundForm.get() };
}

export function changeForm(change) {
  const form = { ...readForm(), ...change };
  playgroundForm.set(form);
  return form;
}

export function valuesOf(form, call) {
  return form.values[call] ?? initialValues(call);
}

export function withValues(form, call, values) {
  return { ...form.values, [call]: values };
}

export function playgroundAddress(call) {
  return addressOf("playground", null, new URLSearchParams({ call }));
}

// Fill the form of a call, other fields with what they have at first, and show it.
export function openPlayground(call, values, key = "") {
  const filled = { ...initialValues(call), ...values };
  changeForm({ call, key, values: withValues(readForm(), call, filled) });
  location.hash = playgroundAddress(call);
}
