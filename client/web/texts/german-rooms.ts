// GermanRooms: the texts about rooms. The keys and parameters are those of english-rooms.ts.

import type { RoomsCatalogue } from "./texts.ts";

export const germanRooms: RoomsCatalogue = {
  "page.partFailed": "Dieser Teil der Seite konnte nicht geladen werden. Laden Sie die Seite neu.",

  "rooms.filter": "Räume filtern",
  "rooms.direct": "Direktnachrichten",
  "rooms.create": "Neuer Raum",
  "rooms.newDirect": "Neue Direktnachricht",
  "rooms.noMatch": "Keiner Ihrer Räume passt dazu.",
  "rooms.closeRoom": "{room} schließen",
  "rooms.closedKind": "geschlossener Raum",
  "rooms.mentions": { one: "{count} Erwähnung", other: "{count} Erwähnungen" },
  "rooms.unreadWord": "ungelesen",
  "rooms.last": "{name}: {text}",
  "rooms.lastOwn": "Sie: {text}",
  "choice.found": "Offener Raum",
  "choice.new": "Diesen Raum öffnen",
  "choice.user": "Direktnachricht",

  "failure.roomExists": "Einen Raum mit diesem Namen gibt es schon.",
  "failure.invite":
    "Diese Einladung ist abgelaufen oder wurde zu oft benutzt. Bitten Sie um eine neue.",
  "failure.member": "Das ist jetzt nicht möglich: Ein Raum behält seinen letzten Besitzer.",
  "failure.late": "Die Zeit, in der Sie diese Nachricht bearbeiten konnten, ist vorbei.",
  "notice.joined": "ist diesem Raum beigetreten.",
  "day.duration.s": { one: "{count} Sekunde", other: "{count} Sekunden" },
  "day.duration.m": { one: "{count} Minute", other: "{count} Minuten" },
  "day.duration.h": { one: "{count} Stunde", other: "{count} Stunden" },
  "day.duration.d": { one: "{count} Tag", other: "{count} Tage" },
  "removal.left": "Sie haben diesen Raum verlassen.",

  "room.writeTo": "Nachricht an {room}",
  "visit.text":
    "Sie besuchen diesen Raum. Treten Sie bei, damit er auf jedem Gerät in Ihrer Liste steht.",
  "visit.join": "Beitreten",

  "copy.done": "Kopiert.",

  "search.open": "Nachrichten suchen",
  "about.title": "Über diesen Raum",
  "jump.failed": "Diese Stelle konnte nicht geladen werden. Versuchen Sie es noch einmal.",

  "pins.title": "Angeheftete Nachrichten",

  "bar.archived": "Dieser Raum ist archiviert. Nichts kann mehr gesendet werden.",
  "bar.role": "Ihre Rolle in diesem Raum erlaubt das Schreiben nicht.",
  "bar.muted": "Sie sind stumm geschaltet bis {time}.",
  "bar.blocked": "Diese Person nimmt keine Nachrichten von Ihnen an.",
  "bar.left": "Sie können hier nicht schreiben, weil Sie nicht in diesem Raum sind.",
  "slow.note": "Langsamer Modus: eine Nachricht in {duration}",

  "mention.list": "Benutzer zum Erwähnen",
  "mention.room": "alle in diesem Raum",
  "notify.on": "Benachrichtigungen einschalten",
  "notify.off": "Benachrichtigungen ausschalten",
  "notify.note": "Für Erwähnungen und Direktnachrichten, während diese Seite verdeckt ist.",
  "notify.denied": "Dieser Browser blockiert die Benachrichtigungen dieser Seite.",
  "notify.mention": "{name} hat Sie in {room} erwähnt",
  "notify.reply": "{name} hat Ihnen in {room} geantwortet",
};
