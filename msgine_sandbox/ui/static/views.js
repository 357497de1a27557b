// The views, by the first part of the route: their names and their components.
import { Inbox } from "./inbox.js";
import { lazy } from "./lazy.js";

export const VIEWS = {
  inbox: ["Inbox", Inbox],
  requests: ["Requests", lazy(() => import("./requests.js"), "Requests")],
  webhooks: ["Webhooks", lazy(() => import("./webhooks.js"), "Webhooks")],
  controls: ["Controls", lazy(() => import("./controls.js"), "Controls")],
  playground: ["Playground", lazy(() => import("./playground.js"), "Playground")],
  coverage: ["Coverage", lazy(() => import("./coverage.js"), "Coverage")],
};
