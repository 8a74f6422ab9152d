// LocalEnd: the address and the port from which each client of the bench connects.
//
// The loopback network of Linux has 16 million addresses. Each process of the bench has 256 of
// them, and counts through their ports. Without a port, the kernel looks for a free one at each
// bind. In ten seconds in which 14,286 of 100,000 clients returned, this search took 89 % of the
// CPU of their process, and the bench measured the generator.
//
//   local-end.1. Two live clients never share an address and a port, up to CLIENTS_MAX in a
//        process.
//   local-end.2. Ports lie below those that the kernel gives to other sockets.

/** The kernel gives ports from 32,768 on (`net.ipv4.ip_local_port_range`). */
const PORT_FIRST = 20_000;
/** Fewer than the HTTP connections that a gateway takes from one address (H7: 1,000). */
const PORTS = 500;
const ADDRESSES = 256;
export const CLIENTS_MAX = ADDRESSES * PORTS;
/** Without the first and the last addresses of the network, which are reserved. */
const BLOCKS = 65_000;

export interface LocalEnd {
  readonly localAddress: string;
  readonly localPort: number;
}

/** The n-th client of a process. Processes with other ids have other addresses. */
export function localEnd(pid: number, n: number): LocalEnd {
  const block = 1 + (pid % BLOCKS);
  const address = Math.floor(n / PORTS) % ADDRESSES;
  return {
    localAddress: `127.${block >> 8}.${block & 255}.${address}`,
    localPort: PORT_FIRST + (n % PORTS),
  };
}

let opened = 0;

/** Other systems than Linux have one loopback address; there the kernel chooses. */
export function nextLocalEnd(): LocalEnd | undefined {
  return process.platform === "linux" ? localEnd(process.pid, opened++) : undefined;
}
