// Write page: writes the generated parts of docs/scale.md (page.ts). PUBLISH=1 runs it.

import { readFileSync, writeFileSync } from "node:fs";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { join } from "node:path";
import { renderInto } from "./page.ts";
import type { LargeRun } from "./page.ts";
import { LARGE_RUN } from "./page-file.ts";

const page = join(REPOSITORY, "docs/scale.md");
const text = readFileSync(join(import.meta.dirname, LARGE_RUN), "utf8");
writeFileSync(page, renderInto(readFileSync(page, "utf8"), JSON.parse(text) as LargeRun));
