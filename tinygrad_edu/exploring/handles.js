"use strict";
// Dots that are dragged: elements above the canvas of a chart, which can be focused. `get(name)` gives
// the numbers of the points so called, and `change(name, values, done)` takes new ones.
const handling = (controls, get, change, written) => {
  const points = new Map(controls.map((control) => [control.name, control]));

  // Put the handles of a chart on its dots, and make or remove some, if it has other ones now.
  function place(chart) {
    let count = 0;
    chart.marks.forEach((mark, i) => {
      if (mark.kind !== "dots" || !mark.drag) return;
      mark.arrays.x.forEach((_, k) => {
        chart.handles[count] ??= added(chart);
        put(chart, chart.handles[count], mark, k, `var(--${marks.hue(i)})`);
        count += 1;
      });
    });
    chart.handles.splice(count).forEach((handle) => handle.remove());
  }

  // Put a handle on a dot: number k of a mark.
  function put({u}, handle, mark, k, hue) {
    const [x, y] = [mark.arrays.x[k], mark.arrays.y[k]];
    const [left, top] = [u.valToPos(x, "x"), u.valToPos(y, "y")];
    const {width, height} = u.over.getBoundingClientRect();
    const name = mark.labels[k] ?? `${k + 1}`;
    const {low, high, shape} = points.get(mark.drag);
    Object.assign(handle, {mark, k});
    handle.style.transform = `translate(${numbers.clamped(left, 0, width)}px, ${numbers.clamped(Number.isFinite(top) ? top : height, 0, height)}px)`;
    handle.style.setProperty("--hue", hue);
    handle.dataset.mark = name.length > 2 ? "" : name;
    handle.setAttribute("aria-label", `${mark.drag} ${name}`);
    handle.setAttribute("aria-valuenow", x);
    handle.setAttribute("aria-valuemin", low[0]);
    handle.setAttribute("aria-valuemax", high[0]);
    handle.setAttribute("aria-valuetext", shape.length > 1 ? `${written(x)}, ${written(y)}` : written(x));
  }

  function added({u}) {
    const handle = made("div", {class: "handle", role: "slider", tabindex: 0});
    u.over.append(handle);
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      handle.setPointerCapture(event.pointerId);
      handle.focus();
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = u.over.getBoundingClientRect();
      move(handle, [u.posToVal(event.clientX - box.left, "x"), u.posToVal(event.clientY - box.top, "y")], false);
    });
    handle.addEventListener("pointerup", () => change(handle.mark.drag, get(handle.mark.drag), true));
    handle.addEventListener("keydown", (event) => {
      const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
      if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const {low, high} = points.get(handle.mark.drag);
      const [right, up] = moves[event.key];
      const along = low.length === 1 ? [right + up] : [right, up];
      const share = event.shiftKey ? 0.1 : 0.01;
      move(handle, point(handle).map((x, i) => x + along[i] * share * (high[i] - low[i])), true);
    });
    return handle;
  }

  // The numbers of the point that a handle moves: one, or two in the plane.
  function point({mark, k}) {
    const width = points.get(mark.drag).low.length;
    return get(mark.drag).slice(k * width, (k + 1) * width);
  }

  function move({mark, k}, wanted, done) {
    const {low, high} = points.get(mark.drag);
    const values = [...get(mark.drag)];
    low.forEach((_, i) => { values[k * low.length + i] = near(wanted[i], low[i], high[i]); });
    change(mark.drag, values, done);
  }

  // A round number: there are a thousand or more from one end to the other.
  function near(x, low, high) {
    const unit = 10 ** Math.floor(Math.log10((high - low) / 1000));
    return numbers.rounded(Math.round(x / unit) * unit, 12, low, high);
  }

  return {place};
};
