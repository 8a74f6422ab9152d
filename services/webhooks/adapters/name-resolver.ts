// NameResolver: looks up the names of links.
//
//   name-resolver.1. It asks the DNS servers over the event loop. The look-up of the system blocks
//        one of four threads that all deliveries share: a user could stop them with links to names
//        whose servers never answer.
//   name-resolver.2. It knows no file of hosts and no search domain: only what all of the internet
//        can look up.

import { promises as dns } from "node:dns";
import { LOOK_UP_TIMEOUT_MS } from "../core/bounds.ts";
import type { LookUp } from "./addresses.ts";

export const lookUpName: LookUp = (host, _options, done) => {
  const resolver = new dns.Resolver({ timeout: LOOK_UP_TIMEOUT_MS, tries: 1 });
  const asked = [
    resolver.resolve4(host).then((found) => found.map((address) => ({ address, family: 4 }))),
    resolver.resolve6(host).then((found) => found.map((address) => ({ address, family: 6 }))),
  ];
  void Promise.allSettled(asked).then((answers) => {
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    done(found.length === 0 ? new Error("the name has no address") : null, found);
  });
};
