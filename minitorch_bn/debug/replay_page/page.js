// The page: which step is shown, and what of it.

const at = id => document.getElementById(id);
const last = data.steps.length - 1;
let current = -1, playing = null;

function go(position) {
  position = Math.max(0, Math.min(last, position));
  if (position === current) return;
  current = position;
  const [op, phase] = data.steps[position];
  document.documentElement.dataset.phase = phase;
  light(op, phase, position);
  at("slider").value = position;
  at("count").textContent = `${position + 1} of ${data.steps.length}`;
  at("step").replaceChildren(...show(data.ops[op], phase));
  at("step").scrollTop = 0;
  try { history.replaceState(null, "", `#${position + 1}`); } catch { /* inside a notebook there is no address */ }
}

// The step of an op in a direction, or -1.
function stepOf(op, phase) {
  return data.steps.findIndex(s => s[0] === op && s[1] === phase);
}

function show(op, phase) {
  const kind = data.classes[op.class], parts = [];
  const title = element("h2", {}, element("span", {class: "phase"}, phase ? "◀ backward" : "forward ▶"), kind.name);
  const where = [op.called && `gives ${op.called}`, op.module && `in module ${op.module}`].filter(Boolean).join(", ");
  title.append(element("span", {class: "faint"}, where));
  parts.push(title);
  const unproved = (op.unproved || {})[phase ? "backward" : "forward"];
  const proof = unproved ? `not run a second time: ${unproved}` : "run a second time before this page was written: same bits";
  parts.push(element("div", {class: "faint", id: "step-proof"}, (unproved ? "○ " : "✓ ") + proof));
  parts.push(words(op, kind, phase));
  const settings = Object.entries(op.settings || {}).map(([name, value]) => `${name} = ${value}`).join("    ");
  if (settings) parts.push(element("pre", {class: "settings"}, settings));
  if (phase) {
    if (op.batchnorm) parts.push(...directions(op));
    parts.push(...row("The gradient that arrives", op.dy));
    parts.push(...row("What forward saved for it", op.saved));
    parts.push(...row("The gradients it hands on", op.gradients, x => `of ${x.called || "its input"}`));
  } else {
    const maker = x => (x.source === undefined ? "" : `from ${data.classes[data.ops[x.source].class].name}`);
    parts.push(...row("What it reads", op.inputs, x => x.called || maker(x)));
    parts.push(...row("What it gives", op.outputs, x => x.called || ""));
    parts.push(...row("What it saves for backward", op.saved));
  }
  return parts;
}

// The formula, the user's line, the op's own source.
function words(op, kind, phase) {
  const about = element("div", {class: "card about"});
  for (const p of kind.about) {
    const formula = p.text.replace(/(\S) {3,}(?=\S)/g, "$1\n");  // several in one line: one below the other
    about.append(p.formula ? element("pre", {class: "formula"}, formula) : element("p", {}, p.text));
  }
  const code = element("div", {class: "card code"});
  if (op.line) {
    code.append(element("p", {}, op.line.where), code_(op.line.text || "(its text is gone)", "user"));
  }
  const source = kind[phase ? "backward" : "forward"];
  if (source.text) {
    code.append(element("p", {}, `${kind.file}${source.line ? `, line ${source.line}` : ""}`), code_(source.text, "source"));
  }
  return element("div", {class: "words"}, ...[about, code].filter(card => card.children.length));
}

// Program text whose long lines go on further to the right.
function code_(text, kind) {
  const lines = text.split("\n").map(line => {
    const inward = line.length - line.trimStart().length + 4;
    return element("span", {style: `padding-left:${inward}ch;text-indent:-${inward}ch`}, line || " ");
  });
  return element("pre", {class: kind}, ...lines);
}

// A heading and the pictures under it.
function row(heading, values, note = () => "") {
  if (!values || !values.length) return [];
  const pictures = values.map(x => {
    if (x.array !== undefined) return heat(x.array, x.name, note(x));
    const caption = element("figcaption", {}, element("b", {}, x.name));
    return element("figure", {}, caption, element("div", x.text.length < 20 ? {class: "number"} : {}, x.text));
  });
  return [element("h3", {}, heading), element("div", {class: "pictures"}, ...pictures)];
}

// BatchNorm: dx as the sum of three paths, and as what is left of dy without two directions.
function directions(op) {
  const {paths, directions, channels, worst, orthogonal} = op.batchnorm;
  const dx = op.gradients.find(g => g.name === "dx").array, dy = op.dy[0].array;
  const sum = (names, arrays, signs, range) => {
    const line = element("div", {class: "pictures sum"});
    const width = Math.max(120, (at("step").clientWidth - 44 - 3 * 40 - 4 * 18) / 4);
    arrays.forEach((id, i) => {
      if (signs[i]) line.append(element("span", {class: "sign"}, signs[i]));
      line.append(heat(id, names[i], "", {range, width, height: data.arrays[id].shape.length > 2 ? 260 : 150, root: true}));
    });
    return line;
  };
  const p = Object.values(paths), d = Object.values(directions);
  const angle = value => (value === 0 ? "0" : value.toExponential(1));
  const table = element("table", {class: "angles"});
  const tr = (tag, cells) => table.append(element("tr", {}, ...cells.map(c => element(tag, {}, c))));
  tr("th", ["largest |cosine| in any channel", "with dy (before)", "with dx (after)", "what rounding and eps allow"]);
  tr("td", ["the constant direction 1", angle(worst["cos(dy, 1)"]), angle(worst["cos(dx, 1)"]), angle(worst["allowed with 1"])]);
  tr("td", ["x_hat", angle(worst["cos(dy, x_hat)"]), angle(worst["cos(dx, x_hat)"]), angle(worst["allowed with x_hat"])]);
  const why = orthogonal
    ? "✓ dx is orthogonal to both directions, as far as rounding allows; and eps, which keeps the mean of x_hat² a little below 1, "
      + "so that a share eps / (var + eps) of dy's part along x_hat stays."
    : "✗ dx is not orthogonal to both directions: more is left of them than rounding and eps explain.";
  return [
    element("h3", {}, "The three paths of dx: from y straight to x, through the mean, through the variance"),
    sum([...Object.keys(paths), "dx"], [...p, dx], ["", "+", "+", "="], rangeOf([...p, dx])),
    element("h3", {}, "The two directions that BatchNorm takes away from dy"),
    sum(["dy", ...Object.keys(directions)], [dy, ...d], ["", "−", "−", "="], rangeOf([dy, ...d])),
    element("p", {}, "What is left, times gamma · inv_std of its channel, is dx. The colours in each sum are one scale, by square root."),
    table,
    element("p", {class: "orthogonal"}, why),
    element("div", {class: "pictures"}, ...Object.entries(channels).map(([name, id]) => heat(id, name, "by channel", {range: [-1, 1]}))),
  ];
}

function turn() {
  const [op, phase] = data.steps[current], other = stepOf(op, 1 - phase);
  if (other >= 0) go(other);
}

function nextBatchNorm() {
  const is = s => data.classes[data.ops[s[0]].class].name.includes("BatchNorm");
  const after = data.steps.findIndex((s, i) => i > current && is(s));
  const found = after >= 0 ? after : data.steps.findIndex(is);
  if (found >= 0) go(found);
}

function play() {
  if (playing) { clearInterval(playing); playing = null; }
  else playing = setInterval(() => { if (current === last) play(); else go(current + 1); }, 1200);
  at("play").textContent = playing ? "❚❚" : "▶▶";
}

function contrast() {
  root = !root;
  const shown = current;
  current = -1;
  go(shown);
}

function theme() {
  const page = document.documentElement.dataset;
  page.theme = page.theme === "dark" ? "light" : "dark";
}

const light = drawGraph(at("graph"), op => {
  const phase = data.steps[current][1], same = stepOf(op, phase);
  go(same >= 0 ? same : stepOf(op, 0));
});
if (window.matchMedia("(prefers-color-scheme: dark)").matches) theme();
at("slider").max = last;
at("slider").addEventListener("input", event => go(Number(event.target.value)));
const actions = {
  first: () => go(0), back: () => go(current - 1), next: () => go(current + 1), last: () => go(last), play, turn,
  contrast, theme,
};
for (const [id, action] of Object.entries(actions)) at(id).addEventListener("click", action);
const keys = {
  ArrowLeft: actions.back, ArrowUp: actions.back, ArrowRight: actions.next, ArrowDown: actions.next,
  Home: actions.first, End: actions.last, " ": play, b: turn, n: nextBatchNorm, c: contrast, d: theme,
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || at("zoom").open || !keys[event.key]) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return;
  event.preventDefault();
  keys[event.key]();
});
const unproved = data.ops.filter(op => op.unproved).length;
at("proof").textContent = unproved ? `${data.ops.length - unproved} of ${data.ops.length} ops proved` : "✓ every op proved";
at("proof").title = "Every op was run a second time from the recorded inputs and gradients, and gave the same bits.";
go((parseInt(location.hash.slice(1), 10) || 1) - 1);
