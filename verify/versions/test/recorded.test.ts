// Messages of other versions: those of an older one, recorded in files, and those of a newer one,
// made from ours.

import { expect } from "chai";
import { isObject, parseObject } from "#shared/kit/json.ts";
import { targets } from "../../fuzz/targets.ts";
import { OLDEST } from "../checkout.ts";
import { readRecorded } from "../recorded.ts";

/** The header of an `out` message is not JSON, like a token or a cursor: no further fields (N6). */
const WITHOUT_FIELDS = new Set([
  "invite token",
  "out lines",
  "cursor of rooms",
  "cursor of a search",
]);

/** Objects whose keys are users' keys or partitions. They have no fields. */
const KEYS_ARE_DATA = new Set(["body", "owns", "costs"]);

/** The message with an unknown field in its first line, and in each object inside it. */
function ofNewerVersion(message: string): string {
  const [header = "", ...lines] = message.split("\n");
  const value = parseObject(header);
  return value === undefined ? message : [JSON.stringify(extended(value)), ...lines].join("\n");
}

function extended(value: object): object {
  const fields = Object.entries(value).map(([key, part]: [string, unknown]) => {
    if (KEYS_ARE_DATA.has(key)) return [key, part];
    if (isObject(part)) return [key, extended(part)];
    if (!Array.isArray(part)) return [key, part];
    return [key, part.map((item: unknown) => (isObject(item) ? extended(item) : item))];
  });
  return { ...(Object.fromEntries(fields) as object), later: { than: ["this", "version"] } };
}

describe("Messages of other versions", () => {
  it("N7: every recorded message of an older version is decoded", () => {
    const recorded = readRecorded();
    expect(recorded.map(({ version }) => version)).to.include(OLDEST);
    const known = new Map(targets().map((target) => [target.name, target]));
    for (const { version, messages } of recorded) {
      for (const [name, texts] of Object.entries(messages)) {
        const target = known.get(name);
        expect(target, `the codec "${name}" of ${version}`).to.not.equal(undefined);
        expect(texts, `${name} of ${version}`).to.not.deep.equal([]);
        const refused = texts.filter((text) => target?.take(text) !== true);
        expect(refused, `${name} of ${version}`).to.deep.equal([]);
      }
    }
  });

  it("N6: every message with unknown fields is decoded", () => {
    for (const { name, seeds, take } of targets()) {
      if (WITHOUT_FIELDS.has(name)) continue;
      for (const seed of seeds) {
        const newer = ofNewerVersion(seed);
        expect(newer, name).to.not.equal(seed);
        expect(take(newer), `${name}: ${newer}`).to.equal(true);
      }
    }
  });
});
