// What ical.js (Thunderbird, Nextcloud's calendar) reads in feeds.
//
// node icaljs.mjs MODULE FILE BEGIN END [FILE BEGIN END]... prints what begins between the two
// dates (YYYYMMDD), as `tests/ical/parsers/__init__.py` describes it.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, ...words] = process.argv.slice(2);
const { default: ICAL } = await import(pathToFileURL(module));
const lines = [];

function write(time) {
  const moment =
    time.isDate || time.zone === ICAL.Timezone.localTimezone
      ? time
      : time.convertToZone(ICAL.Timezone.utcTimezone);
  return moment.toICALString();
}

function printAlarms(feed, event, start, end) {
  for (const alarm of event.component.getAllSubcomponents("valarm")) {
    const trigger = alarm.getFirstProperty("trigger");
    let moment = trigger.getFirstValue();
    if (moment instanceof ICAL.Duration) {
      const duration = moment;
      // As Thunderbird does it, in calAlarmUtils.sys.mjs: on the clock of the start or end.
      moment = (trigger.getFirstParameter("related") === "END" ? end : start).clone();
      moment.isDate = false;
      moment.addDuration(duration);
    }
    lines.push([feed, "alarm", event.uid, write(start), write(moment)]);
  }
}

function printOccurrence(feed, event, start, end) {
  lines.push([feed, "occurrence", event.uid, write(start), write(end)]);
  printAlarms(feed, event, start, end);
}

function readFeed(feed, text, begin, limit) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  calendar.getAllSubcomponents("vtimezone").forEach((zone) => ICAL.TimezoneService.register(zone));
  const vevents = calendar.getAllSubcomponents("vevent");
  const exceptions = new Map();
  for (const vevent of vevents.filter((each) => each.hasProperty("recurrence-id"))) {
    const uid = vevent.getFirstPropertyValue("uid");
    exceptions.set(uid, [...(exceptions.get(uid) ?? []), vevent]);
    const event = new ICAL.Event(vevent);
    printOccurrence(feed, event, event.startDate, event.endDate);
  }
  for (const vevent of vevents.filter((each) => !each.hasProperty("recurrence-id"))) {
    const uid = vevent.getFirstPropertyValue("uid");
    const event = new ICAL.Event(vevent, { exceptions: exceptions.get(uid) ?? [] });
    if (!event.isRecurring()) {
      printOccurrence(feed, event, event.startDate, event.endDate);
      continue;
    }
    const occurrences = event.iterator();
    for (let next = occurrences.next(); next && next.compare(limit) <= 0; next = occurrences.next()) {
      if (next.compare(begin) < 0) continue;
      const { item, startDate, endDate } = event.getOccurrenceDetails(next);
      if (item === event) printOccurrence(feed, event, startDate, endDate);
    }
  }
}

for (let place = 0; place + 2 < words.length; place += 3) {
  const [begin, limit] = words.slice(place + 1, place + 3).map((date) => ICAL.Time.fromData({
    year: Number(date.slice(0, 4)), month: Number(date.slice(4, 6)), day: Number(date.slice(6)),
  }, ICAL.Timezone.utcTimezone));
  try {
    readFeed(place / 3, readFileSync(words[place], "utf-8"), begin, limit);
  } catch (error) {
    lines.push([place / 3, "error", "", String(error)]);
  }
}
process.stdout.write(lines.map((parts) => parts.join("\t") + "\n").join(""));
