"""The words that calfeed adds to feeds, in several languages.

Native speakers have not reviewed the translations yet.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The words of one language, with placeholders in braces.

    `moved` has `{when}` (the old time) and `{day}`. `parts` are early, mid- and late `{month}`,
    `quarters` and `halves` are in order and have `{year}`, as `seasons` have, from spring.
    `before` and `after` have `{distance}` and `{cause}`.
    """

    cancelled: str
    moved: str
    corrected: str
    source: str
    parts: tuple[str, str, str]
    quarters: tuple[str, str, str, str]
    halves: tuple[str, str]
    seasons: tuple[str, str, str, str]
    one_of: str
    time_open: str
    day_open: str
    postponed: str
    waiting: str
    before: str
    after: str
    working_day: str
    working_days: str
    clear_days: str
    clear_working_days: str
    days: tuple[str, str]
    months: tuple[str, str]
    years: tuple[str, str]
    counted: str
    not_counted: str
    weekend: str
    closed: str
    rolled_next: str
    rolled_previous: str
    provisional: str
    met: str
    waived: str


_WORDS = {
    "en": Words(
        cancelled="Cancelled",
        moved="Was {when}; moved on {day}",
        corrected="Correction of {day}: {when} was wrong",
        source="Source",
        parts=("early {month}", "mid-{month}", "late {month}"),
        quarters=(
            "first quarter of {year}",
            "second quarter of {year}",
            "third quarter of {year}",
            "fourth quarter of {year}",
        ),
        halves=("first half of {year}", "second half of {year}"),
        seasons=("spring {year}", "summer {year}", "autumn {year}", "winter {year}"),
        one_of="one of {days}",
        time_open="{day}, time to be confirmed",
        day_open="{when}, day open: {title}",
        postponed="Postponed",
        waiting="Waiting for {cause}",
        before="{distance} before {cause}",
        after="{distance} after {cause}",
        working_day="{count} working day",
        working_days="{count} working days",
        clear_days="{count} clear days",
        clear_working_days="{count} clear working days",
        days=("{count} day", "{count} days"),
        months=("{count} month", "{count} months"),
        years=("{count} year", "{count} years"),
        counted="{rule} ({begin}): {day}",
        not_counted="Not counted: {days}",
        weekend="weekend",
        closed="closed",
        rolled_next="Not a working day: {days}; so the next one: {moved}",
        rolled_previous="Not a working day: {days}; so the one before: {moved}",
        provisional="Provisional: the date of a holiday is estimated",
        met="Done: met",
        waived="Done: waived",
    ),
    "ur": Words(
        cancelled="منسوخ",
        moved="پہلے: {when}؛ تبدیلی کی تاریخ: {day}",
        corrected="{day} کی تصحیح: {when} غلط تھی",
        source="ماخذ",
        parts=("اوائل {month}", "وسط {month}", "اواخر {month}"),
        quarters=(
            "{year} کی پہلی سہ ماہی",
            "{year} کی دوسری سہ ماہی",
            "{year} کی تیسری سہ ماہی",
            "{year} کی چوتھی سہ ماہی",
        ),
        halves=("{year} کی پہلی ششماہی", "{year} کی دوسری ششماہی"),
        seasons=("موسم بہار {year}", "موسم گرما {year}", "موسم خزاں {year}", "موسم سرما {year}"),
        one_of="{days} میں سے کسی ایک دن",
        time_open="{day}، وقت کی تصدیق باقی ہے",
        day_open="{when}، دن طے نہیں: {title}",
        postponed="ملتوی",
        waiting="{cause} کا انتظار ہے",
        before="{cause} سے {distance} پہلے",
        after="{cause} کے {distance} بعد",
        working_day="{count} یومِ کار",
        working_days="{count} ایامِ کار",
        clear_days="{count} پورے دن",
        clear_working_days="{count} پورے ایامِ کار",
        days=("{count} دن", "{count} دن"),
        months=("{count} مہینہ", "{count} مہینے"),
        years=("{count} سال", "{count} سال"),
        counted="{rule} ({begin}): {day}",
        not_counted="شمار نہیں کیے گئے: {days}",
        weekend="ہفتہ وار تعطیل",
        closed="بند",
        rolled_next="یومِ کار نہیں: {days}؛ اس لیے اگلا یومِ کار: {moved}",
        rolled_previous="یومِ کار نہیں: {days}؛ اس لیے اس سے پہلا یومِ کار: {moved}",
        provisional="عارضی: ایک تعطیل کی تاریخ اندازے سے ہے",
        met="مکمل: پورا ہوا",
        waived="مکمل: معاف کر دیا گیا",
    ),
    "ps": Words(
        cancelled="لغوه شوی",
        moved="پخوا: {when}؛ د بدلون نېټه: {day}",
        corrected="د {day} سمون: {when} سمه نه وه",
        source="سرچینه",
        parts=("د {month} پیل", "د {month} منځ", "د {month} پای"),
        quarters=(
            "د {year} لومړۍ ربعه",
            "د {year} دویمه ربعه",
            "د {year} درېیمه ربعه",
            "د {year} څلورمه ربعه",
        ),
        halves=("د {year} لومړۍ نیمایي", "د {year} دویمه نیمایي"),
        seasons=("د {year} پسرلی", "د {year} اوړی", "د {year} منی", "د {year} ژمی"),
        one_of="د {days} له ورځو څخه یوه ورځ",
        time_open="{day}، وخت یې لا نه دی تایید شوی",
        day_open="{when}، ورځ یې لا نه ده ټاکل شوې: {title}",
        postponed="ځنډول شوی",
        waiting="د {cause} په تمه",
        before="له {cause} څخه {distance} مخکې",
        after="له {cause} څخه {distance} وروسته",
        working_day="{count} کاري ورځ",
        working_days="{count} کاري ورځې",
        clear_days="{count} بشپړې ورځې",
        clear_working_days="{count} بشپړې کاري ورځې",
        days=("{count} ورځ", "{count} ورځې"),
        months=("{count} میاشت", "{count} میاشتې"),
        years=("{count} کال", "{count} کاله"),
        counted="{rule} ({begin}): {day}",
        not_counted="نه دي شمېرل شوي: {days}",
        weekend="د اونۍ رخصتي",
        closed="تړلی",
        rolled_next="کاري ورځ نه ده: {days}؛ نو بله کاري ورځ: {moved}",
        rolled_previous="کاري ورځ نه ده: {days}؛ نو مخکینۍ کاري ورځ: {moved}",
        provisional="لنډمهاله: د یوې رخصتۍ نېټه اټکلي ده",
        met="بشپړ: پوره شو",
        waived="بشپړ: معاف شو",
    ),
    "fa": Words(
        cancelled="لغوشده",
        moved="پیشتر: {when}؛ تاریخ تغییر: {day}",
        corrected="تصحیح {day}: {when} نادرست بود",
        source="منبع",
        parts=("اوایل {month}", "اواسط {month}", "اواخر {month}"),
        quarters=(
            "ربع اول {year}",
            "ربع دوم {year}",
            "ربع سوم {year}",
            "ربع چهارم {year}",
        ),
        halves=("نیمهٔ اول {year}", "نیمهٔ دوم {year}"),
        seasons=("بهار {year}", "تابستان {year}", "خزان {year}", "زمستان {year}"),
        one_of="یکی از روزهای {days}",
        time_open="{day}، ساعت آن هنوز تأیید نشده",
        day_open="{when}، روز آن معلوم نیست: {title}",
        postponed="به تعویق افتاده",
        waiting="در انتظار {cause}",
        before="{distance} پیش از {cause}",
        after="{distance} پس از {cause}",
        working_day="{count} روز کاری",
        working_days="{count} روز کاری",
        clear_days="{count} روز کامل",
        clear_working_days="{count} روز کاری کامل",
        days=("{count} روز", "{count} روز"),
        months=("{count} ماه", "{count} ماه"),
        years=("{count} سال", "{count} سال"),
        counted="{rule} ({begin}): {day}",
        not_counted="حساب نشده: {days}",
        weekend="رخصتی هفته‌وار",
        closed="بسته",
        rolled_next="روز کاری نیست: {days}؛ پس روز کاری بعدی: {moved}",
        rolled_previous="روز کاری نیست: {days}؛ پس روز کاری پیشین: {moved}",
        provisional="موقتی: تاریخ یک رخصتی تخمینی است",
        met="انجام شد",
        waived="معاف شد",
    ),
}


def words_in(language: str) -> Words:
    """Return the words of a language (BCP 47 tag), by default English."""
    return _WORDS.get(language.split("-")[0], _WORDS["en"])
