// `make tools`: finds or builds the programs that tests and clusters need beside npm packages.

import { ensureChromium } from "./chromium.ts";
import { ensureNatsServer } from "./nats-server.ts";
import { ToolMissing } from "./programs.ts";

try {
  const own = (process.env["NATS_URL"] ?? "") !== "";
  if (!own) await ensureNatsServer();
  if (process.argv.includes("--browser")) await ensureChromium();
} catch (error: unknown) {
  if (!(error instanceof ToolMissing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
