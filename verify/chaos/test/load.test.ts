// Load: its state before the first connection. Chaos runs test the rest.

import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Load } from "../load.ts";

describe("Load", () => {
  it("has not joined its rooms while its clients wait for their tokens", () => {
    const dir = mkdtempSync(join(tmpdir(), "parley-load-"));
    const load = new Load({
      seed: 1,
      endpoints: [{ name: "gateway", url: "ws://127.0.0.1:1/v1/ws" }],
      rooms: 2,
      perRoom: 1,
      roomsPerClient: 1,
      rate: 1,
      file: join(dir, "records.jsonl"),
    });
    try {
      void load.open(() => new Promise(() => undefined));
      expect(load.state().isJoined).to.equal(false);
    } finally {
      load.end();
      rmSync(dir, { recursive: true });
    }
  });
});
