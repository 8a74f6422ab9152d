// Vite configuration: the build of the admin page. dist/ holds every file, without inline scripts,
// inline styles and data: assets, as the policy of the page demands.
//
// Does not own: the headers (shared/adapters/http-static.ts), the icons (client/web/public).

import { join } from "node:path";
import { preact } from "@preact/preset-vite";
import { defineConfig } from "vite";

const ROOT = import.meta.dirname;

export default defineConfig({
  root: ROOT,
  publicDir: join(ROOT, "../web/public"),
  plugins: [preact()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2024",
    // These browsers know `light-dark()` and nesting, so both stay untranslated.
    cssTarget: ["chrome123", "safari17.5", "firefox120"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // For development against a running cluster: `OPERATOR=1 make start`.
    proxy: { "/operator": { target: "http://localhost:8100" } },
  },
});
