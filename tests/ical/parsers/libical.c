/* What libical (GNOME, KDE's older releases, Citadel) reads in feeds.

   libical FILE BEGIN END [FILE BEGIN END]... prints what begins between the two dates (YYYYMMDD),
   as `tests/ical/parsers/__init__.py` describes it. Built with cc -lical. */

#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TIMES 20000

/* Of the series that is read: what EXDATE or an occurrence's own VEVENT takes out, and RDATE. */
static icaltimetype skipped[MAX_TIMES], added[MAX_TIMES];
static int skipped_count, added_count;

static icaltimetype in_utc(icaltimetype moment)
{
    return moment.is_date || !moment.zone
        ? moment : icaltime_convert_to_zone(moment, icaltimezone_get_utc_timezone());
}

static void print_time(icaltimetype moment)
{
    moment = in_utc(moment);
    printf("\t%04d%02d%02d", moment.year, moment.month, moment.day);
    if (!moment.is_date)
        printf("T%02d%02d%02d%s", moment.hour, moment.minute, moment.second, moment.zone ? "Z" : "");
}

static time_t as_seconds(icaltimetype moment)
{
    struct tm parts = {0};

    moment = in_utc(moment);
    parts.tm_year = moment.year - 1900;
    parts.tm_mon = moment.month - 1;
    parts.tm_mday = moment.day;
    parts.tm_hour = moment.hour;
    parts.tm_min = moment.minute;
    parts.tm_sec = moment.second;
    return timegm(&parts);
}

static icaltimetype property_time(icalproperty *property, icalcomponent *vevent)
{
    return icalproperty_get_datetime_with_component(property, vevent);
}

/* The end of an occurrence: DTEND is so many seconds later, a DURATION is added as it is. */
static icaltimetype end_of(icalcomponent *vevent, icaltimetype start)
{
    icalproperty *duration = icalcomponent_get_first_property(vevent, ICAL_DURATION_PROPERTY);
    icalproperty *end = icalcomponent_get_first_property(vevent, ICAL_DTEND_PROPERTY);
    long seconds;

    if (duration)
        return icaltime_add(start, icalproperty_get_duration(duration));
    if (end) {
        seconds = as_seconds(property_time(end, vevent))
            - as_seconds(icalcomponent_get_dtstart(vevent));
        start = in_utc(start);
        icaltime_adjust(&start, seconds / 86400, 0, 0, seconds % 86400);
    } else if (start.is_date) {
        icaltime_adjust(&start, 1, 0, 0, 0);
    }
    return start;
}

static void print_alarms(int feed, icalcomponent *vevent, icaltimetype start, icaltimetype end)
{
    icalcomponent *alarm;
    icalproperty *property;
    struct icaltriggertype trigger;
    icalparameter *related;
    icaltimetype moment;

    for (alarm = icalcomponent_get_first_component(vevent, ICAL_VALARM_COMPONENT); alarm;
         alarm = icalcomponent_get_next_component(vevent, ICAL_VALARM_COMPONENT)) {
        property = icalcomponent_get_first_property(alarm, ICAL_TRIGGER_PROPERTY);
        if (!property)
            continue;
        trigger = icalproperty_get_trigger(property);
        moment = trigger.time;
        if (icaltime_is_null_time(moment)) {
            related = icalproperty_get_first_parameter(property, ICAL_RELATED_PARAMETER);
            moment = related && icalparameter_get_related(related) == ICAL_RELATED_END ? end : start;
            moment.is_date = 0;
            moment = icaltime_add(moment, trigger.duration);
        }
        printf("%d\talarm\t%s", feed, icalcomponent_get_uid(vevent));
        print_time(start);
        print_time(moment);
        putchar('\n');
    }
}

static void print_occurrence(int feed, icalcomponent *vevent, icaltimetype start)
{
    icaltimetype end = end_of(vevent, start);

    printf("%d\toccurrence\t%s", feed, icalcomponent_get_uid(vevent));
    print_time(start);
    print_time(end);
    putchar('\n');
    print_alarms(feed, vevent, start, end);
}

static void skip(icaltimetype moment)
{
    if (skipped_count == MAX_TIMES) {
        fputs("too many dates that are left out\n", stderr);
        exit(1);
    }
    skipped[skipped_count++] = in_utc(moment);
}

static int is_skipped(icaltimetype moment)
{
    moment = in_utc(moment);
    for (int place = 0; place < skipped_count; place++)
        if (icaltime_compare(skipped[place], moment) == 0)
            return 1;
    return 0;
}

/* libical leaves it to its users to put an occurrence's own VEVENT in the place of what the rule
   gives, and to merge the rule's dates with RDATE and EXDATE. */
static void read_series(int feed, icalcomponent *calendar, icalcomponent *vevent,
                        icaltimetype begin, icaltimetype limit)
{
    const char *uid = icalcomponent_get_uid(vevent);
    icaltimetype start = icalcomponent_get_dtstart(vevent), moment;
    icalproperty *property, *rule;
    icalcomponent *other;
    icalrecur_iterator *iterator;

    skipped_count = added_count = 0;
    for (other = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT); other;
         other = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
        property = icalcomponent_get_first_property(other, ICAL_RECURRENCEID_PROPERTY);
        if (property && strcmp(icalcomponent_get_uid(other), uid) == 0)
            skip(property_time(property, other));
    }
    for (property = icalcomponent_get_first_property(vevent, ICAL_EXDATE_PROPERTY); property;
         property = icalcomponent_get_next_property(vevent, ICAL_EXDATE_PROPERTY))
        skip(property_time(property, vevent));
    /* Looking for an end, below, would begin a walk through the properties anew. */
    for (property = icalcomponent_get_first_property(vevent, ICAL_RDATE_PROPERTY);
         property && added_count < MAX_TIMES;
         property = icalcomponent_get_next_property(vevent, ICAL_RDATE_PROPERTY))
        added[added_count++] = property_time(property, vevent);
    rule = icalcomponent_get_first_property(vevent, ICAL_RRULE_PROPERTY);
    if (rule) {
        iterator = icalrecur_iterator_new(icalproperty_get_rrule(rule), start);
        if (!iterator) {
            printf("%d\terror\t%s\t%s\n", feed, uid, icalerror_strerror(icalerrno));
            return;
        }
        while (moment = icalrecur_iterator_next(iterator), !icaltime_is_null_time(moment)) {
            if (icaltime_compare(moment, limit) > 0)
                break;
            if (icaltime_compare(moment, begin) >= 0 && !is_skipped(moment))
                print_occurrence(feed, vevent, moment);
        }
        icalrecur_iterator_free(iterator);
    } else if (!is_skipped(start)) {
        print_occurrence(feed, vevent, start);
    }
    for (int place = 0; place < added_count; place++)
        if (!is_skipped(added[place]))
            print_occurrence(feed, vevent, added[place]);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text;
    long length;

    if (!file || fseek(file, 0, SEEK_END) || (length = ftell(file)) < 0) {
        perror(path);
        exit(1);
    }
    rewind(file);
    text = malloc(length + 1);
    text[fread(text, 1, length, file)] = 0;
    fclose(file);
    return text;
}

int main(int count, char **words)
{
    for (int place = 1; place + 2 < count; place += 3) {
        int feed = (place - 1) / 3;
        char *text = read_file(words[place]);
        icalcomponent *calendar = icalparser_parse_string(text), *vevent;
        icaltimetype begin = icaltime_from_string(words[place + 1]);
        icaltimetype limit = icaltime_from_string(words[place + 2]);

        if (!calendar) {
            printf("%d\terror\t\tcannot be read\n", feed);
            continue;
        }
        if (icalcomponent_count_errors(calendar))
            printf("%d\terror\t\t%d errors\n", feed, icalcomponent_count_errors(calendar));
        /* Reading a series walks through the VEVENTs too, so this walk has an iterator of its own. */
        for (icalcompiter each = icalcomponent_begin_component(calendar, ICAL_VEVENT_COMPONENT);
             (vevent = icalcompiter_deref(&each)); icalcompiter_next(&each)) {
            if (icalcomponent_get_first_property(vevent, ICAL_RECURRENCEID_PROPERTY))
                print_occurrence(feed, vevent, icalcomponent_get_dtstart(vevent));
            else
                read_series(feed, calendar, vevent, begin, limit);
        }
        icalcomponent_free(calendar);
        free(text);
    }
    return 0;
}
