// Checkout: which names it accepts, and what it says about the others.

import { basename } from "node:path";
import { expect } from "chai";
import { checkOut, MissingVersion, REPOSITORY } from "../checkout.ts";

const quiet = (): void => undefined;

describe("Checkout", () => {
  it("checkout.1: a folder with a package-lock.json is a version, by its name", async () => {
    const found = await checkOut(REPOSITORY, quiet);
    expect(found.version).to.equal(basename(REPOSITORY));
    expect(found.folder).to.satisfy((folder: string) => REPOSITORY.startsWith(folder));
  });

  it("checkout.1: a name that the history lacks is a MissingVersion with the reason", async () => {
    for (const name of ["v0.0.0-none", "", "--help", "/nowhere"]) {
      const failed = await checkOut(name, quiet).catch((error: unknown) => error);
      expect(failed, name).to.be.instanceOf(MissingVersion);
      expect((failed as Error).message).to.contain("history");
    }
  });
});
