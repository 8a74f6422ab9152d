import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { skipTest } from "#tools/test-run/skip.ts";
import { RegionNetwork } from "../region-network.ts";
import type { PlaceName } from "../region-network.ts";

const RTT_MS = 40;
const PORT = 7_007;
const ECHO = `
  require("node:net").createServer((socket) => socket.pipe(socket))
    .listen(${PORT}, process.argv[1], () => console.log("listens"))`;
/** Prints the milliseconds from a byte to its echo on a connection that exists, or "cut". */
const ASK = `
  const socket = require("node:net").connect(${PORT}, process.argv[1]);
  const cut = setTimeout(() => { console.log("cut"); process.exit(0); }, 1_000);
  let at = 0;
  socket.on("error", (error) => { console.log(error.code); process.exit(0); });
  socket.on("connect", () => { at = performance.now(); socket.write("x"); });
  socket.on("data", () => { console.log(performance.now() - at); process.exit(0); });`;

describe("Region network", function () {
  this.timeout(60_000);

  it("region-network.1, region-network.2: a cable delays and can be cut in one direction; nothing stays behind", async function () {
    const opening = await RegionNetwork.open(RTT_MS);
    if (opening.kind === "unavailable") skipTest(this, opening.reason);
    const { network } = opening;
    const start = (place: PlaceName, code: string, host: string) => {
      const [program = "", ...words] = network.place(place).runner;
      return spawn(program, [...words, process.execPath, "-e", code, host], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    };
    const { host } = network.place("west");
    const echo = start("west", ECHO, host);
    const ask = async (from: PlaceName): Promise<string> => {
      const child = start(from, ASK, host);
      const [answer] = (await once(child.stdout, "data")) as [Buffer];
      return answer.toString().trim();
    };
    try {
      await once(echo.stdout, "data");
      expect(Number(await ask("east"))).to.be.at.least(RTT_MS - 1);
      expect(Number(await ask("clients"))).to.be.below(10 * RTT_MS);
      expect((await RegionNetwork.open(0)).kind).to.equal("unavailable");
      for (const which of ["both", "out", "in"] as const) {
        await network.cut("west", which);
        expect(await ask("east"), which).to.equal("cut");
        await network.heal();
        expect(Number(await ask("east"))).to.be.at.least(RTT_MS - 1);
      }
      await network.cut("west", "peers");
      expect(await ask("east")).to.equal("cut");
      expect(Number(await ask("clients"))).to.be.above(0);
      await network.heal();
      await network.cut("witness", "both");
      expect(Number(await ask("east"))).to.be.at.least(RTT_MS - 1);
    } finally {
      echo.kill();
      network[Symbol.dispose]();
    }
    const left = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
    expect(left).not.to.contain("drill-");
  });
});
