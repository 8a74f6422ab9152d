// Main: `make docs`. BASE=/path/ for a site that is not at the root of its server.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSite } from "./site.ts";

const folder = fileURLToPath(new URL("../../.parley/docs", import.meta.url));
const site = await buildSite({ folder, base: process.env["BASE"] ?? "/" });
console.log(`the site is complete: ${join(site, "index.html")}`);
