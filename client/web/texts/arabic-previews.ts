// ArabicPreviews: the texts about previews of links. The keys and parameters are those of
// english-previews.ts.

import type { PreviewsCatalogue } from "./texts.ts";

export const arabicPreviews: PreviewsCatalogue = {
  "previews.title": "معاينات الروابط",
  "previews.show": "عرض معاينات الروابط على هذا الجهاز",
  "previews.note":
    "عندما تظهر رسالة فيها رابط، ترسل هذه الصفحة عنوان الرابط إلى هذا الخادم، فيجلب الخادم الصفحة المرتبطة. عندئذ يعلم الموقع المرتبط أن شخصًا ما فتح المحادثة ومتى فتحها، ولا يعلم من هو ولا يرى شيئًا من هذا الجهاز. ويمكن لمشغّل هذا الخادم أن يرى الروابط التي تُجلب. وقد يُستهلك بذلك رابط يعمل مرة واحدة فقط.",
  "previews.of": "معاينة {host}",
};
