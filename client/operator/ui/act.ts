// Act: asks for a confirmation, then does what was confirmed.

import type { OperatorAction } from "#shared/protocol/operator-page.ts";
import type { Confirmation } from "../texts.ts";

export type Act = (action: OperatorAction, confirmation: Confirmation) => void;
