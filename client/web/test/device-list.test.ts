// DeviceList: the order, the names and the refusals of the list of the user's devices.

import { expect } from "chai";
import { ParleyError } from "#client/sdk/errors.ts";
import { DeviceList } from "../store/device-list.ts";
import type { ListedSession, SessionsPort } from "../store/device-list.ts";
import { failureWords } from "../store/words.ts";

const SESSIONS: readonly ListedSession[] = [
  { session: "s1", since: 1, client: "cli/1", address: "192.0.2.0/24" },
  { session: "own", since: 2, client: "web/1", device: "Firefox, Linux" },
  { session: "s3", since: 3, client: "web/1", device: "Chrome, Android" },
  { session: "s4", since: 4 },
];

class Desk implements SessionsPort {
  sessions = SESSIONS;
  failure: Error | undefined;
  changes = 0;
  isCancelled = false;
  tick: () => void = () => undefined;
  readonly own = { sessionId: "own" as string | undefined };
  readonly devices = new DeviceList({
    sessions: async () => this,
    own: this.own,
    clock: {
      every: (_, run) => {
        this.tick = run;
        return { cancel: () => (this.isCancelled = true) };
      },
    },
    changed: () => this.changes++,
  });

  get shown(): readonly (string | undefined)[] | undefined {
    return this.devices.devices?.map(({ session, isOwn }) => (isOwn ? `(${session})` : session));
  }

  async list(): ReturnType<SessionsPort["list"]> {
    if (this.failure !== undefined) throw this.failure;
    return { sessions: this.sessions, more: 7 };
  }

  async end(...ended: readonly string[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.sessions = this.sessions.filter(({ session }) => !ended.includes(session));
  }

  async endOthers({ sessionId }: { readonly sessionId: string | undefined }): Promise<number> {
    await this.end(...SESSIONS.map(({ session }) => session).filter((one) => one !== sessionId));
    return 1;
  }
}

describe("DeviceList", () => {
  it("device-list.1: the own session is first, also after it has another id, then the newest", async () => {
    const desk = new Desk();
    expect(desk.devices.devices).to.equal(undefined);
    await desk.devices.load();
    expect(desk.shown).to.deep.equal(["(own)", "s4", "s3", "s1"]);
    desk.own.sessionId = "s3";
    expect(desk.shown).to.deep.equal(["(s3)", "s4", "own", "s1"]);
    expect(desk.devices.more).to.equal(7);
  });

  it("SL10: a device has the name that it gave itself, or its program, or none", async () => {
    const desk = new Desk();
    await desk.devices.load();
    expect(desk.devices.devices?.map(({ name, address }) => [name, address])).to.deep.equal([
      ["Firefox, Linux", undefined],
      [undefined, undefined],
      ["Chrome, Android", undefined],
      ["cli/1", "192.0.2.0/24"],
    ]);
  });

  it("SL10: one device and all others are signed out, and the list is read again", async () => {
    const desk = new Desk();
    await desk.devices.load();
    expect(await desk.devices.signOut("s3")).to.equal(undefined);
    expect(desk.shown).to.deep.equal(["(own)", "s4", "s1"]);
    expect(await desk.devices.signOutOthers()).to.equal(undefined);
    expect(desk.shown).to.deep.equal(["(own)"]);
    expect(desk.changes).to.equal(3);
  });

  it("SL10: a refusal is a sentence, and the list stays", async () => {
    const desk = new Desk();
    await desk.devices.load();
    desk.failure = new ParleyError("rate_limited");
    expect(await desk.devices.signOut("s3")).to.equal(failureWords("rate_limited"));
    desk.failure = new TypeError("no network");
    expect(await desk.devices.signOutOthers()).to.equal(failureWords("unavailable"));
    expect(desk.shown).to.have.length(4);
    expect(desk.devices.problem, "of the list").to.equal(undefined);
  });

  it("device-list.2: it is read again while it is shown, and says why it is not known", async () => {
    const desk = new Desk();
    desk.failure = new ParleyError("unavailable");
    await desk.devices.load();
    expect(desk.devices.problem).to.equal(failureWords("unavailable"));
    desk.failure = undefined;
    desk.tick();
    await Promise.resolve();
    await desk.devices.load();
    expect([desk.devices.problem, desk.shown?.length]).to.deep.equal([undefined, 4]);
    desk.devices.close();
    expect(desk.isCancelled).to.equal(true);
    const { changes } = desk;
    await desk.devices.load();
    expect(desk.changes, "after the dialog closed").to.equal(changes);
  });
});
