import { expect } from "chai";
import { encodeSetting } from "../../protocol/settings.ts";
import { createLogger, setLevel } from "../logger.ts";
import { LiveSettings } from "../live-settings.ts";

function settingsFixture() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: "test", level: "info", destination });
  const applied: unknown[] = [];
  const settings = new LiveSettings("room", logger)
    .on("log.level", "info", (value) => applied.push(value))
    .on("trace.ratio", 0, (value) => applied.push(value));
  let revision = 0;
  return {
    settings,
    applied,
    lines,
    put: (key: string, value: unknown): void =>
      settings.onChange({ key, text: encodeSetting(value, "ada@desk"), revision: ++revision }),
    raw: (key: string, text: string | undefined): void =>
      settings.onChange({ key, text, revision: ++revision }),
  };
}

describe("Live settings", () => {
  it("E4: the service's own value overrides the one for all, and both can be removed", () => {
    const { applied, put, raw } = settingsFixture();
    put("all.log.level", "warn");
    put("room.log.level", "debug");
    put("gateway.log.level", "trace");
    put("all.log.level", "error");
    expect(applied).to.deep.equal(["warn", "debug"]);
    raw("room.log.level", undefined);
    raw("all.log.level", undefined);
    expect(applied).to.deep.equal(["warn", "debug", "error", "info"]);
  });

  it("E5: an invalid value changes nothing, and the last valid one stays", () => {
    const { settings, applied, lines, put, raw } = settingsFixture();
    put("room.log.level", "debug");
    const bad = ["loud", 7, null, {}];
    for (const value of bad) put("room.log.level", value);
    put("all.trace.ratio", 1.5);
    put("all.no.such", 1);
    raw("room.log.level", "{");
    raw("room.log.level", '{"v":2,"value":"warn","by":"x"}');
    raw("elsewhere.log.level", "{}");
    expect(applied).to.deep.equal(["debug"]);
    expect(settings.refused).to.equal(bad.length + 5);
    const refused = lines.filter(({ msg }) => msg === "setting refused");
    expect(refused).to.have.length(settings.refused);
    expect(refused[0]).to.include({ key: "room.log.level", by: "ada@desk" });
  });

  it("live-settings.3: logs a change with its author, and does not log a change without effect", () => {
    const { lines, put } = settingsFixture();
    put("all.log.level", "warn");
    put("all.log.level", "warn");
    const changed = lines.filter(({ msg }) => msg === "setting changed");
    expect(changed).to.have.length(1);
    expect(changed[0]).to.include({
      setting: "log.level",
      from: "info",
      to: "warn",
      by: "ada@desk",
    });
  });

  it("E4: a level also reaches the children of a logger", () => {
    const lines: string[] = [];
    const logger = createLogger({
      name: "t",
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    const child = logger.child({ part: "bus" });
    child.debug("before");
    setLevel(logger, "debug");
    child.debug("after");
    expect(lines).to.have.length(1);
  });
});
