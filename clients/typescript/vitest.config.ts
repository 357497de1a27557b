import { defineConfig } from "vitest/config";

// Milliseconds that only a hang takes, however slow the machine is.
const limit = 60_000;
export default defineConfig({
  test: { include: ["demo/**/*.test.ts"], testTimeout: limit, hookTimeout: limit },
});
