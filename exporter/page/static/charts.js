// The charts: 15 minutes of moments, one point a second.
import { plain, rate, latency, clock, span } from './words.js';

const kept = 900; // seconds
const gap = 3; // seconds without a moment: the lines break
const over = 10; // seconds that the rates of a moment are of

const definitions = [
  {
    id: 'rate-chart', title: 'Requests a second', write: rate, height: 220,
    lines: [['Asked', 'asked_rps', 1, 5], ['Achieved', 'achieved_rps', 3], ['Failed', 'failed_rps', 2], ['Dropped', 'dropped_rps', 4]],
  },
  { id: 'latency-chart', title: 'Response time', write: latency, height: 180, lines: [['p50', 'p50_seconds', 1], ['p99', 'p99_seconds', 2]] },
  { id: 'flight-chart', title: 'Requests in flight', write: plain, height: 180, lines: [['In flight', 'in_flight', 4]] },
];

// charts are those on the page.
export const charts = [];

const points = [];

// take takes moments, the oldest first. Where the last is earlier than what is known,
// the clock was set back, and that has no place any more.
export function take(moments) {
  if (Date.parse(moments.at(-1)?.time) / 1000 < points.at(-1)?.time) points.length = 0;
  moments.forEach(add);
}

function add(moment) {
  const time = Date.parse(moment.time) / 1000;
  const last = points.at(-1)?.time;
  if (time <= last) return; // it is known
  if (time - last > gap) points.push({ time: last + 1 });
  const point = { time };
  for (const { lines } of definitions) for (const [, field] of lines) point[field] = moment[field];
  points.push(point);
  while (points[0].time < time - kept) points.shift();
}

// asked is the mean of what was asked for while the last moment's rates were counted.
export function asked() {
  const rates = points.slice(-over - 1).map((point) => point.asked_rps).filter((rate) => rate !== undefined);
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

// draw shows what was added.
export function draw() {
  const times = points.map((point) => point.time);
  for (const { chart, definition, read } of charts) {
    chart.setData([times, ...definition.lines.map(([, field]) => points.map((point) => point[field] ?? null))]);
    read();
  }
}

// build makes the charts once the page is there.
export function build() {
  charts.push(...definitions.map(make));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(({ chart }) => chart.redraw(false)));
}

const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function make(definition) {
  const figure = document.getElementById(definition.id);
  const caption = element('figcaption', '', definition.title), when = element('small', '');
  const legend = element('ul', 'legend'), box = element('div', 'plot');
  caption.append(' ', when);
  box.tabIndex = 0;
  box.setAttribute('role', 'img');
  box.setAttribute('aria-label', `${definition.title} over the last 15 minutes; the arrow keys read earlier values`);
  figure.append(caption, legend, box);
  const chart = new uPlot(options(definition, box.clientWidth, () => read()), [[]], box);
  const values = definition.lines.map((line, i) => entry(chart, legend, line, i));
  const read = () => {
    const on = chart.cursor.left >= 0, at = on ? chart.cursor.idx : chart.data[0].length - 1;
    const times = chart.data[0];
    when.textContent = on && times[at] ? `at ${clock(times[at] * 1000)} UTC` : `last ${span(Math.max(60, times.at(-1) - times[0] || 0))}, UTC`;
    values.forEach((value, i) => { value.textContent = definition.write(chart.data[i + 1]?.[at]); });
  };
  new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: definition.height })).observe(box);
  box.addEventListener('keydown', (event) => walk(event, chart));
  box.addEventListener('blur', () => chart.setCursor({ left: -10, top: -10 }));
  return { chart, definition, read };
}

// entry is a line's name and value, and the button that hides it.
function entry(chart, legend, [name, , line], i) {
  const item = document.createElement('li'), button = element('button', `line-${line}`), value = element('b', '');
  button.type = 'button';
  button.setAttribute('aria-pressed', 'true');
  button.append(element('i', ''), `${name} `, value);
  button.addEventListener('click', () => {
    const show = button.getAttribute('aria-pressed') === 'false';
    button.setAttribute('aria-pressed', show);
    chart.setSeries(i + 1, { show });
  });
  item.append(button);
  legend.append(item);
  return value;
}

// walk moves the cursor by keys, 15 seconds a step.
function walk(event, chart) {
  const step = { ArrowLeft: -15, ArrowRight: 15 }[event.key];
  const times = chart.data[0];
  if (!step || !times.length) return;
  event.preventDefault();
  const last = times.at(-1), from = chart.cursor.left >= 0 ? chart.posToVal(chart.cursor.left, 'x') : last;
  const time = Math.min(last, Math.max(times[0], from + step));
  chart.setCursor({ left: chart.valToPos(time, 'x'), top: 0 });
}

function options({ lines, write, height }, width, read) {
  const axis = { stroke: colour('quiet'), font: '12px system-ui, sans-serif', grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false } };
  return {
    width, height, padding: [8, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'page' }, points: { size: 6 } },
    scales: {
      x: { range: (_, from, to) => to === null ? [0, 60] : [Math.min(from, to - 60), to] },
      y: { range: (_, from, to) => [0, to > 0 ? to * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 30, space: 70, incrs: [15, 30, 60, 120, 300], values: (_, splits) => splits.map((time) => new Date(time * 1000).toISOString().slice(11, time % 60 ? 19 : 16)) },
      { ...axis, size: 62, space: 36, values: (_, splits) => splits.map((value) => value ? write(value) : '0') },
    ],
    series: [{}, ...lines.map(([label, , line, width = 2]) => ({ label, stroke: colour(`line-${line}`), width, points: { show: false } }))],
    hooks: { setCursor: [read] },
  };
}
