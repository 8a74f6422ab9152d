// ProxyProtocol: the header in which a proxy names its client before the first byte of HTTP, in
// versions 1 (text) and 2 (binary) of HAProxy's PROXY protocol.
//
// Owns: reading it from a connection. Does not own: the trust in a peer (client-address.ts), the
// timeout (http-sockets.ts: a connection without a request is closed after `headMs`).
//
//   proxy-protocol.1. At most HEADER_BYTES_MAX bytes are read. Bytes after the header stay in the
//        connection unchanged.
//   proxy-protocol.2. Bytes that are not a header are refused.
//   proxy-protocol.3. A header without an address (v1 UNKNOWN, v2 LOCAL or another family, for
//        example a health check of the proxy) is valid and names no client.

import { isIPv4, isIPv6 } from "node:net";
import type { Socket } from "node:net";

/** A v1 header has at most 107 bytes, a v2 header 52 and its extensions. */
const HEADER_BYTES_MAX = 2_048;
const V1_BYTES_MAX = 107;
const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V2_FIXED = 16;

export type ProxyHeader =
  | { readonly kind: "more" }
  | { readonly kind: "broken" }
  | { readonly kind: "header"; readonly length: number; readonly source: string | undefined };

const MORE: ProxyHeader = { kind: "more" };
const BROKEN: ProxyHeader = { kind: "broken" };

/** Parses the start of `bytes`. `more`: they may become a header. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const seen = bytes.subarray(0, V2_SIGNATURE.length);
  if (seen.equals(V2_SIGNATURE.subarray(0, seen.length))) return parseV2(bytes);
  return parseV1(bytes);
}

const V1 = /^PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/;

function parseV1(bytes: Buffer): ProxyHeader {
  const text = bytes.toString("latin1", 0, V1_BYTES_MAX);
  const end = text.indexOf("\r\n");
  if (end < 0) {
    const isBegun = text.startsWith("PROXY ".slice(0, text.length)) && text.length < V1_BYTES_MAX;
    return isBegun ? MORE : BROKEN;
  }
  const found = V1.exec(text.slice(0, end));
  if (found === null) return BROKEN;
  const [, family, source = "", target = "", ...ports] = found;
  // proxy-protocol.3
  if (family === undefined) return { kind: "header", length: end + 2, source: undefined };
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  if (!isAddress(source) || !isAddress(target)) return BROKEN;
  if (ports.some((port) => Number(port) > 65_535)) return BROKEN;
  return { kind: "header", length: end + 2, source };
}

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED) return MORE;
  const [command = 0, family = 0] = [bytes[12], bytes[13]];
  const length = V2_FIXED + bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1 || length > HEADER_BYTES_MAX) return BROKEN;
  if (bytes.length < length) return MORE;
  const isLocal = (command & 15) === 0;
  const width = family >> 4 === 1 ? 4 : family >> 4 === 2 ? 16 : 0;
  // proxy-protocol.3
  if (isLocal || width === 0) return { kind: "header", length, source: undefined };
  if (length < V2_FIXED + 2 * width + 4) return BROKEN;
  const address = bytes.subarray(V2_FIXED, V2_FIXED + width);
  return { kind: "header", length, source: width === 4 ? address.join(".") : v6Text(address) };
}

function v6Text(address: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => address.readUInt16BE(2 * at).toString(16)).join(":");
}

/**
 * Reads a header from a new connection and leaves the rest in it. Calls `onHeader` once, with the
 * client's address if there is one, or `onBroken` at the first byte that cannot belong to a header.
 * Calls neither for a connection that ends before.
 */
export function readProxyHeader(
  socket: Socket,
  onHeader: (source: string | undefined) => void,
  onBroken: () => void,
): void {
  let read = Buffer.alloc(0);
  const onError = (): void => void socket.destroy();
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    read = Buffer.concat([read, chunk]);
    const header = parseProxyHeader(read);
    if (header.kind === "more") return;
    socket.off("readable", onReadable);
    socket.off("error", onError);
    if (header.kind === "broken") return onBroken(); // proxy-protocol.2
    // proxy-protocol.1
    if (read.length > header.length) socket.unshift(read.subarray(header.length));
    onHeader(header.source);
  };
  socket.on("error", onError);
  socket.on("readable", onReadable);
}
