// Subscribe this browser to push messages about a date. Without push, the button stays hidden.
"use strict";

(() => {
  const box = document.querySelector(".push");
  if (!box || !navigator.serviceWorker || !window.PushManager) return;
  const button = box.querySelector("button");
  const status = box.querySelector("[role=status]");
  // The site may be below a path, so its root is the parent of this script's folder.
  const root = new URL("..", document.currentScript.src).pathname;
  const [off, on] = [button.textContent, button.dataset.on];

  const ask = async (subscription, changes) => {
    const { endpoint, keys } = subscription.toJSON();
    const response = await fetch(`${root}push/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        resource: endpoint, key: keys.p256dh, auth: keys.auth,
        language: document.documentElement.lang, ...changes,
      }),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { follows } = await response.json();
    return follows;
  };

  const show = (follows) => {
    const followed = follows.includes(box.dataset.followed);
    button.setAttribute("aria-pressed", String(followed));
    button.textContent = followed ? on : off;
  };

  const begin = async () => {
    await navigator.serviceWorker.register(`${root}push-worker.js`);
    const registration = await navigator.serviceWorker.ready;
    return registration.pushManager.subscribe({
      userVisibleOnly: true, applicationServerKey: box.dataset.key,
    });
  };

  button.addEventListener("click", async () => {
    const stop = button.getAttribute("aria-pressed") === "true";
    button.disabled = true;
    status.textContent = "";
    try {
      const subscription = await begin();
      const follows = await ask(subscription, { [stop ? "unfollow" : "follow"]: [box.dataset.followed] });
      if (!follows.length) await subscription.unsubscribe();
      show(follows);
    } catch {
      status.textContent = box.dataset.failed;
    }
    button.disabled = false;
  });

  const begun = async () => {
    const registration = await navigator.serviceWorker.getRegistration(root);
    const subscription = await registration?.pushManager.getSubscription();
    if (subscription) show(await ask(subscription, {}));
  };
  box.hidden = false;
  begun().catch(() => {}); // a click on the button tries again
})();
