// LiveMemory: the memory that a process still references, read through its inspector.
//
// The resident size depends on when the garbage collector last ran: the same flood varies by 100
// MiB. The live bytes after a forced collection do not vary.
//
// The process starts with NODE_OPTIONS=--inspect=127.0.0.1:0 and logs its address.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";

export const INSPECTED: NodeJS.ProcessEnv = { NODE_OPTIONS: "--inspect=127.0.0.1:0" };

const MIB = 1024 * 1024;
/**
 * One full collection. The inspector's HeapProfiler.collectGarbage repeats it up to seven times,
 * and the measured process is blocked for as long.
 */
const COLLECT = `(globalThis.collectOnce ??= (() => {
  process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
  return process.getBuiltinModule("node:vm").runInNewContext("gc");
})())()`;

/** The live heap and external buffers, in MiB. */
export async function liveMiB(logPath: string): Promise<number> {
  const address = /Debugger listening on (ws:\S+)/.exec(readFileSync(logPath, "utf8"))?.[1];
  if (address === undefined)
    throw new Error(`${logPath} has no address of an inspector; start the process with INSPECTED`);
  const socket = new WebSocket(address);
  await once(socket, "open");
  try {
    // Twice: finalizers of the first collection release buffers that the second one frees.
    await ask(socket, 1, "Runtime.evaluate", { expression: COLLECT });
    await ask(socket, 2, "Runtime.evaluate", { expression: COLLECT });
    const answer = await ask(socket, 3, "Runtime.evaluate", {
      expression: "process.memoryUsage().heapUsed + process.memoryUsage().external",
    });
    return (answer as { result: { value: number } }).result.value / MIB;
  } finally {
    socket.terminate();
  }
}

function ask(socket: WebSocket, id: number, method: string, params = {}): Promise<unknown> {
  const answer = new Promise<unknown>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { id?: number; result?: unknown };
      if (message.id === id) resolve(message.result);
    });
    socket.once("close", () => reject(new Error("the inspector closed")));
  });
  socket.send(JSON.stringify({ id, method, params }));
  return answer;
}
