// Addresses: which addresses a webhook may reach, judged after DNS.
//
//   addresses.1. Only public unicast addresses pass: no loopback, private, link-local, shared,
//        multicast or reserved one, in IPv4 and IPv6. An IPv4 address within an IPv6 one is judged
//        as what it is; ranges that tunnel IPv4 (NAT64, 6to4, Teredo) do not pass. The setting
//        WEBHOOKS_ALLOW names exceptions.
//   addresses.2. The socket connects to an address that was checked: the check is the look-up of
//        the socket itself, so no second answer of DNS can replace it.

import { lookup as resolve } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** Networks that pass beside public addresses, as [address, bits]. */
export type AllowedNetworks = readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

/** `127.0.0.0/8, ::1/128`; undefined when a part is no network. */
export function readNetworks(text: string): AllowedNetworks | undefined {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  return parts.every((part) => ipaddr.isValidCIDR(part))
    ? parts.map((part) => ipaddr.parseCIDR(part))
    : undefined;
}

export function isAllowed(text: string, allowed: AllowedNetworks): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.process(text); // An IPv4-mapped one becomes IPv4.
  const isExcepted = allowed.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
  return isExcepted || address.range() === "unicast"; // addresses.1
}

/** A host that is an address itself is never looked up. */
export function isAllowedHost(host: string, allowed: AllowedNetworks): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  return isIP(address) === 0 || isAllowed(address, allowed);
}

export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  constructor() {
    super("the address is not a public one, and WEBHOOKS_ALLOW does not name it");
  }
}

/** For `lookup` of a socket (addresses.2). */
export function checkedLookup(
  allowed: AllowedNetworks,
  look: typeof resolve = resolve,
): LookupFunction {
  return (host, options, done) => {
    look(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, "");
      const good = found.filter(({ address }) => isAllowed(address, allowed));
      const [first] = good;
      if (first === undefined) return done(new AddressRefused(), "");
      if (options.all === true) return done(null, good);
      done(null, first.address, first.family);
    });
  };
}
