import { launchNats } from "#shared/testing/launch-nats.ts";
import { witnessContract } from "#shared/testing/witness.contract.ts";
import { MemoryWitness } from "../witness-memory.ts";
import { NatsWitness } from "../witness-nats.ts";

witnessContract("memory", () => {
  const witness = new MemoryWitness();
  return Promise.resolve({
    connect: () => witness,
    stop: () => {
      witness.isAway = true;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

witnessContract("NATS", async () => {
  const server = await launchNats();
  const opened: NatsWitness[] = [];
  return {
    connect: () => {
      const witness = new NatsWitness({ url: server.url, name: `witness-${opened.length}` });
      opened.push(witness);
      return witness;
    },
    stop: () => Promise.resolve(server.kill()),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((witness) => witness.close()));
      await server[Symbol.asyncDispose]();
    },
  };
});
