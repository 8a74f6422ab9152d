// Ansible: ansible-playbook and ansible-lint, installed once into the ignored folder .tools.
//
// The pins are in ansible/requirements.txt; an operator may install the same ones.

import { ensureVenv } from "./python-venv.ts";
import type { VenvSearch } from "./python-venv.ts";

/** Resolves with the folder of the programs. Throws ToolMissing with the remedy. */
export function ensureAnsible(search: VenvSearch = {}): Promise<string> {
  return ensureVenv("ansible", "Ansible", search);
}
