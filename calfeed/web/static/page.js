// Progressive enhancements: all pages work without scripts.
"use strict";

// Links to the subscription page open a dialog with the same content.
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
    if (event.target === dialog) dialog.close(); // the backdrop
  });
}

// Put the app of this device first. The server cannot, because the page is the same for everybody.
const platforms = [
  [/iphone|ipad|macintosh/, "apple"], [/android/, "android"],
  [/windows/, "outlook"], [/cros/, "google"], [/linux/, "thunderbird"],
];
const agent = navigator.userAgent.toLowerCase();
const [, app] = platforms.find(([pattern]) => pattern.test(agent)) ?? [];
for (const list of document.querySelectorAll("ul[data-here]")) {
  const link = list.querySelector(`[data-client="${app}"]`);
  if (!link) continue;
  const item = link.closest("li");
  const note = Object.assign(document.createElement("span"), { className: "here", textContent: list.dataset.here });
  link.after(note);
  item.classList.add("is-here");
  list.prepend(item);
}

// Show the copy button, which needs a script.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const label = button.textContent;
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // The clipboard needs https; select the text instead.
      field.focus();
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// Add the browser's zone to the menu.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const city = zone.split("/").pop().replaceAll("_", " ");
const zones = document.getElementById("zone");
const known = [...(zones?.options ?? [])].find((option) => option.value === zone);
if (zones && !known) zones.add(new Option(city, zone), zones.options[1]);

// Show the date in the browser's zone, unless the URL names a zone or the browser does not support
// the page's language. Pages of all-day dates have no line for this.
const yours = document.querySelector(".yours[hidden]");
if (yours) {
  if (zones) zones.value = zone;
  const { lang } = document.documentElement;
  const supported = Intl.DateTimeFormat.supportedLocalesOf(lang).length > 0;
  // Browsers differ in the digits of some languages, such as Arabic.
  const latin = /[0-9]/.test(document.querySelector(".when .date").textContent);
  if (supported && zone !== yours.dataset.zone) {
    const format = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, {
      weekday: "long", day: "numeric", month: "long", year: "numeric",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", calendar: "gregory", timeZone: zone,
      numberingSystem: latin ? "latn" : undefined,
    });
    const [begins, ends] = [new Date(yours.dataset.begins), new Date(yours.dataset.ends)];
    const when = begins < ends ? format.formatRange(begins, ends) : format.format(begins);
    yours.textContent = yours.dataset.says
      .replace("{zone}", `\u2068${known?.text ?? city}\u2069`).replace("{when}", `\u2068${when}\u2069`);
    yours.hidden = false;
  }
}
