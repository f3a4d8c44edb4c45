// What htmx does not do by itself. Pages are drawn by the server: an event says that something changed, the page's main part is
// asked for again and laid over the old one, so that focus, scroll position and what somebody is typing stay.
"use strict";

htmx.defineExtension("over", {
  isInlineSwap: (style) => style === "over",
  handleSwap: (style, target, fragment) => {
    if (style !== "over") return false;
    const fresh = fragment.querySelector("#" + target.id);
    Idiomorph.morph(target, fresh ? fresh.innerHTML : "", {
      morphStyle: "innerHTML",
      ignoreActiveValue: true,
      callbacks: {
        beforeNodeMorphed: (old) => !(old.nodeType === 1 && old.matches("form.edited")),
        // what a person opened stays open
        beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
      },
    });
    return [target];
  },
});

document.addEventListener("input", (event) => event.target.closest("form")?.classList.add("edited"));
document.addEventListener("submit", (event) => event.target.classList.remove("edited"));

// Ages go on while nothing happens: an agent that gives no sign must not look as if it just had. The server's clock counts.
const WORDS = [[86400, "d"], [3600, "h"], [60, "min"]];
const ago = (s) => {
  const [unit, name] = WORDS.find(([each]) => s >= each) ?? [];
  return unit ? `${Math.floor(s / unit)} ${name} ago` : "just now";
};
const ahead = Date.now() - Date.parse(document.getElementById("main")?.dataset.now);
setInterval(() => {
  for (const time of document.querySelectorAll("time.ago")) {
    const text = ago((Date.now() - ahead - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}, 15000);

const live = document.getElementById("live");
const say = (text) => { if (live && live.textContent !== text) live.textContent = text; };
document.body.addEventListener("htmx:sseOpen", () => say("live"));
document.body.addEventListener("htmx:sseError", () => say("connection lost, trying again"));
document.body.addEventListener("htmx:sendError", () => say("connection lost, trying again"));
document.body.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) say("live"); });
// somebody who was logged out is shown where to log in
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) location.reload();
});
