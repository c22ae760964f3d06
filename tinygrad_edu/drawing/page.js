"use strict";
// The page of ``steps``: which step is shown, the picture at that step, and the keys and buttons that go on.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [leave, back, next, play, slider, position, predict, full, graph, panel, said] = [
    "leave", "back", "next", "play", "slider", "position", "predict", "full", "graph", "panel", "said",
  ].map((id) => document.getElementById(id));
  const LABEL = "text:not([class], [font-weight])"; // of a node: the operation
  const svg = document.querySelector("svg");
  const items = [...document.querySelectorAll("#steps > li")];
  const nodes = new Map([...document.querySelectorAll("svg .node")].map((node) => [node.id, node]));
  const edges = [...document.querySelectorAll("svg .edge")];
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  const words = items.map((item, i) => ({
    title: data.steps[i].title,
    derivations: [...item.querySelectorAll(".derivation")].map(read),
  }));
  const operations = textsOf(LABEL);
  const values = textsOf("text.value");
  const guesses = guessing(data.precision, answer);
  const played = data.play && playing({...data.play, precision: data.precision}, program, changed);
  let current = 0;
  let timer = null;
  let isPredicting = false;
  let isAsked = false; // whether the result of this step is hidden

  function show(number, isNew = true) {
    current = numbers.clamped(Math.trunc(number) || 1, 1, items.length);
    const step = data.steps[current - 1];
    isAsked = isPredicting && items[current - 1].className !== "seed";
    panel.setAttribute("aria-live", "polite");
    write();
    if (isAsked) guesses.ask(results());
    else guesses.close();
    items.forEach((item, i) => { item.hidden = i !== current - 1; });
    for (const [id, node] of nodes) {
      node.classList.toggle("lit", id === step.node);
      const value = node.querySelector("text.value");
      if (value) value.classList.toggle("unknown", (data.born[id] ?? 0) > current);
      const gradient = node.querySelector("text.gradient");
      if (gradient) gradient.classList.toggle("unknown", !(id in step.gradients));
    }
    for (const edge of edges) {
      edge.classList.toggle("lit", step.edges.includes(`${edge.dataset.tail} ${edge.dataset.head}`));
    }
    slider.value = current;
    position.textContent = `${current} of ${items.length}`;
    back.disabled = current === 1;
    next.disabled = current === items.length && !isAsked;
    if (current === items.length) pause();
    const operands = step.edges.map((edge) => edge.split(" ")[0]);
    reveal([step.node, ...operands].map((id) => nodes.get(id)));
    if (isNew) remember();
  }

  function remember() {
    try {
      history.replaceState(null, "", `#${current}${played?.address() ?? ""}`);
    } catch {
      // A page inside another page has no address of its own.
    }
  }

  // Write all that depends on numbers, and "?" for what is asked.
  function write() {
    const step = data.steps[current - 1];
    const labels = {...operations, ...played?.labels()};
    const shown = {...values, ...played?.values()};
    const gradients = {...step.gradients, ...played?.gradients(current - 1)};
    if (isAsked && step.node in data.born && data.born[step.node] === current) shown[step.node] = "?";
    else if (isAsked) for (const [id] of step.edges.map((edge) => edge.split(" "))) gradients[id] = "grad ?";
    for (const [id, node] of nodes) {
      if (labels[id]) node.querySelector(LABEL).textContent = labels[id];
      put(node.querySelector("text.value"), shown[id]);
      put(node.querySelector("text.gradient"), gradients[id]);
    }
    narrow();
    const {title, derivations} = told();
    items[current - 1].querySelector("h2").lastChild.textContent = title;
    slider.setAttribute("aria-valuetext", `${current} of ${items.length}: ${title}`);
    items[current - 1].querySelectorAll(".derivation").forEach((element, i) => tell(element, derivations[i]));
  }

  // The texts that a picture has first, by their nodes.
  function textsOf(kind) {
    return Object.fromEntries([...nodes].map(([id, node]) => [id, node.querySelector(kind)?.textContent]));
  }

  function put(text, shown) {
    if (!text || shown === undefined) return;
    text.textContent = shown;
    text.classList.toggle("alarm", /\b(nan|inf)\b/.test(shown));
  }

  // A text that has become longer than its node has room for is drawn narrower.
  function narrow() {
    const texts = [...svg.querySelectorAll("text.value, text.gradient")];
    for (const text of texts) text.removeAttribute("textLength");
    const rooms = texts.map((text) => text.parentNode.querySelector("polygon, path").getBBox().width - 8);
    const lengths = texts.map((text) => text.getComputedTextLength());
    texts.forEach((text, i) => {
      if (rooms[i] > 0 && lengths[i] > rooms[i]) text.setAttribute("textLength", rooms[i]);
      text.setAttribute("lengthAdjust", "spacingAndGlyphs");
    });
  }

  // The words of this step, and what it gives: each target, and how it is written.
  const told = () => played?.told(current - 1) ?? words[current - 1];
  const results = () => told().derivations.map(({target, expressions}) => [target, expressions.at(-1)]);

  // A derivation as it stands on the page, and such a one written.
  function read(element) {
    const cells = [...element.children].filter((cell) => cell.className !== "note").map((cell) => cell.textContent);
    return {
      target: cells[0],
      expressions: cells.filter((_, i) => i % 2).map((cell) => cell.slice("= ".length)),
      notes: [...element.querySelectorAll(".note")].map((note) => note.textContent),
    };
  }

  function tell(element, {target, expressions, notes}) {
    const cell = (text, kind = "") => Object.assign(document.createElement("span"), {textContent: text, className: kind});
    const cells = expressions.flatMap((expression, i) => {
      const isResult = i === expressions.length - 1;
      return [cell(i ? "" : target), cell(`= ${isResult && isAsked ? "?" : expression}`, isResult ? "result" : "")];
    });
    element.replaceChildren(...cells, ...(isAsked ? [] : notes.map((note) => cell(note, "note"))));
  }

  // The reader has changed numbers, and, if `done`, will not change them further at once.
  function changed(done) {
    panel.setAttribute("aria-live", "off"); // nobody wants to hear all that changes while a slider moves
    write();
    if (isAsked) guesses.ask(results());
    if (!done) return;
    remember();
    if (!isAsked) said.textContent = results().map((result) => result.join(" = ")).join(", ");
  }

  function answer() {
    isAsked = false;
    next.disabled = current === items.length;
    panel.setAttribute("aria-live", "polite");
    write();
    guesses.judge();
  }

  function onward() {
    if (isAsked) answer();
    else show(current + 1);
  }

  function predictOrNot() {
    isPredicting = !isPredicting;
    predict.setAttribute("aria-pressed", String(isPredicting));
    go(current);
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
    timer = setInterval(onward, 1500);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
  }

  function go(number) {
    pause();
    show(number);
  }

  function forward() {
    pause();
    onward();
  }

  // The address: the number of the step, and the numbers that were changed, as in #3&w=0.5
  function follow(isNew) {
    const [number, ...parts] = location.hash.slice(1).split("&");
    played?.take(parts);
    pause();
    show(Number(number), isNew);
  }

  function fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.fullscreenEnabled) document.documentElement.requestFullscreen();
  }

  const keys = {
    ArrowLeft: () => go(current - 1),
    ArrowRight: forward,
    Home: () => go(1),
    End: () => go(items.length),
    " ": toggle,
    f: fill,
    p: predictOrNot,
  };
  document.addEventListener("keydown", (event) => {
    const isText = event.target.matches("input:not([type=range])");
    const isSlider = event.target.matches("input[type=range]");
    const own = isText || (isSlider ? /^(Arrow|Home|End)/.test(event.key) : event.key === " " && event.target.closest("button, summary"));
    if (own || event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  back.addEventListener("click", () => go(current - 1));
  next.addEventListener("click", forward);
  play.addEventListener("click", toggle);
  slider.addEventListener("input", () => go(Number(slider.value)));
  predict.addEventListener("click", predictOrNot);
  addEventListener("hashchange", () => follow(true));
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
  follow(false);
})();
