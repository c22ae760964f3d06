"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [leave, back, next, play, slider, position, full, graph] =
    ["leave", "back", "next", "play", "slider", "position", "full", "graph"].map((id) => document.getElementById(id));
  const svg = document.querySelector("svg");
  const items = [...document.querySelectorAll("#steps > li")];
  const nodes = new Map([...document.querySelectorAll("svg .node")].map((node) => [node.id, node]));
  const edges = [...document.querySelectorAll("svg .edge")];
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  let current = 0;
  let timer = null;

  function show(number, remember = true) {
    current = Math.min(Math.max(Math.trunc(number) || 1, 1), items.length);
    const step = data.steps[current - 1];
    items.forEach((item, i) => { item.hidden = i !== current - 1; });
    for (const [id, node] of nodes) {
      node.classList.toggle("lit", id === step.node);
      const value = node.querySelector("text.value");
      if (value) value.classList.toggle("unknown", (data.born[id] ?? 0) > current);
      const gradient = node.querySelector("text.gradient");
      if (gradient) {
        gradient.classList.toggle("unknown", !(id in step.gradients));
        gradient.classList.toggle("alarm", /\b(nan|inf)\b/.test(step.gradients[id] ?? ""));
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
    const operands = step.edges.map((edge) => edge.split(" ")[0]);
    reveal([step.node, ...operands].map((id) => nodes.get(id)));
    if (remember) {
      try {
        history.replaceState(null, "", `#${current}`);
      } catch {
        // A page inside another page has no address of its own.
      }
    }
  }

  // As large as there is room for, but never so small that its text falls below 11 pixels.
  function fit() {
    const { width, height } = svg.viewBox.baseVal;
    const style = getComputedStyle(graph);
    const room = [
      graph.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
      graph.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom),
    ];
    const scale = Math.max(Math.min(room[0] / width, room[1] / height, 4), 11 / 12);
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
  }

  // Scroll until the first of these nodes can be seen, and as many others as there is room for.
  function reveal(some) {
    const view = graph.getBoundingClientRect();
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const node of some) {
      const box = node.getBoundingClientRect();
      const wider = [Math.min(left, box.left - 8), Math.max(right, box.right + 8)];
      const higher = [Math.min(top, box.top - 8), Math.max(bottom, box.bottom + 8)];
      const fits = wider[1] - wider[0] <= view.width && higher[1] - higher[0] <= view.height;
      if (fits || left === Infinity) [left, right, top, bottom] = [...wider, ...higher];
    }
    if (left < view.left || right > view.right || top < view.top || bottom > view.bottom) {
      graph.scrollBy({
        left: (left + right - view.left - view.right) / 2,
        top: (top + bottom - view.top - view.bottom) / 2,
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

  function fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.fullscreenEnabled) document.documentElement.requestFullscreen();
  }

  const keys = {
    ArrowLeft: () => go(current - 1),
    ArrowRight: () => go(current + 1),
    Home: () => go(1),
    End: () => go(items.length),
    " ": toggle,
    f: fill,
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
  addEventListener("hashchange", () => go(Number(location.hash.slice(1))));
  leave.addEventListener("click", () => history.back());
  leave.hidden = window !== top || history.length < 2;
  full.addEventListener("click", fill);
  full.hidden = !document.fullscreenEnabled;
  document.addEventListener("fullscreenchange", () => {
    full.setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
  document.getElementById("controls").hidden = false;
  fit();
  new ResizeObserver(fit).observe(graph);
  show(Number(location.hash.slice(1)), false);
})();
