import { expect } from "chai";
import { ensureDebianPrograms } from "../debian.ts";
import { ToolMissing } from "../programs.ts";

const quiet = (): void => undefined;

describe("ensureDebianPrograms", () => {
  it("returns the path of each program, also of one that is named by its path", async () => {
    const found = await ensureDebianPrograms({ sh: "dash", "/bin/sh": "dash" }, quiet);
    expect(found.sh).to.match(/\/sh$/);
    expect(found["/bin/sh"]).to.equal("/bin/sh");
  });

  it("debian.1: without apt-get, one error names all missing packages", async () => {
    const wanted = { "parley-no-such": "package-one", "/parley/no-such": "package-two" };
    const refused = await ensureDebianPrograms(wanted, quiet, "/parley").catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(ToolMissing);
    expect(String(refused)).to.include("apt-get install package-one package-two");
  });
});
