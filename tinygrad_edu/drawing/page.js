"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [back, next, play, slider, position, graph] = ["back", "next", "play", "slider", "position", "graph"]
    .map((id) => document.getElementById(id));
  const items = [...document.querySelectorAll("#steps > li")];
  const nodes = new Map([...document.querySelectorAll("svg .node")].map((node) => [node.id, node]));
  const edges = [...document.querySelectorAll("svg .edge")];
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  let current = 0;
  let timer = null;

  function show(number, remember = true) {
    current = Math.min(Math.max(number, 1), items.length);
    const step = data.steps[current - 1];
    items.forEach((item, i) => { item.hidden = i !== current - 1; });
    for (const [id, node] of nodes) {
      node.classList.toggle("lit", id === step.node);
      const value = node.querySelector("text.value");
      if (value) value.classList.toggle("unknown", (data.born[id] ?? 0) > current);
      const gradient = node.querySelector("text.gradient");
      if (gradient) {
        gradient.classList.toggle("unknown", !(id in step.gradients));
        if (id in step.gradients) gradient.textContent = step.gradients[id];
      }
    }
    for (const edge of edges) {
      edge.classList.toggle("lit", step.edges.includes(`${edge.dataset.tail} ${edge.dataset.head}`));
    }
    slider.value = current;
    slider.setAttribute("aria-valuetext", `${current} of ${items.length}: ${step.title}`);
    position.textContent = `${current} of ${items.length}`;
    back.disabled = current === 1;
    next.disabled = current === items.length;
    if (current === items.length) pause();
    reveal(nodes.get(step.node));
    if (remember) {
      try {
        history.replaceState(null, "", `#${current}`);
      } catch {
        // A page inside another page has no address of its own.
      }
    }
  }

  function reveal(node) {
    const [view, box] = [graph.getBoundingClientRect(), node.getBoundingClientRect()];
    const hidden = box.left < view.left || box.right > view.right || box.top < view.top || box.bottom > view.bottom;
    if (hidden) {
      graph.scrollBy({
        left: (box.left + box.right - view.left - view.right) / 2,
        top: (box.top + box.bottom - view.top - view.bottom) / 2,
        behavior: reduced.matches ? "auto" : "smooth",
      });
    }
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }

  function toggle() {
    if (timer !== null) return pause();
    if (current === items.length) show(1);
    timer = setInterval(() => show(current + 1), 1500);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
  }

  function go(number) {
    pause();
    show(number);
  }

  const keys = {
    ArrowLeft: () => go(current - 1),
    ArrowRight: () => go(current + 1),
    Home: () => go(1),
    End: () => go(items.length),
    " ": toggle,
  };
  document.addEventListener("keydown", (event) => {
    const own = event.target === slider ? event.key !== " " : event.key === " " && event.target.closest("button, summary");
    if (own || event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  back.addEventListener("click", () => go(current - 1));
  next.addEventListener("click", () => go(current + 1));
  play.addEventListener("click", toggle);
  slider.addEventListener("input", () => go(Number(slider.value)));
  addEventListener("hashchange", () => go(Number(location.hash.slice(1)) || 1));
  document.getElementById("controls").hidden = false;
  show(Number(location.hash.slice(1)) || 1, false);
})();
