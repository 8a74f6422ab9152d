// GermanFiles: the texts about files. The keys and parameters are those of english-files.ts.

import type { FilesCatalogue } from "./texts.ts";

export const germanFiles: FilesCatalogue = {
  "files.list": "Dateien dieser Nachricht",
  "files.remove": "{name} entfernen",
  "files.uploadOf": "{name} wird hochgeladen",
  "files.uploading": {
    one: "{count} Datei wird hochgeladen.",
    other: "{count} Dateien werden hochgeladen.",
  },
  "files.ready": {
    one: "{count} Datei kann gesendet werden.",
    other: "{count} Dateien können gesendet werden.",
  },
  "files.tooMany": {
    one: "Eine Nachricht hat höchstens {count} Datei.",
    other: "Eine Nachricht hat höchstens {count} Dateien.",
  },
  "files.tooLarge": "Zu groß: Eine Datei hat höchstens {size}.",
  "files.empty": "Diese Datei ist leer.",
  "files.quota":
    "Alle Ihre Dateien zusammen sind zu groß. Löschen Sie zuerst Nachrichten mit Dateien.",
  "files.type": "Dieser Server nimmt Dateien dieses Typs nicht an.",
  "files.off": "Dieser Server nimmt keine Dateien an.",
  "files.gone": "Diese Datei wurde gelöscht.",
  "files.open": "{name} öffnen",
  "files.notLoaded": "{name} wurde nicht geladen. Noch einmal versuchen",
  "files.download": "Herunterladen",
  "files.close": "Bild schließen",
};
