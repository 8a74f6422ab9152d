// Generated files: they equal what their generators write now. `WRITE=1` writes them instead.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { httpApiOf } from "#tools/sdk/http-api.ts";
import { writePages } from "#tools/sdk/pages.ts";
import { openHttpFixture } from "../../../services/gateway/test/http-fixture.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HTTP_API = join(ROOT, "client/sdk/server/http-api.generated.ts");
/** The committed description, from which the documentation site makes a page. */
const OPENAPI = join(ROOT, "docs/openapi.json");
const ASYNCAPI = join(ROOT, "docs/asyncapi.json");
const PAGES = join(ROOT, "docs/sdk");
const isWriting = process.env["WRITE"] === "1";
const REMEDY = "run `make sdk-files` and commit the result";

describe("Generated files of the SDK", function () {
  this.timeout(10 * 60_000);

  it("docs/sdk equals what TypeDoc writes from the docstrings", async () => {
    const folder = isWriting ? PAGES : await mkdtemp(join(tmpdir(), "parley-sdk-pages-"));
    try {
      await writePages(folder);
      expect(await textsOf(PAGES), REMEDY).to.deep.equal(await textsOf(folder));
    } finally {
      if (!isWriting) await rm(folder, { recursive: true, force: true });
    }
  });

  it("the types of the HTTP API and docs/openapi.json equal the description that a gateway serves", async () => {
    await using fixture = await openHttpFixture();
    const document = await (await fixture.ask("/openapi.json")).text();
    const types = await httpApiOf(document);
    if (isWriting) await writeFile(HTTP_API, types);
    const pretty = indented(document);
    if (isWriting) await writeFile(OPENAPI, pretty);
    expect(await readFile(OPENAPI, "utf8"), REMEDY).to.equal(pretty);
    expect(await readFile(HTTP_API, "utf8"), REMEDY).to.equal(types);
  });

  it("DS1: docs/asyncapi.json equals the description that a gateway serves", async () => {
    await using fixture = await openHttpFixture();
    const document = indented(await (await fixture.ask("/asyncapi.json")).text());
    if (isWriting) await writeFile(ASYNCAPI, document);
    expect(await readFile(ASYNCAPI, "utf8"), REMEDY).to.equal(document);
  });
});

function indented(json: string): string {
  return `${JSON.stringify(JSON.parse(json), undefined, 2)}\n`;
}

async function textsOf(folder: string): Promise<Record<string, string>> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(".md"));
  const texts = paths.map(async (path) => [path, await readFile(join(folder, path), "utf8")]);
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}
