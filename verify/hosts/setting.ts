// Setting: what the steps of a run share.

import type { HostCluster } from "./host-cluster.ts";
import type { Groups } from "./inventory.ts";
import type { Lab } from "./lab.ts";
import type { PlaybookOptions } from "./playbook.ts";

export interface Setting {
  readonly lab: Lab;
  readonly cluster: HostCluster;
  readonly playbooks: PlaybookOptions;
  readonly versions: { readonly old: string; readonly new: string };
  readonly writeInventory: (groups?: Groups) => void;
}
