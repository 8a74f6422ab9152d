// Migrate: a job that migrates the schema as the schema's owner, grants the serving role its
// rights, and exits. It is idempotent. Wiring only: adapters/migrate.ts and
// adapters/serving-role.ts do the work.
//
// With this job, the processes that serve hold no password that may change the schema (X6). Without
// it, and with one role for everything, persistence migrates the schema when it starts.

import { systemClock } from "#shared/adapters/clock-system.ts";
import { startJob } from "#shared/process/bootstrap.ts";
import { databaseUrls } from "#shared/process/database-config.ts";
import { migrate } from "./adapters/migrate.ts";
import { PrimaryWatch } from "./adapters/primary-watch.ts";
import { migrateConfigSchema } from "./config.ts";

const job = startJob("migrate", migrateConfigSchema);
const { DATABASE_SERVING_ROLE: name, DATABASE_SERVING_PASSWORD_FILE: password } = job.config;
const serving = name === undefined ? undefined : { name, password };
const { DATABASE_WEBHOOKS_ROLE: sender, DATABASE_WEBHOOKS_PASSWORD_FILE: secret } = job.config;
const webhooks = sender === undefined ? undefined : { name: sender, password: secret };
const urls = databaseUrls(job.config);
const primary = new PrimaryWatch({ urls, clock: systemClock, onMoved: () => {} });
const applied = await job.orExit(
  primary
    .find()
    .then((url) => migrate({ url, serving, webhooks }))
    .finally(() => primary.stop()),
  "the schema could not be migrated",
);
job.logger.info({ applied, serving: name, webhooks: sender }, "the schema is up to date");
