// GermanPreviews: the texts about previews of links.

import type { PreviewsCatalogue } from "./texts.ts";

export const germanPreviews: PreviewsCatalogue = {
  "previews.title": "Vorschau von Links",
  "previews.show": "Auf diesem Gerät eine Vorschau von Links zeigen",
  "previews.note":
    "Kommt eine Nachricht mit einem Link in Sicht, sendet diese Seite die Adresse des Links an diesen Server, und der Server ruft die verlinkte Seite ab. Die verlinkte Website erfährt dadurch, dass jemand die Unterhaltung geöffnet hat, und wann. Sie erfährt nicht, wer es war, und sieht nichts von diesem Gerät. Der Betreiber dieses Servers kann sehen, welche Links abgerufen werden. Ein Link, der nur einmal gilt, kann dadurch verbraucht werden.",
  "previews.of": "Vorschau von {host}",
};
