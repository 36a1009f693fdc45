// Progressive enhancements: all pages work without scripts.
"use strict";

// Show times in the browser's zone as tooltips.
function addLocalTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  }
}
addLocalTimes(document);

// Focus the summary of form errors, so that screen readers announce it.
document.querySelector("[data-focus]")?.focus();

// Show the copy button, which needs a script.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.done;
    } catch {
      field.focus(); // the clipboard needs https; select the text instead
    }
  });
}

// Select all items of a list at once.
for (const label of document.querySelectorAll("[data-chooses]")) {
  const all = label.querySelector("input");
  label.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.getElementsByName(label.dataset.chooses)) {
      if (!box.disabled) box.checked = all.checked;
    }
  });
}

// Refresh the live region until it is complete.
function follow() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  setTimeout(async () => {
    try {
      const response = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById(live.id);
      if (!fresh) return location.reload(); // signed out
      live.replaceWith(fresh);
      addLocalTimes(fresh);
    } catch {
      // Retry at the next refresh.
    }
    follow();
  }, Number(live.dataset.live));
}
follow();
