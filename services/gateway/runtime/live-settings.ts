// Live settings: the settings that a gateway follows at run time, beside those of every service.

import type { Rate } from "#shared/kit/gcra.ts";
import type { LiveSettings } from "#shared/process/live-settings.ts";
import { RATES } from "../core/admission.ts";
import { defaultPace } from "../core/pacing.ts";
import type { Gateway } from "./gateway.ts";

const LIMITED = ["send", "join", "history", "typing", "frame"] as const;

export function followGatewaySettings(settings: LiveSettings, gateway: Gateway): void {
  const { sampling, pace, shedding } = gateway;
  settings.on("limits.shedding", shedding.isOn ? "on" : "off", (state) => {
    shedding.isOn = state === "on";
  });
  settings.on("trace.ratio", sampling.ratio, (ratio) => {
    sampling.ratio = ratio;
  });
  for (const action of LIMITED) {
    const { perSecond, burst } = RATES[action];
    settings.on(`limits.${action}`, `${perSecond}/${burst}`, (text) => {
      gateway.setRate(action, toRate(text));
    });
  }
  const { factor, gapMaxMs } = defaultPace();
  settings
    .on("pace.factor", factor, (next) => {
      pace.factor = next;
    })
    .on("pace.max", gapMaxMs, (next) => {
      pace.gapMaxMs = next;
    });
}

/** `text` is "20/60": the check of the setting accepted it. */
function toRate(text: string): Rate {
  const [perSecond = "1", burst = "1"] = text.split("/");
  return { perSecond: Number(perSecond), burst: Number(burst) };
}
