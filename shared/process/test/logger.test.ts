import { expect } from "chai";
import { createLogger } from "../logger.ts";

function collect(): { lines: Record<string, unknown>[]; write: (text: string) => void } {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (text) => lines.push(JSON.parse(text) as Record<string, unknown>) };
}

describe("Logger", () => {
  it("logger.1: writes one JSON object with level, name, time and the event as message", () => {
    const out = collect();
    createLogger({ name: "room", level: "info", destination: out }).warn({ room: "a" }, "fenced");
    expect(out.lines).to.have.length(1);
    expect(out.lines[0]).to.include({ level: "warn", name: "room", room: "a", msg: "fenced" });
    expect(out.lines[0]?.["time"]).to.match(/^\d{4}-\d\d-\d\dT/);
  });

  it("logger.2: never writes tokens, secrets and authorization, up to three levels deep", () => {
    const out = collect();
    const logger = createLogger({ name: "gateway", destination: out, level: "info" });
    const secret = "eyJhbGciOiJIUzI1NiJ9.x.y";
    logger.info({ token: secret, frame: { token: secret }, a: { b: { secret } } }, "hello");
    logger.info({ req: { headers: { authorization: `Bearer ${secret}` } } }, "request");
    expect(JSON.stringify(out.lines)).not.to.contain(secret);
    expect(JSON.stringify(out.lines)).to.contain("[redacted]");
  });

  it("logger.2: logs an address without its password", () => {
    const out = collect();
    const logger = createLogger({ name: "gateway", destination: out, level: "info" });
    logger.info({ url: "nats://gw:p@ss@one:4222,nats://gw:pass@two:4222/x@y" }, "not reachable");
    expect(out.lines[0]).to.include({ url: "nats://one:4222,nats://two:4222/x@y" });
  });

  it("logger.3: user text cannot forge a log line", () => {
    const out = collect();
    const logger = createLogger({ name: "gateway", destination: out, level: "info" });
    logger.info({ user: 'x"}\n{"level":"fatal","msg":"forged"}' }, "joined");
    expect(out.lines).to.have.length(1);
    expect(out.lines[0]?.["msg"]).to.equal("joined");
  });
});
