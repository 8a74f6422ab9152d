// Migrate: a job that brings the schema forward as its owner, gives the serving role its rights, and
// ends. Idempotent. Wiring only; adapters/migrate.ts and adapters/serving-role.ts do the work.
//
// With it the processes that serve need no password that may change the schema (X6). Without it, and
// with one role for all, persistence brings the schema forward when it starts.

import { configOrEnd, giveUp } from "#shared/process/give-up.ts";
import { createLogger } from "#shared/process/logger.ts";
import { migrate } from "./adapters/migrate.ts";
import { databaseUrl, migrateConfigSchema } from "./config.ts";

const logger = createLogger({ name: "migrate" });
const config = configOrEnd(migrateConfigSchema, logger);
const { DATABASE_SERVING_ROLE: name, DATABASE_SERVING_PASSWORD_FILE: password } = config;
const serving = name === undefined ? undefined : { name, password };
const applied = await migrate({ url: databaseUrl(config), serving }).catch((error: unknown) =>
  giveUp(logger, "the schema is not brought forward", {}, error),
);
logger.info({ applied, serving: name }, "the schema is that of this version");
