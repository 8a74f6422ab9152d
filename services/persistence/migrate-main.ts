// Migrate: a job that migrates the schema as the schema's owner, grants the serving role its
// rights, and exits. It is idempotent. Wiring only: adapters/migrate.ts and
// adapters/serving-role.ts do the work.
//
// With this job, the processes that serve hold no password that may change the schema (X6). Without
// it, and with one role for everything, persistence migrates the schema when it starts.

import { startJob } from "#shared/process/bootstrap.ts";
import { migrate } from "./adapters/migrate.ts";
import { databaseUrl, migrateConfigSchema } from "./config.ts";

const job = startJob("migrate", migrateConfigSchema);
const { DATABASE_SERVING_ROLE: name, DATABASE_SERVING_PASSWORD_FILE: password } = job.config;
const serving = name === undefined ? undefined : { name, password };
const applied = await job.orExit(
  migrate({ url: databaseUrl(job.config), serving }),
  "the schema could not be migrated",
);
job.logger.info({ applied, serving: name }, "the schema is up to date");
