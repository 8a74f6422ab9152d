// RoomInfo, MemberList and RoomAdmin: what they load, what events change, what is refused.

import { expect } from "chai";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { RoomAbout } from "../store/chat-api.ts";
import { FakeApi } from "./fixture/fake-api.ts";
import { FakeServer } from "./fixture/fake-server.ts";
import { MemberList } from "../store/member-list.ts";
import { RoomAdmin } from "../store/room-admin.ts";
import { RoomInfo } from "../store/room-info.ts";

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

function plansOf(): { server: FakeServer; api: FakeApi } {
  const server = new FakeServer();
  server.client("grace").createRoom("plans", { kind: "closed", title: "Plans" });
  server.add("plans", "grace", { t: "member", user: "ada", role: "member" });
  return { server, api: new FakeApi(server, "ada") };
}

const unchanged = (): void => undefined;

describe("the parts of a room", () => {
  it("room-info.1: the answer of the server, then the events behind it", async () => {
    const { server, api } = plansOf();
    const info = new RoomInfo({ room: "plans", me: "ada", api, changed: unchanged });
    info.load();
    await settled();
    expect([info.settings?.title, info.role, info.members]).to.deep.equal(["Plans", "member", 2]);
    info.receive(server.add("plans", "grace", { t: "room", kind: "closed", title: "New plans" }));
    expect(info.settings?.title).to.equal("New plans");
    info.receive(server.room("plans").log[0]!);
    expect(info.settings?.title).to.equal("New plans");
  });

  it("room-info.2: a change of the own membership asks for the role again", async () => {
    const { server, api } = plansOf();
    const info = new RoomInfo({ room: "plans", me: "ada", api, changed: unchanged });
    info.load();
    await settled();
    info.receive(server.add("plans", "grace", { t: "member", user: "ada", role: "moderator" }));
    await settled();
    expect(info.role).to.equal("moderator");
    expect(info.membership?.from).to.equal("grace");
    api.isDown = true;
    info.load();
    await settled();
    expect(info.role).to.equal("moderator");
    // Nothing is asked of a room that the user may not see.
    info.receive(server.add("plans", "grace", { t: "member", user: "ada", role: "none" }));
    expect(info.role).to.equal("none");
  });

  it("room-info.3: the answer has a mute of before, and a later event of the user replaces it", async () => {
    const { server, api } = plansOf();
    const mute = (mutedUntil?: number): RoomEvent => {
      const more = mutedUntil !== undefined && { mutedUntil };
      return server.add("plans", "grace", { t: "member", user: "ada", role: "member", ...more });
    };
    mute(9_000);
    const held: (() => void)[] = [];
    const about = async (room: string): Promise<RoomAbout> => {
      const answer = await api.about(room);
      await new Promise<void>((resolve) => held.push(resolve));
      return answer;
    };
    const info = new RoomInfo({ room: "plans", me: "ada", api: { about }, changed: unchanged });
    const answered = async (): Promise<void> => {
      await settled();
      held.splice(0).forEach((release) => release());
      await settled();
    };
    info.load();
    await answered();
    expect([info.membership, info.mutedUntil]).to.deep.equal([undefined, 9_000]);
    info.load();
    await settled();
    info.receive(mute());
    expect(info.mutedUntil).to.equal(0);
    await answered();
    expect(info.mutedUntil, "the answer is older than the event").to.equal(0);
    mute(7_000); // Its event comes later than the answer.
    info.load();
    await answered();
    await answered();
    expect(info.mutedUntil).to.equal(7_000);
    info.reset();
    expect(info.mutedUntil).to.equal(0);
  });

  it("member-list.1: is loaded on demand, and events change it", async () => {
    const { server, api } = plansOf();
    const list = new MemberList({ room: "plans", api, changed: unchanged });
    list.receive(server.add("plans", "grace", { t: "member", user: "bob", role: "member" }));
    expect(list.all).to.deep.equal([]);
    api.isDown = true;
    await list.load();
    expect(list.state).to.equal("failed");
    api.isDown = false;
    const loading = list.load();
    list.receive(server.add("plans", "grace", { t: "member", user: "bob", role: "reader" }));
    await loading; // member-list.2
    expect(list.of("bob")?.role).to.equal("reader");
    expect(list.all.map(({ user }) => user)).to.deep.equal(["grace", "ada", "bob"]);
    list.receive(server.add("plans", "grace", { t: "member", user: "bob", role: "none" }));
    expect(list.of("bob")).to.equal(undefined);
    const ban = { t: "member", user: "eve", role: "none", banned: true };
    list.receive(server.add("plans", "grace", ban));
    expect(list.of("eve")?.banned).to.equal(true);
  });

  it("room-admin.2: an invite has its link, its uses, and an end", async () => {
    const { server } = plansOf();
    const client = server.client("grace");
    const admin = new RoomAdmin(client.join("plans"), unchanged);
    const handle = client.join("plans");
    handle.on("event", (event) => admin.receive(event));
    await settled();
    const made = await admin.invite({ ttl: 60, uses: 2 });
    expect(made.ok).to.equal(true);
    const [invite] = admin.invites(server.now);
    expect(invite?.token).to.equal(made.ok ? made.token : "");
    expect(admin.invites(server.now + 61_000)).to.deep.equal([]);
    server.client("bob").enter(invite?.token ?? "");
    expect(admin.invites(server.now)[0]?.used).to.equal(1);
    server.client("eve").enter(invite?.token ?? "");
    expect(admin.invites(server.now)).to.deep.equal([]);
    await admin.invite({ uses: 5 });
    const [second] = admin.invites(server.now);
    expect(await admin.revoke(second?.id ?? "")).to.equal(undefined);
    expect(admin.invites(server.now)).to.deep.equal([]);
    client.refusal = { error: "forbidden" };
    expect(await admin.update({ title: "x" })).to.equal("You are not allowed to do this here.");
    expect((await admin.invite({})).ok).to.equal(false);
    expect(admin.invites(server.now)).to.deep.equal([]);
  });

  it("room-admin.1: the invites that were made before come from the server", async () => {
    const { server } = plansOf();
    const made = await new RoomAdmin(server.client("grace").join("plans"), unchanged).invite({
      uses: 3,
    });
    const later = new RoomAdmin(server.client("grace").join("plans"), unchanged);
    expect(later.invites(server.now)).to.deep.equal([]);
    const api = new FakeApi(server, "grace");
    expect(await later.loadInvites(api, "plans")).to.equal(undefined);
    const [invite] = later.invites(server.now);
    expect(made.ok && made.token.split(".")[1]).to.equal(invite?.id);
    expect(invite).to.include({ from: undefined, uses: 3, used: 0, token: undefined });
    expect(await later.revoke(invite?.id ?? "")).to.equal(undefined);
    await later.loadInvites(api, "plans");
    expect(later.invites(server.now)).to.deep.equal([]);
    api.isDown = true;
    expect(await later.loadInvites(api, "plans")).to.be.a("string");
  });
});
