// Everything here makes a page that works without it a little better.
"use strict";

// A link to the page that tells how to subscribe opens the dialog that tells the same.
for (const link of document.querySelectorAll("a[data-opens]")) {
  const dialog = document.getElementById(link.dataset.opens);
  if (!dialog?.showModal) continue;
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the ground beside it
  });
}

// The copy button needs a script, so the script is what shows it.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const label = button.textContent;
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // No clipboard without https: selected, it is one key away.
      field.focus();
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// The zone of this device is among those to choose from.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const city = zone.split("/").pop().replaceAll("_", " ");
const zones = document.getElementById("zone");
const known = [...(zones?.options ?? [])].find((one) => one.value === zone);
if (zones && !known) zones.add(new Option(city, zone), zones.options[1]);

// The date on the reader's own clock, where the page was not asked for another and the browser
// speaks the language of the page. What is the same day everywhere has no such line.
const yours = document.querySelector(".yours[hidden]");
if (yours) {
  if (zones) zones.value = zone;
  const { lang } = document.documentElement;
  const speaks = Intl.DateTimeFormat.supportedLocalesOf(lang).length > 0;
  if (speaks && zone !== yours.dataset.zone) {
    const format = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, {
      weekday: "long", day: "numeric", month: "long", year: "numeric",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", calendar: "gregory", timeZone: zone,
    });
    const [begins, ends] = [new Date(yours.dataset.begins), new Date(yours.dataset.ends)];
    const when = begins < ends ? format.formatRange(begins, ends) : format.format(begins);
    yours.textContent = yours.dataset.says
      .replace("{zone}", `\u2068${known?.text ?? city}\u2069`).replace("{when}", `\u2068${when}\u2069`);
    yours.hidden = false;
  }
}
