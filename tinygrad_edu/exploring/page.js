"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const inputs = data.controls.filter((control) => control.kind !== "choice");
  const choices = data.controls.filter((control) => control.kind === "choice");
  const state = new Map(data.controls.map((control) => [control.name, first(control)]));
  const setters = new Map(); // of what shows a control, by its name
  const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], []];

  function first(control) {
    return control.kind === "choice" ? [0] : [...control.first];
  }

  const shown = (x, dtype = "f8") => numbers.values([x], [], dtype, data.precision);

  // Values that a reader can set. `done`: the reader has let go.

  function change(name, values, done = true) {
    state.set(name, values);
    setters.get(name)?.();
    schedule(done);
  }

  // What follows is computed once a frame; the address and the voice follow when the reader lets go.
  let frame = 0;
  let isDone = false;
  function schedule(done) {
    isDone ||= done;
    if (frame === 0) frame = requestAnimationFrame(() => {
      frame = 0;
      compute();
      if (isDone) {
        remember();
        speak();
      }
      isDone = false;
    });
  }

  function clamped(x, low, high) {
    return Math.min(Math.max(x, low), high);
  }

  // A number without the noise of binary fractions. An end stays as it is, so that an address with it is read back.
  function rounded(x, digits, low, high) {
    return clamped(Number(x.toPrecision(digits)), low, high);
  }

  function sliderField(control) {
    const {name, low, high, step, log} = control;
    const id = `control-${name}`;
    const range = made("input", {type: "range", min: 0, max: log ? 200 : Math.round((high - low) / step), "aria-label": `${name}, slider`});
    const typed = made("input", {id, type: "text", inputmode: "text", spellcheck: "false", "aria-describedby": `${id}-note`});
    const note = made("p", {id: `${id}-note`, class: "complaint", role: "alert"});
    const slidTo = () => (log ? low * (high / low) ** (range.value / range.max) : low + range.value * step);
    const value = () => rounded(slidTo(), 6, low, high);
    const slid = (done) => change(name, [value()], done);
    range.addEventListener("input", () => slid(false));
    range.addEventListener("change", () => slid(true));
    typed.addEventListener("change", () => {
      const x = numbers.read(typed.value);
      if (x !== null && x >= low && x <= high) return change(name, [x]);
      const complaint = x === null ? numbers.misread(typed.value) : `${JSON.stringify(typed.value)} is not from ${low} to ${high}.`;
      setters.get(name)(`${complaint} It is still ${state.get(name)[0]}.`);
    });
    setters.set(name, (complaint = "") => {
      const [x] = state.get(name);
      range.value = log ? Math.round((Math.log(x / low) / Math.log(high / low)) * range.max) : Math.round((x - low) / step);
      range.setAttribute("aria-valuetext", `${x} ${control.unit}`.trim());
      typed.value = String(x);
      typed.setAttribute("aria-invalid", String(complaint !== ""));
      note.textContent = complaint;
    });
    const unit = made("span", {class: "typed"}, typed, control.unit);
    return made("div", {class: "field"}, made("label", {for: id}, name), unit, range, note);
  }

  function choiceField(control) {
    const options = control.options.map((option, i) => {
      const radio = made("input", {type: "radio", name: control.name, value: i});
      radio.addEventListener("change", () => change(control.name, [i]));
      return made("label", {}, radio, made("span", {}, option));
    });
    setters.set(control.name, () => {
      options.forEach((option, i) => { option.firstChild.checked = i === state.get(control.name)[0]; });
    });
    return made("fieldset", {}, made("legend", {}, control.name), made("div", {class: "options"}, ...options));
  }

  function pointsField(control) {
    const [dots, them] = control.shape[0] > 1 ? ["dots", "them"] : ["dot", "it"];
    return made("p", {class: "help"}, `Drag the ${dots} of ${control.name}; or reach ${them} by Tab, and move ${them} by the arrow keys.`);
  }

  function pixelsField(control) {
    const [rows, columns] = control.shape;
    const {name, low, high} = control;
    const cells = Array.from({length: rows * columns}, () => made("div"));
    const grid = made("div", {
      class: "pixels", tabindex: 0, role: "application", "aria-roledescription": "drawing",
      "aria-label": `${name}: ${rows} rows of ${columns} pixels. Arrow keys move, Space paints.`,
    }, ...cells);
    grid.style.gridTemplate = `repeat(${rows}, 1fr) / repeat(${columns}, 1fr)`;
    grid.style.aspectRatio = `${columns} / ${rows}`;
    const erase = made("button", {type: "button", "aria-pressed": "false"}, "Erase");
    const clear = made("button", {type: "button"}, "Clear");
    let here = 0;
    const erasing = () => erase.getAttribute("aria-pressed") === "true";

    // Paint as a soft pen: its neighbours get a third of it.
    function paint(i, done) {
      const values = [...state.get(name)];
      const [row, column] = [Math.floor(i / columns), i % columns];
      const put = (r, c, share) => {
        if (r < 0 || c < 0 || r >= rows || c >= columns) return;
        const k = r * columns + c;
        const painted = rounded(low + share * (high - low), 6, low, high);
        values[k] = erasing() ? (share === 1 ? low : values[k]) : Math.max(values[k], painted);
      };
      put(row, column, 1);
      for (const [r, c] of [[row - 1, column], [row + 1, column], [row, column - 1], [row, column + 1]]) put(r, c, 0.3);
      change(name, values, done);
    }

    function under(event) {
      const i = cells.indexOf(document.elementFromPoint(event.clientX, event.clientY));
      if (i >= 0) paint(i, false);
    }

    grid.addEventListener("pointerdown", (event) => {
      grid.setPointerCapture(event.pointerId);
      under(event);
    });
    grid.addEventListener("pointermove", (event) => { if (grid.hasPointerCapture(event.pointerId)) under(event); });
    grid.addEventListener("pointerup", () => schedule(true));
    grid.addEventListener("keydown", (event) => {
      const moves = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns};
      if (event.key === " ") paint(here, true);
      else if (event.key in moves) {
        const next = here + moves[event.key];
        const sameRow = Math.floor(next / columns) === Math.floor(here / columns);
        if (next >= 0 && next < cells.length && (Math.abs(moves[event.key]) > 1 || sameRow)) here = next;
        mark();
      } else return;
      event.preventDefault();
    });
    erase.addEventListener("click", () => erase.setAttribute("aria-pressed", String(!erasing())));
    clear.addEventListener("click", () => change(name, control.first.map(() => low)));

    function mark() {
      cells.forEach((cell, i) => cell.classList.toggle("here", i === here));
    }

    setters.set(name, () => {
      const values = state.get(name);
      cells.forEach((cell, i) => {
        const share = (values[i] - low) / (high - low);
        cell.style.background = `color-mix(in srgb, var(--ink) ${(100 * share).toFixed(0)}%, var(--paper))`;
      });
    });
    mark();
    return made("fieldset", {}, made("legend", {}, name), grid, made("div", {class: "buttons"}, erase, clear));
  }

  const FIELDS = {slider: sliderField, choice: choiceField, points: pointsField, pixels: pixelsField};

  // Plots: uPlot draws frames and axes, and what is in them is drawn here.

  const probe = getComputedStyle(document.documentElement);
  const colour = (name) => probe.getPropertyValue(`--${name}`).trim();
  let plots = [];

  function hue(i) {
    return `c${i % 5}`;
  }

  // What stands in a place: of what follows, or of what never changes.
  function numbersOf([from, to]) {
    return to === undefined ? data.constants[from].map(Number) : results.slice(from, to);
  }

  // The numbers of a mark by what they are.
  function arrays(mark) {
    return Object.fromEntries(Object.entries(mark.places).map(([part, place]) => [part, numbersOf(place)]));
  }

  function limits(values, margin) {
    const finite = values.filter(Number.isFinite);
    if (!finite.length) return [0, 1];
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const room = (high - low || Math.abs(low) || 1) * margin;
    return [low - room, high + room];
  }

  function extent(plot, axis, marks) {
    const fixed = plot[`${axis}lim`];
    if (fixed) return fixed;
    const found = [];
    for (const mark of marks) {
      if (mark.kind === "image") found.push(...mark[axis]);
      else if (mark.kind === "bars") found.push(...(axis === "x" ? [-0.6, mark.numbers.y.length - 0.4] : [0, ...mark.numbers.y]));
      else found.push(...mark.numbers[axis]);
    }
    const exact = axis === "x" && marks.every((mark) => mark.kind === "bars" || mark.kind === "image");
    return limits(found, exact || marks.some((mark) => mark.kind === "image") ? 0 : 0.06);
  }

  function makePlot(plot) {
    const holder = made("div", {class: "frame"});
    const caption = made("figcaption", {}, plot.title || plot.name);
    const figure = made("figure", {role: "group", "aria-label": plot.title || plot.name}, caption, legend(plot), holder);
    const view = {plot, figure, holder, handles: [], marks: [], u: null};
    return view;
  }

  function legend(plot) {
    const list = made("ul", {class: "legend"});
    plot.marks.forEach((mark, i) => {
      if (!mark.label) return;
      if (mark.kind === "image") return list.append(scale(mark));
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", "0 0 32 14");
      svg.setAttribute("aria-hidden", "true");
      const shape = document.createElementNS(svg.namespaceURI, mark.kind === "curve" ? "line" : "circle");
      const look = mark.kind === "curve"
        ? {x1: 0, x2: 32, y1: 7, y2: 7, stroke: `var(--${hue(i)})`, "stroke-width": 3, "stroke-dasharray": dashes(mark, i, plot.marks).join(" ")}
        : {cx: 16, cy: 7, r: 5, fill: `var(--${hue(i)})`};
      for (const [name, value] of Object.entries(look)) shape.setAttribute(name, value);
      svg.append(shape);
      list.append(made("li", {}, svg, mark.label));
    });
    return list;
  }

  // The colours of an image from its low to its high end.
  function scale(mark) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 44 14");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    for (let i = 0; i < 11; i += 1) {
      const fill = shade(mark, mark.low + ((mark.high - mark.low) * i) / 10, (name) => `var(--${name})`);
      const cell = document.createElementNS(svg.namespaceURI, "rect");
      for (const [name, value] of Object.entries({x: 4 * i, width: 4, height: 14, fill})) cell.setAttribute(name, value);
      svg.append(cell);
    }
    svg.classList.add("scale");
    return made("li", {}, `${shown(mark.low)} `, svg, ` ${shown(mark.high)} ${mark.label}`);
  }

  // Each line has a look of its own; but where some are dashed, the others are whole.
  function dashes(mark, i, marks) {
    if (mark.dashed) return [4, 4];
    return marks.some((each) => each.dashed) ? [] : DASHES[i % 5];
  }

  function size(view) {
    const width = Math.max(Math.min(view.figure.clientWidth || 320, 640), 200);
    return {width, height: Math.round(view.plot.square ? width * 0.95 : Math.max(width * 0.62, 220))};
  }

  function start(view) {
    const {plot} = view;
    const names = plot.marks.find((mark) => mark.kind === "bars")?.names ?? [];
    const axis = (label) => ({
      label, labelSize: label ? 22 : 0, labelFont: "14px Helvetica, Arial, sans-serif", font: "12px Helvetica, Arial, sans-serif",
      stroke: () => colour("faint"), grid: {stroke: () => colour("line"), width: 1}, ticks: {stroke: () => colour("line")},
    });
    const x = {...axis(plot.x), size: 30};
    if (names.length) Object.assign(x, {
      splits: () => names.map((_, i) => i), values: () => names, grid: {show: false}, ticks: {show: false},
    });
    const y = {...axis(plot.y), size: plot.y ? 56 : 46};
    if (plot.marks.some((mark) => mark.kind === "image") && !plot.x && !plot.y && !plot.xlim) x.show = y.show = false;
    view.u = new uPlot({
      ...size(view), mode: 1, legend: {show: false}, cursor: {show: false}, padding: [12, 16, null, null],
      scales: {
        x: {time: false, auto: false, range: () => extent(plot, "x", view.marks)},
        y: {auto: false, range: () => extent(plot, "y", view.marks)},
      },
      axes: [x, y],
      series: [{}, {show: true, stroke: "transparent", points: {show: false}}],
      hooks: {draw: [(u) => draw(u, view)]},
    }, [[0, 1], [null, null]], view.holder);
    if (plot.square) fit(view);
  }

  // Take the width that there is; in a square plot, as high as makes its units equal.
  function fit(view) {
    const wanted = size(view);
    view.u.setSize(wanted);
    if (!view.plot.square) return;
    const {width, height} = view.u.bbox;
    const [across, up] = ["x", "y"].map((axis) => { const [low, high] = extent(view.plot, axis, view.marks); return high - low; });
    const missing = Math.round(((width * up) / across - height) / devicePixelRatio);
    if (missing) view.u.setSize({width: wanted.width, height: wanted.height + missing});
  }

  function draw(u, view) {
    const {ctx, bbox} = u;
    const ratio = devicePixelRatio;
    const px = (v) => u.valToPos(v, "x", true);
    const py = (v) => u.valToPos(v, "y", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    view.marks.forEach((mark, i) => {
      const ink = colour(hue(i));
      ctx.strokeStyle = ctx.fillStyle = ink;
      ctx.lineWidth = (mark.dashed ? 1.5 : 2.5) * ratio;
      ctx.setLineDash(dashes(mark, i, view.marks).map((d) => d * ratio));
      if (mark.kind === "curve") {
        line(ctx, mark.numbers, px, py);
        ctx.stroke();
        ctx.setLineDash([]);
        if (mark.dots) discs(ctx, mark.numbers, px, py, 3.5 * ratio);
      } else if (mark.kind === "dots" && !mark.drag) {
        discs(ctx, mark.numbers, px, py, 5 * ratio);
      } else if (mark.kind === "bars") {
        bars(ctx, mark, i, view.marks, px, py);
      } else if (mark.kind === "image") {
        image(ctx, mark, px, py);
      }
    });
    ctx.restore();
  }

  function line(ctx, {x, y}, px, py) {
    ctx.beginPath();
    let open = false;
    x.forEach((each, i) => {
      if (!Number.isFinite(each) || !Number.isFinite(y[i])) { open = false; return; }
      const [left, top] = [clamped(px(each), -1e5, 1e5), clamped(py(y[i]), -1e5, 1e5)];
      if (open) ctx.lineTo(left, top);
      else ctx.moveTo(left, top);
      open = true;
    });
  }

  function discs(ctx, {x, y}, px, py, radius) {
    x.forEach((each, i) => {
      if (!Number.isFinite(each) || !Number.isFinite(y[i])) return;
      ctx.beginPath();
      ctx.arc(px(each), py(y[i]), radius, 0, 7);
      ctx.fill();
    });
  }

  function bars(ctx, mark, i, marks, px, py) {
    const group = marks.filter((each) => each.kind === "bars");
    const width = 0.8 / group.length;
    const left = -0.4 + group.indexOf(mark) * width;
    mark.numbers.y.forEach((height, k) => {
      if (!Number.isFinite(height)) return;
      const [x0, x1, y0, y1] = [px(k + left), px(k + left + width * 0.94), py(0), py(height)];
      ctx.fillRect(x0, Math.min(y0, y1), x1 - x0, Math.max(Math.abs(y1 - y0), 1));
      if (mark.digits === null) return;
      const said = height.toFixed(mark.digits).replace(/^-(0\.?0*)$/, "$1");
      const size = clamped((x1 - x0) / devicePixelRatio / 1.7, 8, 11);
      Object.assign(ctx, {font: `${size * devicePixelRatio}px Helvetica, Arial, sans-serif`, textAlign: "center"});
      ctx.textBaseline = height < 0 ? "top" : "bottom";
      ctx.fillText(said, (x0 + x1) / 2, y1 + (height < 0 ? 2 : -2) * devicePixelRatio);
    });
  }

  function image(ctx, mark, px, py) {
    if (mark.levels) return bands(ctx, mark, px, py);
    const [rows, columns] = mark.shape;
    const [[x0, x1], [y0, y1]] = [mark.x, mark.y];
    mark.numbers.values.forEach((value, k) => {
      const [row, column] = [Math.floor(k / columns), k % columns];
      const r = mark.up ? row : rows - 1 - row;
      const left = px(x0 + ((x1 - x0) * column) / columns);
      const right = px(x0 + ((x1 - x0) * (column + 1)) / columns);
      const [bottom, top] = [py(y0 + ((y1 - y0) * r) / rows), py(y0 + ((y1 - y0) * (r + 1)) / rows)];
      ctx.fillStyle = shade(mark, value, colour);
      ctx.fillRect(Math.floor(left), Math.floor(top), Math.ceil(right) - Math.floor(left), Math.ceil(bottom) - Math.floor(top));
    });
    Object.assign(ctx, {strokeStyle: colour("faint"), lineWidth: devicePixelRatio});
    ctx.setLineDash([]);
    ctx.strokeRect(px(x0), py(y1), px(x1) - px(x0), py(y0) - py(y1));
  }

  // A map, row by row of the screen: between numbers it goes in straight lines.
  function bands(ctx, mark, px, py) {
    const [rows, columns] = mark.shape;
    const {values} = mark.numbers;
    const [left, right] = mark.x.map(px).map(Math.round);
    const [bottom, top] = mark.y.map(py).map(Math.round);
    const width = (mark.high - mark.low) / mark.levels;
    const looks = Array.from({length: mark.levels}, (_, i) => shade(mark, mark.low + (i + 0.5) * width, colour));
    const step = devicePixelRatio;
    const paint = (from, to, v, band) => {
      ctx.fillStyle = looks[band] ?? colour("alarm");
      ctx.fillRect(from, v, to - from, step);
    };
    for (let v = top; v < bottom; v += step) {
      const down = ((v - top) / (bottom - top)) * (rows - 1);
      const row = mark.up ? rows - 1 - down : down;
      const r = Math.min(Math.floor(row), rows - 2);
      const blended = Array.from({length: columns}, (_, c) => between(values[r * columns + c], values[(r + 1) * columns + c], row - r));
      let [from, band] = [left, -1];
      for (let u = left; u < right; u += step) {
        const column = ((u - left) / (right - left)) * (columns - 1);
        const c = Math.min(Math.floor(column), columns - 2);
        const share = (between(blended[c], blended[c + 1], column - c) - mark.low) / width;
        const here = clamped(Math.floor(share), 0, mark.levels - 1);
        if (Object.is(here, band)) continue;
        if (u > left) paint(from, u, v, band);
        [from, band] = [u, here];
      }
      paint(from, right, v, band);
    }
  }

  function between(a, b, share) {
    return a * (1 - share) + b * share;
  }

  // From paper to ink by the value; below 0 the other colour, if there are two.
  function shade(mark, value, named) {
    const {low, high, diverging, levels} = mark;
    if (!Number.isFinite(value)) return named("alarm");
    let share = diverging ? Math.abs(value) / Math.max(Math.abs(low), Math.abs(high)) : (value - low) / (high - low);
    share = clamped(share, 0, 1) * (levels ? 0.8 : 1);
    const ink = diverging ? (value < 0 ? "c0" : "c1") : levels ? "c0" : "ink";
    return `color-mix(in srgb, ${named(ink)} ${(share * 100).toFixed(1)}%, ${named("paper")})`;
  }

  // Dots that are dragged lie above the canvas, as elements that can be focused.
  function placeHandles(view) {
    let count = 0;
    view.marks.forEach((mark, i) => {
      if (mark.kind !== "dots" || !mark.drag) return;
      mark.numbers.x.forEach((x, k) => {
        const handle = view.handles[count] ?? addHandle(view, count);
        count += 1;
        const y = mark.numbers.y[k];
        const [left, top] = [view.u.valToPos(x, "x"), view.u.valToPos(y, "y")];
        const {width, height} = view.u.over.getBoundingClientRect();
        const name = mark.labels[k] ?? `${k + 1}`;
        Object.assign(handle, {mark, k});
        handle.style.transform = `translate(${clamped(left, 0, width)}px, ${clamped(Number.isFinite(top) ? top : height, 0, height)}px)`;
        handle.style.setProperty("--hue", `var(--${hue(i)})`);
        handle.dataset.mark = name.length > 2 ? "" : name;
        handle.setAttribute("aria-label", `${mark.drag} ${name}`);
        handle.setAttribute("aria-valuenow", x);
        const control = inputs.find((each) => each.name === mark.drag);
        handle.setAttribute("aria-valuemin", control.low[0]);
        handle.setAttribute("aria-valuemax", control.high[0]);
        handle.setAttribute("aria-valuetext", control.shape.length > 1 ? `${shown(x)}, ${shown(y)}` : shown(x));
      });
    });
    view.handles.splice(count).forEach((handle) => handle.remove());
  }

  function addHandle(view, count) {
    const handle = made("div", {class: "handle", role: "slider", tabindex: 0});
    view.handles[count] = handle;
    view.u.over.append(handle);
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = view.u.over.getBoundingClientRect();
      move(handle, view.u.posToVal(event.clientX - box.left, "x"), view.u.posToVal(event.clientY - box.top, "y"), false);
    });
    handle.addEventListener("pointerup", () => schedule(true));
    handle.addEventListener("keydown", (event) => {
      const control = inputs.find((each) => each.name === handle.mark.drag);
      const steps = control.low.map((low, i) => ((control.high[i] - low) / 100) * (event.shiftKey ? 10 : 1));
      const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
      if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      let [right, up] = moves[event.key];
      if (control.shape.length === 1) [right, up] = [right + up, 0];
      const at = values(control, handle.k);
      move(handle, at[0] + right * steps[0], (at[1] ?? 0) + up * (steps[1] ?? 0), true);
    });
    return handle;
  }

  // The numbers of one point.
  function values(control, k) {
    const width = control.shape[1] ?? 1;
    return state.get(control.name).slice(k * width, (k + 1) * width);
  }

  function move({mark, k}, x, y, done) {
    const control = inputs.find((each) => each.name === mark.drag);
    const width = control.shape[1] ?? 1;
    const all = [...state.get(control.name)];
    [x, y].slice(0, width).forEach((value, i) => {
      all[k * width + i] = rounded(value, 4, control.low[i], control.high[i]);
    });
    change(control.name, all, done);
  }

  // What follows.

  let current = -1;
  let results = [];

  function chosen() {
    return choices.reduce((index, choice) => index * choice.options.length + state.get(choice.name)[0], 0);
  }

  function compute() {
    const view = chosen();
    const found = programs[view](inputs.flatMap((control) => state.get(control.name)));
    const isRefused = typeof found === "string";
    at("shown").classList.toggle("refused", isRefused);
    at("refusal").hidden = !isRefused;
    if (isRefused) at("refusal").textContent = found;
    else results = found.map(Number);
    if (!isRefused) show(view);
  }

  function show(view) {
    const {numbers: named, plots: told} = data.views[view];
    if (view !== current) rebuild(named, told);
    current = view;
    named.forEach(([, place, dtype], i) => {
      const cell = at("numbers").children[i].lastChild;
      const [x] = numbersOf(place);
      cell.textContent = shown(x, dtype);
      cell.dataset.value = x;
    });
    for (const each of plots) {
      each.marks = each.plot.marks.map((mark) => ({...mark, numbers: arrays(mark)}));
      if (each.u) each.u.setData(each.u.data, true);
      else start(each);
      placeHandles(each);
    }
  }

  function rebuild(named, told) {
    at("numbers").replaceChildren(...named.map(([name]) => made("div", {}, made("dt", {}, name), made("dd"))));
    const kept = plots;
    plots = told.map((plot, i) => {
      const old = kept[i];
      if (old && JSON.stringify(old.plot) === JSON.stringify(plot)) return old;
      return makePlot(plot);
    });
    for (const old of kept) if (!plots.includes(old)) old.u?.destroy();
    at("plots").replaceChildren(...plots.map((each) => each.figure));
  }

  function speak() {
    const words = data.views[current]?.numbers.map(([name, place, dtype]) => `${name} ${shown(numbersOf(place)[0], dtype)}`) ?? [];
    const refusal = at("refusal").hidden ? [] : [at("refusal").textContent];
    at("spoken").textContent = (refusal.length ? refusal : words).join(", ");
  }

  // The address: what differs from the beginning, by name.

  function remember() {
    const changed = data.controls.filter((control) => String(state.get(control.name)) !== String(first(control)));
    const parts = changed.map((control) => {
      const values = control.kind === "choice" ? control.options[state.get(control.name)[0]] : state.get(control.name).join(",");
      return `${encodeURIComponent(control.name)}=${encodeURIComponent(values).replaceAll("%2C", ",")}`;
    });
    const hash = parts.length ? `#${parts.join("&")}` : "";
    try {
      if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
    } catch {
      // A page inside another page has no address of its own.
    }
  }

  function recall() {
    const told = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
    for (const control of data.controls) {
      const text = told.get(control.name);
      state.set(control.name, (text !== null && parsed(control, text)) || first(control));
      setters.get(control.name)?.();
    }
  }

  function parsed(control, text) {
    if (control.kind === "choice") {
      const i = control.options.indexOf(text);
      return i < 0 ? null : [i];
    }
    const values = text.split(",").map(numbers.read);
    const width = control.kind === "points" ? control.low.length : 1;
    const ends = (end, i) => [control[end]].flat()[i % width];
    const fits = values.length === control.first.length
      && values.every((x, i) => x !== null && x >= ends("low", i) && x <= ends("high", i));
    return fits ? values : null;
  }

  const reset = made("button", {type: "button"}, "Reset");
  reset.addEventListener("click", () => {
    for (const control of data.controls) {
      state.set(control.name, first(control));
      setters.get(control.name)?.();
    }
    schedule(true);
  });
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("controls").append(...data.controls.map((control) => FIELDS[control.kind](control)), made("div", {class: "buttons"}, reset));
  addEventListener("hashchange", () => { recall(); schedule(true); });
  // A page around this one may give it the height that it needs.
  const tell = () => parent.postMessage({tinygrad_edu: {height: Math.ceil(document.body.getBoundingClientRect().height)}}, "*");
  if (parent !== window) new ResizeObserver(tell).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((each) => each.u?.redraw()));
  new ResizeObserver(() => {
    for (const each of plots) {
      if (!each.u) continue;
      if (size(each).width !== each.u.width) fit(each);
      placeHandles(each);
    }
  }).observe(at("shown"));
  recall();
  compute();
})();
