// The web client's build. Everything it needs is in dist/: no inline script, style or data: asset,
// so that the gateway can serve it under `default-src 'self'`.

import { preact } from "@preact/preset-vite";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [preact()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2024",
    // `light-dark()` and nesting stay as they are written.
    cssTarget: ["chrome123", "safari17.5", "firefox120"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    // Developing against a running cluster: `make start` beside `vite client/web`.
    proxy: { "/v1": { target: "http://localhost:8080", ws: true } },
  },
});
