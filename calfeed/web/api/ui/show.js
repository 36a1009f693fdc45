"use strict";

// Corrects the accessibility problems that axe-core finds in the markup of Swagger UI, while it
// is rendered, so that the files of Swagger UI stay unchanged.
function accessible({ React: { Fragment, createElement } }) {
  const inside = (tag, props) => (Original) => (given) =>
    createElement(tag, props, createElement(Original, given));
  return {
    wrapComponents: {
      InfoContainer: inside("section", { "aria-label": "About" }),
      errors: inside("section", { "aria-label": "Errors" }),
      ServersContainer: inside("section", { "aria-label": "Server" }),
      AuthorizeBtnContainer: inside("section", { "aria-label": "Authorization" }),
      operations: (Original) => (given) =>
        createElement(
          Fragment,
          null,
          createElement("h2", { className: "unseen" }, "Operations"),
          createElement(Original, given),
        ),
      // Webhooks are left out: they cannot be tried here, and docs/messages.md lists the messages.
      Webhooks: () => () => null,
      // A path is the label of a button, which can have no link inside.
      OperationSummaryPath: (Original) => (given) =>
        createElement("span", { className: "opblock-summary-path" }, given.operationProps.get("path")),
    },
  };
}

const MISSING = {
  "select:not([aria-label])": (select) => [
    "aria-label",
    select.closest("tr")?.dataset.paramName ?? "Server",
  ],
  "textarea:not([aria-label])": () => ["aria-label", "Body"],
  ".responses-table[role]:not([aria-label])": (table) => ["aria-label", `Responses: ${table.id}`],
  "pre.microlight:not([tabindex])": () => ["tabindex", "0"],
};

const page = document.getElementById("api");
new MutationObserver(() => {
  for (const [selector, attribute] of Object.entries(MISSING)) {
    for (const element of page.querySelectorAll(selector)) {
      element.setAttribute(...attribute(element));
    }
  }
}).observe(page, { childList: true, subtree: true });

// Requests go to this server only: no validator. The browser does not store the token.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  persistAuthorization: false,
  plugins: [accessible],
  validatorUrl: null,
});
