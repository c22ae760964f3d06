"use strict";
// Plots on the screen, each with its legend: uPlot draws frames and axes, marks.js what is in them.
// A chart has a plot as Python tells it, its marks with their numbers, and the elements that show it.
// `drawn(chart)` is called whenever one has been drawn, and places on it are known.
const plotting = (written, drawn) => {
  const REM = parseFloat(getComputedStyle(document.documentElement).fontSize); // larger on a wall
  // The numbers that an axis has room for, by the kind of a mark.
  const NEEDED = {
    curve: (mark, axis) => mark.arrays[axis],
    dots: (mark, axis) => mark.arrays[axis],
    bars: ({arrays: {y}}, axis) => (axis === "x" ? [-0.6, y.length - 0.4] : [0, ...y]),
    image: (mark, axis) => mark[axis],
  };

  function limits(values, margin) {
    const finite = values.filter(Number.isFinite);
    if (!finite.length) return [0, 1];
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const room = (high - low || Math.abs(low) || 1) * margin;
    return [low - room, high + room];
  }

  function extent(chart, axis) {
    const fixed = chart.plot[`${axis}lim`];
    if (fixed) return fixed;
    const kinds = chart.marks.map((mark) => mark.kind);
    const isExact = kinds.includes("image") || (axis === "x" && kinds.every((kind) => kind === "bars"));
    return limits(chart.marks.flatMap((mark) => NEEDED[mark.kind](mark, axis)), isExact ? 0 : 0.06);
  }

  // A chart that has no numbers yet.
  function chart(plot) {
    const holder = made("div", {class: "frame"});
    const caption = made("figcaption", {}, plot.title || plot.name);
    const figure = made("figure", {role: "group", "aria-label": plot.title || plot.name}, caption, legend(plot), holder);
    return {plot, figure, holder, handles: [], marks: [], u: null};
  }

  function legend(plot) {
    const list = made("ul", {class: "legend"});
    plot.marks.forEach((mark, i) => {
      if (!mark.label) return;
      list.append(mark.kind === "image" ? scale(mark) : made("li", {}, sample(mark, i, plot.marks), mark.label));
    });
    return list;
  }

  function svg(kind, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  // How a curve, dots or bars look.
  function sample(mark, i, all) {
    const picture = svg("svg", {viewBox: "0 0 32 14", "aria-hidden": "true"});
    const ink = `var(--${marks.hue(i)})`;
    const line = {x1: 0, x2: 32, y1: 7, y2: 7, stroke: ink, "stroke-width": 3, "stroke-dasharray": marks.dashes(mark, i, all).join(" ")};
    picture.append(mark.kind === "curve" ? svg("line", line) : svg("circle", {cx: 16, cy: 7, r: 5, fill: ink}));
    return picture;
  }

  // The colours of an image from its low to its high end.
  function scale(mark) {
    const picture = svg("svg", {viewBox: "0 0 44 14", preserveAspectRatio: "none", "aria-hidden": "true", class: "scale"});
    for (let i = 0; i < 11; i += 1) {
      const fill = marks.shade(mark, mark.low + ((mark.high - mark.low) * i) / 10, (name) => `var(--${name})`);
      picture.append(svg("rect", {x: 4 * i, width: 4, height: 14, fill}));
    }
    return made("li", {}, `${written(mark.low)} `, picture, ` ${written(mark.high)} ${mark.label}`);
  }

  function size(chart) {
    const width = Math.max(Math.min(chart.figure.clientWidth || 320, 40 * REM), 200);
    return {width, height: Math.round(chart.plot.square ? width * 0.95 : Math.max(width * 0.62, 220))};
  }

  // Show these numbers.
  function update(chart, found) {
    chart.marks = found;
    if (chart.u) chart.u.setData(chart.u.data, true);
    else start(chart);
  }

  const font = (size) => `${size * REM}px Helvetica, Arial, sans-serif`;

  function start(chart) {
    const {plot} = chart;
    const names = plot.marks.find((mark) => mark.kind === "bars")?.names ?? [];
    const axis = (label) => ({
      label, labelSize: label ? 1.4 * REM : 0, labelFont: font(0.875), font: font(0.75),
      stroke: () => marks.colour("faint"), grid: {stroke: () => marks.colour("line"), width: 1}, ticks: {stroke: () => marks.colour("line")},
    });
    const x = {...axis(plot.x), size: 1.9 * REM};
    if (names.length) Object.assign(x, {
      splits: () => names.map((_, i) => i), values: () => names, grid: {show: false}, ticks: {show: false},
    });
    const y = {...axis(plot.y), size: (plot.y ? 3.5 : 2.9) * REM};
    if (plot.marks.some((mark) => mark.kind === "image") && !plot.x && !plot.y && !plot.xlim) x.show = y.show = false;
    chart.u = new uPlot({
      ...size(chart), mode: 1, legend: {show: false}, cursor: {show: false}, padding: [12, 16, null, null],
      scales: {
        x: {time: false, auto: false, range: () => extent(chart, "x")},
        y: {auto: false, range: () => extent(chart, "y")},
      },
      axes: [x, y],
      series: [{}, {show: true, stroke: "transparent", points: {show: false}}],
      hooks: {draw: [(u) => marks.draw(u, chart.marks), () => chart.u && drawn(chart)]},
    }, [[0, 1], [null, null]], chart.holder);
    if (plot.square) fit(chart);
  }

  // Take the width that there is; in a square plot, as high as makes its units equal.
  function fit(chart) {
    const wanted = size(chart);
    chart.u.setSize(wanted);
    if (!chart.plot.square) return;
    const {width, height} = chart.u.bbox;
    const [across, up] = ["x", "y"].map((axis) => { const [low, high] = extent(chart, axis); return high - low; });
    const missing = Math.round(((width * up) / across - height) / devicePixelRatio);
    if (missing) chart.u.setSize({width: wanted.width, height: wanted.height + missing});
  }

  function resize(chart) {
    if (size(chart).width !== chart.u.width) fit(chart);
  }

  return {chart, update, resize};
};
