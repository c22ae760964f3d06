"use strict";
// What is drawn into a plot, on its canvas: curves, dots, bars and images. `arrays` of a mark are its
// numbers; `px` and `py` give the place of a number on the screen.
const marks = (() => {
  const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], []];
  const FAR = 1e5; // in pixels: what is further away than that makes no difference
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();

  function hue(i) {
    return `c${i % 5}`;
  }

  // Each line has a look of its own; but where some are dashed, the others are whole.
  function dashes(mark, i, all) {
    if (mark.dashed) return [4, 4];
    return all.some((each) => each.dashed) ? [] : DASHES[i % 5];
  }

  // From paper to ink by the value; below 0 the other colour, if there are two.
  function shade({low, high, diverging, levels}, value, named) {
    if (!Number.isFinite(value)) return named("alarm");
    const [ink, share] = diverging
      ? [value < 0 ? "c0" : "c1", Math.abs(value) / Math.max(Math.abs(low), Math.abs(high))]
      : [levels ? "c0" : "ink", (value - low) / (high - low)];
    const strength = numbers.clamped(share, 0, 1) * (levels ? 0.8 : 1);
    return `color-mix(in srgb, ${named(ink)} ${(strength * 100).toFixed(1)}%, ${named("paper")})`;
  }

  function draw(u, all) {
    const {ctx, bbox} = u;
    const px = (v) => u.valToPos(v, "x", true);
    const py = (v) => u.valToPos(v, "y", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    all.forEach((mark, i) => {
      ctx.strokeStyle = ctx.fillStyle = colour(hue(i));
      ctx.lineWidth = (mark.dashed ? 1.5 : 2.5) * devicePixelRatio;
      ctx.setLineDash(dashes(mark, i, all).map((d) => d * devicePixelRatio));
      KINDS[mark.kind](ctx, mark, px, py, all);
    });
    ctx.restore();
  }

  function curve(ctx, mark, px, py) {
    const {x, y} = mark.arrays;
    ctx.beginPath();
    let open = false;
    x.forEach((each, i) => {
      if (!Number.isFinite(each) || !Number.isFinite(y[i])) { open = false; return; }
      const [left, top] = [px(each), py(y[i])].map((v) => numbers.clamped(v, -FAR, FAR));
      if (open) ctx.lineTo(left, top);
      else ctx.moveTo(left, top);
      open = true;
    });
    ctx.stroke();
    ctx.setLineDash([]);
    if (mark.dots) discs(ctx, mark.arrays, px, py, 3.5);
  }

  // Those that can be dragged are in handles.js.
  function dots(ctx, mark, px, py) {
    if (!mark.drag) discs(ctx, mark.arrays, px, py, 5);
  }

  function discs(ctx, {x, y}, px, py, radius) {
    x.forEach((each, i) => {
      if (!Number.isFinite(each) || !Number.isFinite(y[i])) return;
      ctx.beginPath();
      ctx.arc(px(each), py(y[i]), radius * devicePixelRatio, 0, 7);
      ctx.fill();
    });
  }

  function bars(ctx, mark, px, py, all) {
    const group = all.filter((each) => each.kind === "bars");
    const width = 0.8 / group.length;
    const left = -0.4 + group.indexOf(mark) * width;
    mark.arrays.y.forEach((height, k) => {
      if (!Number.isFinite(height)) return;
      const [x0, x1, y0, y1] = [px(k + left), px(k + left + width * 0.94), py(0), py(height)];
      ctx.fillRect(x0, Math.min(y0, y1), x1 - x0, Math.max(Math.abs(y1 - y0), 1));
      if (mark.digits === null) return;
      const said = height.toFixed(mark.digits).replace(/^-(0\.?0*)$/, "$1");
      const letters = numbers.clamped((x1 - x0) / devicePixelRatio / 1.7, 8, 11);
      Object.assign(ctx, {font: `${letters * devicePixelRatio}px Helvetica, Arial, sans-serif`, textAlign: "center"});
      ctx.textBaseline = height < 0 ? "top" : "bottom";
      ctx.fillText(said, (x0 + x1) / 2, y1 + (height < 0 ? 2 : -2) * devicePixelRatio);
    });
  }

  function image(ctx, mark, px, py) {
    if (mark.levels) return bands(ctx, mark, px, py);
    const [rows, columns] = mark.shape;
    const [[x0, x1], [y0, y1]] = [mark.x, mark.y];
    mark.arrays.values.forEach((value, k) => {
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
    const {values} = mark.arrays;
    const [left, right] = mark.x.map(px).map(Math.round);
    const [bottom, top] = mark.y.map(py).map(Math.round);
    const width = (mark.high - mark.low) / mark.levels;
    const looks = Array.from({length: mark.levels}, (_, i) => shade(mark, mark.low + (i + 0.5) * width, colour));
    const step = devicePixelRatio;
    const paint = (from, to, v, band) => {
      ctx.fillStyle = looks[band] ?? colour("alarm"); // between numbers that are nan, the band is NaN, too
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
        const here = numbers.clamped(Math.floor(share), 0, mark.levels - 1);
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

  const KINDS = {curve, dots, bars, image};
  return {colour, hue, dashes, shade, draw};
})();
