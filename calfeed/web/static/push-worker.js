// The service worker: shows what is pushed, and opens the page of the date on a click.
"use strict";

self.addEventListener("push", (event) => {
  const { title, text, page, tag, language } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, {
    body: text, tag, lang: language, icon: new URL("apple-touch-icon.png", self.registration.scope).href, data: { page }, dir: "auto",
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { page } = event.notification.data;
  if (page) event.waitUntil(self.clients.openWindow(page));
});
