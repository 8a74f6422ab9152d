// LeaseServer and the client of it: the contract of leases over a bus.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { MemoryLeases } from "#shared/adapters/leases-memory.ts";
import { openBusLeases } from "#shared/adapters/leases-over-bus.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { decodeLeaseOutcome, decodeLeaseRequest } from "#shared/protocol/leases.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { CONTRACT_LEASE_MS, leasesContract } from "#shared/testing/leases.contract.ts";
import { LeaseServer } from "../adapters/lease-server.ts";

function serve() {
  const broker = new MemoryBroker();
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock, CONTRACT_LEASE_MS);
  const servers = [1, 2].map(() => new LeaseServer(broker.connect(), leases));
  for (const server of servers) server.start();
  return { broker, clock, servers };
}

leasesContract("over the bus", () => {
  const { broker, clock, servers } = serve();
  return Promise.resolve({
    connect: () => openBusLeases(broker.connect()),
    expire: () => Promise.resolve(clock.advance(CONTRACT_LEASE_MS)),
    stop: () => Promise.resolve(servers.forEach((server) => server.stop())),
    [Symbol.asyncDispose]: () => Promise.resolve(servers.forEach((server) => server.stop())),
  });
});

describe("LeaseServer", () => {
  it("E13: counts the leases that it gave, and ignores a request that it cannot decode", async () => {
    const { broker, servers } = serve();
    const bus = broker.connect();
    const broken = await bus.request(subjects.lease, "{}", { timeoutMs: 50 });
    expect(broken.kind).to.equal("timeout");
    const leases = openBusLeases(bus);
    for (const by of ["room-000000000001", "room-000000000002"] as ProcessId[]) {
      await leases.take({ name: "room", by });
    }
    const given = servers.reduce((sum, server) => sum + server.given.get("room"), 0);
    expect(given).to.equal(1);
    for (const server of servers) server.stop();
  });

  it("N5: requests and answers of another version or shape do not decode", () => {
    for (const text of ["", "{}", '{"v":2,"kind":"held"}', '{"v":1,"kind":"mine"}']) {
      expect(decodeLeaseOutcome(text), text).to.equal(undefined);
    }
    for (const text of [
      "",
      '{"v":1,"name":"x","by":"room-000000000001"}',
      '{"v":1,"name":"room"}',
    ]) {
      expect(decodeLeaseRequest(text), text).to.equal(undefined);
    }
  });
});
