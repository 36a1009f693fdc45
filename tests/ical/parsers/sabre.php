<?php
// What sabre/vobject (Nextcloud, Baïkal) reads in feeds.
//
// php sabre.php FILE BEGIN END [FILE BEGIN END]... prints what begins between the two dates
// (YYYYMMDD), as `tests/ical/parsers/__init__.py` describes it. Debian ships the release of 2015.

use Sabre\VObject;

error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', 'stderr');
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/VObject/includes.php';

function write_time(DateTimeInterface $moment, bool $is_date): string
{
    if ($is_date) {
        return $moment->format('Ymd');
    }
    return DateTimeImmutable::createFromInterface($moment)
        ->setTimezone(new DateTimeZone('UTC'))->format('Ymd\THis\Z');
}

function print_occurrence(int $feed, VObject\Component $vevent): void
{
    $is_date = $vevent->DTSTART->getDateType() === VObject\Property\DateTime::DATE;
    $uid = (string)$vevent->UID;
    $start = $vevent->DTSTART->getDateTime();
    $end = isset($vevent->DTEND) ? $vevent->DTEND->getDateTime() : clone $start;
    if (!isset($vevent->DTEND) && isset($vevent->DURATION)) {
        $end->add(VObject\DateTimeParser::parseDuration((string)$vevent->DURATION));
    } elseif (!isset($vevent->DTEND) && $is_date) {
        $end->modify('+1 day');
    }
    $start = write_time($start, $is_date);
    print implode("\t", [$feed, 'occurrence', $uid, $start, write_time($end, $is_date)]) . "\n";
    foreach ($vevent->select('VALARM') as $alarm) {
        $moment = write_time(alarm_time($alarm), false);
        // A date's alarm is at a time without a zone.
        print implode("\t", [$feed, 'alarm', $uid, $start,
            $is_date && !is_absolute($alarm) ? rtrim($moment, 'Z') : $moment]) . "\n";
    }
}

function is_absolute(VObject\Component $alarm): bool
{
    return isset($alarm->TRIGGER['VALUE']) && (string)$alarm->TRIGGER['VALUE'] === 'DATE-TIME';
}

function alarm_time(VObject\Component $alarm): DateTimeInterface
{
    // Its own reading of an absolute time fails: it asks the parameter for it.
    return is_absolute($alarm)
        ? VObject\DateTimeParser::parseDateTime((string)$alarm->TRIGGER)
        : $alarm->getEffectiveTriggerTime();
}

function read_series(int $feed, VObject\Component $vevent, array $overridden,
    DateTime $begin, DateTime $limit): void
{
    if (preg_match('/FREQ=(SECOND|MINUTE|HOUR)LY/', (string)$vevent->RRULE)) {
        // It says that it does not know these, and never ends on some.
        throw new RangeException('the frequency is not supported');
    }
    $series = new VObject\RecurrenceIterator($vevent);
    for (; $series->valid() && $series->getDtStart() <= $limit; $series->next()) {
        $start = $series->getDtStart();
        if ($start >= $begin && !isset($overridden[$start->getTimestamp()])) {
            $occurrence = $series->getEventObject();
            foreach ($occurrence->select('VALARM') as $alarm) {
                $alarm->parent = $occurrence;
            }
            print_occurrence($feed, $occurrence);
        }
    }
}

function read_feed(int $feed, string $text, DateTime $begin, DateTime $limit): void
{
    $calendar = VObject\Reader::read($text);
    $overridden = [];
    foreach ($calendar->select('VEVENT') as $vevent) {
        if (isset($vevent->{'RECURRENCE-ID'})) {
            $original = $vevent->{'RECURRENCE-ID'}->getDateTime()->getTimestamp();
            $overridden[(string)$vevent->UID][$original] = true;
            print_occurrence($feed, $vevent);
        }
    }
    foreach ($calendar->select('VEVENT') as $vevent) {
        if (isset($vevent->{'RECURRENCE-ID'})) {
            continue;
        }
        $uid = (string)$vevent->UID;
        try {
            read_series($feed, $vevent, $overridden[$uid] ?? [], $begin, $limit);
        } catch (Throwable $error) {
            print implode("\t", [$feed, 'error', $uid, $error->getMessage()]) . "\n";
        }
    }
}

$words = array_slice($argv, 1);
foreach (array_chunk($words, 3) as $feed => [$path, $begin, $limit]) {
    try {
        read_feed($feed, file_get_contents($path), new DateTime($begin), new DateTime($limit));
    } catch (Throwable $error) {
        print implode("\t", [$feed, 'error', '', $error->getMessage()]) . "\n";
    }
}
