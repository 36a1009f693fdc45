// A receiver whose types are generated from the schema of all messages (`messages.ts`).
// It listens on the port in the environment variable PORT, and prints a line of JSON for each.

import { createServer, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import type { Message } from "./messages.js";

const webhook = new Webhook(process.env["WEBHOOK_SECRET"] ?? "");

// The type of a message and what it is about, by the types alone.
function describe(message: Message): [string, string] {
  switch (message.type) {
    case "reminder.due":
    case "event.date_open":
      return [message.type, message.data.occurrence.time_zone];
    case "reminder.digest":
      return [message.type, message.data.reminders[0].reminder.rule];
    case "event.moved":
      return [message.type, message.data.change ?? ""];
    case "event.added":
      return [message.type, message.data.event.summary];
    case "endpoint.verify":
      return [message.type, message.data.challenge];
    case "endpoint.test":
      return [message.type, message.data.endpoint];
    default: // every type has a text
      return [message.type, message.data.text];
  }
}

async function receive(request: IncomingMessage): Promise<number> {
  const body = (await buffer(request)).toString("utf-8");
  let message: Message;
  try {
    message = webhook.verify(body, request.headers as Record<string, string>) as Message;
  } catch {
    return 401;
  }
  console.log(JSON.stringify(describe(message)));
  return 204;
}

createServer((request, response) => {
  receive(request)
    .catch(() => 500)
    .then((status) => response.writeHead(status).end());
}).listen(Number(process.env["PORT"]), "127.0.0.1");
