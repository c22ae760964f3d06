"use strict";
// Numbers as short text, character for character as text.py writes them; but the last of sixteen
// digits of a mean, which depends on the order of the sum. And the numbers that a reader sets.
const numbers = (() => {
  const IN_FULL = 4;
  const EPSILON = {f4: 2 ** -23, f8: 2 ** -52};
  const EXACT = 100; // digits after the first: no number of so few digits needs more

  // The digits of a positive number, rounded to some, and the power of ten of the first.
  // Python takes the even digit where two are as near, JavaScript the larger.
  function digits(x, count) {
    const [rounded, power] = x.toExponential(count - 1).split("e");
    const exact = x.toExponential(EXACT).split("e")[0].replace(".", "");
    const isHalf = count <= EXACT && /^50*$/.test(exact.slice(count)) && "02468".includes(exact[count - 1]);
    return isHalf ? [exact.slice(0, count), Number(x.toExponential(EXACT).split("e")[1])]
      : [rounded.replace(".", ""), Number(power)];
  }

  // One number, to so many significant digits, or whole and under a million, in full.
  function number(x, precision) {
    if (Number.isNaN(x)) return "nan";
    const sign = x < 0 ? "-" : "";
    const size = Math.abs(x);
    if (size === Infinity) return `${sign}inf`;
    if (size < 1e6 && Number.isInteger(size)) return `${sign}${size}`;
    const count = Math.min(precision, EXACT + 1);
    const [all, power] = digits(size, count);
    if (power < -4 || power >= count) {
      const places = String(Math.abs(power)).padStart(2, "0");
      return `${sign}${pointed(all, 1)}e${power < 0 ? "-" : "+"}${places}`;
    }
    return power < 0 ? `${sign}${pointed("0".repeat(-power) + all, 1)}` : `${sign}${pointed(all, power + 1)}`;
  }

  function pointed(all, place) {
    const rest = all.slice(place).replace(/0+$/, "");
    return rest ? `${all.slice(0, place)}.${rest}` : all.slice(0, place);
  }

  // An array: its numbers in one row, its shape, and its dtype as "f8", "f4", "i8" or "b1".
  function values(row, shape, dtype, precision) {
    if (row.length === 0) return "empty";
    if (row.length <= IN_FULL) return nested(row.map((x) => one(x, dtype, precision)), shape);
    if (dtype[0] === "b") return `${row.filter((x) => x).length} of ${row.length} True`;
    if (dtype[0] !== "f") return `${Math.min(...row)} to ${Math.max(...row)}`;
    const finite = row.filter(Number.isFinite);
    const parts = [];
    if (finite.length) {
      const mean = average(finite);
      const std = Math.sqrt(average(finite.map((x) => (x - mean) ** 2)));
      const noise = 4 * EPSILON[dtype] * average(finite.map(Math.abs));
      const [m, s] = [mean, std].map((x) => number(Math.abs(x) < noise ? 0 : x, precision));
      parts.push(`mean ${m}, std ${s}`);
    }
    const nans = row.filter(Number.isNaN).length;
    const infs = row.length - finite.length - nans;
    if (nans) parts.push(`${nans} nan`);
    if (infs) parts.push(`${infs} inf`);
    return parts.join(", ");
  }

  function one(x, dtype, precision) {
    if (dtype[0] === "b") return x ? "True" : "False";
    return dtype[0] === "f" ? number(x, precision) : String(x);
  }

  function nested(texts, shape) {
    if (shape.length === 0) return texts[0];
    const size = texts.length / shape[0];
    const parts = Array.from({length: shape[0]}, (_, i) => nested(texts.slice(i * size, (i + 1) * size), shape.slice(1)));
    return `[${parts.join(", ")}]`;
  }

  function average(row) {
    return row.reduce((sum, x) => sum + x, 0) / row.length;
  }

  // The number that a text says, or null.
  function read(text) {
    const plain = text.trim().replace("\u2212", "-");
    const x = Number(plain);
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) && Number.isFinite(x) ? x : null;
  }

  // What to say of a text that says none.
  function misread(text) {
    return `${JSON.stringify(text)} is no number here; write it as 0.5, -2 or 1e-3.`;
  }

  function clamped(x, low, high) {
    return Math.min(Math.max(x, low), high);
  }

  // A number without the noise of binary fractions. An end stays as it is, so that an address with it is read back.
  function rounded(x, precision, low, high) {
    return clamped(Number(x.toPrecision(precision)), low, high);
  }

  return {number, values, read, misread, clamped, rounded};
})();
