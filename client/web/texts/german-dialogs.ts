// GermanDialogs: the texts of the dialogs and panels about rooms. The keys and parameters are those
// of english-dialogs.ts.

import type { DialogsCatalogue } from "./texts.ts";

export const germanDialogs: DialogsCatalogue = {
  "create.title": "Neuer Raum",
  "create.submit": "Anlegen",
  "create.roomTitle": "Titel",
  "create.name": "Name",
  "create.nameNote": "Der Name steht in Links. Er lässt sich später nicht ändern.",
  "create.topic": "Thema (freiwillig)",
  "create.who": "Wer darf lesen und schreiben?",
  "create.open": "Alle.",
  "create.openNote": "Alle Benutzer finden diesen Raum und können ihm beitreten.",
  "create.closed": "Nur Mitglieder.",
  "create.closedNote": "Nur eingeladene Benutzer sehen diesen Raum.",

  "direct.title": "Neue Direktnachricht",
  "direct.submit": "Öffnen",
  "direct.user": "An",
  "direct.note": "Der Name des anderen Benutzers. Nur Sie beide lesen diesen Raum.",

  "devices.note":
    "Alle Fenster und Programme, die jetzt in Ihrem Namen verbunden sind. Ein Gerät ohne Netz steht nicht in der Liste und kann sich wieder verbinden.",
  "devices.loading": "Wird geladen …",
  "devices.unnamed": "Gerät ohne Namen",
  "devices.own": "dieses",
  "devices.since": "verbunden seit {date}",
  "devices.more": { one: "und {count} weiteres", other: "und {count} weitere" },
  "devices.none": "Kein anderes Gerät ist verbunden.",
  "devices.others": "Überall sonst abmelden",
  "devices.askOne": "{name} abmelden?",
  "devices.askOthers": "Überall sonst abmelden?",
  "devices.oneNote":
    "Das Gerät verliert die Verbindung und zeigt die Anmeldung. Was noch nicht gesendet ist, bleibt auf ihm.",
  "devices.othersNote":
    "Alle anderen Fenster und Programme verlieren die Verbindung und zeigen die Anmeldung. Dieses Fenster bleibt angemeldet.",

  "people.addSubmit": "Hinzufügen",
  "people.user": "Name des Benutzers",
  "people.role": "Rolle",
  "member.make.owner": "Zum Besitzer machen",
  "member.make.moderator": "Zum Moderator machen",
  "member.make.member": "Zum Mitglied machen",
  "member.make.reader": "Zum Leser machen",
  "member.mute10": "10 Minuten stumm schalten",
  "member.mute60": "1 Stunde stumm schalten",
  "member.muteDay": "1 Tag stumm schalten",
  "member.unmute": "Nicht mehr stumm schalten",
  "member.block": "Blockieren",
  "member.unblock": "Nicht mehr blockieren",
  "member.unban": "Sperre aufheben",
  "member.remove": "Entfernen",
  "member.ban": "Aussperren",
  "member.removeTitle": "{name} entfernen?",
  "member.banTitle": "{name} aussperren?",
  "member.removeNote":
    "Der Benutzer verliert die Rolle. In einem geschlossenen Raum liest er nichts mehr.",
  "member.banNote":
    "Der Benutzer kann diesen Raum nicht mehr lesen und auch mit einer Einladung nicht zurückkehren.",
  "member.reason": "Grund (freiwillig). Alle im Raum lesen ihn.",

  "leave.title": "{room} verlassen?",
  "leave.submit": "Verlassen",
  "leave.openNote": "Der Raum verschwindet aus Ihrer Liste. Sie können wieder beitreten.",
  "leave.closedNote": "Um zurückzukehren, brauchen Sie eine Einladung.",

  "settings.title": "Einstellungen des Raums",
  "settings.slowMode": "Pause zwischen zwei Nachrichten",
  "settings.slowOff": "Keine",
  "settings.sendRole": "Wer darf schreiben?",
  "settings.send.member": "Mitglieder",
  "settings.send.moderator": "Moderatoren",
  "settings.send.owner": "Besitzer",
  "settings.archived": "Archiviert: Der Raum kann gelesen werden, aber nichts wird mehr gesendet.",

  "invite.note": "Wer den Link hat, wird Mitglied dieses Raums.",
  "invite.ttl": "Endet nach",
  "invite.uses": "Für",
  "invite.guests": { one: "{count} Gast", other: "{count} Gäste" },
  "invite.make": "Link erzeugen",
  "invite.list": "Gültige Links",
  "invite.link": "Link",
  "invite.copy": "Link kopieren",
  "invite.by": "Von {name} erzeugt. Nur jenes Fenster hat den Link.",
  "invite.elsewhere": "Nur das Fenster, das ihn erzeugt hat, hat den Link.",
  "invite.left": { one: "noch {count} Gast", other: "noch {count} Gäste" },
  "invite.until": "bis {date}",
  "invite.revoke": "Link beenden",

  "about.open": "Offen: Alle Benutzer dürfen lesen und schreiben",
  "about.closed": "Geschlossen: nur Mitglieder",
  "about.direct": "Direktnachrichten: nur Sie beide",
  "about.topic": "Thema",
  "about.kind": "Art",
  "about.role": "Ihre Rolle",
  "about.state": "Zustand",
  "about.archived": "Archiviert",
  "about.leave": "Diesen Raum verlassen",
  "jump.number": "Zu einer Nachricht springen, nach ihrer Nummer",
  "jump.day": "Zu einem Tag springen",
  "jump.go": "Los",

  "pins.none": "Keine Nachricht ist angeheftet.",
  "pins.noneHow":
    "Keine Nachricht ist angeheftet. Heften Sie eine mit der Nadel in ihrer Leiste an, oder mit der Taste P.",
  "pins.failed": "Die angehefteten Nachrichten konnten nicht geladen werden.",
  "excerpt.jump": "Im Raum zeigen",

  "search.title": "Suche",
  "search.words": "Gesuchte Wörter",
  "search.everywhere": "In allen meinen Räumen",
  "search.submit": "Suchen",
  "search.loading": "Suche läuft …",
  "search.how":
    "Alle Wörter müssen in einer Nachricht stehen. Auch: eine Wendung in Anführungszeichen, anfang*, -ohne.",
  "search.count": { one: "{count} Nachricht", other: "{count} Nachrichten" },
};
