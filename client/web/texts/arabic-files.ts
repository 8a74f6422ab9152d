// ArabicFiles: the texts about files. The keys and parameters are those of english-files.ts.

import type { FilesCatalogue } from "./texts.ts";

export const arabicFiles: FilesCatalogue = {
  "files.list": "ملفات هذه الرسالة",
  "files.remove": "إزالة {name}",
  "files.uploadOf": "رفع {name}",
  "files.uploading": {
    zero: "لا يُرفع أي ملف.",
    one: "يُرفع ملف واحد.",
    two: "يُرفع ملفان.",
    few: "تُرفع {count} ملفات.",
    many: "يُرفع {count} ملفًا.",
    other: "يُرفع {count} ملف.",
  },
  "files.ready": {
    zero: "لا ملف جاهز للإرسال.",
    one: "ملف واحد جاهز للإرسال.",
    two: "ملفان جاهزان للإرسال.",
    few: "{count} ملفات جاهزة للإرسال.",
    many: "{count} ملفًا جاهزًا للإرسال.",
    other: "{count} ملف جاهز للإرسال.",
  },
  "files.tooMany": {
    zero: "لا تحمل الرسالة أي ملف.",
    one: "تحمل الرسالة ملفًا واحدًا على الأكثر.",
    two: "تحمل الرسالة ملفين على الأكثر.",
    few: "تحمل الرسالة {count} ملفات على الأكثر.",
    many: "تحمل الرسالة {count} ملفًا على الأكثر.",
    other: "تحمل الرسالة {count} ملف على الأكثر.",
  },
  "files.tooLarge": "كبير جدًا: حجم الملف {size} على الأكثر.",
  "files.empty": "هذا الملف فارغ.",
  "files.quota": "حجم ملفاتك كلها كبير جدًا. احذف أولًا رسائل فيها ملفات.",
  "files.type": "لا يقبل هذا الخادم ملفات من هذا النوع.",
  "files.off": "لا يقبل هذا الخادم أي ملفات.",
  "files.gone": "حُذف هذا الملف.",
  "files.open": "فتح {name}",
  "files.notLoaded": "لم يُحمَّل {name}. حاول مرة أخرى",
  "files.download": "تنزيل",
  "files.close": "إغلاق الصورة",
};
