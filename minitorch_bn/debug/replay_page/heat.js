// Pictures of arrays: one colour per number, a cursor, and the numbers around it.

const data = JSON.parse(document.getElementById("data").textContent);
const bytes = Uint8Array.from(atob(document.getElementById("block").textContent), c => c.charCodeAt(0));
const views = {f4: Float32Array, f8: Float64Array, u1: Uint8Array};
const readout = document.getElementById("readout");

// dark blue - grey - yellow: the lightness rises from end to end, so that it reads in grey, too
const COLOURS = [[0, 34, 78], [45, 66, 112], [125, 124, 120], [190, 175, 108], [254, 232, 56]];
const BAD = [255, 0, 255];

function element(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// The elements of array number `id` that are on the page, and the shape that they have.
function arrayOf(id) {
  const about = data.arrays[id];
  const steps = about.step || about.shape.map(() => 1);
  const shape = about.shape.map((n, i) => Math.ceil(n / steps[i]));
  const size = shape.reduce((a, b) => a * b, 1);
  return {about, steps, shape, size, values: new views[about.type](bytes.buffer, about.at, size)};
}

// Index in the whole array of the element at `flat` among those on the page.
function indexOf(array, flat) {
  const index = [];
  for (let i = array.shape.length - 1; i >= 0; i--) {
    index.unshift((flat % array.shape[i]) * array.steps[i]);
    flat = Math.floor(flat / array.shape[i]);
  }
  return index;
}

// All digits that tell a number from its neighbours.
function exact(array, value) {
  return array.about.type === "f4" && Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value);
}

function short(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  return value === 0 ? "0" : String(Number(value.toPrecision(digits)));
}

// Of a width that columns can count on.
function tabular(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  return size && (size < 1e-2 || size >= 1e6) ? value.toExponential(3) : short(value, 5);
}

// Where elements stand: tiles of the last two axes, side by side along the others. A long vector is broken into rows.
function planOf(shape) {
  if (shape.length < 2) {
    const n = shape.length ? shape[0] : 1;
    const width = n > 512 ? Math.ceil(Math.sqrt(n) * 1.5) : Math.max(1, n);
    return {height: Math.max(1, Math.ceil(n / width)), width, tiles: 1, across: 1, gap: 0};
  }
  const [height, width] = shape.slice(-2);
  const tiles = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const square = Math.ceil(Math.sqrt(tiles * Math.max(1, height) / Math.max(1, width)));
  const channels = shape.length === 4 && shape[1] * width < 400 ? shape[1] : 0;  // kept side by side
  const across = channels ? channels * Math.max(1, Math.round(Math.sqrt(shape[0] / channels))) : Math.min(tiles, square) || 1;
  return {height, width, tiles, across, gap: tiles > 1 ? 1 : 0};
}

function placeOf(plan, flat) {
  const inside = flat % (plan.height * plan.width), tile = Math.floor(flat / (plan.height * plan.width));
  return [
    Math.floor(tile / plan.across) * (plan.height + plan.gap) + Math.floor(inside / plan.width),
    (tile % plan.across) * (plan.width + plan.gap) + inside % plan.width,
  ];
}

function flatAt(plan, size, row, column) {
  const h = plan.height + plan.gap, w = plan.width + plan.gap;
  const r = row % h, c = column % w;
  if (row < 0 || column < 0 || r >= plan.height || c >= plan.width || column >= plan.across * w) return -1;
  const flat = (Math.floor(row / h) * plan.across + Math.floor(column / w)) * plan.height * plan.width + r * plan.width + c;
  return flat < size ? flat : -1;
}

// The ends of the colours: 0 in the middle if there are negative numbers.
function rangeOf(ids) {
  const all = ids.map(id => data.arrays[id]).filter(a => a.min !== null);
  const low = Math.min(...all.map(a => a.min), 0), high = Math.max(...all.map(a => a.max), 0);
  const most = Math.max(-low, high);
  return low < 0 ? [-most, most] : [0, high];
}

// With `root`, by the square root, so that small numbers can be told from 0 beside large ones.
let root = false;

function colourOf(value, [low, high], byRoot = root) {
  if (!Number.isFinite(value)) return BAD;
  if (byRoot) {
    [value, low, high] = [value, low, high].map(x => Math.sign(x) * Math.sqrt(Math.abs(x)));
  }
  const at = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) * (COLOURS.length - 1) : 0;
  const i = Math.min(COLOURS.length - 2, Math.floor(at)), t = at - i;
  return COLOURS[i].map((c, k) => Math.round(c + t * (COLOURS[i + 1][k] - c)));
}

// A picture with one pixel per element.
function paint(array, plan, range, byRoot) {
  const down = Math.max(1, Math.ceil(plan.tiles / plan.across));
  const canvas = element("canvas");
  canvas.width = Math.max(1, plan.across * (plan.width + plan.gap) - plan.gap);
  canvas.height = Math.max(1, down * (plan.height + plan.gap) - plan.gap);
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  for (let flat = 0; flat < array.size; flat++) {
    const [row, column] = placeOf(plan, flat);
    image.data.set([...colourOf(array.values[flat], range, byRoot), 255], 4 * (row * canvas.width + column));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// How large a cell is drawn, so that the whole fits: square where that is readable, otherwise longer one way.
function cellSize(width, height, mostWidth, mostHeight, square) {
  let x = Math.min(mostWidth / width, 26), y = Math.min(mostHeight / height, 26);
  if (square) return [Math.min(x, y), Math.min(x, y)];
  x = Math.min(x, Math.max(4 * y, 26 / width));
  y = Math.min(y, Math.max(4 * x, 26 / height));
  return [x, y];
}

// A figure of array number `id`: name, picture, scale; its cursor follows the mouse, or the arrow keys where it has
// the focus. `onMove(array, flat)` is told of it.
function heat(id, name, note = "", options = {}) {
  const array = arrayOf(id), about = array.about;
  const kind = about.was || {f4: "float32", f8: "float64", u1: "uint8"}[about.type];
  const figure = element("figure", {"data-array": id, "data-name": name});
  const shape = `(${about.shape.join(", ")}${about.shape.length === 1 ? "," : ""})`;
  const caption = element("figcaption", {}, element("b", {}, name), note ? ` ${note}` : "", element("br"));
  caption.append(element("span", {class: "faint"}, about.shape.length ? `${shape} ${kind}` : kind));
  figure.append(caption);
  if (about.bad) figure.append(element("div", {class: "bad"}, `${about.bad} not finite (nan or infinity): magenta`));
  if (array.size === 0) return figure.append(element("div", {class: "number"}, "empty")), figure;
  if (array.size === 1) {
    figure.append(element("div", {class: "number"}, exact(array, array.values[0])));
    return figure;
  }
  const range = options.range || rangeOf([id]), plan = planOf(array.shape), byRoot = options.root ?? root;
  const small = paint(array, plan, range, byRoot);
  const [x, y] = cellSize(small.width, small.height, options.width || 330, options.height || 190, plan.tiles > 1);
  const canvas = element("canvas", {tabindex: 0, role: "img", "aria-label": `${name}, shape ${shape}`});
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${small.width * x}px`;
  canvas.style.height = `${small.height * y}px`;
  canvas.width = Math.max(1, Math.round(small.width * x * ratio));
  canvas.height = Math.max(1, Math.round(small.height * y * ratio));
  let cursor = options.cursor ?? -1;

  function draw() {
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = Math.min(x, y) * ratio < 1;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    if (cursor < 0) return;
    const [row, column] = placeOf(plan, cursor), w = x * ratio, h = y * ratio;
    for (const [colour, grow] of [["#000", 3], ["#fff", 1.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.strokeRect(column * w - grow, row * h - grow, w + 2 * grow, h + 2 * grow);
    }
  }
  function move(flat) {
    if (flat < 0 || flat >= array.size) return;
    cursor = flat;
    draw();
    const text = `${name}[${indexOf(array, flat).join(", ")}] = ${exact(array, array.values[flat])}`;
    readout.textContent = `${text}   ${kind}${about.step ? ", sampled" : ""}`;
    if (options.onMove) options.onMove(array, flat, plan);
  }
  function at(event) {
    const box = canvas.getBoundingClientRect();
    return flatAt(plan, array.size, Math.floor((event.clientY - box.top) / y), Math.floor((event.clientX - box.left) / x));
  }
  canvas.addEventListener("mousemove", event => move(at(event)));
  canvas.addEventListener("click", event => { canvas.focus(); move(at(event)); });
  canvas.addEventListener("dblclick", () => zoom(id, name, range, byRoot, cursor));
  canvas.addEventListener("keydown", event => {
    const way = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (event.key === "Enter" && !options.onMove) zoom(id, name, range, byRoot, Math.max(0, cursor));
    if (event.key === "Escape" && !options.onMove) canvas.blur();
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    if (cursor < 0) return move(0);
    let [row, column] = placeOf(plan, cursor);
    let flat = flatAt(plan, array.size, row + way[0], column + way[1]);
    if (flat < 0 && plan.gap) flat = flatAt(plan, array.size, row + 2 * way[0], column + 2 * way[1]);
    move(flat);
  });
  draw();
  figure.append(canvas);
  const css = COLOURS.map(c => `rgb(${c.join(",")})`).join(",");
  const bar = element("i", {style: `background:linear-gradient(90deg,${css})`});
  const scale = element("div", {class: "scale"}, short(range[0]), bar, `${short(range[1])}${byRoot ? " √" : ""}`);
  scale.title = `min ${short(about.min, 6)}, max ${short(about.max, 6)}, mean ${short(about.mean, 6)} of the whole array`;
  figure.append(scale);
  if (about.step) {
    const all = about.shape.reduce((a, b) => a * b, 1).toLocaleString("en");
    const note = `too large, sampled: ${array.size.toLocaleString("en")} of ${all} numbers (each ${about.step.join(", ")}-th index)`;
    figure.append(element("div", {class: "sampled"}, note));
  }
  return figure;
}

// The picture again, large, beside the numbers around its cursor.
function zoom(id, name, range, byRoot, cursor) {
  const dialog = document.getElementById("zoom"), place = document.getElementById("zoomed");
  const table = element("table", {class: "numbers"}), value = element("div", {class: "number"});
  const options = {
    range, root: byRoot, cursor, width: window.innerWidth * 0.33, height: window.innerHeight * 0.66,
    onMove: (array, flat, plan) => {
      numbersAround(table, array, flat, plan, number => colourOf(number, range, byRoot));
      value.textContent = `[${indexOf(array, flat).join(", ")}] = ${exact(array, array.values[flat])}`;
    },
  };
  const figure = heat(id, name, "", options);
  place.replaceChildren(figure, element("div", {}, table, value));
  dialog.showModal();
  options.onMove(arrayOf(id), Math.max(0, cursor), planOf(arrayOf(id).shape));
  figure.querySelector("canvas").focus();
}

// How many things of a size have room, but no more than `most`.
function fit(room, size, most) {
  return Math.max(3, Math.min(most, Math.floor(room / size)));
}

function numbersAround(table, array, flat, plan, colourIn) {
  const tile = Math.floor(flat / (plan.height * plan.width)) * plan.height * plan.width;
  const row = Math.floor((flat - tile) / plan.width), column = (flat - tile) % plan.width;
  const window_ = (at, n, most) => {
    const start = Math.max(0, Math.min(at - Math.floor(most / 2), n - most));
    return Array.from({length: Math.min(n, most)}, (_, i) => start + i);
  };
  const columns = window_(column, plan.width, fit(window.innerWidth * 0.55 - 60, 116, 7));
  const rows = window_(row, plan.height, fit(window.innerHeight * 0.92 - 220, 32, 13));
  const last = i => indexOf(array, i).slice(-1)[0], second = i => indexOf(array, i).slice(-2)[0];
  const head = element("tr", {}, element("th"), ...columns.map(c => element("th", {}, String(last(tile + row * plan.width + c)))));
  if (array.shape.length < 2 && plan.height > 1) head.replaceChildren(element("th"));
  table.replaceChildren(head);
  for (const r of rows) {
    const line = element("tr", {}, element("th", {}, array.shape.length > 1 ? String(second(tile + r * plan.width)) : ""));
    for (const c of columns) {
      const i = tile + r * plan.width + c;
      if (i >= array.size) continue;
      const colour = colourIn(array.values[i]), light = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2];
      const style = `background:rgb(${colour.join(",")});color:${light > 110 ? "#000" : "#fff"}`;
      const text = tabular(array.values[i]);
      line.append(element("td", {style, class: i === flat ? "here" : ""}, text));
    }
    table.append(line);
  }
}
