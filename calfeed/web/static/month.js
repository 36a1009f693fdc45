// FullCalendar in the place of the table, which stays where there is no script.
"use strict";

addEventListener("DOMContentLoaded", () => {
  const shown = document.querySelector("[data-events]");
  const heading = document.getElementById("shown");
  const { lang, dir } = document.documentElement;
  // A telephone is too narrow for its days, and the table fits.
  if (matchMedia("(max-width: 40rem)").matches) return;
  // Where the browser does not know the names of the months, the table does.
  if (!Intl.DateTimeFormat.supportedLocalesOf(lang).length) return;
  const locale = `${lang === "en" ? "en-GB" : lang}-u-ca-gregory`;
  const place = document.createElement("div");
  const calendar = new FullCalendar.Calendar(place, {
    initialView: "dayGridMonth",
    initialDate: shown.dataset.first,
    // FullCalendar knows no zone of this name, so it leaves each time on the clock it is written on.
    timeZone: "own",
    locale,
    direction: dir,
    firstDay: Number(shown.dataset.weekBegins),
    headerToolbar: false,
    height: "auto",
    fixedWeekCount: false,
    dayMaxEvents: 4,
    moreLinkText: shown.dataset.more,
    eventDisplay: "block",
    eventTimeFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    events: (window, done, failed) => {
      const address = new URL(shown.dataset.events, location);
      address.searchParams.set("start", window.startStr);
      address.searchParams.set("end", window.endStr);
      fetch(address).then((answer) => answer.json()).then(done, failed);
    },
    // It is drawn out of sight, and takes the place of the table when it is complete.
    eventsSet: () => requestAnimationFrame(() => shown.replaceChildren(place)),
    datesSet: ({ view: now }) => {
      const month = { month: "long", year: "numeric", timeZone: "UTC" };
      heading.textContent = new Intl.DateTimeFormat(locale, month).format(now.currentStart);
    },
    eventDidMount: ({ el, event }) => {
      el.title = event.title;
      const title = el.querySelector(".fc-event-title");
      [title.lang, title.dir] = [event.extendedProps.lang, "auto"];
    },
  });
  shown.append(place);
  calendar.render();
  for (const step of document.querySelectorAll("[data-step]")) {
    step.addEventListener("click", (event) => {
      event.preventDefault();
      calendar[step.dataset.step]();
    });
  }
});
