// ClientAddress: the address that a request or a WebSocket counts for, also behind proxies.
//
//   client-address.1. A forwarded address counts only when the peer is a trusted proxy. In
//        `X-Forwarded-For` the right-most address that is not a proxy's counts, because the client
//        can write everything left of it.
//   client-address.2. With the PROXY protocol (proxy-protocol.ts) the address of its header counts,
//        and `X-Forwarded-For` is ignored, because a client on a trusted network could write it.
//   client-address.3. An IPv6 client counts as its /64, since it controls all addresses there. An
//        IPv4-mapped address counts as its IPv4 address.

import type { IncomingMessage } from "node:http";
import { isIP, isIPv6 } from "node:net";
import type { Socket } from "node:net";
import proxyAddress from "@fastify/proxy-addr";

export interface ProxyConfig {
  /** Addresses and CIDR ranges of the trusted proxies. */
  readonly trusted: readonly string[];
  /** Each connection begins with a header of the PROXY protocol, from a trusted proxy. */
  readonly proxyProtocol: boolean;
}

export const NO_PROXIES: ProxyConfig = { trusted: [], proxyProtocol: false };

/** The first entry that is not an address or CIDR range; undefined when all are valid. */
export function wrongProxy(list: readonly string[]): string | undefined {
  return list.find((entry) => {
    try {
      proxyAddress.compile(entry);
      return isIP(entry.split("/", 1)[0] ?? "") === 0; // No range names, no short forms.
    } catch {
      return true;
    }
  });
}

export class ClientAddresses {
  readonly speaksProxyProtocol: boolean;
  readonly #isTrusted: (address: string, hop: number) => boolean;
  readonly #named = new WeakMap<Socket, string>();

  constructor({ trusted, proxyProtocol }: ProxyConfig) {
    this.speaksProxyProtocol = proxyProtocol;
    this.#isTrusted = trusted.length === 0 ? () => false : proxyAddress.compile([...trusted]);
  }

  isProxy(socket: Socket): boolean {
    return this.#isTrusted(socket.remoteAddress ?? "", 0);
  }

  /** Stores the address of a PROXY header (client-address.2). */
  name(socket: Socket, address: string): void {
    this.#named.set(socket, address);
  }

  /** The key of a connection. Undefined for a proxy, which carries many clients. */
  ofSocket(socket: Socket): string | undefined {
    const named = this.#named.get(socket);
    if (named !== undefined) return addressKey(named);
    return this.isProxy(socket) ? undefined : addressKey(socket.remoteAddress ?? "");
  }

  /** The key of a request's client. */
  of(request: IncomingMessage): string {
    const { socket } = request;
    const peer = this.#named.get(socket) ?? socket.remoteAddress ?? "";
    if (this.speaksProxyProtocol || !this.#isTrusted(peer, 0)) return addressKey(peer);
    const client = withoutPort(proxyAddress(request, this.#isTrusted)); // client-address.1
    return addressKey(isIP(client) === 0 ? peer : client);
  }
}

/** Some proxies write "192.0.2.7:443" or "[2001:db8::1]:443". */
function withoutPort(text: string): string {
  const [, v6, v4] = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/.exec(text) ?? [];
  return v6 ?? v4 ?? text;
}

/** The key of an address in the rate tables (client-address.3). */
export function addressKey(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const groups = groupsOf(ip);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight groups of an IPv6 address. Its last two may be an IPv4 address. */
function groupsOf(ip: string): readonly number[] {
  const [text = ""] = ip.split("%", 1);
  const [head = "", tail = ""] = text.split("::");
  const parse = (part: string): number[] =>
    part === ""
      ? []
      : part.split(":").flatMap((group) => {
          const [a, b, c, d] = group.split(".").map(Number);
          if (a === undefined || b === undefined || c === undefined || d === undefined) {
            return [Number.parseInt(group, 16)];
          }
          return [a * 256 + b, c * 256 + d];
        });
  const [left, right] = [parse(head), parse(tail)];
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => 0);
  return [...left, ...zeros, ...right];
}
