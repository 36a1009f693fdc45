// Everything here makes a page that works without it a little better.
"use strict";

// A time says, when it is pointed at, what the reader's own clock says.
function tellLocalTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  }
}
tellLocalTimes(document);

// What is wrong with a form is read out first.
document.querySelector("[data-focus]")?.focus();

// The copy button needs a script, so the script is what shows it.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.done;
    } catch {
      field.focus(); // no clipboard without https: selected, it is one key away
    }
  });
}

// Choose all of a list at once.
for (const label of document.querySelectorAll("[data-chooses]")) {
  const all = label.querySelector("input");
  label.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.getElementsByName(label.dataset.chooses)) {
      if (!box.disabled) box.checked = all.checked;
    }
  });
}

// What is still going on is looked at again until it is over.
function follow() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(live.id);
      if (!fresh) return location.reload(); // signed out meanwhile
      live.replaceWith(fresh);
      tellLocalTimes(fresh);
    } catch {
      // The server may be back at the next look.
    }
    follow();
  }, Number(live.dataset.live));
}
follow();
