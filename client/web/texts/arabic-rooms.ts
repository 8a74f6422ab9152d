// ArabicRooms: the texts about rooms. The keys and parameters are those of english-rooms.ts.

import type { RoomsCatalogue } from "./texts.ts";

export const arabicRooms: RoomsCatalogue = {
  "page.partFailed": "تعذّر تحميل هذا الجزء من الصفحة. أعد تحميل الصفحة.",

  "rooms.filter": "تصفية الغرف",
  "rooms.direct": "الرسائل المباشرة",
  "rooms.create": "غرفة جديدة",
  "rooms.newDirect": "رسالة مباشرة جديدة",
  "rooms.noMatch": "لا توجد غرفة مطابقة بين غرفك.",
  "rooms.closeRoom": "إغلاق {room}",
  "rooms.closedKind": "غرفة مغلقة",
  "rooms.mentions": {
    zero: "لا إشارات",
    one: "إشارة واحدة",
    two: "إشارتان",
    few: "{count} إشارات",
    many: "{count} إشارة",
    other: "{count} إشارة",
  },
  "rooms.unreadWord": "غير مقروءة",
  "rooms.last": "{name}: {text}",
  "rooms.lastOwn": "أنت: {text}",
  "choice.found": "غرفة مفتوحة",
  "choice.new": "افتح هذه الغرفة",
  "choice.user": "رسالة مباشرة",

  "failure.roomExists": "توجد غرفة بهذا الاسم.",
  "failure.invite": "انتهت هذه الدعوة أو استُخدمت أكثر من اللازم. اطلب دعوة جديدة.",
  "failure.member": "هذا التغيير غير ممكن الآن: تحتفظ الغرفة بآخر مالك لها.",
  "failure.late": "انتهى الوقت المتاح لتعديل هذه الرسالة.",
  "notice.joined": "انضم إلى هذه الغرفة.",
  "day.duration.s": {
    zero: "{count} ثانية",
    one: "ثانية",
    two: "ثانيتان",
    few: "{count} ثوانٍ",
    many: "{count} ثانية",
    other: "{count} ثانية",
  },
  "day.duration.m": {
    zero: "{count} دقيقة",
    one: "دقيقة",
    two: "دقيقتان",
    few: "{count} دقائق",
    many: "{count} دقيقة",
    other: "{count} دقيقة",
  },
  "day.duration.h": {
    zero: "{count} ساعة",
    one: "ساعة",
    two: "ساعتان",
    few: "{count} ساعات",
    many: "{count} ساعة",
    other: "{count} ساعة",
  },
  "day.duration.d": {
    zero: "{count} يوم",
    one: "يوم",
    two: "يومان",
    few: "{count} أيام",
    many: "{count} يومًا",
    other: "{count} يوم",
  },
  "removal.left": "غادرتَ هذه الغرفة.",

  "room.writeTo": "رسالة إلى {room}",
  "visit.text": "أنت تزور هذه الغرفة. انضم إليها لتبقى في قائمتك على كل جهاز.",
  "visit.join": "انضمام",

  "copy.done": "تم النسخ.",

  "search.open": "البحث في الرسائل",
  "about.title": "عن هذه الغرفة",
  "jump.failed": "تعذّر تحميل هذا الموضع. حاول مرة أخرى.",

  "pins.title": "الرسائل المثبتة",

  "bar.archived": "هذه الغرفة مؤرشفة. لا يمكن إرسال شيء إليها.",
  "bar.role": "دورك في هذه الغرفة لا يسمح لك بالكتابة.",
  "bar.muted": "أنت مكتوم حتى {time}.",
  "bar.blocked": "هذا المستخدم لا يستقبل رسائلك.",
  "bar.left": "لا يمكنك الكتابة هنا لأنك لست في هذه الغرفة.",
  "slow.note": "الوضع البطيء: رسالة واحدة كل {duration}",

  "mention.list": "مستخدمون يمكن الإشارة إليهم",
  "mention.room": "كل من في هذه الغرفة",
  "notify.on": "تشغيل الإشعارات",
  "notify.off": "إيقاف الإشعارات",
  "notify.note": "للإشارات والرسائل المباشرة عندما تكون هذه الصفحة مخفية.",
  "notify.denied": "يحظر هذا المتصفح إشعارات هذه الصفحة.",
  "notify.mention": "أشار إليك {name} في {room}",
  "notify.reply": "ردّ عليك {name} في {room}",
};
