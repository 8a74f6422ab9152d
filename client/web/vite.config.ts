// Vite configuration: the build of the web client. dist/ holds every file, without inline scripts,
// inline styles and data: assets, so that the gateway can serve it under `default-src 'self'`.

import { preact } from "@preact/preset-vite";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [preact()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2024",
    // These browsers know `light-dark()` and nesting, so both stay untranslated.
    cssTarget: ["chrome123", "safari17.5", "firefox120"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    // For development against a running cluster: `make start`, and `vite client/web` beside it.
    proxy: { "/v1": { target: "http://localhost:8080", ws: true } },
  },
});
