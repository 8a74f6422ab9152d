// The archive contract on a real PostgreSQL, and what only a database server can do to us.

import { Client } from "pg";
import { archiveContract } from "#shared/testing/archive.contract.ts";
import type { ArchiveUnderTest } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";

describe("ArchiveStore on PostgreSQL", () => {
  let server: PostgresServer;
  let admin: Client;

  before(async function () {
    this.timeout(60_000);
    server = await launchPostgres();
    admin = new Client({ connectionString: server.url });
    await admin.connect();
  });

  after(async () => {
    await admin.end();
    await server.stop();
  });

  beforeEach(async () => {
    await admin.query("drop schema public cascade");
    await admin.query("create schema public");
    await migrate({ url: server.url });
  });

  archiveContract("PostgreSQL", () => {
    const store = new PostgresArchive({ url: server.url });
    const other = new PostgresArchive({ url: server.url, replicaUrl: server.url });
    return Promise.resolve<ArchiveUnderTest>({
      store,
      other,
      refuse: async (sender) => {
        const name = admin.escapeLiteral(sender);
        await admin.query(`alter table events add check (sender <> ${name})`);
      },
      quarantine: async () => {
        const { rows } = await admin.query<{
          room: string;
          seq: string | null;
          line: string;
          reason: string;
        }>("select * from quarantine order by n");
        return rows.map(({ seq, ...row }) => ({
          ...row,
          ...(seq !== null && { seq: Number(seq) }),
        }));
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all([store.close(), other.close()]);
      },
    });
  });
});
