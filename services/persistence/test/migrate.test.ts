// Migrations during an upgrade: several processes at once, and a rollback to an older version.

import { expect } from "chai";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate, SchemaError } from "../adapters/migrate.ts";

const FOLDER = new URL("../migrations/", import.meta.url);

describe("Migrations", function () {
  this.timeout(60_000);

  it("migrate.1, migrate.2: processes that start together apply each file once, and an older version runs with the newer schema", async () => {
    await using server = await launchPostgres();
    const { url } = server;
    const names = (await readdir(FOLDER)).sort();
    const applied = await Promise.all([1, 2, 3].map(() => migrate({ url })));
    expect(applied.flat().sort()).to.deep.equal(names);

    const older = await mkdtemp(join(tmpdir(), "parley-migrations-"));
    const folder = pathToFileURL(`${older}/`);
    const [first = ""] = names;
    await cp(new URL(first, FOLDER), join(older, first));
    expect(await migrate({ url, folder })).to.deep.equal([]);
    const store = new PostgresArchive({ url });
    expect(await store.watermark(0)).to.include({ kind: "ok" });
    await store.close();

    await writeFile(join(older, first), "select 1;");
    let message = "";
    await migrate({ url, folder }).catch((error: unknown) => (message = String(error)));
    expect(message).to.contain("was edited after it ran");
    await rm(older, { recursive: true });
  });

  it("migrate.1: no two files have the same number, so that their order is the same everywhere", async () => {
    const numbers = (await readdir(FOLDER)).map((name) => name.slice(0, 3));
    expect(new Set(numbers).size).to.equal(numbers.length);
  });

  it("migrate.4: a standby is not changed, and one with an older schema is refused", async () => {
    await using server = await launchPostgres({ embedded: true });
    const { url } = server;
    await migrate({ url });
    await writeFile(join(server.dir, "standby.signal"), "");
    await server.restart();
    const serving = { name: "parley_serving", password: "secret" };
    expect(await migrate({ url, serving })).to.deep.equal([]);

    const newer = await mkdtemp(join(tmpdir(), "parley-migrations-"));
    await cp(FOLDER, newer, { recursive: true });
    await writeFile(join(newer, "999-newer.sql"), "select 1;");
    const folder = pathToFileURL(`${newer}/`);
    const refused = await migrate({ url, folder, serving }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(SchemaError);
    expect(String(refused)).to.contain("upgrade the region that serves first");
    await rm(newer, { recursive: true });
  });
});
