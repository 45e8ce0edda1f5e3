// Loads the page's content again when the ledger has done something. Without this
// script, or without a stream of events, the page is the same and stays as it is.
"use strict";
(() => {
  const main = document.getElementById("main");
  if (!main || !window.EventSource || !window.DOMParser) return;
  let source = null;
  let waiting = 0;
  let again = false;
  let busy = false;

  const key = (node) => node.getAttribute("href") || node.id;

  // Replaces only the parts that differ, and keeps what the reader has opened and
  // where the focus is.
  const merge = (next) => {
    const opened = new Set([...main.querySelectorAll("details[open][id]")].map((d) => d.id));
    for (const d of next.querySelectorAll("details[id]")) if (opened.has(d.id)) d.open = true;
    const focus = main.contains(document.activeElement) ? key(document.activeElement) : "";
    const old = [...main.children];
    const fresh = [...next.children];
    fresh.forEach((node, i) => {
      if (i >= old.length) main.append(node);
      else if (!old[i].isEqualNode(node)) old[i].replaceWith(node);
    });
    old.slice(fresh.length).forEach((node) => node.remove());
    if (focus && !main.contains(document.activeElement)) {
      const target = [...main.querySelectorAll("a[href], summary[id]")].find((n) => key(n) === focus);
      if (target) target.focus({ preventScroll: true });
    }
  };

  const load = async () => {
    waiting = 0;
    if (busy) { again = true; return; }
    if (String(document.getSelection())) { plan(4000); return; } // not while something is being copied
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (answer.ok && next) merge(next);
    } catch (_) { /* the node is away; the stream will tell when it is back */ }
    busy = false;
    if (again) { again = false; plan(500); }
  };

  const plan = (delay) => { if (!waiting) waiting = setTimeout(load, delay); };

  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource("/v1/events");
    source.addEventListener("block", (e) => {
      const block = JSON.parse(e.data);
      for (const n of document.querySelectorAll("[data-height]")) n.textContent = block.height.toLocaleString("en").replaceAll(",", "\u202f");
      if (block.events > 0 || main.querySelector("[data-every-block]")) plan(500);
    });
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { if (source) source.close(); source = null; } else { listen(); plan(0); }
  });
  listen();
})();
